import NIOCore
import TestSupport
import Testing

@testable import ProxyServer

@Suite struct CookieKeys {
    @Test(arguments: [
        ("session=abc", "abc"), ("a=1; session=abc; b=2", "abc"), ("session=", ""), ("a=1;session=x=y", "x=y"),
        ("; ;session=1", "1"), ("session=first; session=second", "first"),
    ])
    func `the value of the cookie of this name is found`(header: String, value: String) {
        #expect(cookie("session", in: header) == value)
    }

    @Test(arguments: ["", "session", "xsession=1", "session2=1", "a=session=1", ";;;", "Session=1"])
    func `another name, another case and no value are not found`(header: String) {
        #expect(cookie("session", in: header) == nil)
    }

    @Test func `no bytes at all make it trap`() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                [UInt8](";= sea".utf8).randomElement(using: &random) ?? 0
            }
            let found = bytes.withUnsafeBytes { AffinityKey.cookie("s", in: $0).map { Array($0) } }
            // The same, by splitting.
            let expected = bytes.split(separator: 0x3B).lazy.map { Array($0.drop { $0 == 0x20 }) }
                .first { $0.starts(with: [0x73, 0x3D]) }.map { Array($0.dropFirst(2)) }
            #expect(found == expected, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private func cookie(_ name: String, in header: String) -> String? {
        Array(header.utf8).withUnsafeBytes { bytes in
            AffinityKey.cookie(name, in: bytes).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

@Suite struct TrustedNetworks {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.16.0.0/12", "10.31.9.9", true),
        ("10.16.0.0/12", "10.32.0.0", false), ("192.168.1.7", "192.168.1.7", true),
        ("192.168.1.7", "192.168.1.8", false),
        ("0.0.0.0/0", "203.0.113.9", true), ("fd00::/8", "fdab::1", true), ("fd00::/8", "fe80::1", false),
        ("::1", "::1", true), ("::/0", "127.0.0.1", false), ("10.0.0.0/8", "::1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("192.168.0.0/16", "::ffff:10.1.2.3", false),
    ])
    func `a network contains its addresses and no others`(range: String, address: String, isIn: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try SocketAddress(ipAddress: address, port: 80)) == isIn)
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "shop.example", "::1/129", "10.0.0.0/8/8",
    ])
    func `what is no network is refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
