import Testing

/// Rows 45 to 49 of the checklist: answers without a body, before their time, and in between. Row 48 has a file of its own.
@Suite struct Rows45to49Answers {
    @Test func `row 45: answers without a body end at their head, and the connection goes on`() async throws {
        let origin = try ScriptedOrigin(answering: { request in
            switch request.target {
            case "/204": "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"
            case "/304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"x\"\r\n\r\n"
            case "/empty": plainAnswer("")
            default: request.method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n" : plainAnswer("body")
            }
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for (method, target) in [("HEAD", "/"), ("GET", "/204"), ("GET", "/304"), ("GET", "/empty")] {
                try client.send(
                    "\(method) \(target) HTTP/1.1\r\nHost: shop\r\n\r\nGET /next HTTP/1.1\r\nHost: shop\r\n\r\n")
                let answer = try Message.answer(from: client, to: method)
                #expect(answer.body.isEmpty)
                if method == "HEAD" { #expect(answer["Content-Length"] == "1234") }
                if target == "/304" { #expect(answer["Content-Length"] == "99") }
                #expect(try Message.answer(from: client).text == "body")
            }
            #expect(origin.accepted == 1)
        }
    }

    @Test(
        "row 45: an origin that sends a body where there is none desynchronises nobody",
        arguments: [
            ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
            ("HEAD", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
            ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"),
            ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil"),
            ("GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"),
            ("GET", "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
        ])
    func row45body(method: String, answer: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                try connection.send(request.target == "/next" ? plainAnswer("next") : answer)
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<3 {
                try client.send(
                    "\(method) / HTTP/1.1\r\nHost: shop\r\n\r\nGET /next HTTP/1.1\r\nHost: shop\r\n\r\n")
                #expect([200, 204, 304].contains(try Message.answer(from: client, to: method).status))
                #expect(try Message.answer(from: client).text == "next")
            }
        }
    }

    @Test("row 45: a 1xx with a body is no answer: 502")
    func row45interim() async throws {
        let origin = try ScriptedOrigin(answering: { _ in
            "HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nevilHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(goodGet)
            let hints = try Message.answerHead(from: client)
            #expect(hints.status == 103 && hints["Content-Length"] == nil)
            #expect(try Message.answer(from: client).status == 502)
        }
    }

    @Test func `rows 46 and 47: 100 and 103 reach an HTTP/1.1 client before the answer, and an HTTP/1.0 client never`()
        async throws
    {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let head = try Message.requestHead(from: connection.socket)
                if head["Expect"] == "100-continue" { try connection.send("HTTP/1.1 100 Continue\r\n\r\n") }
                let body = try connection.socket.take(Int(head["Content-Length"] ?? "0") ?? 0)
                try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
                try connection.send(plainAnswer("got \(body.count)"))
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(try Message.answerHead(from: client).status == 100)
            try client.send("hello")
            let hints = try Message.answerHead(from: client)
            #expect(hints.status == 103)
            #expect(hints["Link"] == "</a.css>")
            #expect(try Message.answer(from: client).text == "got 5")

            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try Message.answerHead(from: old).status == 200)
        }
    }

    @Test("row 46: a final answer without 100 is delivered, with nothing of the body sent; another Expect: 417")
    func row46final() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            try connection.send(plainAnswer("no", status: "401 Unauthorized"))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let answer = try Message.answerHead(from: client)
            #expect(answer.status == 401 && answer["Connection"] == "close")
            #expect(try client.take(2) == Array("no".utf8))
            #expect(client.takeToEnd().ending == .closed)
        }
        #expect(origin.record.wait { $0.finished == 1 })
        for expectation in ["a-miracle", "100-continue, more", "", "100"] {
            try await expectRefused(
                "PUT /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\nExpect: \(expectation)\r\n\r\n", 417)
        }
    }

    @Test("row 46: of a write on record Expect is answered here; the shadow gets the whole body and no Expect")
    func row46shadow() async throws {
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            let head = try Message.requestHead(from: connection.socket)
            if head["Expect"] == "100-continue" { try connection.send("HTTP/1.1 100 Continue\r\n\r\n") }
            _ = try connection.socket.take(5)
            try connection.send(plainAnswer("done"))
        }
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("done") })
        try await withShadowedProxy(monolith: monolith, service: service, recordsWrites: true) { scene in
            let client = try scene.proxy.connect()
            try client.send("PUT /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(try Message.answerHead(from: client).status == 100)
            try client.send("hello")
            #expect(try Message.answer(from: client).text == "done")
            #expect(await scene.verdicts(of: 1) == ["match": 1])
        }
        #expect(service.requests.map(\.text) == ["hello"])
        #expect(service.requests.first?["Expect"] == nil)
    }

    @Test
    func `row 49: an early final answer is delivered while the request streams, then the connection ends in order`()
        async throws
    {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            try connection.send(plainAnswer("too large", status: "413 Content Too Large"))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n")
            try client.send([UInt8](repeating: 0x61, count: 50_000))
            let answer = try Message.answer(from: client)
            #expect(answer.status == 413)
            #expect(answer.text == "too large")
            #expect(answer["Connection"] == "close")
            // What the client had still on its way does not turn the end into a reset.
            try client.send([UInt8](repeating: 0x61, count: 50_000))
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.record.wait { $0.finished == 1 })
        }
    }

    @Test("row 49: the same for a chunked request, of which the shadow gets nothing")
    func row49chunked() async throws {
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            try connection.send("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
            _ = connection.socket.takeToEnd()
        }
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send("POST /orders HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer.status == 403 && answer.text == "no" && answer["Connection"] == "close")
            #expect(client.takeToEnd().ending == .closed)
            _ = await scene.verdicts(of: 1)
        }
        #expect(service.accepted == 0)
    }
}
