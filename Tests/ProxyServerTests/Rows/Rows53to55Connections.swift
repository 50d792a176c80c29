import NIOCore
import ProxyServer
import Testing
import Upstreams

/// Rows 53 to 55 of the checklist: pipelining, half-closed clients, HTTP/1.0 on both sides.
@Suite struct Rows53to55Connections {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"

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

    @Test func `row 53: three requests in one packet are answered in order`() async throws {
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

    @Test func `row 53: a bad request behind a good one is refused after the good one's answer`() async throws {
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

    @Test func `row 54: a client that has closed its side still gets every answer it asked for`() async throws {
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

    @Test func `row 54: a large answer reaches a client that closed its side whole`() async throws {
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
    @Test func `row 54: closing one's side after the answer was taken from the origin does not cut it off`()
        async throws
    {
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

    @Test func `row 55: an HTTP/1.0 client keeps its connection if it asks for it, and only then`() async throws {
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

    @Test func `row 55: an HTTP/1.0 client is given a chunked answer without its chunks`() async throws {
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

    @Test func `row 55: an error to an HTTP/1.0 client ends its connection`() async throws {
        try await withProxy(monolith: try ScriptedOrigin.refusingPort()) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = try Message.answer(from: client)
            #expect(answer.status == 502)
            #expect(answer["Connection"] == "close")
            #expect(client.takeToEnd().ending == .closed)
        }
    }

    @Test("row 55: an HTTP/1.0 client's body arrives, and Expect of it is no reason to wait")
    func row55body() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer("\($0.startLine) \($0.text)") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("POST /up HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
            #expect(try Message.answer(from: client).text == "POST /up HTTP/1.1 hello")
        }
    }

    @Test("row 55: an HTTP/1.0 origin is answered for in HTTP/1.1, and kept only if it says so")
    func row55origin() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                switch try connection.request().target {
                case "/kept":
                    try connection.send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nkept")
                case "/length":
                    try connection.send("HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nlength")
                    return
                default:
                    try connection.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")
                    return
                }
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for (target, text) in [
                ("/kept", "kept"), ("/kept", "kept"), ("/length", "length"), ("/kept", "kept"),
                ("/end", "until the end"), ("/kept", "kept"),
            ] {
                try client.send("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n")
                let answer = try Message.answer(from: client)
                #expect(answer.startLine == "HTTP/1.1 200 OK" && answer.text == text && answer["Connection"] == nil)
            }
            #expect(origin.accepted == 3)
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

    @Test func `rows 18 and 54: half a request and an end is no request`() async throws {
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
}
