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
    private let store: StoreLink
    private let recorder: EvidenceRecorder
    private let server: ProxyServer
    private let shadow: ShadowRunner
    private let cache: StateCache
    private let logger: Logger

    init(
        model: TrafficModel, states: [String: ExtractionState], generation: Int, store: StoreLink,
        recorder: EvidenceRecorder,
        server: ProxyServer, shadow: ShadowRunner, cache: StateCache, logger: Logger
    ) {
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

    /// Reads the stages from Postgres every second until the task is cancelled. (LISTEN/NOTIFY, which is sent with each
    /// change, will make this the safety net.)
    func follow() async {
        while !Task.isCancelled {
            await readStages()
            let wait: Duration = isFollowing ? .seconds(1) : .milliseconds(100)
            guard (try? await Task.sleep(for: wait)) != nil else { break }
        }
    }

    private func readStages() async {
        do {
            let known = try await store.connected().load()
            if !isFollowing { logger.notice("Postgres is connected, stages are followed") }
            isFollowing = true
            knowsStages = true
            await adopt(known)
            noteOlder(known)
        } catch is StoreLink.Unavailable {
            return  // the link says why, once
        } catch {
            if isFollowing {
                logger.error(
                    "Postgres is away: \(error); serving goes on with the last known stages, which cannot change")
            }
            isFollowing = false
        }
    }

    /// Versions only go up: what a slow query read is not taken back over what a command has just changed.
    private func adopt(_ found: [ExtractionState]) async {
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
        self.model = model
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

    private func publish() async {
        cache.save(states.values.sorted { $0.name < $1.name })
        generation += 1
        await server.update(
            Self.proxyModel(model, states, generation: generation, shadow: shadow))
    }

    static func proxyModel(
        _ model: TrafficModel, _ states: [String: ExtractionState], generation: Int, shadow: ShadowRunner
    ) -> ProxyModel {
        let settings = model.shadow
        return ProxyModel(
            snapshot: model.snapshot(of: states, generation: generation), upstreams: model.upstreams,
            settings: model.settings
        ) {
            ExchangeHandoff(
                shadow: { shadow.accept($0, under: settings) },
                admits: shadow.admission(under: settings), leftOut: shadow.sampling(under: settings),
                checks: shadow.checking(under: settings))
        }
    }

    // MARK: Commands

    func perform(
        _ command: StageCommand, on name: String, force: Bool, reason: String?, actor: String
    ) async throws(Failure) -> ExtractionState {
        let (definition, state) = try find(name)
        await recorder.flush()
        let evidence = try await findings(for: definition, in: state).evidence
        let transition: StageTransition
        let now = Date()
        do throws(Refusal) {
            transition = try ExtractionMachine.decide(
                command, state: state, definition: definition, evidence: evidence,
                asked: Asked(by: actor, reason: reason, force: force), now: now)
        } catch {
            throw .refused(error.reasons)
        }
        do {
            let changed = try await apply(transition, actor: actor, reason: reason, evidence: evidence, at: now)
            await adopt([changed])
            logger.notice(
                "\(name): \(transition.action) by \(actor): \(transition.from.stage) \(transition.from.weight) → \(changed.stage) \(changed.weight)\(transition.forced ? " (forced)" : "")"
            )
            return changed
        } catch let conflict as StageConflict {
            throw .conflict(conflict.description)
        } catch {
            throw .storeUnavailable("\(error)")
        }
    }

    /// Compare-and-set. A store that knows less than this proxy was restored from a backup, or is new: what is served
    /// stays as it is, and the command writes the known state back over it. Otherwise no command, not even a rollback,
    /// would ever be accepted again.
    private func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at now: Date
    ) async throws -> ExtractionState {
        let store = try store.connected()
        do {
            return try await store.apply(transition, actor: actor, reason: reason, evidence: evidence, at: now)
        } catch let conflict as StageConflict where conflict.found < transition.from.version {
            let known = transition.from
            let from = ExtractionState(
                name: known.name, stage: known.stage, weights: known.weights, since: known.since,
                version: conflict.found, windowStartedAt: known.windowStartedAt, isRamping: known.isRamping,
                hold: known.hold, bakingSince: known.bakingSince)
            let over = StageTransition(
                action: transition.action, from: from, to: transition.to, forced: transition.forced)
            let why = "(Postgres knew version \(conflict.found), this proxy \(transition.from.version)) \(reason ?? "")"
            return try await store.apply(over, actor: actor, reason: why, evidence: evidence, at: now)
        }
    }

    func find(_ name: String) throws(Failure) -> (ExtractionDefinition, ExtractionState) {
        guard let definition = model.definitions.first(where: { $0.name == name }), let state = states[name] else {
            throw .unknownExtraction(known: model.definitions.map(\.name))
        }
        return (definition, state)
    }

    // MARK: Evidence

    /// What is known about an extraction since its present stage was entered: in full, for people, and boiled down to what
    /// gates look at.
    struct Findings {
        let verdicts: VerdictSummary
        let fallbacks: FallbackSummary
        let evidence: StageEvidence
        let conformance: [ConformanceReport]
    }

    func findings(
        for definition: ExtractionDefinition, in state: ExtractionState
    ) async throws(Failure) -> Findings {
        let backlog = await shadow.undeliveredWrites()
        let index = model.slots.slot(of: definition.name) ?? 0
        let services = model.upstreams.services
        // The data plane's own check: a gate that opens on it opens to a service that is in use.
        let service = services.indices.contains(index) ? services[index] : nil
        let isHealthy: Bool? = if let service { await server.checkNow(service) } else { nil }
        do {
            let store = try store.connected()
            let verdicts = try await store.verdictSummary(extraction: definition.name, since: state.since)
            let fallbacks = try await store.fallbackSummary(
                extraction: definition.name, since: state.windowStartedAt ?? state.since)
            let regressed = try await store.groups(extraction: definition.name).count { $0.state == .regressed }
            let conformance = try await model.conformance(of: definition.name, in: store)
            let evidence = StageEvidence(
                serviceHealthy: isHealthy, compared: verdicts.total.compared, match: verdicts.total.match,
                mismatch: verdicts.total.mismatch, accepted: verdicts.total.accepted, regressedGroups: regressed,
                writeBacklog: index < backlog.count ? backlog[index] : 0,
                fellBackTotal: fallbacks.total, lastFellBackAt: fallbacks.lastAt,
                contractProblems: model.contractProblems(of: definition.name),
                endpoints: verdicts.endpoints.sorted { $0.key < $1.key }.map { EndpointEvidence($0.key, $0.value) },
                conformance: conformance.filter(\.isListed).map(\.evidence))
            return Findings(verdicts: verdicts, fallbacks: fallbacks, evidence: evidence, conformance: conformance)
        } catch {
            throw .storeUnavailable("\(error)")
        }
    }

    func gate(for definition: ExtractionDefinition, in state: ExtractionState, evidence: StageEvidence) -> Gate {
        ExtractionMachine.gate(state: state, definition: definition, evidence: evidence, now: Date())
    }
}

extension EndpointEvidence {
    init(_ endpoint: String, _ counts: VerdictCounts) {
        var notCompared = counts.notCompared
        for reason in [NotComparedReason.shed, .notSampled] { notCompared[reason.rawValue] = nil }
        self.init(
            endpoint: endpoint, compared: counts.compared, differing: counts.mismatch - counts.accepted,
            accepted: counts.accepted, shadowFailed: counts.shadowFailed, shed: counts.shed, notCompared: notCompared)
    }
}
