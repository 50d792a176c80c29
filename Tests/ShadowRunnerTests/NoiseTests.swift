import Comparison
import Extraction
import HTTPWire
import NIOCore
import Synchronization
import Testing

@testable import ShadowRunner

private let endpoint = "GET /api/v1/orders/{id}"
private let monolithScope = NoiseScope(extraction: "orders", endpoint: endpoint, side: .monolith)

/// A number that never comes again.
private let numbers = Atomic(0)
private func anew() -> Int { numbers.add(1, ordering: .relaxed).newValue }

/// An order whose request id is made up anew each time.
private func noisy(total: String = "10.50", id: String? = nil) -> String {
    "{\"requestId\":\(id ?? "\"req_\(anew())\""),\"total\":\(total)}"
}

private let learning = Setup(settleDelay: .milliseconds(5), noise: 10_000)

extension ShadowUnderTest {
    /// Sends one read after the other, with what the monolith would have answered.
    fileprivate func read(_ times: Int, _ answer: () -> String = { noisy() }) async throws {
        for _ in 0..<times {
            runner.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(answer())))
            try await becomesIdle()
        }
        await recorder.flush()
    }

    fileprivate var groups: [[GroupedDifference]] {
        get async { await store.groups.values.map(\.signature.differences) }
    }
}

@Suite struct NoiseTests {
    @Test func `what the monolith itself says anew each time is no mismatch, from the first request on`() async throws {
        try await withShadow(
            learning, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            try await shadow.read(30)
            #expect(try await shadow.verdicts() == ["match": 30])
            #expect(await shadow.groups.isEmpty)
            let learned = try #require(await shadow.store.learned[monolithScope])
            let id = learned.differing[GroupedDifference(path: "$.requestId", kind: .value)]
            #expect(learned.compared == NoiseCount(twins: 30, pairs: 30))
            #expect(id == NoiseCount(twins: 30, pairs: 30))
            let hidden = await shadow.store.hidden[RuleKey(extraction: "orders", rule: "noise")]
            #expect(hidden?.pairs == 30 && hidden?.differences == 30)
            #expect(
                shadow.monolith.requests.allSatisfy {
                    $0.values(of: "Strangler-Shadow") == ["1"] && $0.method == "GET"
                })
        }
    }

    @Test func `an order and times that change by chance are noise, too`() async throws {
        let answer: @Sendable () -> String = {
            let number = anew()
            return #"{"time":"2026-11-21T04:00:\#(10 + number % 50)Z","items":\#(["[1,2]", "[2,1]"][number % 2])}"#
        }
        try await withShadow(
            learning, monolith: { _, _ in .json(answer()) }, service: { _, _ in .json(answer()) }
        ) { shadow in
            try await shadow.read(40, answer)
            let verdicts = try await shadow.verdicts()
            #expect(verdicts["mismatch"] == nil, "\(verdicts)")
            #expect(verdicts.values.reduce(0, +) == 40)
            #expect(await shadow.store.learned[monolithScope]?.differing.isEmpty == false)
        }
    }

    @Test(
        arguments: [
            (
                "drops the noisy field", { @Sendable in #"{"total":10.50}"# },
                GroupedDifference(path: "$.requestId", kind: .missing)
            ),
            (
                "changes its type", { @Sendable in noisy(id: "\(anew())") },
                GroupedDifference(path: "$.requestId", kind: .type)
            ),
            (
                "is wrong elsewhere", { @Sendable in noisy(total: "99") },
                GroupedDifference(path: "$.total", kind: .value)
            ),
        ] as [(String, @Sendable () -> String, GroupedDifference)])
    func `a shadow is reported that`(what: String, answer: @escaping @Sendable () -> String, field: GroupedDifference)
        async throws
    {
        try await withShadow(
            learning, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(answer()) }
        ) { shadow in
            // At once, while nothing is known.
            try await shadow.read(1)
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(await shadow.groups == [[field]])
            // And when the noise is known: the same group.
            try await shadow.read(29)
            #expect(try await shadow.verdicts() == ["mismatch": 30])
            #expect(await shadow.groups == [[field]])
            #expect(await shadow.store.examples.allSatisfy { $0.differences.map(\.path) == [field.path] })
        }
    }

    @Test func `a fault behind more noise than one comparison reports is found`() async throws {
        let list: @Sendable (Int) -> String = { price in
            let items = (1...150).map { "{\"id\":\"i\(anew())\",\"price\":\($0 == 150 ? price : 1)}" }
            return "[\(items.joined(separator: ","))]"
        }
        try await withShadow(
            learning, monolith: { _, _ in .json(list(7)) }, service: { _, _ in .json(list(8)) }
        ) { shadow in
            try await shadow.read(3, { list(7) })
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            #expect(await shadow.groups == [[GroupedDifference(path: "$[*].price", kind: .value)]])
        }
    }

    @Test func `after cutover the service is primary, and its noise is learned apart`() async throws {
        try await withShadow(
            learning, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            for _ in 0..<12 {
                try await shadow.accept(
                    try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(noisy()), shadowIsService: false))
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["match": 12])
            let scope = NoiseScope(extraction: "orders", endpoint: endpoint, side: .service)
            #expect(await shadow.store.learned.keys.map { $0 } == [scope])
            #expect(await shadow.store.learned[scope]?.compared.twins == 12)
        }
    }

    @Test func `a new process knows what the store has been told, and asks no more than its share`() async throws {
        let setup = Setup(settleDelay: .milliseconds(5), noise: 1)
        try await withShadow(
            setup, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            let id = GroupedDifference(path: "$.requestId", kind: .value)
            await shadow.store.setLearned([
                monolithScope: NoiseTally(
                    compared: NoiseCount(twins: 40, pairs: 800), differing: [id: NoiseCount(twins: 40, pairs: 800)])
            ])
            #expect(await shadow.recorder.learnNoise())
            try await shadow.read(20)
            #expect(try await shadow.verdicts() == ["match": 20])
            // One in ten thousand is drawn.
            #expect(shadow.monolith.requests.count <= 2)
        }
    }

    @Test func `while the store is away, nothing is forgotten`() async throws {
        try await withShadow(
            learning, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            await shadow.store.setAway(true)
            try await shadow.read(15)
            #expect(await !shadow.recorder.learnNoise())
            await shadow.store.setAway(false)
            #expect(try await shadow.verdicts() == ["match": 15])
            #expect(await shadow.store.learned[monolithScope]?.compared == NoiseCount(twins: 15, pairs: 15))
        }
    }

    @Test func `the first ten are asked twice whatever the share, the others by it`() async throws {
        try await withShadow(
            Setup(noise: 1), monolith: { _, _ in .json("{}") }, service: { _, _ in .json("{}") }
        ) { shadow in
            try await shadow.read(30, { "{}" })
            #expect(try await shadow.verdicts() == ["match": 30])
            #expect((10...12).contains(shadow.monolith.requests.count))
            #expect((10...12).contains(await shadow.runner.twins().asked))
        }
    }

    @Test func `without noise learning nothing is asked twice, and what differs counts`() async throws {
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .json(noisy()) },
            service: { _, _ in .json(noisy()) }
        ) { shadow in
            try await shadow.read(3)
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            #expect(await shadow.store.learned.isEmpty)
            #expect(await shadow.runner.twins() == TwinCounts())
        }
    }

    @Test func `writes are not asked twice, and what differs counts`() async throws {
        try await withShadow(
            learning, monolith: { _, _ in .json(noisy()) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            for _ in 0..<3 {
                try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: jsonAnswer(noisy())))
            }
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            #expect(shadow.monolith.requests.isEmpty)
            #expect(await shadow.store.learned.isEmpty)
        }
    }
}

/// What is said while nothing is known of the primary, and it cannot be asked.
@Suite struct UnknownBaselineTests {
    @Test func `a value that differs has no baseline, a type that differs is unsettled`() async throws {
        for (answer, verdict) in [
            (#"{"total":11}"#, "not-compared baseline-unknown"),
            (#"{"total":"10"}"#, "not-compared unsettled"),
            (#"{"total":11,"more":1}"#, "not-compared unsettled"),
        ] {
            try await withShadow(
                Setup(settleDelay: .seconds(60), noise: 100), monolith: { _, _ in .hang },
                service: { _, _ in .json(answer) }
            ) { shadow in
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(#"{"total":10}"#)))
                try await eventually("it settles") { await shadow.runner.load.settling == 1 }
                await shadow.runner.shutdown()
                #expect(await shadow.verdictsSoFar() == [verdict: 1])
            }
        }
    }

    @Test func `a value is a mismatch once the primary has agreed with itself on it`() async throws {
        let monolith: ScriptedOrigin.Script = { _, _ in .json(#"{"total":10}"#) }
        try await withShadow(
            Setup(settleDelay: .milliseconds(5), noise: 100), monolith: monolith,
            service: { _, _ in .json(#"{"total":11}"#) }
        ) { shadow in
            try await shadow.read(3, { #"{"total":10}"# })
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            let field = GroupedDifference(path: "$.total", kind: .value)
            #expect(await shadow.groups == [[field]])
            // The second look is not counted as a twin.
            #expect(await shadow.store.learned[monolithScope]?.compared == NoiseCount(twins: 3, pairs: 3))
            #expect(shadow.monolith.requests.count == 4)
        }
    }

    @Test func `in a storm, what finds no second look has no verdict`() async throws {
        let barrier = Barrier()
        try await withShadow(
            Setup(maximumJobs: 40, settleDelay: .milliseconds(5), noise: 100),
            monolith: { _, _ in .after(barrier, .json(noisy())) }, service: { _, _ in .json(noisy()) }
        ) { shadow in
            for _ in 0..<40 {
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(noisy())))
            }
            try await eventually("those beyond sixteen and ten that wait are counted") {
                await shadow.verdictsSoFar() == ["not-compared baseline-unknown": 14]
            }
            let load = await shadow.runner.load
            #expect(load.secondLooks == 16 && load.settling == 10 && (1...Twins.maximum).contains(load.twins))
            barrier.open()
            #expect(try await shadow.verdicts() == ["not-compared baseline-unknown": 14, "match": 26])
            #expect(await shadow.groups.isEmpty)
        }
    }
}

@Suite struct TwinTests {
    @Test func `a primary that hangs is asked twice sixteen times at once; the others are shed, and all are compared`()
        async throws
    {
        let barrier = Barrier()
        try await withShadow(
            learning, monolith: { _, _ in .after(barrier, .json("{}")) }, service: { _, _ in .json("{}") }
        ) { shadow in
            for _ in 0..<50 {
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}"), lane: 0))
            }
            try await eventually("all are compared") { await shadow.verdictsSoFar() == ["match": 50] }
            #expect(await shadow.runner.twins() == counts(asked: Twins.maximum, shed: 50 - Twins.maximum))
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 50])
            #expect(await shadow.store.learned[monolithScope]?.compared == NoiseCount(twins: 16, pairs: 50))
        }
    }

    @Test func `a primary that fails a twin is left alone for a while`() async throws {
        for reply in [Reply.close, .json("{}", status: "503 Service Unavailable")] {
            try await withShadow(learning, monolith: { _, _ in reply }, service: { _, _ in .json("{}") }) { shadow in
                for _ in 0..<5 {
                    try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}")))
                    try await shadow.becomesIdle()
                }
                #expect(try await shadow.verdicts() == ["match": 5])
                #expect(await shadow.runner.twins() == counts(asked: 1, shed: 4, failed: 1))
                #expect(await shadow.store.learned[monolithScope]?.compared == NoiseCount(twins: 0, pairs: 5))
            }
        }
    }

    @Test func `a shutdown does not wait for a twin`() async throws {
        try await withShadow(learning, monolith: { _, _ in .hang }, service: { _, _ in .json("{}") }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}")))
            try await eventually("it is asked and compared") {
                let isAsked = shadow.monolith.requests.count == 1
                return await shadow.verdictsSoFar() == ["match": 1] && isAsked
            }
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["match": 1])
        }
    }

    private func counts(asked: Int, shed: Int = 0, failed: Int = 0) -> TwinCounts {
        var counts = TwinCounts()
        (counts.asked, counts.shed, counts.failed) = (asked, shed, failed)
        return counts
    }
}
