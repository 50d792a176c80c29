import ProxyServer
import Testing

/// Rows 19 to 27 of the checklist: whose request it is, and for what. Row 21 (`:authority`) is HTTP/2's.
@Suite struct Rows19to27Target {
    @Test(
        "row 19: no Host, two Hosts, an invalid Host: 400",
        arguments: [
            "", "Host: shop\r\nHost: shop\r\n", "Host: shop\r\nhost: other\r\n", "Host:\r\n", "Host: a b\r\n",
            "Host: a,b\r\n/",
            "Host: user@shop\r\n", "Host: shop:99999\r\n", "Host: shop:x\r\n", "Host: shop:-1\r\n", "Host: [::1\r\n",
            "Host: a]\r\n", "Host: :80\r\n", "Host: shop/path\r\n", "Host: shop?x\r\n", "Host: shop#x\r\n",
            "Host: %73hop\r\n",
            "Host: sh\\op\r\n", "Host: http://shop\r\n", "Host: \u{e9}\r\n",
        ])
    func row19(fields: String) async throws {
        try await expectRefused("GET /orders HTTP/1.1\r\n\(fields)\r\n", 400)
    }

    @Test("row 20: in absolute form its authority replaces Host, for both sides")
    func row20() async throws {
        for scheme in ["http", "HTTP", "https"] {
            let seen = try await expectOneRequestEach(
                "GET \(scheme)://real.example:81/orders/1?x HTTP/1.1\r\nHost: other\r\n\r\n")
            #expect(seen.target == "/orders/1?x")
            #expect(seen.values("Host") == ["real.example:81"])
            #expect(seen.values("X-Forwarded-Host") == ["real.example:81"])
        }
    }

    @Test(
        "row 20: an absolute form that is none: 400",
        arguments: [
            "http:///orders", "http://", "ftp://shop/orders", "http:/orders", "http://a b/orders",
            "http://shop:x/orders",
            "//shop/orders HTTP/1.1 x", "shop/orders", "http://shop@/orders",
        ])
    func row20refused(target: String) async throws {
        try await expectRefused("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n", 400)
    }

    @Test("row 22: OPTIONS * works, and so does OPTIONS of an authority without a path")
    func row22() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("", fields: "Allow: GET\r\n") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for target in ["*", "http://shop", "http://shop/", "http://shop?x", "/a"] {
                try client.send("OPTIONS \(target) HTTP/1.1\r\nHost: shop\r\n\r\n")
                #expect(try Message.answer(from: client)["Allow"] == "GET")
            }
            #expect(origin.requests.map(\.target) == ["*", "*", "/", "/?x", "/a"])
        }
        try await expectRefused("GET * HTTP/1.1\r\nHost: shop\r\n\r\n", 400)
        try await expectRefused("OPTIONS ** HTTP/1.1\r\nHost: shop\r\n\r\n", 400)
    }

    @Test(
        "rows 23 and 24: CONNECT and TRACE refused",
        arguments: [
            "CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n", "CONNECT /orders HTTP/1.1\r\nHost: shop\r\n\r\n",
            "TRACE /orders HTTP/1.1\r\nHost: shop\r\n\r\n",
            "TRACE /orders HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\n\r\n",
            "TRACE * HTTP/1.1\r\nHost: shop\r\n\r\n",
        ])
    func rows23and24(request: String) async throws { try await expectRefused(request, 405) }

    @Test("row 24: OPTIONS with Max-Forwards 0 is answered here")
    func row24() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0.target) })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for target in ["*", "/orders"] {
                try client.send("OPTIONS \(target) HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\n\r\n" + goodGet)
                let answer = try Message.answer(from: client)
                #expect(answer.status == 200 && answer.body.isEmpty)
                #expect(answer["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
                #expect(try Message.answer(from: client).text == "/orders/good")
            }
            // Nobody takes its body, so the connection ends behind the answer.
            try client.send(
                "OPTIONS * HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\nContent-Length: 40\r\n\r\n" + goodGet)
            #expect(try Message.answer(from: client)["Connection"] == "close")
            let end = client.takeToEnd()
            #expect(end.bytes.isEmpty && end.ending == .closed)
        }
        #expect(origin.sawOnly(["/orders/good", "/orders/good"]))
    }

    @Test("row 25: Max-Forwards of OPTIONS is counted down, to both sides")
    func row25() async throws {
        let seen = try await expectOneRequestEach("OPTIONS /orders HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 7\r\n\r\n")
        #expect(seen.values("Max-Forwards") == ["6"])
        let get = try await expectOneRequestEach("GET /orders HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\n\r\n")
        #expect(get.values("Max-Forwards") == ["0"])
        for value in ["-1", "x", "", "1, 2", "1\r\nMax-Forwards: 1"] {
            try await expectRefused("OPTIONS /orders HTTP/1.1\r\nHost: shop\r\nMax-Forwards: \(value)\r\n\r\n", 400)
        }
    }

    @Test(
        "row 26: fragment, userinfo, space in the target: 400",
        arguments: [
            "/orders#x", "/#", "http://user@shop/orders", "http://user:pass@shop/orders", "/orders /1", "/or\tders",
            "/orders\u{e9}",
            "/orders\u{7F}", "/orders\u{0}",
        ])
    func row26(target: String) async throws {
        try await expectRefused("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n", 400)
    }

    @Test(
        "row 27: path and query reach the upstream byte for byte, unless normalisation changed the path",
        arguments: [
            ("/orders/1?a=b&c=%2F%2f%00+%zz?x/../y", nil), ("/orders/~a-b_c.d!$&'()*+,;=:@", nil),
            ("/orders/%20%C3%A4?", nil),
            ("/orders/a%7Eb?%7E", "/orders/a~b?%7E"), ("/orders/./1?/./", "/orders/1?/./"),
            ("/orders/%c3%a4", "/orders/%C3%A4"),
            ("/orders?", nil), ("/orders/?x", nil),
        ] as [(String, String?)])
    func row27(target: String, changed: String?) async throws {
        let seen = try await expectOneRequestEach("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n")
        #expect(seen.target == changed ?? target)
    }
}
