import Extraction
import Foundation
import NIOCore
import ProxyServer
import Routing
import Synchronization
import Testing
import Upstreams

@Suite struct Reloading {
    private static func address(_ origin: ScriptedOrigin) -> UpstreamAddress {
        UpstreamAddress(host: "127.0.0.1", port: origin.port)
    }

    private static func snapshot(
        _ generation: Int, prefix: String = "/orders", _ extractions: [ExtractionTraffic?], extraction: Int = 0
    ) throws -> ProxySnapshot {
        let route = Route(
            pattern: try RoutePattern(parsing: prefix + "/**"), extraction: extraction,
            location: SourceLocation(file: "orders.yaml", line: 1, column: 1))
        return ProxySnapshot(
            generation: generation, routes: try RouteTable([route]), extractionOfRoute: [extraction],
            extractions: extractions)
    }

    private static func get(_ target: String, fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: shop\r\n\(fields)\r\n"
    }

    /// Asks as fast as answers come, on a thread of its own, until told to stop.
    private final class Asking: Sendable {
        let answered = Watched(0)
        let failures = Watched<[String]>([])
        private let isStopped = Atomic(false)

        init(_ proxy: ProxyUnderTest, keepsAlive: Bool) {
            Thread.detachNewThread { [self] in
                var socket: RawSocket?
                while !isStopped.load(ordering: .relaxed) {
                    do throws(SocketError) {
                        let client = if let socket { socket } else { try proxy.connect() }
                        socket = keepsAlive ? client : nil
                        try client.send(Reloading.get("/orders/1"))
                        let answer = try Message.answer(from: client)
                        if answer.status != 200 { failures.change { $0.append(answer.startLine) } }
                        if !keepsAlive { client.close() }
                    } catch {
                        failures.change { $0.append("\(error)") }
                        socket = nil
                    }
                    answered.change { $0 += 1 }
                }
                socket?.close()
                answered.change { $0 = -1 }
            }
        }

        func stop() {
            isStopped.store(true, ordering: .relaxed)
            #expect(answered.wait { $0 == -1 })
        }
    }

    @Test func `200 reloads under load fail no request, and every request sees one configuration`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let services = try ["even", "odd"].map { name in try ScriptedOrigin(answering: { _ in plainAnswer(name) }) }
        let orders = OrdersExtraction(stage: .cutover, weight: .all)
        // What the exchange was handed over under, and who had answered it.
        let handed = Watched<[String: Int]>([:])
        try await withProxy(monolith: monolith.port, service: services[0].port, orders: orders, loops: 2) { proxy in
            let clients = (0..<4).map { Asking(proxy, keepsAlive: $0 % 2 == 0) }
            for generation in 1...200 {
                let side = generation % 2
                await proxy.update(
                    try Self.snapshot(generation, [orders.traffic]),
                    upstreams: ProxyUpstreams(
                        monolith: Self.address(monolith), services: [Self.address(services[side])]),
                    handoff: {
                        ExchangeHandoff(
                            shadow: { exchange in
                                let body = exchange.answerBody.parts.map { String(buffer: $0) }.joined()
                                handed.change { $0["\(side) \(body)", default: 0] += 1 }
                            })
                    })
                // Somebody asks under each of them.
                let before = clients[generation % 4].answered.now
                #expect(clients[generation % 4].answered.wait { $0 > before })
            }
            for client in clients {
                client.stop()
                #expect(client.failures.now == [])
            }
            #expect(Set(handed.now.keys) == ["0 even", "1 odd"], "\(handed.now)")
            #expect(handed.now.values.reduce(0, +) >= 200)
        }
    }

    @Test func `a request under way keeps the upstream that it was decided for, which closes with it`() async throws {
        let mayAnswer = Watched(false)
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in
            _ = mayAnswer.wait { $0 }
            return plainAnswer("service")
        })
        let orders = OrdersExtraction(stage: .cutover, weight: .all, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let slow = try proxy.connect()
            try slow.send(Self.get("/orders/1"))
            #expect(service.record.wait { $0.requests.count == 1 })
            // The extraction is removed, and its slot rests.
            await proxy.update(
                ProxySnapshot(
                    generation: 1, routes: try RouteTable([Route]()), extractionOfRoute: [], extractions: [nil]),
                upstreams: ProxyUpstreams(monolith: Self.address(monolith), services: [nil]))
            let next = try proxy.connect()
            try next.send(Self.get("/orders/1"))
            #expect(try Message.answer(from: next).text == "monolith")
            mayAnswer.change { $0 = true }
            #expect(try Message.answer(from: slow).text == "service")
            #expect(service.record.wait { $0.finished == 1 }, "its connection is not kept")
            try slow.send(Self.get("/orders/1"))
            #expect(try Message.answer(from: slow).text == "monolith")
            let counters = await proxy.counters()
            #expect(counters.extractions[0].toService == 1 && counters.unmatched.toMonolith == 2)
        }
    }

    @Test func `an upstream that stays keeps its connections, one that changes closes them`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let services = try (0..<2).map { number in try ScriptedOrigin(answering: { _ in plainAnswer("\(number)") }) }
        let orders = OrdersExtraction(stage: .cutover, weight: .all, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, service: services[0].port, orders: orders) { proxy in
            let client = try proxy.connect()
            for generation in 1...5 {
                try client.send(Self.get("/orders/1"))
                #expect(try Message.answer(from: client).text == "0")
                try client.send(Self.get("/else"))
                #expect(try Message.answer(from: client).text == "monolith")
                await proxy.update(try Self.snapshot(generation, prefix: "/orders", [orders.traffic]))
            }
            #expect(services[0].accepted == 1 && monolith.accepted == 1)
            await proxy.update(
                try Self.snapshot(6, [orders.traffic, nil]),
                upstreams: ProxyUpstreams(
                    monolith: Self.address(monolith), services: [Self.address(services[1]), nil]))
            #expect(services[0].record.wait { $0.finished == 1 })
            try client.send(Self.get("/orders/1"))
            #expect(try Message.answer(from: client).text == "1")
            #expect(monolith.record.now.finished == 0)
        }
    }

    @Test func `an extraction that comes later is counted in a slot of its own`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let orders = OrdersExtraction(stage: .cutover, weight: .all, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            let client = try proxy.connect()
            await proxy.update(
                try Self.snapshot(1, prefix: "/carts", [nil, orders.traffic], extraction: 1),
                upstreams: ProxyUpstreams(
                    monolith: Self.address(monolith), services: [nil, Self.address(service)]))
            try client.send(Self.get("/carts/1"))
            #expect(try Message.answer(from: client).text == "service")
            let counters = await proxy.counters()
            #expect(counters.extractions.map(\.toService) == [0, 1])
        }
    }

    @Test func `an update that was overtaken by a later one changes nothing`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        var orders = OrdersExtraction(stage: .cutover, weight: .all, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            await proxy.update(try Self.snapshot(7, [orders.traffic]))
            orders.weight = .none
            await proxy.update(try Self.snapshot(6, [orders.traffic]))
            let client = try proxy.connect()
            try client.send(Self.get("/orders/1"))
            #expect(try Message.answer(from: client).text == "service")
        }
    }

    @Test func `trusted networks hold from the next request on, on open connections too`() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0["X-Forwarded-For"] ?? "none") })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            var settings = patient
            for (trusted, expected) in [("10.0.0.0/8", "127.0.0.1"), ("127.0.0.0/8", "192.0.2.9, 127.0.0.1")] {
                settings.trustedProxies = [try #require(AddressRange(trusted))]
                await proxy.update(settings: settings)
                try client.send(Self.get("/", fields: "X-Forwarded-For: 192.0.2.9\r\n"))
                #expect(try Message.answer(from: client).text == expected)
            }
        }
    }
}
