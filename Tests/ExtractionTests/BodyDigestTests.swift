import Extraction
import TestSupport
import Testing

struct BodyDigestTests {
    private let bytes: [UInt8] = {
        var generator = SeededGenerator(seed: 51)
        return (0..<200).map { _ in .random(in: 0...255, using: &generator) }
    }()

    private func hash(_ bytes: some Sequence<UInt8>, seed: UInt64) -> UInt64 {
        Array(bytes).withUnsafeBytes { XXH64.hash($0, seed: seed) }
    }

    @Test func `in two pieces, split anywhere, the hash is that of the whole`() {
        for length in 0...bytes.count {
            let whole = hash(bytes[..<length], seed: UInt64(length))
            for split in 0...length {
                var stream = XXH64.Stream(seed: UInt64(length))
                bytes[..<split].withUnsafeBytes { stream.update($0) }
                bytes[split..<length].withUnsafeBytes { stream.update($0) }
                #expect(stream.hash == whole, "\(split) of \(length)")
            }
        }
    }

    @Test func `in pieces of any sizes, the hash after each is that of all before`() {
        var generator = SeededGenerator(seed: 52)
        for _ in 0..<500 {
            var stream = XXH64.Stream(seed: 7)
            var end = 0
            while end < bytes.count {
                let next = min(bytes.count, end + Int.random(in: 0...70, using: &generator))
                bytes[end..<next].withUnsafeBytes { stream.update($0) }
                end = next
                #expect(stream.hash == hash(bytes[..<end], seed: 7), "\(end)")
            }
        }
    }

    @Test func `a digest knows length and content`() {
        var digesting = BodyDigest.Digesting()
        bytes[..<40].withUnsafeBytes { digesting.update($0) }
        bytes[40...].withUnsafeBytes { digesting.update($0) }
        #expect(digesting.digest == BodyDigest(of: bytes))
        #expect(digesting.digest.length == 200)
        #expect(BodyDigest(of: bytes.lazy.map { $0 }) == BodyDigest(of: bytes))
        #expect(BodyDigest(of: []) == BodyDigest.Digesting().digest)
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(BodyDigest(of: other) != BodyDigest(of: bytes))
        }
    }
}
