import Foundation
import ProxyServer
import Testing

/// Rows 37 to 44 of the checklist: which fields go on, to whom, and which do not.
@Suite struct Rows37to44Fields {
    private static func request(_ fields: String, version: String = "1.1") -> String {
        "GET /orders/a/./b?q=%20 HTTP/\(version)\r\nHost: shop.example\r\n\(fields)\r\n"
    }

    private static func answer(_ fields: String, to request: String = goodGet) async throws -> Message {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("x", fields: fields) })
        let seen = Watched<Message?>(nil)
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(request)
            let answer = try Message.answer(from: client)
            seen.change { $0 = answer }
        }
        return try #require(seen.now)
    }

    @Test(
        "rows 37 and 38: hop-by-hop fields and what Connection names end here, all others pass in order, to both sides")
    func rows37and38() async throws {
        let seen = try await expectOneRequestEach(
            Self.request(
                "Connection: close, X-Private, Host\r\nX-Private: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\n"
                    + "Upgrade: websocket\r\nX-B: 2\r\nX-A: 1\r\nX-B: 3\r\nCookie: s=1\r\n"))
        #expect(
            seen.fields.map(\.name) == [
                "Host", "X-B", "X-A", "X-B", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
                "Strangler-Request-Id", "Via",
            ])
        #expect(seen.values("X-B") == ["2", "3"])
        #expect(seen.target == "/orders/a/b?q=%20")
    }

    @Test("row 38: Connection cannot remove Host, Content-Length, Authorization, Cookie, X-Forwarded-*")
    func row38() async throws {
        let names =
            "Host, Content-Length, Authorization, Cookie, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Via, Strangler-Request-Id"
        for connection in ["Connection: \(names)\r\n", "Connection: close\r\nConnection: \(names.uppercased())\r\n"] {
            let seen = try await expectOneRequestEach(
                "PUT /orders HTTP/1.1\r\nHost: shop\r\n\(connection)Authorization: Bearer t\r\nCookie: a=b\r\n"
                    + "Content-Length: 2\r\n\r\nok")
            #expect(seen["Host"] == "shop" && seen["Authorization"] == "Bearer t" && seen["Cookie"] == "a=b")
            #expect(seen["Content-Length"] == "2" && seen.text == "ok" && seen["Connection"] == nil)
            #expect(seen["X-Forwarded-For"] == "127.0.0.1" && seen["X-Forwarded-Host"] == "shop" && seen["Via"] != nil)
        }
    }

    @Test("rows 37, 42 and 43: an answer loses its hop-by-hop fields, keeps order and Set-Cookie apart, gains a Date")
    func answers() async throws {
        let answer = try await Self.answer(
            "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: h2c\r\n"
                + "Set-Cookie: a=1\r\nX-Z: 1\r\nSet-Cookie: b=2\r\nX-A: 2\r\nX-Z: 3\r\n")
        #expect(
            answer.fields.map(\.name) == ["Content-Length", "Set-Cookie", "X-Z", "Set-Cookie", "X-A", "X-Z", "Date"])
        #expect(answer.values("Set-Cookie") == ["a=1", "b=2"])
        #expect(answer.values("X-Z") == ["1", "3"])
    }

    @Test("row 39: of TE only trailers survives, and goes on as this hop's own")
    func row39() async throws {
        for (te, isKept) in [
            ("TE: trailers\r\nConnection: TE\r\n", true), ("TE: gzip, trailers;q=0.5\r\n", false),
            ("TE: deflate, Trailers\r\n", true), ("TE: gzip\r\nConnection: te\r\n", false),
        ] {
            let seen = try await expectOneRequestEach(Self.request(te))
            #expect(seen.values("TE") == (isKept ? ["trailers"] : []), "\(te)")
            #expect(seen.values("Connection") == (isKept ? ["TE"] : []), "\(te)")
        }
    }

    @Test(
        "row 40: trailers go on both ways behind the body, never into the head, without framing, auth and routing names"
    )
    func row40() async throws {
        let bad =
            "Content-Length: 99\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAuthorization: x\r\nCookie: a=b\r\nSet-Cookie: c=d\r\n"
            + "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nStrangler-Shadow: 1\r\nContent-Type: text/html\r\nTE: x\r\n"
        let origin = try ScriptedOrigin(answering: { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\(bad)X-End: 2\r\n\r\n"
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(
                    "POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\n\(bad)X-Sum: 7\r\n\r\n"
                )
                let answer = try Message.answer(from: client)
                #expect(answer.trailers == ["X-Sum: 1", "X-End: 2"])
                #expect(answer["X-Sum"] == nil && answer["Trailer"] == "X-Sum" && answer.text == "ok")
            }
            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\n\r\n")
            let answer = try Message.answer(from: old)
            #expect(answer.text == "ok" && answer["X-Sum"] == nil && answer.ending == .closed)
        }
        for request in origin.requests.prefix(2) {
            #expect(request.trailers == ["X-Sum: 7"])
            #expect(request["X-Sum"] == nil && request.values("Host") == ["shop"])
        }
    }

    @Test("row 41: Via is added, behind those that came")
    func row41() async throws {
        var settings = patient
        settings.pseudonym = "strangler-1"
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge, 1.0 strangler-2\r\n\r\n")
            #expect(try Message.answer(from: client).status == 200)
            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try Message.answer(from: old).status == 200)
        }
        #expect(
            origin.requests.map { $0.values("Via") } == [
                ["1.1 edge, 1.0 strangler-2", "1.1 strangler-1"], ["1.0 strangler-1"],
            ])
    }

    @Test("row 41: several instances in a row work, and one that is reached again answers 508")
    func row41loop() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer("through \($0.values("Via").count)") })
        try await withProxy(monolith: origin.port) { inner in
            var settings = patient
            settings.pseudonym = "strangler-outer"
            try await withProxy(monolith: inner.port, settings: settings) { outer in
                let client = try outer.connect()
                try client.send(goodGet)
                #expect(try Message.answer(from: client).text == "through 2")
            }
        }
        // A monolith that sends everything back to where it came from.
        let port = Watched(0)
        let loop = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                let back = try RawSocket.connect(port: port.now)
                let fields = request.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
                try back.send("\(request.startLine)\r\n\(fields)\r\n")
                let answer = try Message.answer(from: back)
                try connection.send(plainAnswer(answer.text, status: "\(answer.status) From Behind"))
            }
        }
        try await withProxy(monolith: loop.port) { proxy in
            port.change { $0 = proxy.port }
            let client = try proxy.connect()
            try client.send(goodGet)
            let answer = try Message.answer(from: client)
            #expect(answer.status == 508 && answer.text.contains("Loop Detected"))
            #expect(loop.requests.count == 1)
            #expect(await proxy.counters().refused == 1)
        }
    }

    @Test("row 42: an answer's own Date is kept")
    func row42() async throws {
        let kept = try await Self.answer("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
        #expect(kept.values("Date") == ["Sun, 06 Nov 1994 08:49:37 GMT"])
        let added = try #require(try await Self.answer("")["Date"])
        #expect(added.wholeMatch(of: /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/) != nil)
    }

    @Test("row 43: duplicates and their order are kept, to both sides")
    func row43() async throws {
        let fields =
            "Accept: a\r\nX-1: 1\r\nAccept: b\r\nCookie: a=1\r\nCookie: b=2\r\nx-1: 2\r\nX-Empty:\r\nX-Space:  a  b \r\n"
        let seen = try await expectOneRequestEach(Self.request(fields))
        #expect(
            seen.fields.dropFirst().prefix(8).map { "\($0.name)=\($0.value)" } == [
                "Accept=a", "X-1=1", "Accept=b", "Cookie=a=1", "Cookie=b=2", "x-1=2", "X-Empty=", "X-Space= a  b ",
            ])
    }

    @Test(
        "row 44: names that differ from a security header by _ for -: refused",
        arguments: [
            "Content_Length: 5", "content_length: 5", "Transfer_Encoding: chunked", "X_Forwarded_For: 6.6.6.6",
            "X-Forwarded_For: 6.6.6.6", "X_Forwarded-Host: evil", "X_FORWARDED_PROTO: https", "X_Forwarded_Port: 1",
            "X_Real_IP: 6.6.6.6",
            "Strangler_Shadow: 1", "Strangler_Request_Id: 1", "Idempotency_Key: 1", "Keep_Alive: 1",
            "Proxy_Connection: close",
            "Max_Forwards: 0",
        ])
    func row44(field: String) async throws { try await expectRefused(Self.request("\(field)\r\n"), 400) }

    @Test("row 44: other names with an underscore pass")
    func row44passes() async throws {
        let seen = try await expectOneRequestEach(Self.request("X_Custom: 1\r\nuser_agent: 2\r\n"))
        #expect(seen["X_Custom"] == "1" && seen["user_agent"] == "2")
    }
}
