import DualWrite
import Spool
import Testing

@Suite struct EncryptionTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func options(_ seed: UInt8?) throws -> SpoolOptions {
        var options = SpoolOptions.small
        options.key = try seed.map { try #require(SpoolKey([UInt8](repeating: $0, count: 32))) }
        return options
    }

    @Test func `encrypted records are read back, and their bytes are not in the files`() throws {
        let secret = Array("a very secret record".utf8)
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", options(1), files)
        let position = try spool.appended(secret).get()
        _ = try spool.appended([]).get()
        #expect(try spool.readBack(position) == .success(secret))
        #expect(try spool.drainable() == [secret, []])
        let bytes = try Bytes.read("/spool/00000001.seg", files)
        #expect(!bytes.indices.contains { bytes[$0...].starts(with: secret.prefix(6)) })
        spool.close()
        let (again, found, _) = try opened("/spool", options(1), files)
        #expect(found == [secret, []])
        again.close()
    }

    @Test func `a missing or another key is said, and nothing is changed`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", options(1), files)
        _ = try spool.appended([1]).get()
        spool.close()
        let before = try Bytes.read("/spool/00000001.seg", files)
        let missing = #expect(throws: SpoolError.self) { try opened("/spool", options(nil), files) }
        #expect(missing?.code == .key && missing?.message.contains("no key is given") == true)
        let wrong = #expect(throws: SpoolError.self) { try opened("/spool", options(2), files) }
        #expect(wrong?.code == .key && wrong?.message.contains("the key given is") == true)
        #expect(try Bytes.read("/spool/00000001.seg", files) == before)
        let (again, found, _) = try opened("/spool", options(1), files)
        #expect(found == [[1]])
        again.close()
    }

    @Test func `segments from before the key, and after it, are read with it`() throws {
        let files = MemoryFiles()
        var all: [[UInt8]] = []
        for (number, seed) in [UInt8?.none, 1, nil, 1].enumerated() {
            // Without the key only what is not encrypted could be read, so the third opening has it and then writes in plain
            // text by its owner's choice to remove it from a fresh spool: here the key stays.
            let (spool, found, _) = try opened("/spool", options(number == 0 ? nil : seed ?? 1), files)
            #expect(found == all)
            let record = Array("number \(number)".utf8)
            let position = try spool.appended(record).get()
            #expect(try spool.readBack(position) == .success(record))
            all.append(record)
            #expect(try spool.drainable() == all)
            spool.close()
        }
        let plain = try Bytes.read("/spool/00000001.seg", files)
        #expect(plain.indices.contains { plain[$0...].starts(with: Array("number 0".utf8)) })
    }

    @Test func `an encrypted record that is altered or moved is refused, whatever its checksum says`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", options(1), files)
        _ = try spool.appended([1, 2, 3]).get()
        spool.close()
        var bytes = try Bytes.read("/spool/00000001.seg", files)
        let header = try bytes.withUnsafeBytes { try SegmentHeader($0) }
        let seal = FrameSeal(spool: header.spool, segment: 1)
        let frame = try #require(bytes[64...].withUnsafeBytes { seal.header($0, at: 64) })
        bytes[64 + 16 + 14] ^= 1
        bytes.withUnsafeMutableBytes { seal.seal(UnsafeMutableRawBufferPointer(rebasing: $0[64...]), frame, at: 64) }
        try Bytes.write("/spool/00000001.seg", bytes, files)
        let error = #expect(throws: SpoolError.self) { try opened("/spool", options(1), files) }
        #expect(error?.damage?.offset == 64)
    }

    @Test func `a key file holds 32 bytes or their digits, for its owner only`() throws {
        let path = directory.path + "/key"
        let raw = (0..<32).map { UInt8($0) }
        let digits = Array(raw.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8)
        try Bytes.write(path, raw)
        let key = try SpoolKey(file: path)
        for text in [
            digits, digits + [0x0A], Array(String(decoding: digits, as: UTF8.self).uppercased().utf8) + [0x0D, 0x0A],
        ] {
            try Bytes.write(path, text)
            #expect(try SpoolKey(file: path).id == key.id)
        }
        #expect(key.id == SpoolKey(raw)?.id && key.id != SpoolKey([UInt8](repeating: 1, count: 32))?.id)
        for other in [[], Array(raw.dropLast()), digits + [0x30], Array(digits.dropLast()) + [0x7A]] as [[UInt8]] {
            try Bytes.write(path, other)
            let error = #expect(throws: SpoolError.self) { try SpoolKey(file: path) }
            #expect(error?.code == .key)
        }
        try Bytes.write(path, raw)
        for shared in [0o604, 0o644, 0o620, 0o602] as [UInt32] {
            setMode(path, shared)
            let error = #expect(throws: SpoolError.self) { try SpoolKey(file: path) }
            #expect(error?.code == .key && error?.message.contains("can be read or changed by others") == true)
        }
        setMode(path, 0o400)
        #expect(throws: Never.self) { try SpoolKey(file: path) }
        let absent = #expect(throws: SpoolError.self) { try SpoolKey(file: path + "x") }
        #expect(absent?.code == .system)
    }
}
