import ContentCoding
import TestSupport
import Testing

struct ContentCodingTests {
    /// The text in one coding.
    private struct Body: Sendable, CustomTestStringConvertible {
        let name: String
        let codings: [String]
        let bytes: [UInt8]
        /// Beginnings that are whole by themselves.
        var wholeBeginnings = 0

        init(_ name: String, _ codings: String..., bytes: [UInt8], wholeBeginnings: Int = 0) {
            self.name = name
            self.codings = codings
            self.bytes = bytes
            self.wholeBeginnings = wholeBeginnings
        }

        var testDescription: String { name }
    }

    private static let bodies: [Body] = [
        Body("gzip", "gzip", bytes: Coded.gzip),
        Body("gzip by its old name", "x-gzip", bytes: Coded.gzip),
        Body("gzip in other letters, between identities", "identity", "GZip", "Identity", bytes: Coded.gzip),
        Body("gzip in members", "gzip", bytes: Coded.gzipMembers, wholeBeginnings: 2),
        Body("deflate as it should be", "deflate", bytes: Coded.zlib),
        Body("bare deflate", "deflate", bytes: Coded.bareDeflate),
        Body("br", "br", bytes: Coded.brotli),
        Body("zstd", "zstd", bytes: Coded.zstd),
        Body("zstd in frames", "zstd", bytes: Coded.zstdFrames, wholeBeginnings: 2),
    ]
    private static let mebibyte = 1024 * 1024

    private func decoded(_ body: [UInt8], _ codings: String..., limit: Int = mebibyte) throws(ContentCodingError)
        -> [UInt8]
    {
        try ContentCoding.decoded(body, codings: codings, limit: limit)
    }

    @Test(arguments: bodies)
    private func `what another implementation has encoded is decoded, up to exactly the limit`(body: Body) throws {
        let size = Coded.text.utf8.count
        let decoded = try ContentCoding.decoded(body.bytes, codings: body.codings, limit: size)
        #expect(String(decoding: decoded, as: UTF8.self) == Coded.text)
        let name = body.codings.first { $0.lowercased() != "identity" } ?? ""
        #expect(throws: ContentCodingError(.tooLarge, coding: name)) {
            try ContentCoding.decoded(body.bytes, codings: body.codings, limit: size - 1)
        }
    }

    @Test func `codings are undone from the last to the first`() throws {
        let zeros = try decoded(Coded.gibibyteByZstd, "gzip", limit: 100_000)
        #expect(zeros.starts(with: [0x28, 0xB5, 0x2F, 0xFD]))
        #expect(throws: ContentCodingError(.tooLarge, coding: "zstd")) {
            try decoded(Coded.gibibyteByZstd, "zstd", "gzip")
        }
        #expect(throws: ContentCodingError(.corrupt, coding: "zstd")) {
            try decoded(Coded.gibibyteByZstd, "gzip", "zstd")
        }
    }

    @Test func `a body without codings or without bytes stays as it is`() throws {
        #expect(try decoded([1, 2]) == [1, 2])
        #expect(try decoded([1, 2], "identity", limit: 0) == [1, 2])
        #expect(try decoded([], "gzip", "made-up") == [])
    }

    @Test func `an unknown coding and a fifth one are refused before any work`() {
        #expect(throws: ContentCodingError(.unknown, coding: "compress")) { try decoded([1], "compress", "gzip") }
        #expect(throws: ContentCodingError(.unknown, coding: "")) { try decoded([1], "") }
        #expect(throws: ContentCodingError(.tooMany, coding: "br")) {
            try decoded(Coded.gzip, "gzip", "gzip", "gzip", "gzip", "br")
        }
    }

    /// The end of a member or a frame inside is the end of a shorter valid body.
    @Test(arguments: bodies)
    private func `every beginning of a body errs, unless it is whole by itself`(body: Body) {
        var whole = 0
        for length in 1..<body.bytes.count {
            do throws(ContentCodingError) {
                let bytes = try ContentCoding.decoded(
                    Array(body.bytes[..<length]), codings: body.codings, limit: Self.mebibyte)
                #expect(Coded.text.utf8.starts(with: bytes), "\(length)")
                whole += 1
            } catch {
                #expect(error.problem == .cut, "\(length)")
            }
        }
        #expect(whole == body.wholeBeginnings)
    }

    @Test(arguments: bodies)
    private func `bytes behind the end are an error`(body: Body) {
        #expect(throws: ContentCodingError.self) {
            try ContentCoding.decoded(body.bytes + [1], codings: body.codings, limit: Self.mebibyte)
        }
    }

    @Test(arguments: bodies)
    private func `whatever bytes are changed, the end is a result within the limit or an error`(body: Body) {
        var generator = SeededGenerator(seed: 41)
        var refused = 0
        for _ in 0..<2_000 {
            var changed = body.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<changed.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: changed.remove(at: index)
                case 1: changed.insert(.random(in: 0...255, using: &generator), at: index)
                default: changed[index] = .random(in: 0...255, using: &generator)
                }
            }
            do throws(ContentCodingError) {
                #expect(try ContentCoding.decoded(changed, codings: body.codings, limit: 5_000).count <= 5_000)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 500)
    }

    @Test func `noise is refused, whatever it is said to be`() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<2_000 {
            let noise = (0..<Int.random(in: 1..<200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            for coding in ["gzip", "deflate", "br", "zstd"] {
                _ = try? ContentCoding.decoded(noise, codings: [coding], limit: 10_000)
            }
            #expect(throws: ContentCodingError.self) { try decoded(noise, "gzip") }
            #expect(throws: ContentCodingError.self) { try decoded(noise, "zstd") }
        }
    }

    @Test func `a small body that would become a large one stops at the limit`() throws {
        let ten = try decoded(Coded.tenMebibytes, "gzip")
        #expect(ten.count < 20_000)
        #expect(try decoded(ten, "gzip", limit: 10 * Self.mebibyte).count == 10 * Self.mebibyte)
        #expect(throws: ContentCodingError(.tooLarge, coding: "gzip")) {
            try decoded(ten, "gzip", limit: 10 * Self.mebibyte - 1)
        }
        // The third layer is within the limit, the last is not.
        #expect(throws: ContentCodingError(.tooLarge, coding: "gzip")) {
            try decoded(Coded.gibibyteThreeTimes, "gzip", "gzip", "gzip", limit: 2 * Self.mebibyte)
        }
        #expect(throws: ContentCodingError(.tooLarge, coding: "br")) {
            try decoded(Coded.gibibyteByBrotli, "br", "gzip")
        }
    }

    @Test func `a window of 128 MiB is not granted, however small the body`() {
        #expect(throws: ContentCodingError(.tooLarge, coding: "zstd")) {
            try decoded(Coded.zstdWithWideWindow, "zstd", limit: 2 * Self.mebibyte)
        }
    }
}
