import AdminAPI
import Comparison
import Extraction
import Foundation
import PostgresStore
import ProxyConfiguration
import ProxyServer
import ShadowRunner

/// What the admin address asks of the running proxy.
struct ProxyBackend: AdminBackend {
    let keeper: StageKeeper
    let server: ProxyServer
    let shadow: ShadowRunner
    let recorder: EvidenceRecorder
    let configuration: ConfigurationKeeper
    let store: StoreLink
    let guardRunner: GuardRunner
    /// By extraction, whether its gate is open; for metrics.
    let gates = Kept<[String: Bool]>()
    let observed: ObservedTraffic
    var reconciling = ReconcileSeams()
    /// By extraction, what Postgres knows of writes; for metrics.
    let standings = Kept<[String: DualWriteReport]>()

    // MARK: Extractions

    func reports(name: String?) async throws(AdminError) -> [ExtractionReport] {
        await recorder.flush()
        let counters = await server.counters().counters
        let backlog = await shadow.undeliveredWrites()
        let model = await keeper.model
        let files = await configuration.report()
        var reports: [ExtractionReport] = []
        for definition in model.definitions {
            let index = model.slots.slot(of: definition.name) ?? 0
            guard name == nil || name == definition.name, let state = await keeper.states[definition.name] else {
                continue
            }
            let traffic = index < counters.extractions.count ? counters.extractions[index] : .init()
            var report = await report(definition, state, traffic, backlog: index < backlog.count ? backlog[index] : 0)
            report.configuration = files
            await addTraffic(to: &report, since: state.since)
            reports.append(report)
        }
        if let name, reports.isEmpty { throw unknown(name, known: model.definitions.map(\.name)) }
        return reports
    }

    /// With Postgres away, what is known without it: stage and weight go on being true.
    private func report(
        _ definition: ExtractionDefinition, _ state: ExtractionState, _ traffic: TrafficCounters.PerExtraction,
        backlog: Int
    ) async -> ExtractionReport {
        var gate = GateReport(
            next: state.stage.next, open: false, missing: ["Postgres cannot be reached, so the evidence is unknown"])
        var verdicts = VerdictSummary()
        var fallbacks = FallbackSummary()
        var conformance: [ConformanceReport] = []
        var evidence: StageEvidence?
        var dualWrite: DualWriteReport?
        var isConnected = false
        if let found = try? await keeper.findings(for: definition, in: state) {
            isConnected = true
            verdicts = found.verdicts
            fallbacks = found.fallbacks
            conformance = found.conformance
            evidence = found.evidence
            dualWrite = found.dualWrite
            gate = GateReport(await keeper.gate(for: definition, in: state, evidence: found.evidence))
        }
        let elapsed = state.windowStartedAt.map { Date().timeIntervalSince($0) } ?? 0
        var report = ExtractionReport(
            extraction: definition.name, stage: state.stage, weight: state.weight, since: state.since, gate: gate,
            shadow: VerdictReport(verdicts.total), backlog: evidence?.writeBacklog ?? backlog,
            fallback: FallbackReport(
                window: Int(definition.window.components.seconds), elapsed: Int(max(0, elapsed)),
                fellBack: fallbacks.total, lastFellBackAt: fallbacks.lastAt, byReason: fallbacks.byReason),
            owner: definition.owner, problem: definition.problem,
            endpoints: verdicts.endpoints.sorted { $0.key < $1.key }.map {
                EndpointReport(endpoint: $0.key, verdicts: VerdictReport($0.value))
            },
            storeConnected: isConnected,
            traffic: TrafficReport(monolith: traffic.toMonolith, service: traffic.toService))
        report.conformance = conformance.isEmpty ? nil : conformance
        report.fallback.byEndpoint = fallbacks.byEndpoint.filter { !$0.key.isEmpty }
        await addMachine(to: &report, definition, state, evidence: evidence)
        await addWrites(to: &report, definition, state, found: dualWrite)
        return report
    }

    func perform(
        _ request: CommandRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        var isUnchanged = false
        do throws(StageKeeper.Failure) {
            if request.command == .rollback, request.atOnce, try await isBackAlready(name) {
                isUnchanged = true
            } else if request.command == .rollback {
                try await rollBack(name, atOnce: request.atOnce, reason: request.reason, actor: actor)
            } else {
                _ = try await keeper.perform(
                    request.command, on: name, force: request.force, atOnce: request.atOnce, reason: request.reason,
                    actor: actor)
            }
        } catch {
            throw adminError(error, name: name)
        }
        if request.command == .retire { await storeRetireReport(of: name) }
        guard var report = try await reports(name: name).first else { throw unknown(name, known: []) }
        if isUnchanged { report.unchanged = ReportText.backAlready(name, report.stage) }
        return report
    }

    /// A rollback with `--now` has nothing to do: also not as Postgres has it, where somebody may just have moved traffic.
    private func isBackAlready(_ name: String) async throws(StageKeeper.Failure) -> Bool {
        guard ExtractionMachine.isBackAtOnce(try await keeper.find(name).1) else { return false }
        await keeper.readStages()
        guard await keeper.isFollowing, (try? store.connected()) != nil else {
            throw .storeUnavailable("whether traffic has been moved since is not known")
        }
        return ExtractionMachine.isBackAtOnce(try await keeper.find(name).1)
    }

    /// A rollback wins over whoever changes the extraction at the same time, the ramp above all; over another rollback it
    /// does not go further back.
    private func rollBack(
        _ name: String, atOnce: Bool, reason: String?, actor: String
    ) async throws(StageKeeper.Failure) {
        var target: Stage?
        var triesLeft = 10
        while true {
            let state = try await keeper.find(name).1
            if atOnce ? ExtractionMachine.isBackAtOnce(state) : target.map({ state.stage <= $0 }) ?? false { return }
            target = target ?? ExtractionMachine.rollbackTarget(of: state, atOnce: atOnce)
            do throws(StageKeeper.Failure) {
                _ = try await keeper.perform(
                    .rollback, on: name, force: false, atOnce: atOnce, reason: reason, actor: actor)
                return
            } catch {
                triesLeft -= 1
                guard case .conflict = error, triesLeft > 0 else { throw error }
            }
        }
    }

    func adminError(_ failure: StageKeeper.Failure, name: String) -> AdminError {
        switch failure {
        case .unknownExtraction(let known): unknown(name, known: known)
        case .refused(let reasons): AdminError(.refused, "\(name): refused", reasons: reasons)
        case .conflict(let what): AdminError(.conflict, what)
        case .storeUnavailable(let why): AdminError(.storeUnavailable, "Postgres cannot be reached: \(why)")
        }
    }

    func unknown(_ name: String, known: [String]) -> AdminError {
        AdminError(
            .notFound, "there is no extraction \(name)",
            reasons: known.isEmpty ? [] : ["known: " + known.joined(separator: ", ")])
    }

    func asking<Result: Sendable>(
        _ question: (PostgresStore) async throws -> Result
    ) async throws(AdminError) -> Result {
        do {
            return try await question(try store.answering())
        } catch let error as AmbiguousSignature {
            throw AdminError(.invalid, error.description)
        } catch let error as AdminError {
            throw error
        } catch let error as WaiverStands {
            throw AdminError(.refused, error.description)
        } catch {
            throw AdminError(.storeUnavailable, "Postgres cannot be reached: \(error)")
        }
    }

    // MARK: The process

    func configurationReport() async -> ConfigurationReport { await configuration.report() }

    func reload(actor: String) async throws(AdminError) -> ConfigurationReport {
        if case .refused(let errors) = await configuration.reload(because: "asked for by \(actor)") {
            throw AdminError(
                .refused, "the files cannot be loaded, and the running configuration stays", reasons: errors)
        }
        return await configuration.report()
    }

    func readiness() async -> Readiness {
        let isFollowing = await keeper.isFollowing
        let detail: String
        do throws(StoreLink.Unavailable) {
            _ = try store.connected()
            detail = isFollowing ? "connected" : "away; serving on the last known stages"
        } catch {
            detail = error.description
        }
        // Without Postgres the proxy serves, so it is ready; without ever having known the stages it is not.
        let knowsStages = await keeper.knowsStages
        let older = await keeper.olderInStore.sorted()
        return Readiness(
            ready: knowsStages,
            checks: [
                .init(
                    name: "stages", ok: knowsStages,
                    detail: knowsStages ? "known" : "never read: everything goes to the monolith"),
                .init(name: "postgres", ok: isFollowing, detail: detail),
                .init(
                    name: "stages-in-postgres", ok: older.isEmpty,
                    detail: older.isEmpty ? "as served" : "older than served: " + older.joined(separator: ", ")),
            ])
    }
}

extension VerdictReport {
    init(_ counts: VerdictCounts) {
        self.init(
            compared: counts.compared, match: counts.match, mismatch: counts.mismatch, accepted: counts.accepted,
            transient: counts.transient, primaryFailed: counts.primaryFailed, shadowFailed: counts.shadowFailed,
            notCompared: counts.notCompared)
    }
}
