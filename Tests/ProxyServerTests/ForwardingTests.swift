import ProxyServer
import Testing

@Suite struct ForwardedFields {
    private static func forwarded(_ fields: String, settings: ProxySettings = patient) async throws -> Message {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send("GET /a/./b?q=%20 HTTP/1.1\r\nHost: shop.example\r\n\(fields)\r\n")
            #expect(try Message.answer(from: client).status == 200)
        }
        return try #require(origin.requests.first)
    }

    @Test func `hop-by-hop fields and what Connection names end here, all others pass in order`() async throws {
        let request = try await Self.forwarded(
            "Connection: close, X-Private, Host\r\nX-Private: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\n"
                + "Upgrade: websocket\r\nX-B: 2\r\nX-A: 1\r\nX-B: 3\r\nCookie: s=1\r\n")
        let kept = request.fields.map(\.name)
        #expect(
            kept == [
                "Host", "X-B", "X-A", "X-B", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
                "Via",
            ])
        #expect(request.values("X-B") == ["2", "3"])
        #expect(request["Via"] == "1.1 strangler")
        #expect(request.target == "/a/b?q=%20")
    }

    @Test func `a client cannot choose the address that origins see`() async throws {
        let request = try await Self.forwarded(
            "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n"
                + "X-Real-IP: 6.6.6.6\r\nStrangler-Shadow: 1\r\n")
        #expect(request.values("X-Forwarded-For") == ["127.0.0.1"])
        #expect(request.values("X-Forwarded-Host") == ["shop.example"])
        #expect(request.values("X-Forwarded-Proto") == ["http"])
        #expect(request["Forwarded"] == nil)
        #expect(request["X-Real-IP"] == nil)
        #expect(request["Strangler-Shadow"] == nil)
    }

    @Test func `a trusted proxy's word is kept and appended to`() async throws {
        var settings = patient
        settings.trustedProxies = [try #require(AddressRange("127.0.0.0/8"))]
        let request = try await Self.forwarded(
            "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n", settings: settings)
        #expect(request.values("X-Forwarded-For") == ["198.51.100.7, 127.0.0.1"])
        #expect(request.values("X-Forwarded-Proto") == ["https"])
    }

    @Test func `an answer loses its hop-by-hop fields, keeps Set-Cookie apart and gains a Date`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in
            plainAnswer(
                "x",
                fields:
                    "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
            )
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer.fields.map(\.name) == ["Content-Length", "Set-Cookie", "Set-Cookie", "Date"])
            #expect(answer.values("Set-Cookie") == ["a=1", "b=2"])
        }
    }
}
