import Extraction
import FoundationEssentials
import TestSupport
import Testing

/// Whole migrations: random traffic, the guard at its intervals, three replicas.
@Suite struct SimulationTests {
    private static let ramp = [
        "ramp: cutover 0%", "step: cutover 1%", "step: cutover 5%", "step: cutover 25%", "step: cutover 50%",
        "step: cutover 100%",
    ]

    /// In shadow, with evidence enough for cutover, and the ramp has just been asked for.
    private func ramping(_ world: World = World()) async throws -> Simulation {
        var simulation = Simulation(world, at: makeState(.shadow))
        try await simulation.live(10 * minute, every: minute)
        try await simulation.run(.ramp)
        return simulation
    }

    /// In the fallback window since just now.
    private func inFallback(_ world: World = World()) async throws -> Simulation {
        var simulation = try await ramping(world)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        return simulation
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aCleanMigrationGoesAllTheWayByItselfAndIsRetiredAfterThirtyDays(seed: UInt64) async throws {
        var simulation = Simulation(World(seed: seed), at: .initial(name: "orders", now: .start))
        for stage in [Stage.contracted, .parallel, .shadow] {
            try await simulation.live(hour, every: 10 * minute)
            try await simulation.run(.advance(to: stage))
        }
        #expect(try await simulation.refusal(.ramp) == ["needs at least 1 compared answer, has 0"])
        try await simulation.live(minute, every: minute)
        #expect(try await simulation.refusal(.ramp)?.allSatisfy { $0.contains("needs 2995 clean comparisons") } == true)
        try await simulation.live(hour, every: 10 * minute)
        try await simulation.run(.ramp)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        #expect(await simulation.way.suffix(7) == Self.ramp + ["step: fallback 100%"])
        // Five weights baked for half an hour each, and a look late at most.
        let began = try #require(await simulation.state.windowStartedAt)
        let ramped = try #require(await simulation.history.first { $0.action == "ramp" })
        #expect((9_000...9_300).contains(began.timeIntervalSince(ramped.at)))

        for _ in 0..<29 {
            try await simulation.live(day, every: hour)
            #expect(try await simulation.refusal(.retire) != nil)
        }
        try await simulation.live(day, every: hour)
        try await simulation.run(.retire)
        #expect(await simulation.state.stage == .retired)
        // From a week before its end.
        #expect(simulation.warnings.map(\.day) == [24, 25, 26, 27, 28, 29, 30], "\(simulation.warnings)")
        #expect(simulation.warnings.first?.said == "the fallback window ends in 7 d")
        #expect(simulation.warnings.last?.said.hasPrefix("the fallback window ends in ") == true)
        #expect(await simulation.history.allSatisfy { !$0.forced })
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aServiceThatGetsSlowAtAQuarterIsRolledBack(seed: UInt64) async throws {
        var world = World(seed: seed)
        world.service = { _, _, weights in Behaviour(milliseconds: weights.reads >= weight(25) ? 200 : 20) }
        var simulation = try await ramping(world)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.weights == Weights(weight(25)) }
        try await simulation.live(10)
        #expect(await simulation.way.suffix(2) == ["step: cutover 25%", "breach: cutover 0%"])
        let history = await simulation.history.suffix(2).map(\.at)
        #expect(history[1].timeIntervalSince(history[0]) <= 10)
        #expect(await simulation.state.hold?.reason.contains("p99") == true)
        #expect(await simulation.history.last?.evidence?.findings?.breaches.isEmpty == false)
        // It holds until a person resumes.
        try await simulation.live(hour, every: minute)
        #expect(await simulation.state.weights == .none)
        #expect(try await simulation.refusal(.cutover(weight(5)))?.first?.contains("use resume") == true)
        simulation.world.service = { _, _, _ in Behaviour() }
        try await simulation.run(.resume)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        #expect(
            await simulation.way.suffix(7) == ["resume: cutover 0%"] + Self.ramp.dropFirst() + ["step: fallback 100%"])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aServiceThatErrsAtOneSmallEndpointIsRolledBackAndTheEndpointNamed(seed: UInt64) async throws {
        var world = World(seed: seed)
        for number in 1...18 { world.rates["GET /shelf/\(number)"] = 20 }
        world.rates["GET /orders/{id}/invoice"] = 1
        world.service = { endpoint, _, _ in Behaviour(errors: endpoint.hasSuffix("invoice") ? 0.3 : 0.0001) }
        var simulation = Simulation(world, at: makeState(.shadow))
        try await simulation.live(2 * hour, every: 10 * minute)
        try await simulation.run(.ramp)
        try await simulation.live(atMost: 4 * hour, every: 15) { $0.hold != nil }
        let reason = try #require(await simulation.state.hold?.reason)
        #expect(reason.hasPrefix("GET /orders/{id}/invoice: the service fails on "))
        let point = try #require(await simulation.history.last?.from)
        #expect(point.weight <= weight(5))
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func aServiceThatErrsOnOneOfTwoHundredRequestsNeverReachesAll(seed: UInt64) async throws {
        var world = World(seed: seed)
        world.service = { _, _, _ in Behaviour(errors: 0.005) }
        var simulation = try await ramping(world)
        try await simulation.live(atMost: 6 * hour, every: 15) { $0.hold != nil }
        let point = try #require(await simulation.history.last?.from)
        #expect(point.weight <= weight(25))
    }

    @Test func silencePassesNoStep() async throws {
        var world = World()
        world.isAsked = { $0 < 900 }
        var simulation = try await ramping(world)
        try await simulation.live(2 * day, every: 10 * minute)
        let state = await simulation.state
        #expect(state.stage == .cutover && state.weights == Weights(weight(1)) && state.hold == nil)
        guard case .stay(let why) = simulation.move else {
            Issue.record("\(simulation.move)")
            return
        }
        #expect(why.count == 1 && why[0].hasPrefix("needs 299 requests at the service at 1%, has "))
        // Asked again, it goes on.
        simulation.world.isAsked = { _ in true }
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
    }

    @Test func aRollbackInWeekThreeEndsTheWindowWhichStartsAnew() async throws {
        var simulation = try await inFallback()
        let first = try #require(await simulation.state.windowStartedAt)
        try await simulation.live(17 * day, every: hour)
        try await simulation.run(.rollback, reason: "invoices are wrong")
        let back = await simulation.state
        #expect(back.point == StagePoint(stage: .shadow, weight: .none) && back.windowStartedAt == nil)
        try await simulation.live(hour, every: 10 * minute)
        try await simulation.run(.ramp)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        let second = try #require(await simulation.state.windowStartedAt)
        #expect(second > first.addingTimeInterval(17 * day))
        try await simulation.live(29 * day, every: hour)
        #expect(try await simulation.refusal(.retire)?.first?.hasPrefix("the fallback window has ") == true)
        try await simulation.live(day, every: hour)
        try await simulation.run(.retire)
    }

    @Test func aReplicaThatIsCutOffHoldsTheRampAndNotTheRollback() async throws {
        var simulation = try await ramping()
        try await simulation.live(atMost: 2 * hour, every: 30) { $0.weights == Weights(weight(5)) }
        try await simulation.live(5)
        simulation.cutOff("b", true)
        try await simulation.live(2 * hour, every: minute)
        #expect(await simulation.state.weights == Weights(weight(5)))
        #expect(simulation.move == .stay(["not heard of: b"]))
        // It goes on as the last known state says.
        #expect(simulation.replicas[1].state.weights == Weights(weight(5)))
        simulation.world.service = { _, _, _ in Behaviour(isDown: true) }
        try await simulation.live(10)
        #expect(await simulation.state.hold?.cause == .breach)
        simulation.cutOff("b", false)
        try await simulation.live(5)
        #expect(simulation.replicas.allSatisfy { $0.state.weights == .none })
    }

    @Test func ofTwoOperatorsAtOnceOneWinsAndTheOtherIsTold() async throws {
        let simulation = Simulation(at: makeState(.cutover, weight(5)))
        let seen = await simulation.state
        try await simulation.run(.cutover(weight(25)), by: "ada", seen: seen)
        await #expect(
            throws: StageConflict(name: "orders", expected: 7, found: 8, stage: .cutover)
        ) { try await simulation.run(.cutover(weight(50)), by: "bob", seen: seen) }
        #expect(await simulation.state.weights == Weights(weight(25)))
        #expect(await simulation.history.map(\.actor) == ["ada"])
    }

    @Test func theGuardAndAnOperatorAtOnceLoseNothing() async throws {
        // The guard judges version 7, the operator was first: what it decided is judged anew at its next look.
        var simulation = Simulation(at: makeState(.cutover, weight(5)))
        let seen = await simulation.state
        try await simulation.run(.cutover(weight(50)), by: "ada", seen: seen)
        let late = try #require(
            ExtractionMachine.carryOut(
                .rollBack(["the service fails"]), state: seen, definition: simulation.definition,
                evidence: StageEvidence(), actor: "guard", now: simulation.now))
        await #expect(throws: StageConflict.self) {
            try await simulation.store.apply(late, actor: "guard", reason: nil, evidence: StageEvidence(), at: .start)
        }
        simulation.world.service = { _, _, _ in Behaviour(isDown: true) }
        try await simulation.live(10)
        #expect(await simulation.state.weights == .none)
    }

    @Test func whileItIsPausedTheGuardStillRollsBack() async throws {
        var simulation = try await ramping()
        try await simulation.live(atMost: 3 * hour, every: 30) { $0.weights == Weights(weight(25)) }
        try await simulation.run(.pause, reason: "the weekend")
        try await simulation.live(3 * day, every: 10 * minute)
        #expect(await simulation.state.weights == Weights(weight(25)))
        #expect(simulation.move == .stay(["paused by ops: the weekend"]))
        simulation.world.service = { _, _, _ in Behaviour(errors: 0.2) }
        try await simulation.live(10)
        let state = await simulation.state
        #expect(state.weights == .none && state.hold?.cause == .breach)
    }

    @Test func aBreachAtTheWholeWeightAndInTheWindowGoesBackAtOnce() async throws {
        for days in [0, 12] as [Double] {
            var simulation = days == 0 ? try await ramping() : try await inFallback()
            if days == 0 { try await simulation.live(atMost: 4 * hour, every: 30) { $0.weights == .all } }
            try await simulation.live(days * day + minute, every: days == 0 ? nil : hour)
            #expect(await simulation.state.stage == (days == 0 ? .cutover : .fallback))
            simulation.world.service = { _, _, _ in Behaviour(errors: 0.5) }
            try await simulation.live(10)
            let state = await simulation.state
            #expect(state.stage == .cutover && state.weights == .none && state.windowStartedAt == nil)
            #expect(state.hold?.cause == .breach)
        }
    }

    @Test func aMonolithOutageRollsNothingBack() async throws {
        for atAll in [false, true] {
            var simulation = try await ramping()
            try await simulation.live(atMost: 4 * hour, every: 30) {
                $0.weights == (atAll ? .all : Weights(weight(50)))
            }
            simulation.world.monolith = { _, _ in Behaviour(isDown: true) }
            simulation.backlog = 100_000
            simulation.failingMonolith = ["a", "b", "c"]
            let before = await simulation.state
            try await simulation.live(20 * minute)
            #expect(await simulation.state == before)
            simulation.world.monolith = { _, _ in Behaviour() }
            simulation.backlog = 0
            simulation.failingMonolith = []
            try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        }
    }

    /// The database that both use: nobody is better off elsewhere.
    @Test func anOutageOfBothRollsNothingBack() async throws {
        var simulation = try await ramping()
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.weights == Weights(weight(25)) }
        let bad = { (time: Double, from: Double) in Behaviour(errors: time < from + 600 ? 0.4 : 0.0001) }
        let began = simulation.time
        simulation.world.service = { _, time, _ in bad(time, began) }
        simulation.world.monolith = { _, time in bad(time, began) }
        try await simulation.live(10 * minute)
        #expect(await simulation.state.weights == Weights(weight(25)))
        try await simulation.live(atMost: 8 * hour, every: 30) { $0.stage == .fallback }
    }

    @Test func readsAndWritesMoveApart() async throws {
        var world = World()
        world.monolith = { endpoint, _ in
            endpoint.hasPrefix("POST") ? Behaviour(errors: 0.008, milliseconds: 200) : Behaviour()
        }
        let monolith = world.monolith
        world.service = { endpoint, time, _ in monolith(endpoint, time) }
        var simulation = Simulation(world, at: makeState(.cutover, weight(1)))
        try await simulation.run(.cutover(weight(50), of: .writes))
        try await simulation.live(hour)
        #expect(await simulation.state.weights == Weights(reads: weight(1), writes: weight(50)))
        try await simulation.run(.ramp)
        try await simulation.live(atMost: 4 * hour, every: 30) { $0.stage == .fallback }
        #expect(
            await simulation.way.dropFirst(2).first == "step: cutover 5% of reads, 50% of writes")
    }
}
