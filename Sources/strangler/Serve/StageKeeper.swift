import AdminAPI
import Comparison
import Extraction
import Foundation
import Logging
import PostgresStore
import ProxyConfiguration
import ProxyServer
import ShadowRunner

/// Keeps the stages: judges commands, changes Postgres by compare-and-set, follows what others changed, and brings each
/// change to every event loop.
///
/// Decisions are `ExtractionMachine`'s; this actor gathers the evidence and carries them out. With Postgres away it holds
/// on to the last known stages and refuses to change them.
actor StageKeeper {
    enum Failure: Error {
        case unknownExtraction(known: [String])
        case refused([String])
        case conflict(String)
        case storeUnavailable(String)
    }

    private(set) var model: TrafficModel
    /// Of every extraction that was ever heard of: one whose file was removed and returns goes on where it stood.
    private(set) var states: [String: ExtractionState]
    /// Counts models and states: what the loops were told last.
    private var generation = 0
    private(set) var isFollowing = false
    /// Extractions of which Postgres knows an older version than this proxy: restored from a backup, or another database.
    private(set) var olderInStore: Set<String> = []
    /// False until the stages were read from Postgres or from the cache: before, everything goes to the monolith, which
    /// would be wrong for a proxy that is started anew in the middle of a migration.
    private(set) var knowsStages: Bool
    /// The states by which lanes keep their sides while two processes serve on the same data; nil: lanes change sides.
    var sides: [String: ExtractionState]?
    /// What a process before this one has said to be owed, until that is known from its ledger.
    var handedCells: [String: HandedLanes.Cells] = [:]
    /// Another process keeps the cache from here on.
    var hasSuccessor = false
    /// This process among the others.
    let replica: String
    let store: StoreLink
    let recorder: EvidenceRecorder
    let server: ProxyServer
    let shadow: ShadowRunner
    let gaps: LedgerGaps
    let ledger: OwnLedger
    let cache: StateCache
    let logger: Logger

    init(
        model: TrafficModel, states: [String: ExtractionState], generation: Int, replica: String, store: StoreLink,
        recorder: EvidenceRecorder, server: ProxyServer, shadow: ShadowRunner, gaps: LedgerGaps, ledger: OwnLedger,
        cache: StateCache, logger: Logger
    ) {
        self.gaps = gaps
        self.ledger = ledger
        self.replica = replica
        self.shadow = shadow
        knowsStages = model.definitions.isEmpty || states.values.contains { $0.version > 0 }
        self.model = model
        self.states = states
        self.generation = generation
        self.store = store
        self.recorder = recorder
        self.server = server
        self.cache = cache
        self.logger = logger
    }

    // MARK: Following

    /// See `follow`.
    func readStages() async {
        do {
            let known = try await store.connected().load()
            store.heard(nil)
            if !isFollowing { logger.notice("Postgres is connected, stages are followed") }
            isFollowing = true
            knowsStages = true
            await adopt(known)
            noteOlder(known)
        } catch is StoreLink.Unavailable {
            return  // the link says why, once
        } catch {
            store.heard("\(error)")
            if isFollowing {
                logger.error(
                    "Postgres is away: \(error); serving goes on with the last known stages, which cannot change")
            }
            isFollowing = false
        }
    }

    /// In effect on every loop when it returns. Versions only go up: what a slow query read is not taken back over what a
    /// command has just changed.
    func adopt(_ found: [ExtractionState]) async {
        var changed = false
        for state in found where state.version > (states[state.name]?.version ?? 0) {
            states[state.name] = state
            changed = true
        }
        if changed { await publish() }
    }

    /// Another configuration: it holds for every request that begins after this has returned.
    func adopt(_ model: TrafficModel) async {
        let fresh = model.definitions.map(\.name).filter { states[$0] == nil }
        if !fresh.isEmpty, !isFollowing {
            logger.warning(
                "Postgres is away: \(fresh.joined(separator: ", ")) may have a stage there; until it is read, the monolith answers"
            )
        }
        let known = self.model.slots.names.count
        self.model = model
        oweHandedCells(from: known)
        states = model.states(from: states)
        await shadow.update(model.shadow)
        await publish()
    }

    private func noteOlder(_ known: [ExtractionState]) {
        let stored = Dictionary(known.map { ($0.name, $0.version) }, uniquingKeysWith: max)
        let served = model.definitions.compactMap { states[$0.name] }
        let older = Set(served.filter { $0.version > stored[$0.name] ?? 0 }.map(\.name))
        for name in older.subtracting(olderInStore).sorted() {
            logger.error(
                "Postgres knows an older stage of \(name) than this proxy; what is served stays, and the next command for it here writes it back"
            )
        }
        olderInStore = older
    }

    func publish() async {
        generation += 1
        // Clients first, the disk after.
        await server.update(
            Self.proxyModel(model, states, sides: sides, generation: generation, shadow: shadow, gaps: gaps))
        if !hasSuccessor { saveStates() }
    }

    func saveStates() { cache.save(states.values.sorted { $0.name < $1.name }) }

    static func proxyModel(
        _ model: TrafficModel, _ states: [String: ExtractionState], sides: [String: ExtractionState]? = nil,
        generation: Int, shadow: ShadowRunner, gaps: LedgerGaps
    ) -> ProxyModel {
        let settings = model.shadow
        let names = model.slots.names
        return ProxyModel(
            snapshot: model.snapshot(of: states, sides: sides, generation: generation), upstreams: model.upstreams,
            settings: model.settings
        ) {
            ExchangeHandoff(
                shadow: { shadow.accept($0, under: settings) },
                admits: shadow.admission(under: settings), leftOut: shadow.sampling(under: settings),
                checks: shadow.checking(under: settings), intend: shadow.intending(under: settings),
                withdraw: { shadow.withdraw($0) },
                unrecorded: { slot, _, _, reason, isServed in
                    gaps.note(extraction: names[slot], reason: reason, isServed: isServed)
                })
        }
    }

    // MARK: Commands

    private static let retryPause = Duration.milliseconds(200)

    func perform(
        _ command: StageCommand, on name: String, force: Bool, atOnce: Bool = false, reason: String?, actor: String
    ) async throws(Failure) -> ExtractionState {
        let asked = Asked(by: actor, reason: reason, force: force, atOnce: atOnce)
        for isLast in [false, false, true] {
            let (definition, state) = try find(name)
            do throws(Failure) {
                return try await carryOut(command, definition, state, asked)
            } catch {
                let isMeantForAnyState = command == .rollback || command == .pause
                let target = command == .rollback ? ExtractionMachine.rollbackTarget(of: state, atOnce: atOnce) : nil
                if case .storeUnavailable = error, isMeantForAnyState, !isLast {
                    // The first use of a connection that Postgres has closed; or the answer to a commit was lost.
                    try? await Task.sleep(for: Self.retryPause)
                    await readStages()
                    if let now = states[name], now.version > state.version {
                        let isDone =
                            command == .pause
                            ? now.hold != nil : now.stage == target && (!atOnce || now.flipsAtOnce)
                        if isDone { return now }
                        guard now.stage == state.stage else { throw error }
                    }
                    continue
                }
                guard case .conflict = error else { throw error }
                await readStages()
                // A ramp has moved in the same moment: what holds or goes back is meant for that weight too. Not where
                // somebody has gone back already: twice would be too far.
                guard isMeantForAnyState, let stage = states[name]?.stage, stage == state.stage, stage != target else {
                    throw error
                }
            }
        }
        let (definition, state) = try find(name)
        return try await carryOut(command, definition, state, asked)
    }

    private func carryOut(
        _ command: StageCommand, _ definition: ExtractionDefinition, _ state: ExtractionState, _ asked: Asked
    ) async throws(Failure) -> ExtractionState {
        let evidence = try await evidence(for: command, definition, state)
        let transition: StageTransition
        let now = store.clock.now
        do throws(Refusal) {
            transition = try ExtractionMachine.decide(
                command, state: state, definition: definition, evidence: evidence, asked: asked, now: now)
        } catch {
            throw .refused(error.reasons)
        }
        do {
            return try await apply(
                transition, actor: asked.actor, reason: asked.reason, evidence: evidence, at: now)
        } catch let conflict as StageConflict {
            throw .conflict(conflict.description)
        } catch {
            throw .storeUnavailable("\(error)")
        }
    }

    private func evidence(
        for command: StageCommand, _ definition: ExtractionDefinition, _ state: ExtractionState
    ) async throws(Failure) -> StageEvidence {
        // Nothing is asked of evidence to go back or to hold, and nobody waits for it then.
        if command == .rollback || command == .pause { return await recordedEvidence(for: definition, in: state) }
        await recorder.flush()
        return try await findings(for: definition, in: state).evidence
    }

    /// Stores a transition by compare-and-set, and brings it to every loop. A store that knows less than this proxy was
    /// restored from a backup, or is new: what is served stays as it is, and the transition writes the known state back
    /// over it. Otherwise no command, not even a rollback, would ever be accepted again.
    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at now: Date
    ) async throws -> ExtractionState {
        let store = try store.connected()
        let changed: ExtractionState
        do {
            changed = try await store.apply(transition, actor: actor, reason: reason, evidence: evidence, at: now)
        } catch let conflict as StageConflict where conflict.found < transition.from.version {
            let over = StageTransition(
                action: transition.action, from: transition.from.at(version: conflict.found), to: transition.to,
                forced: transition.forced)
            let why = "(Postgres knew version \(conflict.found), this proxy \(transition.from.version)) \(reason ?? "")"
            changed = try await store.apply(over, actor: actor, reason: why, evidence: evidence, at: now)
        }
        await adopt([changed])
        let forced = transition.forced ? " (forced)" : ""
        logger.notice(
            "\(changed.name): \(transition.action) by \(actor): \(transition.from.point.said) → \(changed.point.said)\(forced)\(reason.map { ": " + $0 } ?? "")"
        )
        return changed
    }

    func find(_ name: String) throws(Failure) -> (ExtractionDefinition, ExtractionState) {
        guard let definition = model.definitions.first(where: { $0.name == name }), let state = states[name] else {
            throw .unknownExtraction(known: model.definitions.map(\.name))
        }
        return (definition, state)
    }
}

extension ExtractionState {
    fileprivate func at(version: Int64) -> ExtractionState {
        ExtractionState(
            name: name, stage: stage, weights: weights, since: since, version: version,
            windowStartedAt: windowStartedAt, isRamping: isRamping, hold: hold, bakingSince: bakingSince,
            flipsAtOnce: flipsAtOnce)
    }
}

extension StagePoint {
    /// `cutover 25%`.
    var said: String { "\(stage.rawValue) \(weights)" }
}
