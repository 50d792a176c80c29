import Testing

/// Answers that are larger than what is kept of them, from the proxy's socket to the verdict.
@Suite struct OverTheCapTests {
    private static let large = String(repeating: "0123456789abcdef", count: 3 * 65_536)
    private static let other = String(large.dropLast()) + "."

    @Test(arguments: [
        ("/orders/same", "match"), ("/orders/last-byte", "mismatch"), ("/orders/longer", "mismatch"),
        ("/orders/chunked", "match"), ("/orders/small", "mismatch"),
    ])
    func `three mebibytes are compared by hash`(path: String, verdict: String) async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer(Self.large) })
        let service = try ScriptedOrigin(answering: { request in
            switch request.target {
            case "/orders/last-byte": plainAnswer(Self.other)
            case "/orders/longer": plainAnswer(Self.large + ".")
            case "/orders/small": plainAnswer("0")
            case "/orders/chunked":
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n\(Self.large)\r\n0\r\n\r\n"
            default: plainAnswer(Self.large)
            }
        })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send("GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(try Message.answer(from: client).text == Self.large)
            #expect(await scene.verdicts(of: 1) == [verdict: 1])
        }
    }

    @Test func `a request over the cap is not sent to the other side`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send(
                "PUT /orders/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: \(Self.large.utf8.count)\r\n\r\n" + Self.large)
            #expect(try Message.answer(from: client).text == "ok")
            #expect(await scene.verdicts(of: 1) == ["not-compared body-too-large": 1])
            #expect(service.requests.isEmpty)
        }
    }
}
