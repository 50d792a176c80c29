import Extraction
import Foundation
import ProxyServer
import Routing
import TestSupport
import Testing
import Upstreams

/// Random loads under random reloads, with clients that leave: what is harvested is what clients have seen.
@Suite struct TrafficCountProperty {
    /// What clients have seen: for the service by who it said it was, for the monolith by method.
    struct Seen: Equatable {
        var requests: [String: Int] = [:]
        var errors: [String: Int] = [:]
        var bytes: [String: Int] = [:]
        var fellBack = 0
        var unmatched = 0

        mutating func add(_ other: Seen) {
            requests.merge(other.requests, uniquingKeysWith: +)
            errors.merge(other.errors, uniquingKeysWith: +)
            bytes.merge(other.bytes, uniquingKeysWith: +)
            fellBack += other.fellBack
            unmatched += other.unmatched
        }
    }

    /// `/orders/200/x` is answered 200, and so on; `hang` not at all.
    private static func origin(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                if request.target.contains("hang") {
                    _ = connection.socket.takeToEnd()
                    return
                }
                let status = request.target.split(separator: "/").first { Int($0) != nil } ?? "200"
                let isOwn = name == "monolith" && status == "503"
                let body = name + String(repeating: ".", count: request.target.utf8.count % 7)
                try connection.send(plainAnswer(body, status: "\(isOwn ? "200" : status) X"))
            }
        }
    }

    private static let paths = ["/orders/200", "/orders/404/x", "/orders/500", "/orders/503/y", "/users/200", "/hang"]

    /// One client's life, on a thread of its own.
    private static func ask(_ proxy: ProxyUnderTest, seed: UInt64, times: Int) throws(SocketError) -> Seen {
        var random = SeededGenerator(seed: seed)
        var seen = Seen()
        var client = try proxy.connect()
        for _ in 0..<times {
            let path = paths.randomElement(using: &random) ?? ""
            let isWrite = Int.random(in: 0..<4, using: &random) == 0
            let method = isWrite ? "POST" : "GET"
            try client.send(
                "\(method) \(path) HTTP/1.1\r\nHost: shop\r\nCookie: session=\(Int.random(in: 0..<99, using: &random))\r\n"
                    + (isWrite ? "Content-Length: 2\r\n\r\nab" : "\r\n"))
            if path == "/hang" {
                if Bool.random(using: &random) { client.reset() } else { client.close() }
                client = try proxy.connect()
                continue
            }
            let answer = try Message.answer(from: client)
            guard path.hasPrefix("/orders") else {
                seen.unmatched += 1
                continue
            }
            let who = answer.text.prefix { $0 != "." } == "monolith" ? "monolith \(method)" : "\(answer.text.prefix(4))"
            seen.requests[who, default: 0] += 1
            seen.errors[who, default: 0] += answer.status >= 500 ? 1 : 0
            seen.bytes[who, default: 0] += answer.body.count
            if answer["Strangler-Served-By"] != nil { seen.fellBack += 1 }
        }
        client.close()
        return seen
    }

    /// Under an even generation the extraction is called `even` and its service answers so.
    private static func snapshot(
        _ generation: Int, _ random: inout SeededGenerator
    ) throws -> ProxySnapshot {
        let route = Route(
            pattern: try RoutePattern(parsing: "/orders/**"), extraction: 0,
            location: SourceLocation(file: "orders.yaml", line: 1, column: 1))
        let weight = [Weight.none, .all, Weight(clamping: 5_000)].randomElement(using: &random) ?? .none
        let known = Bool.random(using: &random) ? [["/orders/{id}"]] : []
        let orders = OrdersExtraction(stage: .cutover, weight: weight, sample: .none, writes: .never)
        return ProxySnapshot(
            generation: generation, routes: try RouteTable([route]), extractionOfRoute: [0],
            extractions: [orders.traffic],
            endpoints: EndpointIndex(
                routes: [route], templates: EndpointTemplates(routes: [route], known: known),
                extractions: [generation % 2 == 0 ? "even" : "odd."]))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `harvested totals are what clients saw`(seed: UInt64) async throws {
        let monolith = try Self.origin("monolith")
        let services = try ["even", "odd."].map(Self.origin)
        func upstreams(_ generation: Int) -> ProxyUpstreams {
            // Statuses of 5xx are what these origins are for: no breaker.
            var service = UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: services[generation % 2].port))
            service.breaker = nil
            var main = UpstreamSettings(
                name: "monolith", UpstreamAddress(host: "127.0.0.1", port: monolith.port))
            main.breaker = nil
            return ProxyUpstreams(monolith: main, services: [service])
        }
        var random = SeededGenerator(seed: seed)
        let first = try Self.snapshot(0, &random)
        try await withProxy(upstreams: upstreams(0), snapshot: first, loops: 2) { proxy in
            let seen = Watched(Seen())
            let failures = Watched<[SocketError]>([])
            let ended = Watched(0)
            for client in 0..<4 {
                Thread.detachNewThread {
                    do throws(SocketError) {
                        let one = try Self.ask(proxy, seed: seed * 100 + UInt64(client), times: 150)
                        seen.change { $0.add(one) }
                    } catch {
                        failures.change { $0.append(error) }
                    }
                    ended.change { $0 += 1 }
                }
            }
            var harvested = Harvested()
            var generation = 0
            while ended.now < 4 {
                generation += 1
                await proxy.update(try Self.snapshot(generation, &random), upstreams: upstreams(generation))
                harvested.add(await proxy.server.harvest())
            }
            harvested.add(await proxy.server.harvest())
            #expect(failures.now == [])
            #expect(generation > 3)
            expectSame(harvested, seen.now)
        }
    }

    /// The service of the other name was never counted under this one's, nor anything twice or not at all.
    private func expectSame(_ harvested: Harvested, _ seen: Seen) {
        var counted = Seen()
        for (key, counts) in harvested.traffic {
            let who = key.side == .service ? key.extraction : "monolith \(key.endpoint.prefix { $0 != " " })"
            counted.requests[who, default: 0] += counts.requests
            counted.errors[who, default: 0] += counts.errors
            counted.bytes[who, default: 0] += counts.bytes
            #expect(counts.timed == counts.requests, "each answer has its time")
        }
        let fellBack = harvested.fellBack.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        let services: Set = ["even", "odd."]
        for who in Set(seen.requests.keys).union(counted.requests.keys) where !services.contains(who) {
            #expect(counted.requests[who] == seen.requests[who], "\(who)")
            #expect(counted.errors[who] == seen.errors[who], "\(who)")
            #expect(counted.bytes[who] == seen.bytes[who], "\(who)")
        }
        for who in services {
            // A client does not see which service has failed the request that the monolith answered.
            #expect(counted.bytes[who] ?? 0 == seen.bytes[who] ?? 0, "\(who)")
        }
        func sum(_ counts: [String: Int]) -> Int { counts.filter { services.contains($0.key) }.values.reduce(0, +) }
        #expect(sum(counted.requests) == sum(seen.requests) + seen.fellBack)
        #expect(sum(counted.errors) == sum(seen.errors) + seen.fellBack)
        #expect(fellBack == seen.fellBack)
        #expect(harvested.unmatched == seen.unmatched)
        #expect(harvested.observed.map(\.weight).reduce(0, +) == seen.unmatched)
    }
}
