import NIOCore
import ProxyServer
import Resilience
import Testing
import Upstreams

@Suite struct SeveralEndpoints {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"

    private static func origin(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in plainAnswer(name) })
    }

    private static func upstreams(_ monolith: UpstreamSettings) -> ProxyUpstreams {
        ProxyUpstreams(monolith: monolith, services: [monolith])
    }

    @Test func `endpoints take turns, writes too, and each keeps one connection`() async throws {
        let origins = try ["a", "b", "c"].map(Self.origin)
        try await withProxy(upstreams: Self.upstreams(endpoints(origins.map(\.port)))) { proxy in
            let client = try proxy.connect()
            for request in Array(repeating: Self.get, count: 15) + Array(repeating: Self.post, count: 15) {
                try client.send(request)
                #expect(try Message.answer(from: client).status == 200)
            }
            #expect(origins.map(\.requests.count) == [10, 10, 10])
            #expect(origins.map(\.accepted) == [1, 1, 1])
            let status = try #require(await proxy.status())
            #expect(status.endpoints.map(\.connections) == [1, 1, 1])
            #expect(status.endpoints.map(\.activeRequests) == [0, 0, 0])
            #expect(status.endpoints.map(\.state) == ["unknown", "unknown", "unknown"])
            #expect(status.endpoints.map(\.address) == origins.map { "127.0.0.1:\($0.port)" })
        }
    }

    @Test func `an endpoint that cannot even be tried is passed over, also for a body that comes later`() async throws {
        let origin = try ScriptedOrigin(answering: { plainAnswer($0.text) })
        // No route leads to the broadcast address, so connecting fails within the call.
        let settings = UpstreamSettings(addresses: [
            UpstreamAddress(host: "255.255.255.255", port: 9), UpstreamAddress(host: "127.0.0.1", port: origin.port),
        ])
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let held = Watched<[RawSocket]>([])
            for number in 0..<6 {
                let client = try proxy.connect()
                try client.send("POST /\(number) HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n")
                // The head has been dealt with before the body comes.
                #expect(await proxy.reaches(openConnections: number + 1))
                try client.send("late\(number)")
                let answer = try Message.answer(from: client)
                #expect(answer.status == 200 && answer.text == "late\(number)")
                held.change { $0.append(client) }
            }
            #expect(origin.requests.map(\.target) == (0..<6).map { "/\($0)" })
        }
    }

    @Test func `by least requests the busy endpoint is left alone`() async throws {
        let mayAnswer = Watched(false)
        let slow = try ScriptedOrigin(answering: { _ in
            _ = mayAnswer.wait { $0 }
            return plainAnswer("slow")
        })
        let quick = try Self.origin("quick")
        let settings = endpoints([slow.port, quick.port]) { $0.balancing = .leastRequests }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let waiting = try proxy.connect()
            let client = try proxy.connect()
            // Whoever's turn it is: within two requests, one is held up at the slow one.
            var held = [waiting]
            try waiting.send(Self.get)
            if !slow.record.wait(within: 0.2, until: { $0.requests.count == 1 }) {
                #expect(try Message.answer(from: waiting).text == "quick")
                try client.send(Self.get)
                #expect(slow.record.wait { $0.requests.count == 1 })
                held = [client]
            }
            let other = try proxy.connect()
            for _ in 0..<20 {
                try other.send(Self.get)
                #expect(try Message.answer(from: other).text == "quick")
            }
            #expect(slow.requests.count == 1)
            let status = try #require(await proxy.status())
            #expect(status.endpoints.map(\.activeRequests) == [1, 0])
            mayAnswer.change { $0 = true }
            for client in held { #expect(try Message.answer(from: client).text == "slow") }
        }
    }

    @Test func `an endpoint that refuses fails no request, not even a write, and is left alone after five times`()
        async throws
    {
        let port = try ScriptedOrigin.refusingPort()
        let origin = try Self.origin("here")
        try await withProxy(upstreams: Self.upstreams(endpoints([port, origin.port]))) { proxy in
            let client = try proxy.connect()
            for request in Array(repeating: Self.post, count: 20) + Array(repeating: Self.get, count: 20) {
                try client.send(request)
                #expect(try Message.answer(from: client).text == "here")
            }
            #expect(origin.requests.count == 40)
            let status = try #require(await proxy.status())
            #expect(status.endpoints.map(\.state) == ["ejected", "unknown"])
            #expect(status.endpoints.map(\.faults) == [5, 0])
            #expect(status.endpoints[0].lastError == "no connection")
            #expect(await proxy.counters().unmatched.upstreamErrors == 0)
        }
    }

    @Test func `a name with two addresses of which one listens works at once`() async throws {
        let origin = try Self.origin("here")
        let port = origin.port
        let settings = named("two.test")
        try await withProxy(
            upstreams: Self.upstreams(settings),
            resolver: { _ in [try SocketAddress(ipAddress: "::1", port: port), try loopback(port)] }
        ) { proxy in
            let client = try proxy.connect()
            for _ in 0..<20 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).text == "here")
            }
        }
    }

    @Test func `localhost is found by the system`() async throws {
        let origin = try Self.origin("here")
        let settings = endpoints([]) { $0.addresses = [UpstreamAddress(host: "localhost", port: origin.port)] }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            for request in [Self.get, Self.post, Self.get] {
                try client.send(request)
                #expect(try Message.answer(from: client).text == "here")
            }
        }
    }

    /// Clients on several connections while one of two endpoints dies, with every connection to it, and comes back.
    @Test func `while an endpoint is dead no GET fails, and it is used again when it is back`() async throws {
        let (mortal, other) = (try MortalOrigin("mortal"), try MortalOrigin("other"))
        let settings = endpoints([mortal.port, other.port]) {
            $0.outlier = OutlierDetection.Limits(base: 100_000_000, longest: 200_000_000)
        }
        try await withProxy(upstreams: Self.upstreams(settings), loops: 2) { proxy in
            let clients = try (0..<4).map { _ in try proxy.connect() }
            func round() throws -> Set<String> {
                for client in clients { try client.send(Self.get) }
                var answers: Set<String> = []
                for client in clients {
                    let answer = try Message.answer(from: client)
                    #expect(answer.status == 200)
                    answers.insert(answer.text)
                }
                return answers
            }
            for _ in 0..<5 { _ = try round() }
            #expect(mortal.requests > 0 && other.requests > 0)
            mortal.kill()
            for _ in 0..<25 { #expect(try round() == ["other"]) }
            try mortal.revive()
            let deadline = NIODeadline.now() + .seconds(20)
            while try !round().contains("mortal") {
                if NIODeadline.now() > deadline {
                    Issue.record("it was never asked again")
                    break
                }
            }
            #expect(await proxy.counters().unmatched.upstreamErrors == 0)
        }
    }

    // MARK: Outlier ejection

    @Test func `five answers that nobody is at home eject an endpoint, and pass unchanged until then`() async throws {
        let broken = try ScriptedOrigin(answering: { _ in plainAnswer("mine", status: "503 Service Unavailable") })
        let origin = try Self.origin("here")
        try await withProxy(upstreams: Self.upstreams(endpoints([broken.port, origin.port]))) { proxy in
            let client = try proxy.connect()
            var statuses: [Int] = []
            for _ in 0..<40 {
                try client.send(Self.get)
                let answer = try Message.answer(from: client)
                statuses.append(answer.status)
                #expect(answer.text == (answer.status == 503 ? "mine" : "here"))
            }
            #expect(statuses.count { $0 == 503 } == 5)
            #expect(statuses.suffix(20).allSatisfy { $0 == 200 })
            let counters = await proxy.counters()
            #expect(counters.unmatched.originErrors == 5)
            #expect(counters.unmatched.upstreamErrors == 0)
            #expect(await proxy.status()?.endpoints[0].lastError == "status 503")
        }
    }

    @Test func `an ejected endpoint returns after its time`() async throws {
        let broken = try ScriptedOrigin(answering: { _ in plainAnswer("mine", status: "502 Bad Gateway") })
        let origin = try Self.origin("here")
        let settings = endpoints([broken.port, origin.port]) {
            $0.outlier = OutlierDetection.Limits(base: 50_000_000, longest: 50_000_000)
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            let deadline = NIODeadline.now() + .seconds(20)
            while broken.requests.count < 11, NIODeadline.now() < deadline {
                try client.send(Self.get)
                _ = try Message.answer(from: client)
            }
            // Ejected twice at least, and came back.
            #expect(broken.requests.count == 11)
            #expect(origin.requests.count > broken.requests.count)
        }
    }

    @Test(arguments: ["500 Internal Server Error", "404 Not Found", "501 Not Implemented"])
    func `answers that mean something eject nobody`(status: String) async throws {
        let strange = try ScriptedOrigin(answering: { _ in plainAnswer("x", status: status) })
        let origin = try Self.origin("here")
        try await withProxy(upstreams: Self.upstreams(endpoints([strange.port, origin.port]))) { proxy in
            let client = try proxy.connect()
            for _ in 0..<20 {
                try client.send(Self.get)
                _ = try Message.answer(from: client)
            }
            #expect(strange.requests.count == 10)
            #expect(await proxy.counters().unmatched.originErrors == 0)
        }
    }

    @Test func `an endpoint that never answers is ejected by its time-outs, and the last one never is`() async throws {
        let silent = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        let settings = endpoints([silent.port]) {
            $0.timeouts = UpstreamTimeouts(firstByte: .milliseconds(150))
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let clients = try (0..<7).map { _ in try proxy.connect() }
            for client in clients { try client.send(Self.get) }
            for client in clients { #expect(try Message.answer(from: client).status == 504) }
            let status = try #require(await proxy.status())
            #expect(status.endpoints.map(\.faults) == [7])
            #expect(status.endpoints.map(\.state) == ["unknown"])
            #expect(status.endpoints[0].lastError == "no answer in time")
            #expect(await proxy.counters().unmatched.upstreamErrors == 7)
        }
        let origin = try Self.origin("here")
        let two = endpoints([silent.port, origin.port]) {
            $0.timeouts = UpstreamTimeouts(firstByte: .milliseconds(150))
        }
        try await withProxy(upstreams: Self.upstreams(two)) { proxy in
            let clients = try (0..<10).map { _ in try proxy.connect() }
            for client in clients { try client.send(Self.get) }
            let answers = try clients.map { try Message.answer(from: $0).status }
            #expect(answers.count { $0 == 504 } == 5 && answers.count { $0 == 200 } == 5)
            #expect(await proxy.reaches { $0.endpoints[0].state == "ejected" })
            for client in clients {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).text == "here")
            }
        }
    }

    // MARK: Retries

    @Test func `a GET that an endpoint resets is answered by another, a POST by nobody, and nothing is sent twice`()
        async throws
    {
        let breaking = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            connection.socket.reset()
        }
        let origin = try Self.origin("here")
        let settings = endpoints([breaking.port, origin.port]) {
            $0.outlier = OutlierDetection.Limits(consecutiveFailures: 1_000)
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).text == "here")
            }
            var refused = 0
            for _ in 0..<10 {
                try client.send(Self.post)
                refused += try Message.answer(from: client).status == 502 ? 1 : 0
            }
            #expect(refused == 5)
            #expect(breaking.requests.count { $0.method == "POST" } == 5)
            #expect(origin.requests.count { $0.method == "POST" } == 5)
            #expect(breaking.requests.count { $0.method == "GET" } == 1)
            #expect(origin.requests.count { $0.method == "GET" } == 2)
        }
    }

    /// Every request breaks everywhere: beyond the budget each is sent once.
    @Test func `retries are a fifth of the requests, and three more`() async throws {
        let breaking = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            connection.socket.reset()
        }
        let settings = endpoints([breaking.port]) {
            $0.retries = RetryBudget.Limits(window: 3_600_000_000_000)
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            for _ in 0..<50 {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 502)
            }
            #expect(breaking.requests.count == 60)
        }
    }

    @Test func `a DELETE on a connection that had died is sent again, on a fresh one it is not`() async throws {
        let delete = "DELETE /1 HTTP/1.1\r\nHost: shop\r\n\r\n"
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            if connection.number == 2 { return }
            try connection.send(plainAnswer("\(connection.number)"))
            _ = try connection.request()
        }
        try await withProxy(upstreams: Self.upstreams(endpoints([origin.port]))) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get)
            #expect(try Message.answer(from: client).text == "0")
            try client.send(delete)
            #expect(try Message.answer(from: client).text == "1")
            #expect(origin.record.wait { $0.finished == 1 })
            // The kept connection 1 dies at the next request, and connection 2 as well.
            try client.send(delete)
            #expect(try Message.answer(from: client).status == 502)
            #expect(origin.requests.map(\.method) == ["GET", "DELETE", "DELETE", "DELETE", "DELETE"])
        }
    }

    // MARK: Limits

    @Test func `connections and the queue are limited over all endpoints, and the rest is a 503`() async throws {
        let mayAnswer = Watched(false)
        let origins = try (0..<2).map { _ in
            try ScriptedOrigin(answering: { _ in
                _ = mayAnswer.wait { $0 }
                return plainAnswer("x")
            })
        }
        let settings = endpoints(origins.map(\.port)) {
            $0.connections = 3
            $0.pending = 2
        }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let clients = try (0..<7).map { _ in try proxy.connect() }
            for client in clients.prefix(3) { try client.send(Self.get) }
            #expect(await proxy.reaches { $0.connections == 3 })
            for client in clients[3..<5] { try client.send(Self.get) }
            #expect(await proxy.reaches { $0.pending == 2 })
            for client in clients[5...] {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 503)
            }
            mayAnswer.change { $0 = true }
            for client in clients.prefix(5) { #expect(try Message.answer(from: client).status == 200) }
            #expect(origins.map(\.accepted).reduce(0, +) == 3)
        }
    }

    @Test func `at the limit a connection at rest makes room for one to another endpoint`() async throws {
        let origins = try ["a", "b"].map(Self.origin)
        let settings = endpoints(origins.map(\.port)) { $0.connections = 1 }
        try await withProxy(upstreams: Self.upstreams(settings)) { proxy in
            let client = try proxy.connect()
            var answers: Set<String> = []
            for _ in 0..<6 {
                try client.send(Self.get)
                answers.insert(try Message.answer(from: client).text)
            }
            // The balance gives way: one connection serves all.
            #expect(answers.count == 1)
            #expect(origins.map(\.accepted).reduce(0, +) == 1)
        }
    }

    @Test func `what is limited for the process is divided among the loops`() {
        for (total, loops) in [(1_024, 2), (7, 3), (1, 4), (0, 2), (10, 1)] {
            let shares = (0..<loops).map { LoopShare(index: $0, of: loops).of(total) }
            #expect(shares.reduce(0, +) == (total == 0 ? 0 : max(total, loops)))
            #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
        }
        #expect(LoopShare.whole.of(5) == 5)
        #expect(LoopShare(index: 9, of: 0).of(3) == 3)
    }
}
