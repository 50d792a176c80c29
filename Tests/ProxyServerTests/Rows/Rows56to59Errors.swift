import HTTPWire
import NIOCore
import ProxyServer
import Testing
import Upstreams

/// Rows 56 to 59 of the checklist: which failure is tried again, and which status it has. Row 60 is in
/// `TaggedRequestTests`.
@Suite struct Rows56to59Errors {
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

    /// The origin closes the kept connection just as the next request arrives on it.
    @Test func `row 56: a request on a stale connection is repeated if it is safe, and never if it is a write`()
        async throws
    {
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

    @Test func `row 56: a connection that the origin closed while it was idle is not used`() async throws {
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

    @Test func `row 57: a refused connection is a 502, and the client's connection goes on`() async throws {
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

    @Test func `row 57: an upstream that never answers is a 504, and the client's connection goes on`() async throws {
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

    @Test("row 57: a connection that ends or is reset before the head is a 502, for a write at once")
    func row57reset() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            if try connection.request().target == "/reset" { connection.socket.reset() }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for target in ["/reset", "/close"] {
                try client.send("POST \(target) HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nab")
                Self.expectProblem(try Message.answer(from: client), 502, origin.port)
            }
            #expect(origin.requests.count == 2)
        }
    }

    @Test("row 58: a 502 from the origin passes unchanged, and is counted apart", arguments: [502, 503, 504, 500])
    func row58(status: Int) async throws {
        let origin = try ScriptedOrigin(answering: { _ in
            plainAnswer("the origin's own", status: "\(status) As Sent", fields: "X-Origin: 1\r\nDate: now\r\n")
        })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            let answer = try Message.answer(from: client)
            #expect(answer.startLine == "HTTP/1.1 \(status) As Sent")
            #expect(answer.text == "the origin's own" && answer["X-Origin"] == "1")
            #expect(await proxy.counters().unmatched.upstreamErrors == 0)
            origin.stop()
        }
    }

    private static let small: ProxySettings = {
        var settings = patient
        settings.heads = HeadLimits(head: 1_000, field: 300, fields: 8)
        settings.bodyLimit = 100
        return settings
    }()

    @Test("row 59: 431 for a long field, many fields, a large head; 414 for a long target")
    func row59heads() async throws {
        let long = String(repeating: "x", count: 290)
        for (request, status) in [
            ("GET /orders HTTP/1.1\r\nHost: a\r\nX: \(long)xxxxxxxxxx\r\n\r\n", 431),
            ("GET /orders HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: x\r\n", count: 8))\r\n", 431),
            ("GET /orders HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: \(long)\r\n", count: 4))\r\n", 431),
            ("GET /orders HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 3_000))", 431),
            ("GET /\(long)\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET /\(String(repeating: "x", count: 3_000))", 414),
        ] {
            try await expectRefused(request, status, settings: Self.small)
        }
        // By default: 32 KiB, 16 KiB, 100 fields.
        for (request, status) in [
            ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET /orders HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
            ("GET /orders HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: x\r\n", count: 100))\r\n", 431),
            (
                "GET /orders HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: \(String(repeating: "x", count: 9_000))\r\n", count: 4))\r\n",
                431
            ),
        ] {
            try await expectRefused(request, status)
        }
    }

    @Test("row 59: a head larger than the pipeline's own bound arrives where the limits allow it")
    func row59large() async throws {
        var settings = patient
        settings.heads = HeadLimits(head: 300_000, field: 200_000, fields: 10)
        let origin = try ScriptedOrigin(answering: { plainAnswer("\($0["X"]?.count ?? 0)") })
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 190_000))\r\n\r\n")
            #expect(try Message.answer(from: client).text == "190000")
        }
    }

    @Test("row 59: 413 by length, before a byte is forwarded, also where 100-continue is waited for")
    func row59length() async throws {
        for fields in ["Content-Length: 101\r\n", "Content-Length: 999999999999\r\nExpect: 100-continue\r\n"] {
            try await expectRefused("PUT /orders HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", 413, settings: Self.small)
        }
        try await expectRefused(
            "PUT /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n\(String(repeating: "x", count: 101))\r\n0\r\n\r\n",
            413, settings: Self.small)
        let origin = try ScriptedOrigin(answering: { plainAnswer("\($0.body.count)") })
        try await withProxy(monolith: origin.port, settings: Self.small) { proxy in
            let client = try proxy.connect()
            let body = String(repeating: "x", count: 100)
            for _ in 0..<2 {
                try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n\(body)")
                #expect(try Message.answer(from: client).text == "100")
                try client.send(
                    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n\(body)\r\n0\r\n\r\n")
                #expect(try Message.answer(from: client).text == "100")
            }
        }
    }

    @Test("row 59: 413 by counted chunks aborts the origin's request, and the shadow gets nothing")
    func row59chunks() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service, settings: Self.small) { scene in
            let client = try scene.proxy.connect()
            try client.send(
                "PUT /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n\(String(repeating: "x", count: 50))\r\n"
            )
            #expect(monolith.record.wait { $0.accepted == 1 })
            try client.send("33\r\n\(String(repeating: "x", count: 51))\r\n0\r\n\r\n")
            #expect(try Message.answer(from: client).status == 413)
            #expect(client.takeToEnd().ending == .closed)
            #expect(await scene.verdicts(of: 1) == ["not-compared primary-incomplete": 1])
        }
        #expect(monolith.record.wait { $0.finished == $0.accepted })
        #expect(monolith.requests.isEmpty && service.accepted == 0)
    }

    @Test func `row 59: a head that does not arrive in time is a 408`() async throws {
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

    @Test func `row 59: a body that stops coming is a 408, and its upstream request is aborted`() async throws {
        var settings = patient
        settings.body = .milliseconds(1_500)
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

    @Test
    func `row 59: a body that stops coming while its answer streams breaks the answer, and puts no other one into it`()
        async throws
    {
        var settings = patient
        settings.body = .milliseconds(1_500)
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
