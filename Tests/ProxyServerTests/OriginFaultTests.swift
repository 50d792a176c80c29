import Glibc
import NIOCore
import ProxyServer
import TestSupport
import Testing
import Upstreams

/// What clients see of an origin that fails again and again under load, and of clients that do nothing but hold on.
@Suite struct OriginFaults {
    /// The origin's behaviour changes with the number of requests it has seen, so that every fault strikes under load.
    private enum Phase: Int, CaseIterable {
        case healthy, resets, healthyAgain, stalls, closes
        static let length = 60

        static func at(_ request: Int) -> Phase {
            Phase(rawValue: request / length % allCases.count) ?? .healthy
        }
    }

    private static func origin(_ seen: Watched<[String: Int]>, _ requests: Watched<Int>, healed: Watched<Bool>) throws
        -> ScriptedOrigin
    {
        try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                if request.method == "POST" { seen.change { $0[request.target, default: 0] += 1 } }
                let number = requests.change { count in
                    count += 1
                    return count
                }
                switch healed.now ? .healthy : Phase.at(number) {
                case .healthy, .healthyAgain: try connection.send(plainAnswer(request.target))
                case .resets:
                    connection.socket.reset()
                    return
                case .closes: return
                case .stalls:
                    // The proxy gives up, and says so by closing.
                    _ = connection.socket.takeToEnd()
                    return
                }
            }
        }
    }

    @Test func `an origin that resets, stalls and closes under load: 502, 503 or 504, no POST twice, well at once`()
        async throws
    {
        let seen = Watched<[String: Int]>([:])
        let healed = Watched(false)
        let origin = try Self.origin(seen, Watched(0), healed: healed)
        var settings = quick
        settings.upstream.firstByte = .milliseconds(200)
        try await withProxy(monolith: origin.port, settings: settings, loops: 2) { proxy in
            let statuses = Watched<[Int: Int]>([:])
            let strange = Watched<[String]>([])
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for client in 0..<16 {
                    tasks.addTask { try Self.run(client, requests: 120, proxy, statuses, strange) }
                }
                try await tasks.waitForAll()
            }
            #expect(strange.now.isEmpty, "\(strange.now.prefix(3))")
            let counts = statuses.now
            #expect(counts.values.reduce(0, +) == 16 * 120)
            #expect(Set(counts.keys).isSubset(of: [200, 502, 503, 504]), "\(counts)")
            #expect((counts[200] ?? 0) > 16 * 120 / 4, "\(counts)")
            #expect((counts[502] ?? 0) > 0 && (counts[504] ?? 0) > 0, "\(counts)")
            #expect(seen.now.values.allSatisfy { $0 == 1 }, "POSTs that arrived twice: \(seen.now.filter { $1 > 1 })")
            // Nothing of the faults is left: the first request already, on whichever connection, is answered.
            healed.change { $0 = true }
            for number in 0..<8 {
                let socket = try proxy.connect()
                try socket.send("GET /well/\(number) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try Message.answer(from: socket).text == "/well/\(number)")
            }
        }
    }

    private static func run(
        _ client: Int, requests: Int, _ proxy: ProxyUnderTest, _ statuses: Watched<[Int: Int]>,
        _ strange: Watched<[String]>
    ) throws(SocketError) {
        var socket = try proxy.connect()
        for number in 0..<requests {
            let target = "/r/\(client)/\(number)"
            let body = number % 3 == 0 ? "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" : nil
            try socket.send(body ?? "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try Message.answer(from: socket)
            statuses.change { $0[answer.status, default: 0] += 1 }
            if answer.status == 200, answer.text != target { strange.change { $0.append("\(target): \(answer.text)") } }
            if answer["Connection"] == "close" {
                socket.close()
                socket = try proxy.connect()
            }
        }
    }

    @Test func `an origin that is killed and comes back: refused meanwhile, answered again on the first request`()
        async throws
    {
        let first = try ScriptedOrigin { _ in "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfirst" }
        let port = first.port
        try await withProxy(monolith: port, settings: quick) { proxy in
            func get() throws -> Message {
                let socket = try proxy.connect()
                try socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                return try Message.answer(from: socket)
            }
            #expect(try get().text == "first")
            first.stop()
            #expect(first.record.wait { $0.finished == $0.accepted })
            for _ in 0..<20 { #expect([502, 503].contains(try get().status)) }
            let second = try ScriptedOrigin(port: port) { _ in plainAnswer("second") }
            #expect(try get().text == "second")
            second.stop()
        }
    }

    @Test func `two thousand clients that never finish their requests, and one good one`() async throws {
        try #require(Self.allowDescriptors(12_000))
        let origin = try ScriptedOrigin { plainAnswer($0.target) }
        var monolith = UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: origin.port))
        // Each unfinished body holds a connection, and the kernel does not spread the clients evenly over the loops.
        monolith.connections = 4_096
        let upstreams = ProxyUpstreams(monolith: monolith, services: [monolith])
        try await withProxy(upstreams: upstreams, loops: 2) { proxy in
            var slow: [RawSocket] = []
            for number in 0..<2_000 {
                let socket = try proxy.connect()
                if number % 2 == 0 {
                    try socket.send("GET /slow/\(number) HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                } else {
                    try socket.send("POST /slow/\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n1")
                }
                slow.append(socket)
            }
            #expect(await proxy.reaches(openConnections: 2_000))
            let good = try proxy.connect()
            for round in 0..<10 {
                for socket in slow { try socket.send("s") }
                for number in 0..<50 {
                    let target = "/good/\(round)/\(number)"
                    try good.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
                    let answer = try Message.answer(from: good)
                    #expect(answer.status == 200 && answer.text == target)
                }
            }
            // None of the slow ones was answered or let go.
            #expect(await proxy.reaches(openConnections: 2_001))
            for socket in slow { socket.close() }
            #expect(await proxy.reaches(openConnections: 1))
            #expect(origin.requests.allSatisfy { $0.target.hasPrefix("/good/") })
        }
    }

    /// Two thousand clients have two ends here, and half of them an upstream connection with two more.
    private static func allowDescriptors(_ count: UInt) -> Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        if limit.rlim_cur >= count { return true }
        limit.rlim_cur = min(max(limit.rlim_cur, rlim_t(count)), limit.rlim_max)
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_cur >= count
    }
}
