import Extraction
import Foundation
import Glibc
import PostgresClient
import PostgresStore
import Testing

/// Three proxies over one Postgres, as processes, under load.
@Suite(.serialized) struct ReplicaTests {
    @Test(.timeLimit(.minutes(10)))
    func `a rollback is in effect on every replica, and no request fails`() async throws {
        let set = try await ReplicaSet(3)
        try await set.cutOver(to: "100%")
        let loads = set.proxies.map { LoadGenerator(port: $0.port, clients: 2, target: "/o/1", connections: .kept) }
        for load in loads { try await load.answers(200) }
        var slowest = Duration.zero
        for _ in 1...5 {
            let began = ContinuousClock.now
            // Its own time, to start a process and to ask for a report, is in it.
            #expect(try await set.run("rollback", "orders", "--reason", "test", at: 1).status == 0)
            for proxy in set.proxies {
                try await eventually(pause: 2, "the monolith answers at every replica") {
                    try await ReplicaSet.answerer(at: proxy.port) == "monolith"
                }
            }
            slowest = max(slowest, ContinuousClock.now - began)
            for proxy in set.proxies {
                for _ in 0..<20 { #expect(try await ReplicaSet.answerer(at: proxy.port) == "monolith") }
            }
            let raised = try await set.run("cutover", "orders", "--to", "100%", "--force", "--reason", "again", at: 2)
            #expect(raised.status == 0, "\(raised)")
            for proxy in set.proxies {
                try await eventually(pause: 2, "the service answers at every replica") {
                    try await ReplicaSet.answerer(at: proxy.port) == "service"
                }
            }
        }
        print("a rollback was everywhere after at most \(slowest), with the command's own time")
        for load in loads {
            try await load.stop()
            #expect(load.failures == [])
        }
        await set.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `a change is served by every replica soon after it was asked for`() async throws {
        let set = try await ReplicaSet(3)
        try await set.cutOver(to: "0%")
        let loads = set.proxies.map { LoadGenerator(port: $0.port, clients: 1, target: "/o/1", connections: .kept) }
        let (ports, admins) = (set.proxies.map(\.port), set.proxies.map(\.admin))
        var times: [Duration] = []
        for round in 0..<30 {
            let (weight, side) = round % 2 == 0 ? ("100%", "service") : ("0%", "monolith")
            let began = ContinuousClock.now
            async let asked: Void = ReplicaSet.post(
                "cutover", #"{"to": "\#(weight)", "reason": "test"}"#, to: admins[round % admins.count])
            times += try await withThrowingTaskGroup(of: Duration.self) { group in
                for port in ports {
                    group.addTask {
                        while try await ReplicaSet.answerer(at: port) != side {
                            // A bound, not a measure: how long it took is printed.
                            try #require(ContinuousClock.now - began < .seconds(60), "not served")
                            try await Task.sleep(for: .milliseconds(1))
                        }
                        return ContinuousClock.now - began
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await asked
        }
        times.sort()
        print("a change was everywhere after \(times[times.count / 2]) (median), \(times[times.count - 1]) (longest)")
        for load in loads {
            try await load.stop()
            #expect(load.failures == [])
        }
        await set.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `the guard's holder is killed or hangs, and another judges`() async throws {
        let set = try await ReplicaSet(3)
        try await set.cutOver(to: "50%")
        try await eventually("one judges") { try await set.guardProcess != nil }
        let first = Int32(try #require(try await set.guardProcess))
        kill(first, SIGKILL)
        var second: Int32 = 0
        try await eventually("another judges after a kill") {
            second = Int32(try await set.guardProcess ?? 0)
            return second != 0 && second != first
        }
        kill(second, SIGSTOP)
        var third: Int32 = 0
        try await eventually("another judges while that one hangs") {
            third = Int32(try await set.guardProcess ?? 0)
            return ![0, first, second].contains(third)
        }
        kill(second, SIGCONT)
        try await set.heard(2)
        #expect(try await set.guardProcess.map(Int32.init) == third, "the one that hung does not judge beside it")
        // Stopped properly, it says goodbye, and the next one judges.
        let last = try #require(set.proxies.first { $0.processID == third })
        #expect(await last.stop().status == 0)
        #expect(try await set.store.replicas().first { Int32($0.process) == third }?.stoppedAt != nil)
        try await eventually("the last one judges") {
            try await set.guardProcess.map(Int32.init) == second
        }
        await set.stop(except: [first, third])
    }

    @Test(.timeLimit(.minutes(10)))
    func `a proxy that is killed leaves a gap, which its successor records; one that is stopped leaves none`()
        async throws
    {
        let set = try await ReplicaSet(1)
        try await set.cutOver(to: "50%")
        let origin = try await Origin()
        let deployment = try ReplicaSet.deployment(
            monolith: origin.port, service: origin.port, store: set.url, cutover: "{}")
        let began = Date()
        let stopped = try await RunningProxy(deployment)
        try await set.heard(2)
        #expect(await stopped.stop().status == 0)
        let killed = try await RunningProxy(deployment)
        try await set.heard(2)
        #expect(try await set.store.gaps(extraction: "orders", since: began) == [])
        kill(killed.processID, SIGKILL)
        _ = await killed.end()
        let next = try await RunningProxy(deployment)
        try await eventually("the gap is on record") {
            try await set.store.gaps(extraction: "orders", since: began).count == 1
        }
        let gap = try #require(try await set.store.gaps(extraction: "orders", since: began).first)
        #expect(gap.replica.contains(":\(killed.processID)-") && gap.waiver == nil)
        #expect(gap.ended > gap.began && gap.ended.timeIntervalSince(gap.began) < 30)
        _ = await next.stop()
        await origin.close()
        await set.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `with Postgres away every replica goes on, nothing changes, and commands are refused`() async throws {
        let set = try await ReplicaSet(3)
        try await set.cutOver(to: "100%")
        let loads = set.proxies.map { LoadGenerator(port: $0.port, clients: 2, target: "/o/1", connections: .kept) }
        for load in loads { try await load.answers(100) }
        let before = try #require(try await set.state)
        await set.postgres.stop()
        for (index, proxy) in set.proxies.enumerated() {
            let refused = try await set.run("cutover", "orders", "--to", "10%", "--reason", "test", at: index)
            #expect(refused.status == 3, "\(refused)")
            #expect(try await set.run("rollback", "orders", "--reason", "test", at: index).status == 3)
            #expect(try await ReplicaSet.answerer(at: proxy.port) == "service")
        }
        for load in loads { try await load.answers(100) }
        try await set.postgres.start()
        try await set.heard(3)
        #expect(try await set.state?.version == before.version)
        #expect(try await set.run("rollback", "orders", "--reason", "test").status == 0)
        for proxy in set.proxies {
            try await eventually("the monolith answers at every replica") {
                try await ReplicaSet.answerer(at: proxy.port) == "monolith"
            }
        }
        for load in loads {
            try await load.stop()
            #expect(load.failures == [])
        }
        #expect(try await set.store.gaps(extraction: "orders", since: .distantPast) == [])
        await set.stop()
    }
}
