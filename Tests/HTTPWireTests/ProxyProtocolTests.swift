import TestSupport
import Testing

@testable import HTTPWire

/// Row 74 of the checklist, without sockets.
@Suite struct ProxyProtocolHeaders {
    private static func parse(_ bytes: [UInt8]) throws -> ProxyProtocol? {
        try bytes.withUnsafeBytes { try ProxyProtocol.parse($0) }
    }

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static func binary(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 7, 10, 0, 0, 1, 0xDC, 0x04, 0x01, 0xBB]

    @Test(
        arguments: [
            ("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", [192, 0, 2, 7], 56_324),
            (
                "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                1
            ),
            ("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7], 1),
            ("PROXY UNKNOWN\r\n", [], 0), ("PROXY UNKNOWN ffff:: what ever\r\n", [], 0),
        ] as [(String, [UInt8], Int)])
    func `version 1 says whose connection it is, however it is cut into reads`(
        line: String, address: [UInt8], port: Int
    ) throws {
        let bytes = Array(line.utf8)
        for end in 0..<bytes.count { #expect(try Self.parse(Array(bytes[..<end])) == nil) }
        let header = try #require(try Self.parse(bytes + Array("GET / HTTP/1.1".utf8)))
        #expect(header.length == bytes.count)
        #expect(header.address == address)
        #expect(header.port == port)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 1.2.3.4 1 2\r\n", "PROXY TCP6 1.2.3.4 ::1 1 2\r\n", "PROXY TCP6 1::2::3 ::1 1 2\r\n",
        "PROXY TCP6 :1:2:3:4:5:6:7 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7: ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
        "PROXY TCP6 12345:: ::1 1 2\r\n", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "PROXY TCP6 ::: ::1 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWNS\r\n", "PROXY \r\n", "\r\nPROXY UNKNOWN\r\n",
    ])
    func `anything else is no header`(line: String) {
        #expect(throws: ProxyProtocol.Failure.self, "\(line.debugDescription)") { try Self.parse(Array(line.utf8)) }
    }

    @Test func `a line beyond 107 bytes is refused, as soon as it is`() throws {
        let long = Array("PROXY UNKNOWN \(String(repeating: "x", count: 200))".utf8)
        #expect(try Self.parse(Array(long[..<106])) == nil)
        #expect(throws: ProxyProtocol.Failure.tooLong) { try Self.parse(Array(long[..<107])) }
        #expect(throws: ProxyProtocol.Failure.tooLong) { try Self.parse(long + [0x0D, 0x0A]) }
    }

    @Test func `version 2 says whose connection it is, and its TLVs are skipped`() throws {
        for tail in [[], [0x03, 0, 4, 1, 2, 3, 4], [UInt8](repeating: 0x20, count: 508)] {
            let bytes = Self.binary(0x21, 0x11, Self.ipv4 + tail)
            for end in 0..<bytes.count { #expect(try Self.parse(Array(bytes[..<end])) == nil) }
            let header = try #require(try Self.parse(bytes + [0x47]))
            #expect(header == ProxyProtocol(length: bytes.count, address: [192, 0, 2, 7], port: 56_324))
        }
        let six = (1...36).map { UInt8($0) }
        let header = try #require(try Self.parse(Self.binary(0x21, 0x21, six)))
        #expect(header.address == Array(1...16))
        #expect(header.port == 33 << 8 | 34)
    }

    @Test func `LOCAL, unspecified and local sockets name nobody`() throws {
        for bytes in [
            Self.binary(0x20, 0x00, []), Self.binary(0x20, 0x11, Self.ipv4), Self.binary(0x20, 0x11, []),
            Self.binary(0x21, 0x00, [1, 2, 3]), Self.binary(0x21, 0x31, [UInt8](repeating: 1, count: 216)),
        ] {
            #expect(try Self.parse(bytes) == ProxyProtocol(length: bytes.count, address: [], port: 0))
        }
    }

    @Test func `version 2 that breaks a rule is refused`() {
        for bytes in [
            Self.binary(0x11, 0x11, Self.ipv4), Self.binary(0x22, 0x11, Self.ipv4), Self.binary(0x21, 0x12, Self.ipv4),
            Self.binary(0x21, 0x41, Self.ipv4), Self.binary(0x21, 0x11, Array(Self.ipv4.dropLast())),
            Self.binary(0x21, 0x21, Self.ipv4), Self.binary(0x21, 0x11, [UInt8](repeating: 0, count: 521)),
            Array(Self.signature.dropLast()) + [0x0B], [0x0D, 0x0A, 0x47],
        ] {
            #expect(throws: ProxyProtocol.Failure.self, "\(bytes.prefix(20))") { try Self.parse(bytes) }
        }
    }

    @Test func `no bytes at all make it trap`() {
        var random = SeededGenerator(seed: 74)
        let seeds = [
            Array("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n".utf8), Self.binary(0x21, 0x11, Self.ipv4),
            Array("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".utf8),
        ]
        for _ in 0..<20_000 {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: if bytes.count > 1 { bytes.remove(at: at) }
                default: bytes.insert(UInt8(ascii: ":"), at: at)
                }
            }
            guard let header = (try? Self.parse(bytes)) ?? nil else { continue }
            #expect(header.length <= bytes.count && [0, 4, 16].contains(header.address.count))
        }
    }
}
