import Extraction
import Foundation
import HTTPWire
import NIOCore
import ProxyServer
import Testing
import Upstreams

/// Writes that both sides are to get: on record before their primary sees them.
@Suite struct RecordingTests {
    private static let post =
        "POST /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=a\r\nContent-Length: 5\r\n\r\nhello"

    private static func orders(
        _ stage: Stage = .shadow, _ whenFull: WriteRules.WhenFull = .serveWithoutShadow, board: LaneBoard = LaneBoard()
    ) -> OrdersExtraction {
        OrdersExtraction(stage: stage, weight: stage == .shadow ? .none : .all, board: board, whenFull: whenFull)
    }

    @Test func `the primary sees a write only when it is on record, with all of its body`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("made") })
        let desk = RecordingDesk(.later)
        try await withProxy(monolith: origin.port, orders: Self.orders(), desk: desk) { proxy in
            let client = try proxy.connect()
            try client.send("POST /orders HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            try client.send("6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")
            #expect(desk.record.wait { $0.intended.count == 1 })
            let write = try #require(desk.record.now.intended.first)
            #expect(write.requestBody.map { String(buffer: $0) }.joined() == "hello world")
            #expect(write.primary == .monolith && write.requestID.count == 32)
            #expect(origin.accepted == 0)
            desk.settle()
            #expect(try Message.answer(from: client).text == "made")
            #expect(origin.requests.map(\.text) == ["hello world"])
            #expect(proxy.captured.wait { $0.count == 1 })
            let captured = try #require(proxy.captured.now.first)
            #expect(captured.ticket == RecordingDesk.ticket(1) && captured.outcome == .answered(status: 200))
            #expect(captured.answeredBy == .monolith && captured.shadowIsService)
            let counted = await proxy.counters().extractions[0]
            #expect(counted.toMonolith == 1 && counted.shadowed == 1)
        }
    }

    @Test func `reads, and routes that do not write to both sides, ask for no record`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        let desk = RecordingDesk(.refused("never"))
        var never = Self.orders()
        never.writes = .never
        for orders in [Self.orders(), never] {
            try await withProxy(monolith: origin.port, orders: orders, desk: desk) { proxy in
                let client = try proxy.connect()
                try client.send(
                    orders.writes == .never ? Self.post : "GET /orders HTTP/1.1\r\nHost: shop\r\n\r\n")
                #expect(try Message.answer(from: client).status == 200)
            }
        }
        #expect(desk.record.now.intended.isEmpty)
    }

    @Test(arguments: [WriteRules.WhenFull.refuseWrites, .serveWithoutShadow])
    func `a write that cannot be on record goes by its route`(_ whenFull: WriteRules.WhenFull) async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("made") })
        let desk = RecordingDesk(.refused("spool-full"))
        try await withProxy(monolith: origin.port, orders: Self.orders(.shadow, whenFull), desk: desk) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(Self.post)
                let answer = try Message.answer(from: client)
                #expect(answer.status == (whenFull == .refuseWrites ? 503 : 200))
                #expect(whenFull == .refuseWrites || answer.text == "made")
                #expect(answer["Retry-After"] == (whenFull == .refuseWrites ? "1" : nil))
            }
            // What no side was asked is no side's traffic, and what went to one side alone is not shadowed.
            let counted = await proxy.counters().extractions[0]
            #expect(counted.toMonolith == (whenFull == .refuseWrites ? 0 : 2))
            #expect(counted.toService == 0 && counted.shadowed == 0)
            #expect(desk.record.now.unrecorded.map(\.reason) == ["spool-full", "spool-full"])
            #expect(desk.record.now.unrecorded.allSatisfy { $0.isServed == (whenFull != .refuseWrites) })
            #expect(origin.requests.count == (whenFull == .refuseWrites ? 0 : 2))
            #expect(proxy.captured.now.isEmpty)
        }
    }

    @Test(arguments: [WriteRules.WhenFull.refuseWrites, .serveWithoutShadow])
    func `a disk that hangs keeps no client longer than it may, and a late record is withdrawn`(
        _ whenFull: WriteRules.WhenFull
    ) async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("made") })
        let desk = RecordingDesk(.later)
        var settings = patient
        settings.recording = .milliseconds(50)
        try await withProxy(
            monolith: origin.port, orders: Self.orders(.shadow, whenFull), settings: settings, desk: desk
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(try Message.answer(from: client).status == (whenFull == .refuseWrites ? 503 : 200))
            #expect(desk.record.now.unrecorded.map(\.reason) == ["spool-slow"])
            desk.settle()
            #expect(desk.record.wait { $0.withdrawn.count == 1 })
            desk.answers(.atOnce)
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "made")
            #expect(proxy.captured.wait { $0.count == 1 })
            #expect(desk.record.now.withdrawn == [RecordingDesk.ticket(1)])
        }
    }

    @Test(arguments: [WriteRules.WhenFull.refuseWrites, .serveWithoutShadow])
    func `a body too large to be kept goes by its route`(_ whenFull: WriteRules.WhenFull) async throws {
        let origin = try ScriptedOrigin(answering: { message in plainAnswer("\(message.body.count)") })
        let desk = RecordingDesk()
        try await withProxy(monolith: origin.port, orders: Self.orders(.shadow, whenFull), desk: desk) { proxy in
            let client = try proxy.connect()
            let size = patient.captureLimit * 3
            try client.send("PUT /orders/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: \(size)\r\n\r\n")
            // A client that is refused may be reset while it still sends.
            try? client.send(String(repeating: "x", count: size))
            let answer = try Message.answer(from: client)
            if whenFull == .refuseWrites {
                #expect(answer.status == 413 && origin.accepted == 0)
            } else {
                #expect(answer.text == "\(size)")
            }
            #expect(desk.record.now.intended.isEmpty)
            #expect(desk.record.now.unrecorded.map(\.reason) == ["record-too-large"])
        }
    }

    @Test func `a client that asks whether it may send its body is told so by the proxy, once`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 100 Continue\r\n\r\n" + plainAnswer("made"))
            _ = try connection.request()
        }
        let desk = RecordingDesk()
        try await withProxy(monolith: origin.port, orders: Self.orders(), desk: desk) { proxy in
            let client = try proxy.connect()
            try client.send(
                "POST /orders HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(try Message.answerHead(from: client).status == 100)
            #expect(origin.accepted == 0)
            try client.send("hello")
            #expect(try Message.answerHead(from: client).status == 200)
        }
    }

    @Test func `a client that leaves before the record leaves nothing behind`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("made") })
        let desk = RecordingDesk(.later)
        try await withProxy(monolith: origin.port, orders: Self.orders(), desk: desk) { proxy in
            let half = try proxy.connect()
            try half.send("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhel")
            let whole = try proxy.connect()
            try whole.send(Self.post)
            #expect(desk.record.wait { $0.intended.count == 1 })
            half.reset()
            whole.reset()
            #expect(await proxy.reaches(openConnections: 0))
            desk.settle()
            #expect(desk.record.wait { $0.withdrawn.count == 1 })
            #expect(origin.accepted == 0 && proxy.captured.now.isEmpty)
        }
    }

    @Test func `a write that was sent goes on to its end without its client`() async throws {
        let mayAnswer = Watched(false)
        let origin = try ScriptedOrigin(answering: { _ in
            #expect(mayAnswer.wait { $0 })
            return plainAnswer("made")
        })
        try await withProxy(monolith: origin.port, orders: Self.orders(), desk: RecordingDesk()) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(origin.record.wait { $0.requests.count == 1 })
            client.reset()
            #expect(await proxy.reaches(openConnections: 0))
            #expect(proxy.captured.now.isEmpty)
            mayAnswer.change { $0 = true }
            #expect(proxy.captured.wait { $0.count == 1 })
            let captured = try #require(proxy.captured.now.first)
            #expect(captured.outcome == .answered(status: 200) && captured.ticket != nil)
            #expect(captured.answerBody.parts.map { String(buffer: $0) }.joined() == "made")
        }
    }

    @Test func `what reached nobody and what may have are told apart`() async throws {
        let hanging = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        for (port, outcome) in [
            (try ScriptedOrigin.refusingPort(), CapturedExchange.Outcome.neverSent), (hanging.port, .failed),
        ] {
            try await withProxy(
                monolith: port, orders: Self.orders(), settings: quick, desk: RecordingDesk()
            ) { proxy in
                let client = try proxy.connect()
                try client.send(Self.post)
                #expect(try Message.answer(from: client).status >= 502)
                #expect(proxy.captured.wait { $0.count == 1 })
                #expect(proxy.captured.now.map(\.outcome) == [outcome])
            }
        }
    }

    @Test func `where the monolith stands in, the service is owed the write`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("by the monolith") })
        try await withProxy(
            monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: Self.orders(.cutover),
            desk: RecordingDesk()
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "by the monolith")
            #expect(proxy.captured.wait { $0.count == 1 })
            let captured = try #require(proxy.captured.now.first)
            #expect(captured.answeredBy == .monolith && captured.shadowIsService && captured.ticket != nil)
            #expect(captured.answerBody.parts.map { String(buffer: $0) }.joined() == "by the monolith")
        }
    }

    @Test func `a lane stays where its writes are until the other side has them`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let board = LaneBoard()
        let desk = RecordingDesk()
        try await withProxy(
            monolith: monolith.port, service: service.port, orders: Self.orders(.cutover, board: board), desk: desk
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "service")
            let lane = try #require(desk.record.now.intended.first).lane
            board.owe(.monolith, lane: lane)
            // Back at 0 %, to `shadow`, and to where nobody is shadowed any more.
            for stage in [Stage.shadow, .parallel] {
                await proxy.update(try Self.orders(stage, board: board).snapshot())
                for request in [Self.post, "GET /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=a\r\n\r\n"] {
                    try client.send(request)
                    #expect(try Message.answer(from: client).text == "service")
                }
                try client.send("GET /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=other\r\n\r\n")
                #expect(try Message.answer(from: client).text == "monolith")
            }
            #expect(desk.record.now.intended.map(\.primary) == [.service, .service, .service])
            var atOnce = Self.orders(.shadow, board: board)
            atOnce.flipsAtOnce = true
            await proxy.update(try atOnce.snapshot())
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "monolith")
            await proxy.update(try Self.orders(.shadow, board: board).snapshot())
            board.paid(.monolith, lane: lane)
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "monolith")
        }
    }

    @Test(arguments: [(Stage.shadow, Stage.cutover), (.cutover, .shadow), (.cutover, .parallel)])
    func `while another process serves beside it, lanes keep their sides, whatever the stage says by now`(
        before: Stage, now: Stage
    ) async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let (board, desk) = (LaneBoard(), RecordingDesk())
        let (old, new) = before == .shadow ? ("monolith", "service") : ("service", "monolith")
        var orders = Self.orders(now, board: board)
        orders.heldStage = before
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders, desk: desk) { proxy in
            let client = try proxy.connect()
            for request in [Self.post, "GET /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=a\r\n\r\n"] {
                try client.send(request)
                #expect(try Message.answer(from: client).text == old)
            }
            #expect(desk.record.now.intended.map { "\($0.primary)" } == [old])
            orders.flipsAtOnce = true
            await proxy.update(try orders.snapshot())
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == new)
            orders.flipsAtOnce = false
            orders.heldStage = nil
            await proxy.update(try orders.snapshot())
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == new)
        }
    }

    @Test func `a monolith that is behind in a lane takes no write of it in the service's place`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let board = LaneBoard()
        let desk = RecordingDesk()
        try await withProxy(
            monolith: monolith.port, service: try ScriptedOrigin.refusingPort(),
            orders: Self.orders(.cutover, board: board), desk: desk
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(try Message.answer(from: client).text == "monolith")
            board.owe(.monolith, lane: try #require(desk.record.now.intended.first).lane)
            try client.send(Self.post)
            #expect(try Message.answer(from: client).status >= 502)
            #expect(proxy.captured.wait { $0.count == 2 })
            #expect(proxy.captured.now.last?.outcome == .neverSent)
        }
    }

    @Test func `while another process serves beside it, no monolith stands in for a write, decided before or after`()
        async throws
    {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let (board, desk) = (LaneBoard(), RecordingDesk(.later))
        var orders = Self.orders(.cutover, board: board)
        try await withProxy(
            monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: orders, desk: desk
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            #expect(desk.record.wait { $0.intended.count == 1 })
            orders.heldStage = .cutover
            await proxy.update(try orders.snapshot())
            desk.settle()
            #expect(try Message.answer(from: client).status >= 502)
            try client.send(Self.post)
            #expect(desk.record.wait { $0.intended.count == 2 })
            desk.settle()
            #expect(try Message.answer(from: client).status >= 502)
            // A read may be answered by it, and so may a write when a person wants no waiting.
            try client.send("GET /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=a\r\n\r\n")
            #expect(try Message.answer(from: client).text == "monolith")
            orders.flipsAtOnce = true
            await proxy.update(try orders.snapshot())
            try client.send(Self.post)
            #expect(desk.record.wait { $0.intended.count == 3 })
            desk.settle()
            #expect(try Message.answer(from: client).text == "monolith")
        }
    }

    @Test func `while another process serves beside it, a pin moves reads, and no write out of its lane`() async throws
    {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let (board, desk) = (LaneBoard(), RecordingDesk())
        var orders = Self.orders(.shadow, board: board)
        orders.pin = Pin(header: "X-Side", from: ["127.0.0.0/8"])
        orders.heldStage = .shadow
        let pinned = Self.post.replacing("Host: shop", with: "Host: shop\r\nX-Side: service")
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders, desk: desk) { proxy in
            let client = try proxy.connect()
            try client.send(pinned)
            #expect(try Message.answer(from: client).text == "monolith")
            try client.send("GET /orders HTTP/1.1\r\nHost: shop\r\nX-Side: service\r\n\r\n")
            #expect(try Message.answer(from: client).text == "service")
            orders.heldStage = nil
            await proxy.update(try orders.snapshot())
            try client.send(pinned)
            #expect(try Message.answer(from: client).text == "service")
        }
    }
}
