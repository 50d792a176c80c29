import Extraction
import NIOCore
import ProxyServer
import Resilience
import Testing
import Upstreams

@Suite struct NamesAndHealth {
    private struct NoSuchName: Error {}

    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"

    private static func origin(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in plainAnswer(name) })
    }

    private static func upstreams(_ monolith: UpstreamSettings) -> ProxyUpstreams {
        ProxyUpstreams(monolith: monolith, services: [monolith])
    }

    /// Asks until the answer is this one; other answers are 200 as well.
    private static func asks(_ client: RawSocket, until wanted: String) throws -> Bool {
        let deadline = NIODeadline.now() + .seconds(20)
        while NIODeadline.now() < deadline {
            try client.send(get)
            let answer = try Message.answer(from: client)
            #expect(answer.status == 200)
            if answer.text == wanted { return true }
        }
        return false
    }

    // MARK: Names

    @Test func `when a name points elsewhere requests go there, those under way end where they are`() async throws {
        let mayAnswer = Watched(false)
        let old = try ScriptedOrigin(answering: { request in
            if request.target == "/slow" { _ = mayAnswer.wait { $0 } }
            return plainAnswer("old")
        })
        let new = try Self.origin("new")
        let ports = Watched([old.port])
        try await withProxy(
            upstreams: Self.upstreams(named("shop.test")), resolver: { _ in try ports.now.map(loopback) }
        ) { proxy in
            let (client, slow) = (try proxy.connect(), try proxy.connect())
            #expect(try Self.asks(client, until: "old"))
            try slow.send("GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(old.record.wait { $0.requests.contains { $0.target == "/slow" } })
            ports.change { $0 = [new.port] }
            #expect(try Self.asks(client, until: "new"))
            // The connection that rested is closed, the busy one is not.
            #expect(old.record.wait { $0.finished == $0.accepted - 1 })
            #expect(await proxy.status()?.endpoints.map(\.address) == ["127.0.0.1:\(new.port)"])
            mayAnswer.change { $0 = true }
            #expect(try Message.answer(from: slow).text == "old")
            #expect(old.record.wait { $0.finished == $0.accepted })
        }
    }

    @Test func `a name that cannot be resolved any more keeps its last address, and that is counted`() async throws {
        let origin = try Self.origin("here")
        let port = origin.port
        let fails = Watched(false)
        try await withProxy(
            upstreams: Self.upstreams(named("shop.test")),
            resolver: { _ in
                if fails.now { throw NoSuchName() }
                return [try loopback(port)]
            }
        ) { proxy in
            let client = try proxy.connect()
            #expect(try Self.asks(client, until: "here"))
            fails.change { $0 = true }
            #expect(await proxy.reaches { $0.failedResolutions >= 3 })
            #expect(try Self.asks(client, until: "here"))
            #expect(await proxy.status()?.resolutionError == "NoSuchName()")
            #expect(await proxy.status()?.endpoints.count == 1)
            fails.change { $0 = false }
            #expect(await proxy.reaches { $0.resolutionError == nil })
        }
    }

    @Test func `an unknown name is a 503, until it is known`() async throws {
        let origin = try Self.origin("here")
        let port = origin.port
        let isKnown = Watched(false)
        try await withProxy(
            upstreams: Self.upstreams(named("shop.test")),
            resolver: { _ in isKnown.now ? [try loopback(port)] : [] }
        ) { proxy in
            let client = try proxy.connect()
            for _ in 0..<3 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 503)
            }
            isKnown.change { $0 = true }
            #expect(await proxy.reaches { $0.endpoints.count == 1 })
            #expect(try Self.asks(client, until: "here"))
        }
    }

    /// The first look-up takes as long as it takes: requests wait for it, on the loop nothing does.
    @Test func `requests wait while a name is looked up for the first time`() async throws {
        let origin = try Self.origin("here")
        let port = origin.port
        let mayResolve = Watched(false)
        let upstreams = ProxyUpstreams(
            monolith: named("shop.test"), services: [endpoints([port]) { $0.name = "orders" }])
        let orders = OrdersExtraction(stage: .retired, sample: .none)
        try await withProxy(
            upstreams: upstreams, orders: orders,
            resolver: { _ in
                _ = mayResolve.wait { $0 }
                return [try loopback(port)]
            }
        ) { proxy in
            let (client, other) = (try proxy.connect(), try proxy.connect())
            try client.send(Self.get)
            #expect(await proxy.reaches { $0.pending == 1 })
            try other.send("GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(try Message.answer(from: other).text == "here")
            mayResolve.change { $0 = true }
            #expect(try Message.answer(from: client).text == "here")
        }
    }

    @Test func `a connection that fails has its name looked up at once`() async throws {
        let origin = try Self.origin("here")
        let port = origin.port
        let refusing = try ScriptedOrigin.refusingPort()
        let lookups = Watched(0)
        let settings = named("shop.test") { $0.resolveEvery = .hours(1) }
        try await withProxy(
            upstreams: Self.upstreams(settings),
            resolver: { _ in
                [
                    try loopback(
                        lookups.change {
                            $0 += 1; return $0
                        } == 1 ? refusing : port)
                ]
            }
        ) { proxy in
            let client = try proxy.connect()
            let deadline = NIODeadline.now() + .seconds(20)
            var status = 0
            while status != 200, NIODeadline.now() < deadline {
                try client.send(Self.get)
                status = try Message.answer(from: client).status
                #expect(status == 502 || status == 200)
            }
            #expect(status == 200)
            #expect(lookups.now == 2)
        }
    }

    @Test func `one name with several addresses is several endpoints, each once`() async throws {
        let origins = try ["a", "b"].map(Self.origin)
        let ports = origins.map(\.port)
        try await withProxy(
            upstreams: Self.upstreams(named("shop.test")), resolver: { _ in try (ports + ports).map(loopback) }
        ) { proxy in
            let client = try proxy.connect()
            for _ in 0..<10 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 200)
            }
            #expect(origins.map(\.requests.count) == [5, 5])
        }
    }

    @Test func `the system's resolver finds localhost and no name that is none`() throws {
        let found = try EndpointResolution.system(UpstreamAddress(host: "localhost", port: 81))
        #expect(found.contains(try loopback(81)))
        #expect(throws: EndpointResolution.Failure.self) {
            try EndpointResolution.system(UpstreamAddress(host: "no such name", port: 81))
        }
    }

    // MARK: Health

    /// An origin that counts what is asked of it, apart from its health.
    private final class Patient: Sendable {
        let isWell = Watched(true)
        let asked = Watched(0)
        let checks = Watched<[Message]>([])
        let origin: ScriptedOrigin

        init(_ name: String) throws {
            let (isWell, asked, checks) = (isWell, asked, checks)
            origin = try ScriptedOrigin(answering: { request in
                guard request.target == "/healthz?deep=1" else {
                    asked.change { $0 += 1 }
                    return plainAnswer(name)
                }
                checks.change { $0.append(request) }
                return plainAnswer("", status: isWell.now ? "204 No Content" : "500 Internal Server Error")
            })
        }
    }

    private static func checked(_ patients: [Patient]) -> UpstreamSettings {
        endpoints(patients.map(\.origin.port)) {
            $0.health = HealthCheckSettings(
                path: "/healthz?deep=1", limits: HealthCheck.Limits(interval: 10_000_000))
        }
    }

    @Test func `an endpoint whose check fails is not asked until it passes again`() async throws {
        let (first, second) = (try Patient("first"), try Patient("second"))
        try await withProxy(upstreams: Self.upstreams(Self.checked([first, second])), loops: 2) { proxy in
            let client = try proxy.connect()
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["healthy", "healthy"] })
            #expect(try Self.asks(client, until: "first"))
            first.isWell.change { $0 = false }
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["unhealthy", "healthy"] })
            #expect(await proxy.status()?.endpoints[0].lastError == "status 500")
            // Told to this loop before the status could be asked of it.
            let before = first.asked.now
            for _ in 0..<10 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).text == "second")
            }
            #expect(first.asked.now == before)
            first.isWell.change { $0 = true }
            #expect(try Self.asks(client, until: "first"))
            #expect(await proxy.reaches { $0.endpoints.map(\.lastError) == [nil, nil] })
            let check = try #require(first.checks.now.first)
            #expect(check.method == "GET")
            #expect(check["Host"] == "127.0.0.1:\(first.origin.port)")
            #expect(check["User-Agent"] == "strangler-health")
        }
        // Nobody checks any more.
        #expect(first.origin.record.wait { $0.finished == $0.accepted })
    }

    /// The regular check comes once in an hour here.
    @Test func `a check that is asked for brings an endpoint back at once, and never takes one out`() async throws {
        let (first, second) = (try Patient("first"), try Patient("second"))
        var settings = Self.checked([first, second])
        settings.health?.limits = HealthCheck.Limits(interval: 3_600_000_000_000, unhealthyAfter: 1, healthyAfter: 3)
        first.isWell.change { $0 = false }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["unhealthy", "healthy"] })
            #expect(await proxy.server.checkNow(settings) == false)
            first.isWell.change { $0 = true }
            #expect(await proxy.server.checkNow(settings) == true)
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["healthy", "healthy"] })
            #expect(await proxy.status()?.endpoints.map(\.lastError) == [nil, nil])
            second.isWell.change { $0 = false }
            for _ in 0..<5 { #expect(await proxy.server.checkNow(settings) == false) }
            #expect(await proxy.status()?.endpoints.map(\.state) == ["healthy", "healthy"])
            var other = settings
            other.health = nil
            #expect(await proxy.server.checkNow(other) == nil)
        }
    }

    @Test func `where every endpoint is unhealthy the answer is a 503 at once, and nobody is asked`() async throws {
        let patients = [try Patient("first"), try Patient("second")]
        for patient in patients { patient.isWell.change { $0 = false } }
        try await withProxy(upstreams: Self.upstreams(Self.checked(patients))) { proxy in
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["unhealthy", "unhealthy"] })
            for request in [Self.get, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"] {
                let client = try proxy.connect()
                try client.send(request)
                let answer = try Message.answer(from: client)
                #expect(answer.status == 503)
                #expect(answer["Content-Type"] == "application/problem+json")
            }
            #expect(patients.map(\.asked.now) == [0, 0])
            #expect(await proxy.counters().unmatched.upstreamErrors == 2)
            patients[1].isWell.change { $0 = true }
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["unhealthy", "healthy"] })
            #expect(try Self.asks(try proxy.connect(), until: "second"))
        }
    }

    @Test func `a service without a healthy endpoint falls back, for writes too, and its breaker stays closed`()
        async throws
    {
        let service = try Patient("service")
        service.isWell.change { $0 = false }
        let monolith = try Self.origin("monolith")
        var settings = Self.checked([service])
        settings.name = "orders"
        settings.breaker = CircuitBreaker.Limits()
        let orders = OrdersExtraction(stage: .cutover, sample: .none)
        try await withProxy(
            upstreams: ProxyUpstreams(monolith: endpoints([monolith.port]), services: [settings]), orders: orders
        ) { proxy in
            #expect(await proxy.reaches("orders") { $0.endpoints.map(\.state) == ["unhealthy"] })
            let client = try proxy.connect()
            for index in 0..<20 {
                let request =
                    index % 2 == 0
                    ? "GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n"
                    : "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"
                try client.send(request)
                let answer = try Message.answer(from: client)
                #expect(answer.text == "monolith")
                #expect(answer["Strangler-Served-By"] == "monolith; fallback=\"no-connection\"")
            }
            #expect(service.asked.now == 0)
            #expect(await proxy.status("orders")?.openBreakers == 0)
            service.isWell.change { $0 = true }
            #expect(await proxy.reaches("orders") { $0.endpoints.map(\.state) == ["healthy"] })
            try client.send("GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(try Message.answer(from: client).text == "service")
        }
    }

    @Test func `the last endpoint is used though it is ejected, when the other one is unhealthy`() async throws {
        let ejected = try ScriptedOrigin(answering: { request in
            request.target == "/healthz?deep=1"
                ? plainAnswer("") : plainAnswer("ejected", status: "503 Service Unavailable")
        })
        let other = try Patient("other")
        let settings = endpoints([ejected.port, other.origin.port]) {
            $0.health = Self.checked([other]).health
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            for _ in 0..<12 {
                try client.send(Self.get)
                _ = try Message.answer(from: client)
            }
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["ejected", "healthy"] })
            other.isWell.change { $0 = false }
            #expect(await proxy.reaches { $0.endpoints[1].state == "unhealthy" })
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "ejected")
        }
    }

    @Test func `a check that never gets an answer fails in its time, one that cannot connect at once`() async throws {
        let silent = try ScriptedOrigin { connection throws(SocketError) in _ = connection.socket.takeToEnd() }
        let settings = endpoints([silent.port, try ScriptedOrigin.refusingPort()]) {
            $0.health = HealthCheckSettings(
                path: "/", timeout: .milliseconds(50),
                limits: HealthCheck.Limits(interval: 1_000_000, unhealthyAfter: 2))
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            #expect(await proxy.reaches { $0.endpoints.map(\.state) == ["unhealthy", "unhealthy"] })
            let status = try #require(await proxy.status())
            #expect(status.endpoints.map(\.lastError) == ["no answer in time", "no connection"])
        }
        #expect(silent.record.wait { $0.finished == $0.accepted })
    }
}
