import Extraction
import Foundation
import PostgresClient
import PostgresStore
import Testing

/// A ramp that runs by itself over three proxies, under load.
@Suite(.serialized) struct LiveRampTests {
    private static let cutover =
        "{affinity: {path: id}, ramp: [50%, 100%], bake: 5s, guard: {error-rate: 20%, p99: 10s, mismatch: 50%, interval: 1s}}"

    /// Different keys, so that some are on either side.
    private func loads(_ set: ReplicaSet) -> [LoadGenerator] {
        set.proxies.enumerated().flatMap { index, proxy in
            (1...4).map {
                LoadGenerator(
                    port: proxy.port, clients: 1, target: "/o/order-\(index)-\($0)", connections: .kept,
                    pause: 5_000)
            }
        }
    }

    private func begin(_ set: ReplicaSet) async throws {
        try await eventually("Postgres is connected") {
            try await set.run("advance", "orders", "--to", "shadow", "--force", "--reason", "test").status == 0
        }
        let begun = try await set.run("cutover", "orders", "--ramp", "--force", "--reason", "test", at: 1)
        #expect(begun.status == 0, "\(begun)")
    }

    @Test(.timeLimit(.minutes(10)))
    func `Postgres stopped in the middle of a ramp: nothing moves, no request fails, and it goes on afterwards`()
        async throws
    {
        let set = try await ReplicaSet(3, cutover: Self.cutover)
        let loads = loads(set)
        try await begin(set)
        try await eventually("the first step") { try await set.state?.weight == 50 }
        let half = try #require(try await set.store.load().first)
        await set.postgres.stop()
        // Longer than the weight has to hold.
        let back = ContinuousClock.now + .seconds(8)
        while ContinuousClock.now < back {
            for load in loads { try await load.answers(20) }
        }
        #expect(try await set.run("cutover", "orders", "--to", "100%", "--reason", "test").status == 3)
        let returned = Date()
        try await set.postgres.start()
        try await eventually("the fallback window begins by itself") {
            (try? await set.state)?.stage == "fallback"
        }
        let steps = try await set.store.history(name: "orders", limit: 2)
        #expect(steps.map(\.action) == ["step", "step"] && steps.map(\.actor) == ["ramp", "ramp"])
        let last = try #require(steps.last)
        #expect(last.from.weight.percent == 50 && last.to.weight == .all)
        #expect(last.at >= returned, "nothing moves while Postgres is away")
        #expect(last.at.timeIntervalSince(half.bakingSince) >= 5)
        #expect((last.evidence?.findings?.service.requests ?? 0) > 0)
        for load in loads {
            try await load.stop()
            #expect(load.failures == [])
        }
        #expect(try await set.store.gaps(extraction: "orders", since: .distantPast) == [])
        await set.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `a service that dies is taken back everywhere by the guard, and no request fails`() async throws {
        let set = try await ReplicaSet(3, cutover: Self.cutover)
        let loads = loads(set)
        try await begin(set)
        try await eventually("the first step") { try await set.state?.weight == 50 }
        for load in loads { try await load.answers(50) }
        set.service.fail()
        try await eventually(pause: 10, "the guard takes it back") { try await set.state?.weight == 0 }
        let breach = try #require(try await set.store.history(name: "orders", limit: 1).first)
        #expect(breach.action == "breach" && breach.actor == "guard" && breach.to.weight == .none)
        #expect(breach.evidence?.findings?.breaches.isEmpty == false)
        try await set.heard(3)
        // Whoever asks, the same is said.
        for index in set.proxies.indices {
            let told = try await set.run("status", "orders", "--json", at: index)
            #expect(told.output.contains(#""weight":0"#) && told.output.contains("rolled back by the guard"), "\(told)")
            let raised = try await set.run("cutover", "orders", "--to", "10%", "--reason", "test", at: index)
            #expect(raised.status == 1, "nothing rises before somebody resumes")
        }
        for load in loads {
            try await load.stop()
            #expect(load.failures == [])
        }
        await set.stop()
    }
}
