import NIOCore
import ProxyServer
import Testing
import Upstreams

@Suite struct ClientFaults {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400), ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n X: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", 400), ("GET /a/%2e%2e%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n", 417),
        ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
    ])
    func `a request that cannot be understood is refused, and nothing of it reaches the origin`(
        request: String, status: Int
    ) async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            // What follows would be a good request, if the first one were read otherwise.
            try client.send(request + Self.get)
            let answer = try Message.answer(from: client)
            #expect(answer.status == status)
            #expect(answer["Content-Type"] == "application/problem+json")
            #expect(answer["Connection"] == "close")
            let end = client.takeToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .closed)
            #expect(origin.accepted == 0)
            #expect(await proxy.counters().refused == 1)
        }
    }

    @Test func `a bad request behind a good one is refused after the good one's answer`() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0.target) })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET bad HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try Message.answer(from: client).text == "/good")
            #expect(try Message.answer(from: client).status == 400)
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.requests.count == 1)
        }
        #expect(origin.record.wait { $0.finished == 1 })
        #expect(origin.record.now.strayBytes == 0)
    }

    @Test func `a chunked body that turns bad aborts the origin's request`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            #expect(origin.record.wait { $0.accepted == 1 })
            try client.send("zz\r\n")
            #expect(try Message.answer(from: client).status == 400)
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func `a head that does not arrive in time is a 408`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port, settings: quick) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.1\r\nHo")
            let answer = try Message.answer(from: client)
            #expect(answer.status == 408)
            #expect(answer["Connection"] == "close")
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.accepted == 0)
        }
    }

    @Test func `a body that stops coming is a 408, and its upstream request is aborted`() async throws {
        var settings = patient
        settings.idle = .milliseconds(1_500)
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try Message.answer(from: client).status == 408)
            #expect(client.takeToEnd().ending == .closed)
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func `a body that stops coming while its answer streams breaks the answer, and puts no other one into it`()
        async throws
    {
        var settings = patient
        settings.idle = .milliseconds(1_500)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try Message.answerHead(from: client).status == 200)
            let end = client.takeToEnd()
            #expect(end.bytes == Array("3\r\nabc\r\n".utf8))
            #expect(origin.record.wait { $0.finished == 1 })
        }
    }

    @Test func `an idle client connection is closed in order`() async throws {
        var settings = patient
        settings.idle = .milliseconds(1_500)
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("x") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "x")
            let silent = try proxy.connect()
            for one in [client, silent] {
                let end = one.takeToEnd()
                #expect(end.bytes.isEmpty)
                #expect(end.ending == .closed)
            }
        }
    }

    @Test func `a client that has closed its side still gets every answer it asked for`() async throws {
        let mayAnswer = Watched(false)
        let origin = try ScriptedOrigin(answering: { request in
            _ = mayAnswer.wait { $0 }
            return plainAnswer(request.target)
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for path in ["/1", "/2", "/3"] { try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n") }
            client.finishSending()
            #expect(origin.record.wait { $0.requests.count == 1 })
            mayAnswer.change { $0 = true }
            for path in ["/1", "/2", "/3"] { #expect(try Message.answer(from: client).text == path) }
            #expect(client.takeToEnd().ending == .closed)
        }
    }

    @Test func `a large answer reaches a client that closed its side whole`() async throws {
        let body = String(repeating: "y", count: 3_000_000)
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer(body) })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect(receiveBuffer: 32 * 1024)
            try client.send(Self.get)
            #expect(origin.record.wait { $0.requests.count == 1 })
            client.finishSending()
            #expect(try Message.answer(from: client).body.count == body.count)
            #expect(client.takeToEnd().ending == .closed)
        }
    }

    /// The whole answer is in the proxy by the time the client closes its side, but not with the client.
    @Test func `closing one's side after the answer was taken from the origin does not cut it off`() async throws {
        let body = String(repeating: "z", count: 40_000)
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer(body) })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect(receiveBuffer: 4 * 1024)
            let count = 200
            try client.send(String(repeating: Self.get, count: count))
            // Nothing is read, so after a while nothing more is asked of the origin.
            #expect(!origin.record.wait(within: 1) { $0.requests.count == count })
            client.finishSending()
            for _ in 0..<count { #expect(try Message.answer(from: client).body.count == body.utf8.count) }
            #expect(client.takeToEnd().ending == .closed)
        }
    }

    @Test func `half a request and an end is no request`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withProxy(monolith: origin.port) { proxy in
            let head = try proxy.connect()
            try head.send("GET / HTTP/1.1\r\nHost")
            head.finishSending()
            var end = head.takeToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .closed)
            #expect(origin.accepted == 0)

            let body = try proxy.connect()
            try body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            body.finishSending()
            end = body.takeToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .closed)
            #expect(await proxy.reaches(openConnections: 0))
        }
        #expect(origin.record.wait { $0.finished == $0.accepted })
        #expect(origin.requests.isEmpty)
    }

    @Test func `a client that resets while its upstream is being asked leaves nothing behind`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(origin.record.wait { $0.requests.count == 1 })
            client.reset()
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(await proxy.reaches(openConnections: 0))
        }
    }

    @Test func `an error to an HTTP/1.0 client ends its connection`() async throws {
        try await withProxy(monolith: try ScriptedOrigin.refusingPort()) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer.status == 502)
            #expect(answer["Connection"] == "close")
            #expect(client.takeToEnd().ending == .closed)
        }
    }
}
