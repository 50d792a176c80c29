import Extraction
import Foundation
import NIOCore
import ProxyServer
import Testing
import Upstreams

/// Row 48 of the checklist, byte by byte: 101 only when asked, then a tunnel. With real WebSockets: `Row48WebSocket`.
@Suite struct Row48Upgrade {
    private static let ask =
        "GET /orders/live HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\nX-A: 1\r\n\r\n"
    private static let yes =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-B: 2\r\n\r\n"

    /// An origin that agrees, and then does what `script` says.
    private static func origin(
        _ script: @escaping @Sendable (ScriptedOrigin.Connection) throws(SocketError) -> Void
    ) throws -> ScriptedOrigin {
        try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(Self.yes)
            try script(connection)
        }
    }

    private static func connected(_ proxy: ProxyUnderTest, receiveBuffer: Int32? = nil) throws -> RawSocket {
        let client = try proxy.connect(receiveBuffer: receiveBuffer)
        try client.send(ask)
        #expect(try Message.answerHead(from: client).status == 101)
        return client
    }

    @Test(
        "row 48: both Upgrade and Connection go on, the 101 comes back with both, and no client byte is forwarded before it"
    )
    func before() async throws {
        let early = Watched<[UInt8]?>(nil)
        let mayAgree = Watched(false)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            #expect(throws: SocketError.timedOut) { try connection.socket.receive(within: 0.5) }
            early.change { $0 = connection.socket.buffer }
            _ = mayAgree.wait { $0 }
            // In one packet with the first bytes of the other protocol.
            try connection.send(Self.yes + "hello")
            for count in [11, 2] { try connection.socket.send(try connection.socket.take(count)) }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.ask + "GET /\u{0}\r\n\r\nX")
            #expect(early.wait { $0 != nil })
            #expect(early.now == [])
            mayAgree.change { $0 = true }
            let answer = try Message.answerHead(from: client)
            #expect(answer.startLine == "HTTP/1.1 101 Switching Protocols")
            #expect(answer["Connection"] == "upgrade" && answer["Upgrade"] == "echo" && answer["X-B"] == "2")
            #expect(answer["Content-Length"] == nil && answer["Transfer-Encoding"] == nil)
            #expect(try client.take(5) == Array("hello".utf8))
            // Not parsed, not changed.
            #expect(try client.take(11) == Array("GET /\u{0}\r\n\r\nX".utf8))
            try client.send("..")
            #expect(try client.take(2) == Array("..".utf8))
            #expect(client.takeToEnd().ending == .closed)
            #expect(await proxy.counters().upgraded == 1)
            #expect(await proxy.counters().clientAborts == 0)
        }
        let request = try #require(origin.requests.first)
        #expect(request.values("Upgrade") == ["echo"] && request.values("Connection") == ["upgrade"])
        #expect(request["X-A"] == "1" && request["X-Forwarded-For"] == "127.0.0.1")
    }

    @Test("row 48: each side may end before the other, and what was sent arrives")
    func halfClose() async throws {
        let origin = try Self.origin { connection throws(SocketError) in
            if connection.number == 0 {
                // The client ends first.
                let end = connection.socket.takeToEnd()
                #expect(end.ending == .closed)
                try connection.send("got \(end.bytes.count)")
            } else {
                try connection.send("first")
                connection.socket.finishSending()
                #expect(connection.socket.takeToEnd().bytes == Array("after".utf8))
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let first = try Self.connected(proxy)
            try first.send([UInt8](repeating: 7, count: 300_000))
            first.finishSending()
            #expect(first.takeToEnd().bytes == Array("got 300000".utf8))

            let second = try Self.connected(proxy)
            let end = second.takeToEnd()
            #expect(end.bytes == Array("first".utf8) && end.ending == .closed)
            try second.send("after")
            second.finishSending()
            #expect(origin.record.wait { $0.finished == 2 })
            #expect(await proxy.reaches(openConnections: 0))
        }
        #expect(origin.record.now.errors.isEmpty)
    }

    @Test(
        "row 48: what one side still has to get is not lost when both have ended",
        arguments: [(clientEndsFirst: true, up: 0), (false, 0), (false, 6_000_000)])
    func tail(clientEndsFirst: Bool, up: Int) async throws {
        let down = up == 0 ? 6_000_000 : 0
        let got = Watched<Int?>(nil)
        let originMayRead = Watched(false)
        let origin = try Self.origin { connection throws(SocketError) in
            if clientEndsFirst { _ = connection.socket.takeToEnd() }
            try connection.socket.send([UInt8](repeating: 0x64, count: down))
            connection.socket.finishSending()
            if up > 0 { _ = originMayRead.wait { $0 } }
            let rest = connection.socket.takeToEnd()
            got.change { $0 = rest.bytes.count }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try Self.connected(proxy, receiveBuffer: 16 * 1024)
            if clientEndsFirst {
                client.finishSending()
                let (bytes, ending) = client.takeToEnd()
                #expect(bytes.count == down && ending == .closed)
            } else if up > 0 {
                // The origin has ended; the client has not, and its bytes find no reader for a while.
                #expect(client.takeToEnd().ending == .closed)
                Task.detached { originMayRead.change { $0 = true } }
                try client.send([UInt8](repeating: 0x75, count: up))
                client.finishSending()
                #expect(got.wait { $0 == up }, "\(String(describing: got.now))")
            } else {
                client.finishSending()
                let (bytes, ending) = client.takeToEnd()
                #expect(bytes.count == down && ending == .closed)
            }
        }
    }

    @Test("row 48: a side that does not read holds the other back, and gets everything once it reads")
    func backpressure() async throws {
        let size = 24 * 1024 * 1024
        let stalled = Watched<[String: Int]>([:])
        let mayRead = Watched(false)
        let origin = try Self.origin { connection throws(SocketError) in
            let sent = try sendUntilStalled(connection.socket, size)
            stalled.change { $0["origin"] = sent }
            _ = mayRead.wait { $0 }
            let received = Watched<Int?>(nil)
            let socket = connection.socket
            Thread.detachNewThread {
                let count = try? socket.take(size).count
                received.change { $0 = count ?? 0 }
            }
            try connection.socket.send([UInt8](repeating: 1, count: size - sent))
            #expect(received.wait { $0 != nil } && received.now == size)
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try Self.connected(proxy, receiveBuffer: 64 * 1024)
            let sent = try sendUntilStalled(client, size)
            #expect(sent < size * 3 / 4)
            #expect(stalled.wait { $0["origin"] != nil })
            #expect(stalled.now["origin"] ?? size < size * 3 / 4)
            mayRead.change { $0 = true }
            let rest = Watched<SocketError?>(nil)
            Thread.detachNewThread {
                do throws(SocketError) {
                    try client.send([UInt8](repeating: 2, count: size - sent))
                } catch {
                    rest.change { $0 = error }
                }
            }
            #expect(try client.take(size).allSatisfy { $0 == 1 })
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(rest.now == nil)
        }
    }

    @Test("row 48: a refused upgrade stays HTTP", arguments: ["200 OK", "403 Forbidden", "426 Upgrade Required"])
    func refused(status: String) async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0.target, status: status) })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(Self.ask + goodGet)
                let answer = try Message.answer(from: client)
                #expect(answer.text == "/orders/live" && answer["Connection"] == nil)
                #expect(try Message.answer(from: client).text == "/orders/good")
            }
            #expect(await proxy.counters().upgraded == 0)
        }
        #expect(origin.requests.map { $0["Upgrade"] } == ["echo", nil, "echo", nil])
    }

    @Test(
        "row 48: what asks for no protocol that may be tunnelled goes on without Upgrade, and a 101 to it is a 502",
        arguments: [
            "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n", "GET /orders HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
            "GET /orders HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nUpgrade: h2c\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
            "POST /orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 2\r\n\r\nab",
        ])
    func unasked(request: String) async throws {
        let origin = try Self.origin { connection throws(SocketError) in
            try connection.send("evil")
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(request)
            #expect(try Message.answer(from: client).status == 502)
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(await proxy.counters().upgraded == 0)
        }
        let seen = try #require(origin.requests.first)
        #expect(seen["Upgrade"] == nil && seen["Connection"] == nil && seen["HTTP2-Settings"] == nil)
    }

    @Test(
        "row 48: a 101 that names no protocol, or one that may not be tunnelled, is a 502",
        arguments: ["", "Upgrade: h2c\r\n", "Upgrade:\r\n"])
    func nameless(field: String) async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\(field)\r\n")
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send(Self.ask)
            #expect(try Message.answer(from: client).status == 502)
        }
    }

    @Test("row 48: an upgrade is never shadowed, and counted with its reason, tunnelled or refused")
    func shadow() async throws {
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                if request.target == "/orders/no" {
                    try connection.send(plainAnswer("no"))
                } else {
                    try connection.send(Self.yes)
                    try connection.socket.send(try connection.socket.take(4))
                    return
                }
            }
        }
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send(Self.ask.replacing("/orders/live", with: "/orders/no"))
            #expect(try Message.answer(from: client).text == "no")
            try client.send(Self.ask + "ping")
            #expect(try Message.answerHead(from: client).status == 101)
            #expect(try client.take(4) == Array("ping".utf8))
            #expect(await scene.verdicts(of: 2) == ["not-compared upgrade": 2])
            #expect(await scene.proxy.counters().extractions.map(\.shadowed) == [0])
        }
        #expect(service.accepted == 0)
    }

    @Test("row 48: asked once: a service that breaks is a 502, one that refuses is stood in for by the monolith")
    func once() async throws {
        let monolith = try Self.origin { connection throws(SocketError) in
            try connection.socket.send(try connection.socket.take(4))
        }
        let service = try ScriptedOrigin { connection throws(SocketError) in _ = try connection.request() }
        let orders = OrdersExtraction(stage: .cutover)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            try client.send(Self.ask)
            #expect(try Message.answer(from: client).status == 502)
            #expect(service.requests.count == 1 && monolith.accepted == 0)
            service.stop()
            try client.send(Self.ask + "ping")
            let answer = try Message.answerHead(from: client)
            #expect(answer.status == 101 && answer["Strangler-Served-By"] == "monolith; fallback=\"connect-refused\"")
            #expect(try client.take(4) == Array("ping".utf8))
        }
    }

    @Test("row 48: a tunnel that is silent for too long ends, and one that speaks in either direction does not")
    func idle() async throws {
        var settings = patient
        settings.tunnelIdle = .milliseconds(700)
        settings.body = .milliseconds(400)
        let origin = try Self.origin { connection throws(SocketError) in
            for _ in 0..<8 {
                do throws(SocketError) {
                    try connection.socket.receive(within: 0.2)
                } catch {
                    guard error == .timedOut else { throw error }
                }
                try connection.send("x")
            }
            #expect(connection.socket.takeToEnd().ending == .closed)
        }
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try Self.connected(proxy)
            let end = client.takeToEnd()
            #expect(end.bytes == Array("xxxxxxxx".utf8) && end.ending == .closed)
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(await proxy.reaches(openConnections: 0))
        }
    }

    @Test("row 48: a side that is reset is known to the other, and leaves nothing behind")
    func reset() async throws {
        let origin = try Self.origin { connection throws(SocketError) in
            if connection.number == 0 {
                _ = try connection.socket.take(1)
                connection.socket.reset()
            } else {
                _ = connection.socket.takeToEnd()
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let first = try Self.connected(proxy)
            try first.send("x")
            #expect(first.takeToEnd().ending == .reset)
            let second = try Self.connected(proxy)
            second.reset()
            #expect(origin.record.wait { $0.finished == 2 })
            #expect(await proxy.reaches(openConnections: 0))
        }
    }

    @Test("row 48: a drain waits for tunnels until its deadline, and then ends them")
    func drain() async throws {
        let origin = try Self.origin { connection throws(SocketError) in
            try connection.socket.send(try connection.socket.take(4))
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let ending = try Self.connected(proxy)
            let staying = try Self.connected(proxy)
            async let drained: Void = proxy.shutdown(deadline: .seconds(2))
            for client in [ending, staying] {
                try client.send("ping")
                #expect(try client.take(4) == Array("ping".utf8))
            }
            ending.close()
            #expect(origin.record.wait { $0.finished == 1 })
            await drained
            #expect(staying.takeToEnd().bytes.isEmpty)
            #expect(origin.record.wait { $0.finished == 2 })
        }
    }
}

/// - Returns: bytes that the peer took before it took no more for half a second.
private func sendUntilStalled(_ socket: RawSocket, _ size: Int) throws(SocketError) -> Int {
    var sent = 0
    let value: UInt8 = 1
    while sent < size {
        do throws(SocketError) {
            sent += try socket.sendSome([UInt8](repeating: value, count: min(65_536, size - sent)), within: 0.5)
        } catch .timedOut {
            return sent
        } catch {
            throw error
        }
    }
    return sent
}
