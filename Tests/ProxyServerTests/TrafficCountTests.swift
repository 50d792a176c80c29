import Extraction
import NIOCore
import ProxyServer
import Resilience
import Routing
import Testing
import Upstreams

@Suite struct TrafficCounts {
    private static func system(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in plainAnswer(name) })
    }

    private static func get(_ path: String, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: shop\r\nCookie: session=1\r\n\r\n"
    }

    private static let post = "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"

    @Test func `each request counts at the contract's endpoint, the route's where that is silent, and by its method`()
        async throws
    {
        let (monolith, service) = (try Self.system("m"), try Self.system("service"))
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            try client.send(
                Self.get("/orders/1") + Self.get("/orders/2?x=/orders") + Self.get("/orders/1/items") + Self.post
                    + Self.get("/users/7?a=b") + Self.get("/orders/3", method: "BREW")
                    + Self.get("/%6Frders/./4", method: "HEAD"))
            for method in ["GET", "GET", "GET", "POST", "GET", "BREW", "HEAD"] {
                _ = try Message.answer(from: client, to: method)
            }
            let harvested = await proxy.harvest()
            typealias Counts = Harvested.Counts
            #expect(harvested["GET /orders/{id}", .service] == Counts(requests: 2, bytes: 14, timed: 2))
            #expect(harvested["GET /orders/**", .service] == Counts(requests: 1, bytes: 7, timed: 1))
            #expect(harvested["POST /orders/**", .service] == Counts(requests: 1, bytes: 7, timed: 1))
            #expect(harvested["other /orders/{id}", .service] == Counts(requests: 1, bytes: 7, timed: 1))
            #expect(harvested["HEAD /orders/{id}", .service] == Counts(requests: 1, timed: 1))
            #expect(harvested.traffic.count == 5 && harvested.fellBack.isEmpty && harvested.nanoseconds > 0)
            #expect(harvested.unmatched == 1)
            let observed = try #require(harvested.observed.first)
            #expect(observed.method == "GET" && observed.path == "/users/7" && observed.weight == 1)
            #expect(observed.status == 200 && observed.bytes == 1 && observed.nanoseconds > 0)
            #expect(await proxy.harvest() == Harvested(), "what was taken is not taken again")
        }
    }

    @Test func `where the monolith stands in, the service has the error and the monolith a request of its own`()
        async throws
    {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin(answering: { request in
            plainAnswer("sorry", status: request.target == "/orders/500" ? "500 No" : "503 No")
        })
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get("/orders/503") + Self.get("/orders/500") + Self.post)
            for _ in 0..<3 { _ = try Message.answer(from: client) }
            let harvested = await proxy.harvest()
            #expect(
                harvested["GET /orders/{id}", .service]
                    == Harvested.Counts(requests: 2, errors: 2, bytes: 5, timed: 2))
            #expect(harvested["GET /orders/{id}", .monolith] == Harvested.Counts(requests: 1, bytes: 8, timed: 1))
            // A write that was sent is not repeated: the client has the service's 503.
            #expect(
                harvested["POST /orders/**", .service]
                    == Harvested.Counts(requests: 1, errors: 1, bytes: 5, timed: 1))
            #expect(harvested.fellBack == ["GET /orders/{id}": [.unavailable: 1]])
        }
    }

    @Test func `a service that cannot be reached has errors without a time, by reason`() async throws {
        let monolith = try Self.system("monolith")
        let limits = OrdersExtraction()
        try await withProxy(monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: limits) {
            proxy in
            let client = try proxy.connect()
            for _ in 0..<12 {
                try client.send(Self.get("/orders/1"))
                #expect(try Message.answer(from: client).text == "monolith")
            }
            let harvested = await proxy.harvest()
            #expect(harvested["GET /orders/{id}", .service] == Harvested.Counts(requests: 12, errors: 12))
            #expect(harvested["GET /orders/{id}", .monolith]?.requests == 12)
            #expect(harvested.fellBack == ["GET /orders/{id}": [.refused: 10, .circuitOpen: 2]])
            #expect(await proxy.server.openBreakers() == [1])
        }
    }

    @Test func `what breaks off is an error, what nobody answers one without a time`() async throws {
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            let request = try connection.request()
            if request.target == "/orders/1" {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            }
        }
        let orders = OrdersExtraction(stage: .shadow, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            for path in ["/orders/1", "/orders/2/x", "/else"] {
                let client = try proxy.connect()
                try client.send(Self.get(path))
                client.finishSending()
                _ = client.takeToEnd()
            }
            let harvested = await proxy.harvest()
            #expect(
                harvested["GET /orders/{id}", .monolith]
                    == Harvested.Counts(requests: 1, errors: 1, bytes: 3, timed: 1))
            #expect(harvested["GET /orders/**", .monolith] == Harvested.Counts(requests: 1, errors: 1))
            #expect(harvested.observed.map(\.status) == [0] && harvested.unmatched == 1)
            #expect(await proxy.server.openBreakers() == [0])
        }
    }

    @Test func `a request that its client has abandoned counts nowhere, but for the service that had failed it`()
        async throws
    {
        // The monolith never answers: its connection ends with the client's.
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(
            monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: OrdersExtraction()
        ) { proxy in
            for path in ["/orders/1", "/else"] {
                let client = try proxy.connect()
                let asked = monolith.requests.count
                try client.send(Self.get(path))
                #expect(monolith.record.wait { $0.requests.count > asked })
                client.reset()
                #expect(monolith.record.wait { $0.finished > asked })
            }
            #expect(await proxy.counters().clientAborts == 2)
            let harvested = await proxy.harvest()
            #expect(harvested["GET /orders/{id}", .service] == Harvested.Counts(requests: 1, errors: 1))
            #expect(harvested.fellBack == ["GET /orders/{id}": [.refused: 1]])
            #expect(harvested.traffic.count == 1 && harvested.unmatched == 0)
        }
    }

    /// Every call is slow at once, and three of them open the service's circuit.
    private static func impatient(monolith: ScriptedOrigin, service: ScriptedOrigin) -> ProxyUpstreams {
        var hanging = UpstreamSettings(
            name: "service", addresses: [UpstreamAddress(host: "127.0.0.1", port: service.port)])
        hanging.breaker = CircuitBreaker.Limits(minimumCalls: 3, slowAfter: 0)
        return ProxyUpstreams(
            monolith: UpstreamSettings(
                name: "monolith", addresses: [UpstreamAddress(host: "127.0.0.1", port: monolith.port)]),
            services: [hanging])
    }

    @Test func `a service that hangs while its clients leave has answers that took as long, and its breaker opens`()
        async throws
    {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        let upstreams = Self.impatient(monolith: monolith, service: service)
        try await withProxy(upstreams: upstreams, orders: OrdersExtraction()) { proxy in
            for number in 1...3 {
                let client = try proxy.connect()
                try client.send(Self.get("/orders/1"))
                #expect(service.record.wait { $0.requests.count >= number })
                client.reset()
                #expect(service.record.wait { $0.finished >= number })
            }
            let harvested = await proxy.harvest()
            #expect(harvested["GET /orders/{id}", .service] == Harvested.Counts(requests: 3, timed: 3))
            #expect(harvested.nanoseconds > 0)
            #expect(await proxy.server.openBreakers() == [1])
            let client = try proxy.connect()
            try client.send(Self.get("/orders/1"))
            #expect(try Message.answer(from: client).text == "monolith")
        }
    }

    @Test func `a service that hangs while its clients wait is slow before they give up, and is counted once`()
        async throws
    {
        let mayEnd = Watched(false)
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = mayEnd.wait { $0 }
        }
        let upstreams = Self.impatient(monolith: monolith, service: service)
        try await withProxy(upstreams: upstreams, orders: OrdersExtraction()) { proxy in
            let clients = try (1...3).map { _ in try proxy.connect() }
            for client in clients { try client.send(Self.get("/orders/1")) }
            var counted = Harvested.Counts()
            for _ in 0..<500 where counted.requests < 3 {
                let harvested = await proxy.harvest()
                let service = harvested["GET /orders/{id}", .service] ?? Harvested.Counts()
                counted.requests += service.requests
                counted.timed += service.timed
                // The loop counts with its next tick; the harvest is what is waited for.
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(counted == Harvested.Counts(requests: 3, timed: 3))
            #expect(await proxy.server.openBreakers() == [1])
            mayEnd.change { $0 = true }
            for client in clients { #expect(try Message.answer(from: client).text == "monolith") }
            let harvested = await proxy.harvest()
            #expect(harvested["GET /orders/{id}", .service] == Harvested.Counts(errors: 3))
            #expect(harvested["GET /orders/{id}", .monolith]?.requests == 3)
        }
    }

    @Test func `counters of the configuration before are harvested under its names, also of what ends later`()
        async throws
    {
        let mayAnswer = Watched(false)
        let monolith = try ScriptedOrigin(answering: { request in
            if request.target == "/orders/slow" { _ = mayAnswer.wait { $0 } }
            return plainAnswer("monolith")
        })
        let orders = OrdersExtraction(stage: .identified)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            let slow = try proxy.connect()
            try slow.send(Self.get("/orders/slow"))
            #expect(monolith.record.wait { $0.requests.count == 1 })
            let route = Route(
                pattern: try RoutePattern(parsing: "/orders/**"), extraction: 0,
                location: SourceLocation(file: "orders.yaml", line: 1, column: 1))
            await proxy.update(
                ProxySnapshot(
                    generation: 1, routes: try RouteTable([route]), extractionOfRoute: [0],
                    extractions: [orders.traffic],
                    endpoints: EndpointIndex(
                        routes: [route], templates: EndpointTemplates(routes: [route], known: []),
                        extractions: ["new"])))
            let next = try proxy.connect()
            try next.send(Self.get("/orders/1"))
            _ = try Message.answer(from: next)
            var harvested = await proxy.harvest()
            let new = Harvested.Key(extraction: "new", endpoint: "GET /orders/**", side: .monolith)
            #expect(harvested.traffic == [new: Harvested.Counts(requests: 1, bytes: 8, timed: 1)])
            mayAnswer.change { $0 = true }
            _ = try Message.answer(from: slow)
            harvested = await proxy.harvest()
            #expect(harvested.traffic.count == 1)
            #expect(harvested["GET /orders/{id}", .monolith]?.requests == 1)
            // The connection's next one is the new configuration's.
            try slow.send(Self.get("/orders/1"))
            _ = try Message.answer(from: slow)
            #expect(await proxy.harvest().traffic.keys.map(\.extraction) == ["new"])
        }
    }
}
