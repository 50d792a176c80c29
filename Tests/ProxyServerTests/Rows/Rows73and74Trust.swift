import Extraction
import NIOCore
import ProxyServer
import Testing

/// Rows 73 and 74 of the checklist: whose word about the client's address is taken.
@Suite struct Rows73and74Trust {
    private static let forged =
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n"
        + "X-Real-IP: 6.6.6.6\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n"

    private static func get(_ fields: String) -> String {
        "GET /orders HTTP/1.1\r\nHost: shop.example\r\n\(fields)\r\n"
    }

    @Test("row 73: what an untrusted peer says about its client is replaced, for both sides")
    func untrusted() async throws {
        let seen = try await expectOneRequestEach(
            Self.get(Self.forged + "Strangler-Shadow: 1\r\nStrangler-Request-Id: x\r\n"))
        #expect(seen.values("X-Forwarded-For") == ["127.0.0.1"])
        #expect(seen.values("X-Forwarded-Host") == ["shop.example"])
        #expect(seen.values("X-Forwarded-Proto") == ["http"])
        for gone in ["Forwarded", "X-Real-IP", "X-Forwarded-Port", "X-Forwarded-Prefix", "Strangler-Shadow"] {
            #expect(seen[gone] == nil, "\(gone)")
        }
        #expect(seen.values("Strangler-Request-Id").count == 1 && seen["Strangler-Request-Id"] != "x")
    }

    @Test("row 73: for a listed network it is kept, and appended to")
    func trusted() async throws {
        var settings = patient
        settings.trustedProxies = [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("127.0.0.0/8"))]
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send(
                Self.get(Self.forged) + Self.get("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n"))
            for _ in 0..<2 { #expect(try Message.answer(from: client).status == 200) }
        }
        let first = try #require(origin.requests.first)
        #expect(first.values("X-Forwarded-For") == ["6.6.6.6, 127.0.0.1"])
        #expect(first.values("X-Forwarded-Proto") == ["https"] && first.values("X-Forwarded-Host") == ["evil"])
        #expect(first.values("Forwarded") == ["for=6.6.6.6, for=127.0.0.1;proto=http"])
        #expect(first["X-Real-IP"] == "6.6.6.6" && first["X-Forwarded-Port"] == "1")
        #expect(origin.requests.last?.values("X-Forwarded-For") == ["1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1"])
    }

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let version1 = Array("PROXY TCP4 203.0.113.9 10.0.0.1 40000 80\r\n".utf8)
    private static let version2: [UInt8] =
        signature + [0x21, 0x11, 0, 17, 203, 0, 113, 9, 10, 0, 0, 1, 0x9C, 0x40, 0, 80, 0x20, 0, 2, 1, 2]
    private static let ipv6 = Array("PROXY TCP6 2001:db8::9 ::1 40000 80\r\n".utf8)
    private static let local: [UInt8] = signature + [0x20, 0, 0, 0]

    private static func fromLoopback() throws -> ProxyServer.ListenOptions {
        .init(proxyProtocol: [try #require(AddressRange("127.0.0.0/8"))])
    }

    @Test("row 74: a listed peer's PROXY header, v1 or v2, is the client's address, however it is cut into reads")
    func proxyProtocol() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0["X-Forwarded-For"] ?? "none") })
        var settings = patient
        settings.trustedProxies = [
            try #require(AddressRange("127.0.0.0/8")), try #require(AddressRange("2001:db8::/32")),
        ]
        try await withProxy(monolith: origin.port, settings: settings, listen: try Self.fromLoopback()) { proxy in
            for (header, address) in [
                (Self.version1, "203.0.113.9"), (Self.version2, "203.0.113.9"), (Self.ipv6, "6.6.6.6, 2001:db8::9"),
                (Self.local, "6.6.6.6, 127.0.0.1"), (Array("PROXY UNKNOWN\r\n".utf8), "6.6.6.6, 127.0.0.1"),
            ] {
                let request = Array(Self.get("X-Forwarded-For: 6.6.6.6\r\n").utf8)
                let whole = try proxy.connect()
                try whole.send(header + request)
                #expect(try Message.answer(from: whole).text == address)
                // The connection's address, not the first request's.
                try whole.send(request)
                #expect(try Message.answer(from: whole).text == address)
                let dripping = try proxy.connect()
                for byte in header + request { try dripping.send([byte]) }
                #expect(try Message.answer(from: dripping).text == address)
            }
            // Twice is once too often.
            let twice = try proxy.connect()
            try twice.send(Self.version1 + Self.version1 + Array(Self.get("").utf8))
            #expect(try Message.answer(from: twice).status == 400)
        }
        #expect(origin.requests.allSatisfy { $0.startLine == "GET /orders HTTP/1.1" })
    }

    @Test("row 74: the address decides about affinity too")
    func affinity() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let orders = OrdersExtraction(weight: Weight(clamping: 5_000), affinity: .clientAddress)
        try await withProxy(
            monolith: monolith.port, service: service.port, orders: orders, listen: try Self.fromLoopback()
        ) { proxy in
            var sides: Set<String> = []
            for number in 1...32 {
                let header = "PROXY TCP4 198.51.100.\(number) 10.0.0.1 40000 80\r\n"
                var answers: Set<String> = []
                for _ in 0..<3 {
                    let client = try proxy.connect()
                    try client.send(header + Self.get(""))
                    answers.insert(try Message.answer(from: client).text)
                }
                #expect(answers.count == 1)
                sides.formUnion(answers)
            }
            #expect(sides == ["monolith", "service"])
        }
    }

    @Test("row 74: a peer that is not listed is closed, and so is whatever is no header; no origin hears of it")
    func refused() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        let elsewhere = ProxyServer.ListenOptions(proxyProtocol: [try #require(AddressRange("10.0.0.0/8"))])
        try await withProxy(monolith: origin.port, listen: elsewhere) { proxy in
            for header in [Self.version1, Self.version2, []] {
                let client = try proxy.connect()
                try? client.send(header + Array(goodGet.utf8))
                #expect(client.takeToEnd().bytes.isEmpty)
            }
            #expect(await proxy.reaches(openConnections: 0))
            #expect(await proxy.counters().refused == 3)
        }
        let malformed: [[UInt8]] = [
            Array(goodGet.utf8), Array("PROXY TCP4 1.2.3.4\r\n".utf8), Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n".utf8),
            Self.signature + [0x11, 0x11, 0, 0], Self.signature + [0x21, 0x11, 0xFF, 0xFF],
            [UInt8](repeating: 0x50, count: 200),
            Array("PROXY \(String(repeating: "x", count: 120))\r\n".utf8),
        ]
        try await withProxy(monolith: origin.port, listen: try Self.fromLoopback()) { proxy in
            for header in malformed {
                let client = try proxy.connect()
                try? client.send(header + Array(goodGet.utf8))
                #expect(client.takeToEnd().bytes.isEmpty)
            }
            #expect(await proxy.counters().refused == malformed.count)
        }
        #expect(origin.accepted == 0)
    }

    @Test("row 74: a header that does not come in time, or never, ends the connection")
    func late() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port, settings: quick, listen: try Self.fromLoopback()) { proxy in
            let silent = try proxy.connect()
            let half = try proxy.connect()
            try half.send(Array(Self.version1.dropLast(5)))
            let ended = try proxy.connect()
            ended.finishSending()
            for client in [silent, half, ended] {
                let end = client.takeToEnd()
                #expect(end.bytes.isEmpty)
            }
            #expect(await proxy.counters().refused == 2)
        }
        #expect(origin.accepted == 0)
    }

    @Test("row 74: a listener that is not configured for it takes no PROXY header")
    func notConfigured() async throws {
        for header in [Self.version1, Self.version2] {
            try await expectRefused(String(decoding: header, as: UTF8.self), 400)
        }
    }
}
