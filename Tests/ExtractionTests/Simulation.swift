import Extraction
import FoundationEssentials
import TestSupport
import Testing

/// A migration with several replicas, random traffic, and a guard that looks at intervals as `GuardRunner` does: at
/// buckets of a minute, cut at each change of weight, summed over the replicas that are heard of.
struct Simulation {
    /// What one proxy serves, and what it has counted and not handed over.
    struct Replica {
        let name: String
        var state: ExtractionState
        /// From Postgres: it goes on with what it knows.
        var isCutOff = false
        var kept = World.Counted()
    }

    /// What was counted in a minute, or in the part of it since the last change.
    private struct Bucket {
        let began: Date
        var counted: World.Counted
    }

    var definition: ExtractionDefinition
    var world: World
    let store: SimulatedStore
    var replicas: [Replica]
    private(set) var now = Date.start
    private var buckets: [Bucket] = []
    private var countedSince = Date.start
    /// Older ones, summed up from when the weight began to bake.
    private var settled = World.Counted()
    private var settledSince = Date.start
    private var fellBackTotal = 0
    private var lastFellBackAt: Date?
    /// Writes that wait for the other side.
    var backlog = 0
    var openBreakers: [String] = []
    var failingMonolith: [String] = []
    private(set) var findings: GuardFindings?
    private(set) var move = RampMove.stay([])
    private(set) var warnings: [(day: Int, said: String)] = []

    init(
        _ world: World = World(), _ definition: ExtractionDefinition = makeDefinition(), at state: ExtractionState,
        replicas names: [String] = ["a", "b", "c"]
    ) {
        self.world = world
        self.definition = definition
        store = SimulatedStore([state])
        replicas = names.map { Replica(name: $0, state: state) }
    }

    var time: Double { now.timeIntervalSince(.start) }

    var state: ExtractionState {
        get async { await store.state(of: definition.name) ?? .initial(name: definition.name, now: .start) }
    }

    /// All changes so far, the oldest first.
    var history: [HistoryEntry] { get async { await store.entries } }

    /// `shadow 0%`, `cutover 5%`, …: where each change led.
    var way: [String] { get async { await history.map { "\($0.action): \($0.to.stage.rawValue) \($0.to.weights)" } } }

    // MARK: Time

    /// Looks at every guard interval; with `every`, less often, for the quiet weeks.
    mutating func live(_ seconds: Double, every interval: Double? = nil) async throws {
        let interval = interval ?? definition.guardLimits.interval.seconds
        let end = now.addingTimeInterval(seconds)
        while now < end { try await step(min(interval, end.timeIntervalSince(now))) }
    }

    /// Until something is so, at most this long.
    mutating func live(
        atMost seconds: Double, every interval: Double? = nil, until isSo: (ExtractionState) -> Bool
    ) async throws {
        let end = now.addingTimeInterval(seconds)
        while now < end {
            if isSo(await state) { return }
            try await step(interval ?? definition.guardLimits.interval.seconds)
        }
        Issue.record("not so after \(seconds) s: \(await way)")
    }

    private mutating func step(_ seconds: Double) async throws {
        // The last two minutes apart: they are what `recent` reads.
        let early = max(0, seconds - 120)
        if early > 0 { await serve(early) }
        await serve(seconds - early)
        try await look()
    }

    private mutating func serve(_ seconds: Double) async {
        let state = await state
        for index in replicas.indices where !replicas[index].isCutOff { replicas[index].state = state }
        if countedSince != state.since { (buckets, countedSince) = ([], state.since) }
        if settledSince != state.bakingSince { (settled, settledSince) = (World.Counted(), state.bakingSince) }
        for index in replicas.indices where !replicas[index].isCutOff && !replicas[index].kept.isEmpty {
            take(replicas[index].kept)
            replicas[index].kept = World.Counted()
        }
        if !replicas.contains(where: \.isCutOff) {
            // All serve the same: their sum at once.
            take(world.live(from: time, for: seconds, weights: state.weights, isCompared: state.stage >= .shadow))
        }
        for index in replicas.indices where replicas.contains(where: \.isCutOff) {
            let counted = world.live(
                from: time, for: seconds, weights: replicas[index].state.weights,
                isCompared: replicas[index].state.stage >= .shadow, part: 1 / Double(replicas.count))
            if replicas[index].isCutOff { replicas[index].kept.add(counted) } else { take(counted) }
        }
        now = now.addingTimeInterval(seconds)
        // What is older than `recent` needs no bucket of its own.
        while let first = buckets.first, first.began < now.addingTimeInterval(-180) {
            if first.began >= state.bakingSince { settled.add(first.counted) }
            buckets.removeFirst()
        }
    }

    private mutating func take(_ counted: World.Counted) {
        let began = max(now.minute, countedSince)
        if let index = buckets.lastIndex(where: { $0.began == began }) {
            buckets[index].counted.add(counted)
        } else {
            buckets.append(Bucket(began: began, counted: counted))
        }
        if counted.fellBack > 0 {
            fellBackTotal += counted.fellBack
            lastFellBackAt = now
        }
    }

    // MARK: Looking

    private mutating func look() async throws {
        let state = await state
        if let said = FallbackWindow(state: state, definition: definition, now: now),
            let warning = said.warning, warnings.last?.day != said.day
        {
            warnings.append((said.day, warning))
        }
        guard Ramp.isGuarded(state), replicas.contains(where: { !$0.isCutOff }) else { return }
        let evidence = GuardEvidence(
            recent: sum(since: max(now.addingTimeInterval(-60).minute, state.since), World.Counted()),
            step: sum(since: state.bakingSince, settled),
            openBreakers: openBreakers, backlog: backlog,
            silentReplicas: replicas.filter(\.isCutOff).map(\.name),
            laggingReplicas: replicas.filter { !$0.isCutOff && $0.state.version != state.version }.map(\.name),
            failingMonolith: failingMonolith)
        let found = Guard.judge(evidence, limits: definition.guardLimits, now: now)
        findings = found
        move = Ramp.next(state: state, definition: definition, findings: found, now: now)
        guard
            let transition = ExtractionMachine.carryOut(
                move, state: state, definition: definition, evidence: StageEvidence(findings: found), actor: "guard",
                now: now)
        else { return }
        _ = try await store.apply(
            transition, actor: "guard", reason: nil, evidence: StageEvidence(findings: found), at: now)
    }

    private func sum(since: Date, _ start: World.Counted) -> GuardEvidence.Span {
        buckets.filter { $0.began >= since }.reduce(into: start) { $0.add($1.counted) }.span
    }

    // MARK: People

    /// What `strangler status` and the commands look at.
    var evidence: StageEvidence {
        get async {
            let counted = buckets.reduce(into: settled) { $0.add($1.counted) }
            let endpoints = counted.differing.map {
                EndpointEvidence(endpoint: $0.key, compared: $0.value.total, differing: $0.value.hits)
            }
            return StageEvidence(
                serviceHealthy: true, writeBacklog: backlog, fellBackTotal: fellBackTotal,
                lastFellBackAt: lastFellBackAt, endpoints: endpoints.sorted { $0.endpoint < $1.endpoint },
                conformance: [ConformanceEvidence(endpoint: "GET /orders", checked: 100, violating: 0)],
                findings: findings)
        }
    }

    /// - Parameter seen: the state that the command is judged on; the present one if nil.
    @discardableResult
    func run(
        _ command: StageCommand, by actor: String = "ops", reason: String? = nil, force: Bool = false,
        seen: ExtractionState? = nil
    ) async throws -> StageTransition {
        let (state, evidence) = (await state, await evidence)
        let transition = try ExtractionMachine.decide(
            command, state: seen ?? state, definition: definition, evidence: evidence,
            asked: Asked(by: actor, reason: reason, force: force), now: now)
        _ = try await store.apply(transition, actor: actor, reason: reason, evidence: evidence, at: now)
        return transition
    }

    /// The reasons of a refusal; nil if there was none.
    func refusal(_ command: StageCommand, reason: String? = nil, force: Bool = false) async throws -> [String]? {
        do {
            try await run(command, reason: reason, force: force)
            return nil
        } catch let refusal as Refusal {
            return refusal.reasons
        }
    }

    mutating func cutOff(_ name: String, _ isCutOff: Bool) {
        for index in replicas.indices where replicas[index].name == name { replicas[index].isCutOff = isCutOff }
    }
}

extension Date {
    fileprivate var minute: Date { Date(timeIntervalSince1970: (timeIntervalSince1970 / 60).rounded(.down) * 60) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
