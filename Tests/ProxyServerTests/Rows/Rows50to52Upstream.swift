import HTTPWire
import NIOCore
import ProxyServer
import Testing
import Upstreams

/// Rows 50 to 52 of the checklist: answers that break off, contradict themselves, or go on behind their end.
@Suite struct Rows50to52Upstream {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"

    private static func expect502(_ answer: Message, _ port: Int) {
        #expect(answer.status == 502)
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(!answer.text.contains("127.0.0.1") && !answer.text.contains("\(port)"))
    }

    @Test
    func
        `row 50: an answer that ends with its connection goes on as chunks to HTTP/1.1, and ends the connection of HTTP/1.0`()
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

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
    ])
    func `row 50: an answer that breaks off never looks whole`(answer: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(answer)
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(throws: SocketError.closed) { try Message.answer(from: client) }
            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\n\r\n")
            let isChunked = answer.contains("chunked")
            let end = old.takeToEnd()
            // Without a length, only a reset tells an HTTP/1.0 client.
            #expect(end.ending == (isChunked ? .reset : .closed))
            #expect(await proxy.counters().unmatched.upstreamErrors == 2)
        }
    }

    @Test func `row 50: an answer without a length that is reset never looks whole`() async throws {
        let mayReset = Watched(0)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\n\r\nhalf of it")
            _ = mayReset.wait { $0 > connection.number }
            connection.socket.reset()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answerHead(from: client).status == 200)
            #expect(try client.take(15) == Array("a\r\nhalf of it\r\n".utf8))
            mayReset.change { $0 += 1 }
            #expect(client.takeToEnd().bytes.isEmpty)

            let old = try proxy.connect()
            try old.send("GET / HTTP/1.0\r\n\r\n")
            _ = try old.take(through: "half of it")
            mayReset.change { $0 += 1 }
            #expect(old.takeToEnd().ending == .reset)
        }
    }

    @Test func `row 50: an answer that stands still for too long is broken off`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port, settings: quick) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(throws: SocketError.closed) { try Message.answer(from: client) }
            #expect(origin.record.wait { $0.finished == 1 })
        }
    }

    @Test func `an answer that drips more slowly than the timeout, but drips, arrives`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            for _ in 0..<8 {
                // Nothing comes from the proxy: this only lets time pass, in all more than the timeout.
                #expect(throws: SocketError.timedOut) { try connection.socket.receive(within: 0.25) }
                try connection.send("x")
            }
        }
        try await withProxy(monolith: origin.port, settings: quick) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "xxxxxxxx")
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\u{0}: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a\rb\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ])
    func `row 51: a malformed answer is a 502 and its connection is given up`(answer: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(answer)
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            Self.expect502(try Message.answer(from: client), origin.port)
            #expect(origin.record.wait { $0.finished == 1 })
            try client.send(Self.get)
            #expect(try Message.answer(from: client).status == 502)
            #expect(origin.accepted == 2)
        }
    }

    @Test(
        "row 51: a chunked answer that turns bad breaks off, and its connection is given up",
        arguments: ["zz\r\n", "2\nab\r\n", "1\r\nab\r\n", "-1\r\n"])
    func row51chunks(bad: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n\(bad)")
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            for _ in 0..<2 {
                let client = try proxy.connect()
                try client.send(Self.get)
                #expect(throws: SocketError.closed) { try Message.answer(from: client) }
            }
            #expect(origin.accepted == 2)
        }
    }

    @Test("row 51: an answer's head beyond the limits is a 502")
    func row51limits() async throws {
        var settings = patient
        settings.heads = HeadLimits(head: 2_000, field: 500, fields: 10)
        let origin = try ScriptedOrigin(answering: { request in
            switch request.target {
            case "/long": plainAnswer("x", fields: "X: \(String(repeating: "x", count: 600))\r\n")
            case "/many": plainAnswer("x", fields: String(repeating: "X: x\r\n", count: 10))
            case "/large":
                plainAnswer("x", fields: String(repeating: "X: \(String(repeating: "x", count: 400))\r\n", count: 6))
            default: plainAnswer("x")
            }
        })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            for (target, status) in [("/long", 502), ("/ok", 200), ("/many", 502), ("/large", 502), ("/ok", 200)] {
                try client.send("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n")
                #expect(try Message.answer(from: client).status == status, "\(target)")
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ])
    func `row 52: bytes behind an answer reach nobody, and the connection is not used again`(answer: String)
        async throws
    {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(answer)
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            // Pipelined: the second begins while the first one's last bytes are being read.
            try client.send(Self.get + Self.get + Self.get)
            for _ in 0..<3 {
                let one = try Message.answer(from: client)
                #expect(one.status == 204 || one.text == "good")
            }
            #expect(origin.accepted == 3)
        }
    }

    /// The first read fills NIO's buffer exactly with the answer, so that the rest comes as a read of its own.
    @Test func `row 52: bytes behind an answer are noticed wherever reads are cut`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            let padding = Int(try connection.request().target.dropFirst()) ?? 0
            try connection.send(plainAnswer(String(repeating: "g", count: padding)) + plainAnswer("evil"))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for padding in 1_900...2_060 {
                let request = "GET /\(padding) HTTP/1.1\r\nHost: shop\r\n\r\n"
                try client.send(request + request)
                for _ in 0..<2 { #expect(try Message.answer(from: client).body.count == padding) }
            }
            #expect(origin.accepted == 2 * 161)
        }
    }
}
