import Testing

@Suite struct RequestsAndAnswers {
    private static func echoingTarget() throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { plainAnswer("you asked for \($0.target)") })
    }

    @Test func `two requests on one client connection use one upstream connection`() async throws {
        let origin = try Self.echoingTarget()
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for path in ["/a", "/b?x=1"] {
                try client.send("GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n")
                let answer = try Message.answer(from: client)
                #expect(answer.status == 200)
                #expect(answer.text == "you asked for \(path)")
            }
            #expect(origin.accepted == 1)
            #expect(origin.requests.map(\.target) == ["/a", "/b?x=1"])
        }
    }

    @Test func `three requests in one packet are answered in order`() async throws {
        let origin = try Self.echoingTarget()
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(
                "GET /1 HTTP/1.1\r\nHost: shop\r\n\r\nPOST /2 HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"
                    + "GET /3 HTTP/1.1\r\nHost: shop\r\n\r\n")
            for path in ["/1", "/2", "/3"] {
                #expect(try Message.answer(from: client).text == "you asked for \(path)")
            }
            #expect(origin.requests.map(\.text) == ["", "abc", ""])
            #expect(origin.accepted == 1)
        }
    }

    @Test func `a request that comes byte by byte is the same request`() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer("\($0.target) \($0.text)") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            let requests =
                "\r\nPOST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                + "PUT /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nfghi"
            for byte in requests.utf8 { try client.send([byte]) }
            #expect(try Message.answer(from: client).text == "/a abcde")
            #expect(try Message.answer(from: client).text == "/b fghi")
        }
    }

    @Test func `an answer that comes byte by byte is the same answer`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            for byte
                in "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
                .utf8
            {
                try connection.socket.send([byte])
            }
            _ = try connection.request()
            try connection.send(plainAnswer("second"))
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET /a HTTP/1.1\r\nHost: shop\r\n\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer.text == "abcde")
            #expect(answer.trailers == ["X-T: 1"])
            try client.send("GET /b HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(try Message.answer(from: client).text == "second")
            #expect(origin.accepted == 1)
        }
    }

    @Test func `a chunked request arrives chunked, with the same body and trailers`() async throws {
        let origin = try Self.echoingTarget()
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("POST /up HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
            try client.send("5\r\nhello\r\n1\r\n \r\n5;ext=1\r\nworld\r\n0\r\nX-Sum: 7\r\n\r\n")
            #expect(try Message.answer(from: client).status == 200)
            let request = try #require(origin.requests.first)
            #expect(request["Transfer-Encoding"] == "chunked")
            #expect(request["Content-Length"] == nil)
            #expect(request.text == "hello world")
            #expect(request.trailers == ["X-Sum: 7"])
            #expect(!String(decoding: request.rawBody, as: UTF8.self).contains("ext"))
        }
    }

    @Test func `answers without a body end at their head, and the connection goes on`() async throws {
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

    @Test
    func `an answer that ends with its connection goes on as chunks to HTTP/1.1, and ends the connection of HTTP/1.0`()
        async throws
    {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
                let answer = try Message.answer(from: client)
                #expect(answer["Transfer-Encoding"] == "chunked")
                #expect(answer.text == "until the end")
            }
            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\nHost: shop\r\nConnection: keep-alive\r\n\r\n")
            let answer = try Message.answer(from: old)
            #expect(answer["Transfer-Encoding"] == nil)
            #expect(answer["Connection"] == "close")
            #expect(answer.text == "until the end")
            #expect(answer.ending == .closed)
        }
    }

    @Test func `an HTTP/1.0 client keeps its connection if it asks for it, and only then`() async throws {
        let origin = try Self.echoingTarget()
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let first = try Message.answer(from: client)
            #expect(first["Connection"] == "keep-alive")
            try client.send("GET /2 HTTP/1.0\r\n\r\n")
            let second = try Message.answer(from: client)
            #expect(second.text == "you asked for /2")
            #expect(second["Connection"] == "close")
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.requests.map { $0["Host"] } == Array(repeating: "127.0.0.1:\(origin.port)", count: 2))
        }
    }

    @Test func `an HTTP/1.0 client is given a chunked answer without its chunks`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.0\r\n\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer["Transfer-Encoding"] == nil)
            #expect(answer.text == "abc")
            #expect(answer.ending == .closed)
        }
    }

    @Test func `Connection: close of the client is honoured, and the upstream connection is kept`() async throws {
        let origin = try Self.echoingTarget()
        try await withProxy(monolith: origin.port) { proxy in
            for path in ["/1", "/2"] {
                let client = try proxy.connect()
                try client.send("GET \(path) HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
                let answer = try Message.answer(from: client)
                #expect(answer["Connection"] == "close")
                #expect(client.takeToEnd().ending == .closed)
            }
            #expect(origin.accepted == 1)
            #expect(origin.requests.allSatisfy { $0["Connection"] == nil })
        }
    }

    @Test func `100 Continue and 103 reach an HTTP/1.1 client before the answer, and an HTTP/1.0 client never`()
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

    @Test func `an early final answer is delivered while the request streams, then the connection ends in order`()
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
}
