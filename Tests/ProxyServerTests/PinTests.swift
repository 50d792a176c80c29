import Extraction
import NIOCore
import ProxyServer
import Testing
import Upstreams

@Suite struct Pinned {
    private static func system(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in plainAnswer(name) })
    }

    private static func get(_ fields: String = "", method: String = "GET") -> String {
        "\(method) /orders/1 HTTP/1.1\r\nHost: shop\r\nCookie: session=1\r\n\(fields)\r\n"
    }

    private static let believed = Pin(header: "Strangler-Side", from: ["10.0.0.0/8", "127.0.0.0/8"])

    /// Asks each of the requests and tells who answered.
    private static func answers(_ orders: OrdersExtraction, _ requests: [String]) async throws -> [String] {
        let (monolith, service) = (try system("monolith"), try system("service"))
        var answers: [String] = []
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            for request in requests {
                try client.send(request)
                answers.append(try Message.answer(from: client).text)
            }
        }
        let seen = monolith.requests + service.requests
        #expect(seen.allSatisfy { $0["Strangler-Side"] == nil }, "it goes no further")
        return answers
    }

    @Test(arguments: [
        ("Strangler-Side: service\r\n", "service"), ("strangler-side: SERVICE\r\n", "service"),
        ("Strangler-Side: monolith\r\n", "monolith"), ("Strangler-Side: both\r\n", "stage"),
        ("Strangler-Side: \r\n", "stage"), ("Strangler-Side: service, monolith\r\n", "stage"),
        ("Strangler-Sides: service\r\n", "stage"), ("X-Side: service\r\n", "stage"), ("", "stage"),
        ("Strangler-Side: x\r\nStrangler-Side: service\r\n", "stage"),
    ])
    func `the header chooses the side by its two values, and anything else is as if it were not there`(
        fields: String, side: String
    ) async throws {
        for (weight, stage) in [(Weight.none, "monolith"), (.all, "service")] {
            let orders = OrdersExtraction(weight: weight, sample: .none, writes: .never, pin: Self.believed)
            let answers = try await Self.answers(orders, [Self.get(fields), Self.get(fields, method: "DELETE")])
            #expect(answers == Array(repeating: side == "stage" ? stage : side, count: 2))
        }
    }

    @Test func `from another network it chooses nothing, whatever the request says of its client`() async throws {
        for pin in [Pin(header: "Strangler-Side", from: ["10.0.0.0/8"]), nil] {
            let orders = OrdersExtraction(weight: .none, sample: .none, writes: .never, pin: pin)
            let fields = "Strangler-Side: service\r\nX-Forwarded-For: 10.1.1.1\r\n"
            #expect(try await Self.answers(orders, [Self.get(fields)]) == ["monolith"])
        }
    }

    @Test(arguments: [
        (Stage.identified, "monolith"), (.contracted, "monolith"), (.parallel, "monolith"), (.shadow, "service"),
        (.cutover, "service"),
    ])
    func `before the shadow nobody is pinned to the service`(stage: Stage, side: String) async throws {
        let orders = OrdersExtraction(stage: stage, weight: .none, sample: .none, pin: Self.believed)
        #expect(try await Self.answers(orders, [Self.get("Strangler-Side: service\r\n")]) == [side])
    }

    @Test func `the monolith can be asked for in fallback, and not any more in retired`() async throws {
        for (stage, side) in [(Stage.fallback, "monolith"), (.retired, "service")] {
            let orders = OrdersExtraction(stage: stage, sample: .none, pin: Self.believed)
            #expect(try await Self.answers(orders, [Self.get("Strangler-Side: monolith\r\n")]) == [side])
        }
    }

    @Test func `another name works too, and goes on as any header does`() async throws {
        let (monolith, service) = (try Self.system("monolith"), try Self.system("service"))
        let pin = Pin(header: "X-Side", from: ["127.0.0.1"])
        let orders = OrdersExtraction(weight: .none, sample: .none, pin: pin)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get("x-side: service\r\n"))
            #expect(try Message.answer(from: client).text == "service")
            #expect(service.requests.first?["X-Side"] == "service")
        }
    }

    @Test func `a pinned request is shadowed to the other side, counted for its own, and stood in for`() async throws {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin(answering: { request in
            request.method == "GET" ? plainAnswer("service") : plainAnswer("no", status: "503 No")
        })
        let orders = OrdersExtraction(weight: .none, pin: Self.believed)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get("Strangler-Side: service\r\n"))
            #expect(try Message.answer(from: client).text == "service")
            #expect(proxy.captured.wait { $0.count == 1 })
            #expect(proxy.captured.now.first?.shadowIsService == false)
            try client.send(Self.get("Strangler-Side: service\r\n", method: "OPTIONS"))
            let answer = try Message.answer(from: client)
            #expect(answer.text == "monolith")
            #expect(answer["Strangler-Served-By"] == #"monolith; fallback="status-503""#)
            let harvested = await proxy.harvest()
            #expect(harvested["GET /orders/{id}", .service]?.requests == 1)
            #expect(harvested["OPTIONS /orders/{id}", .service]?.errors == 1)
            #expect(harvested["OPTIONS /orders/{id}", .monolith]?.requests == 1)
        }
    }
}

@Suite struct PathAffinity {
    @Test func `the key is the segment of the route's parameter, without its parameters, and the same in any route`()
        async throws
    {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        var orders = OrdersExtraction(weight: Weight(clamping: 5_000), sample: .none, writes: .never)
        orders.affinity = .pathParameter("id")
        orders.paths = ["/orders/{id}/**", "/carts/{cart}/orders/{id}", "/orders"]
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            func side(_ path: String) throws -> String {
                try client.send("GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n")
                return try Message.answer(from: client).text
            }
            func expected(_ key: String) -> String {
                let bucket = Array(key.utf8).withUnsafeBytes {
                    AffinityHash.bucket(salt: AffinityHash.seed(for: "orders"), key: $0)
                }
                return bucket < 5_000 ? "service" : "monolith"
            }
            var moved = 0
            for id in 0..<40 {
                let wanted = expected("ord_\(id)")
                moved += wanted == "service" ? 1 : 0
                for path in [
                    "/orders/ord_\(id)", "/orders/ord_\(id)/items/3?x=1", "/orders/ord_\(id);v=2/items",
                    "/carts/\(id * 7)/orders/ord_\(id)", "/orders/./%6Frd_\(id)",
                ] { #expect(try side(path) == wanted, "\(path)") }
            }
            #expect((8...32).contains(moved))
            // Without it in the route: the client's address.
            for _ in 0..<3 { #expect(try side("/orders") == expected("127.0.0.1")) }
        }
    }
}

@Suite struct ReadsAndWrites {
    @Test func `reads and writes move separately`() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        let requests = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW"]
        for (reads, writes) in [(Weight.all, Weight.none), (.none, .all)] {
            var orders = OrdersExtraction(sample: .none, writes: .never)
            orders.weights = Weights(reads: reads, writes: writes)
            try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
                let client = try proxy.connect()
                for method in requests {
                    try client.send("\(method) /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
                    _ = try Message.answer(from: client, to: method)
                }
                let harvested = await proxy.harvest()
                let safe: Set = ["GET", "HEAD", "OPTIONS"]
                for method in requests {
                    let endpoint = "\(method == "BREW" ? "other" : method) /orders/{id}"
                    let side: Side = safe.contains(method) == (reads == .all) ? .service : .monolith
                    #expect(harvested[endpoint, side]?.requests == 1, "\(method)")
                    #expect(harvested[endpoint, side.other] == nil)
                }
            }
        }
    }
}

@Suite struct Retired {
    @Test func `with the service down, retired paths are 503 with a problem, and the monolith hears nothing`()
        async throws
    {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let orders = OrdersExtraction(stage: .retired, pin: Pin(header: "Strangler-Side", from: ["127.0.0.0/8"]))
        try await withProxy(monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: orders) {
            proxy in
            let client = try proxy.connect()
            for (number, request) in [
                "GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n",
                "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc",
                "GET /orders/1 HTTP/1.1\r\nHost: shop\r\nStrangler-Side: monolith\r\n\r\n",
            ].enumerated() {
                try client.send(request)
                let answer = try Message.answer(from: client)
                #expect(answer.status == 503, "\(number)")
                #expect(answer["Content-Type"] == "application/problem+json")
                #expect(answer.text.contains(#""status":503"#), "\(answer.text)")
                #expect(answer["Strangler-Served-By"] == nil)
            }
            #expect(monolith.accepted == 0)
            // Until the ten of the breaker and after.
            for _ in 0..<20 {
                try client.send("GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
                #expect(try Message.answer(from: client).status == 503)
            }
            #expect(monolith.accepted == 0)
            let harvested = await proxy.harvest()
            #expect(harvested.traffic.keys.allSatisfy { $0.side == .service } && harvested.fellBack.isEmpty)
            #expect(harvested["GET /orders/{id}", .service] == Harvested.Counts(requests: 22, errors: 22))
        }
    }
}
