import Extraction
import Foundation
import Logging
import PostgresClient
import PostgresStore
import Synchronization

@testable import strangler

/// Time, Postgres and the other replicas, as a test wants them.
final class ScriptedWorld: GuardStore, Sendable {
    struct Script {
        var now = Date(timeIntervalSince1970: 1_795_233_600)
        var states: [String: ExtractionState] = [:]
        var history: [HistoryEntry] = []
        var isAway = false
        var recent = GuardEvidence.Span()
        var step = GuardEvidence.Span()
        var spansRead: [Date] = []
        var replicas: [Replica] = []
        var writes = GuardedWrites()
        var gaps: [ReplicaLoss] = []
        /// Who has the lock, by the number of its backend.
        var holder: Int?
        var ended: [Int] = []
        var backends = 100
        /// Carried out once, after the next state was read.
        var afterLoad: (@Sendable (inout Script) -> Void)?
    }

    private let script = Mutex(Script())

    func change<Result: Sendable>(_ body: (inout Script) -> Result) -> Result { script.withLock { body(&$0) } }

    var now: Date { change { $0.now } }
    var state: ExtractionState? { change { $0.states["orders"] } }
    var actions: [String] {
        change { $0.history.map { "\($0.action) by \($0.actor): \($0.to.stage.rawValue) \($0.to.weights)" } }
    }

    func pass(_ seconds: Double) { change { $0.now += seconds } }

    private func reading<Result: Sendable>(_ body: (inout Script) -> Result) throws(PostgresError) -> Result {
        try script.withLock { script throws(PostgresError) in
            if script.isAway { throw PostgresError(.refused, "away") }
            return body(&script)
        }
    }

    // MARK: Store

    func load() async throws -> [ExtractionState] {
        try reading { script in
            defer {
                let after = script.afterLoad
                script.afterLoad = nil
                after?(&script)
            }
            return Array(script.states.values)
        }
    }

    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState {
        let conflict: StageConflict? = try reading { script in
            let found = script.states[transition.to.name]
            guard found?.version == transition.from.version else {
                return StageConflict(
                    name: transition.to.name, expected: transition.from.version, found: found?.version ?? 0,
                    stage: found?.stage ?? .identified)
            }
            script.states[transition.to.name] = transition.to
            script.history.append(
                HistoryEntry(
                    at: at, actor: actor, action: transition.action, from: transition.from.point,
                    to: transition.to.point, reason: reason, forced: transition.forced, evidence: evidence))
            return nil
        }
        if let conflict { throw conflict }
        return transition.to
    }

    func history(name: String, limit: Int) async throws -> [HistoryEntry] { change { $0.history } }

    func guardSpan(extraction: String, since: Date) async throws -> GuardEvidence.Span {
        try reading { script in
            script.spansRead.append(since)
            return since == script.states[extraction]?.bakingSince ? script.step : script.recent
        }
    }

    func replicas() async throws -> [Replica] { try reading { $0.replicas } }
    func guardedWrites(extraction: String, since: Date, held: Set<String>) async throws -> GuardedWrites {
        try reading { $0.writes }
    }
    func record(_ loss: ReplicaLoss) async throws { try reading { $0.gaps.append(loss) } }
    func forgetReplicas(olderThan seconds: Double) async throws -> Int { try reading { _ in 0 } }
    func lease() -> any GuardLease { ScriptedLease(world: self) }
}

actor ScriptedLease: GuardLease {
    private let world: ScriptedWorld
    private(set) var backend: Int?

    init(world: ScriptedWorld) { self.world = world }

    func tryAcquire() async throws(PostgresError) -> Bool {
        guard !world.change({ $0.isAway }) else { throw PostgresError(.refused, "away") }
        let taken: Int? = world.change { script in
            guard script.holder == nil else { return nil }
            script.backends += 1
            script.holder = script.backends
            return script.backends
        }
        if taken != nil { backend = taken }
        return taken != nil
    }

    func isHeld() async -> Bool {
        let backend = backend
        return backend != nil && world.change { !$0.isAway && $0.holder == backend }
    }

    func release() async {
        let backend = backend
        world.change { if $0.holder == backend { $0.holder = nil } }
        self.backend = nil
    }

    func terminate(backend other: Int) async throws(PostgresError) -> Bool {
        world.change { script in
            guard script.holder == other else { return false }
            script.holder = nil
            script.ended.append(other)
            return true
        }
    }
}

/// The process that judges.
actor ScriptedProcess: GuardedStages {
    private let world: ScriptedWorld
    let definitions: [ExtractionDefinition]
    private var known: [String: ExtractionState] = [:]
    private(set) var toldBackend: Int?
    var flushes = true

    init(_ world: ScriptedWorld, _ definition: ExtractionDefinition) {
        self.world = world
        definitions = [definition]
    }

    func fails(toFlush: Bool) { flushes = !toFlush }
    func state(of name: String) -> ExtractionState? { known[name] }
    func flush() -> Bool { flushes }
    func holdsGuard(backend: Int?) { toldBackend = backend }

    func adopt(_ found: [ExtractionState]) {
        for state in found where state.version > known[state.name]?.version ?? 0 { known[state.name] = state }
    }

    func recordedEvidence(for definition: ExtractionDefinition, in state: ExtractionState) -> StageEvidence {
        StageEvidence(compared: 7)
    }

    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState {
        let changed = try await world.apply(transition, actor: actor, reason: reason, evidence: evidence, at: at)
        adopt([changed])
        return changed
    }
}

extension ScriptedWorld {
    /// The extraction `orders`: 10 %, 50 %, 100 %, each for a minute, judged every 5 s.
    static let definition = ExtractionDefinition(
        name: "orders", owner: nil, problem: "p", because: [.scaleVariance, .teamSize], hasContract: false,
        affinity: .clientAddress, cohort: nil, sample: .all, writes: .dualWrite, noise: .none,
        ramp: [Weight(clamping: 1_000), Weight(clamping: 5_000), .all], bake: .seconds(60),
        guardLimits: GuardLimits(), window: .seconds(3_600), quiet: .seconds(60))

    func runner(_ replica: String = "a") -> (GuardRunner, ScriptedProcess) {
        let process = ScriptedProcess(self, Self.definition)
        let runner = GuardRunner(
            replica: replica, stages: process, connected: { self }, logger: Logger(label: "test"), now: { self.now })
        return (runner, process)
    }

    /// At stage cutover, with this weight in percent.
    func cutOver(to percent: Int, isRamping: Bool = true, hold: Hold? = nil) {
        change { script in
            script.states["orders"] = ExtractionState(
                name: "orders", stage: .cutover, weights: Weights(Weight(clamping: percent * 100)), since: script.now,
                version: 5, windowStartedAt: nil, isRamping: isRamping, hold: hold)
        }
    }

    /// What both sides answered, in either span.
    func answers(_ requests: Int, failing errors: Int = 0) {
        let pair = TrafficPair(
            monolith: SideTraffic(requests: requests), service: SideTraffic(requests: requests, errors: errors))
        change { script in
            script.recent = GuardEvidence.Span(endpoints: ["GET /o": pair])
            script.step = script.recent
        }
    }

    func hears(of id: String, age: Double, version: Int64? = nil, backend: Int? = nil, openBreakers: Int = 0) {
        change { script in
            script.replicas.removeAll { $0.id == id }
            script.replicas.append(
                Replica(
                    id: id, host: "h", process: 1, version: "1", startedAt: script.now,
                    beatAt: script.now.addingTimeInterval(-age),
                    extractions: [
                        "orders": Replica.ServedState(
                            version: version ?? script.states["orders"]?.version ?? 0, stage: .cutover, weight: "",
                            openBreakers: openBreakers)
                    ], guardBackend: backend, age: age))
        }
    }
}
