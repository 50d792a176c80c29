import NIOCore
import ProxyServer
import Testing
import Upstreams

@Suite struct UpstreamFaults {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"

    /// A problem document of the proxy's own (RFC 9457), which says nothing about the inside.
    private static func expectProblem(_ answer: Message, _ status: Int, _ port: Int) {
        #expect(answer.status == status)
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(answer["Cache-Control"] == "no-store")
        #expect(answer.text.contains("\"status\":\(status)"))
        #expect(!answer.text.contains("127.0.0.1") && !answer.text.contains("\(port)"))
    }

    @Test func `a refused connection is a 502, and the client's connection goes on`() async throws {
        let port = try ScriptedOrigin.refusingPort()
        try await withProxy(monolith: port) { proxy in
            let client = try proxy.connect()
            for request in [Self.get, Self.post, Self.get] {
                try client.send(request)
                Self.expectProblem(try Message.answer(from: client), 502, port)
            }
            try client.send("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n" + Self.get)
            #expect(try Message.answer(from: client, to: "HEAD").status == 502)
            Self.expectProblem(try Message.answer(from: client), 502, port)
            #expect(await proxy.counters().unmatched.upstreamErrors == 5)
        }
    }

    @Test func `an upstream that never answers is a 504, and the client's connection goes on`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            if try connection.request().target == "/quick" { try connection.send(plainAnswer("here")) }
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port, settings: quick) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            Self.expectProblem(try Message.answer(from: client), 504, origin.port)
            #expect(origin.record.wait { $0.finished == 1 })
            try client.send("GET /quick HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(try Message.answer(from: client).text == "here")
        }
    }

    /// The origin closes the kept connection just as the next request arrives on it.
    @Test func `a request on a stale connection is repeated if it is safe, and never if it is a write`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("connection \(connection.number)"))
            _ = try connection.request()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "connection 0")
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "connection 1")
            try client.send(Self.post)
            Self.expectProblem(try Message.answer(from: client), 502, origin.port)
            #expect(origin.requests.map(\.method) == ["GET", "GET", "GET", "POST"])
            #expect(origin.accepted == 2)
        }
    }

    @Test func `a connection that the origin closed while it was idle is not used`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("connection \(connection.number)"))
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for number in 0..<3 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).text == "connection \(number)")
                #expect(origin.record.wait { $0.finished == number + 1 })
                // Two rounds of the loop later it has heard of the end.
                for _ in 0..<2 { _ = await proxy.counters() }
            }
            #expect(origin.requests.count == 3)
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
    ])
    func `a malformed answer is a 502 and its connection is given up`(answer: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(answer)
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            Self.expectProblem(try Message.answer(from: client), 502, origin.port)
            #expect(origin.record.wait { $0.finished == 1 })
            try client.send(Self.get)
            #expect(try Message.answer(from: client).status == 502)
            #expect(origin.accepted == 2)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
    ])
    func `an answer that breaks off never looks whole`(answer: String) async throws {
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

    @Test func `an answer without a length that is reset never looks whole`() async throws {
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

    @Test func `an answer that stands still for too long is broken off`() async throws {
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
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ])
    func `bytes behind an answer reach nobody, and the connection is not used again`(answer: String) async throws {
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
    @Test func `bytes behind an answer are noticed wherever reads are cut`() async throws {
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

    @Test func `an upstream that says it closes is not kept`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("last", fields: "Connection: close\r\n"))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(Self.get)
                let answer = try Message.answer(from: client)
                #expect(answer.text == "last")
                #expect(answer["Connection"] == nil)
            }
            #expect(origin.accepted == 2)
        }
    }

    @Test func `an unused upstream connection is closed after its time`() async throws {
        var settings = patient
        settings.upstream.keepAlive = .milliseconds(150)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("x"))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "x")
            #expect(origin.record.wait { $0.finished == 1 })
        }
    }
}
