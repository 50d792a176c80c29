import AdminAPI
import Extraction
import Foundation
import PostgresStore

// Weights, ramp, hold, guard, waivers, replicas: what stands beside stage and gate.
extension ProxyBackend {
    /// As much of it as can be had; the rest is left out.
    func addMachine(
        to report: inout ExtractionReport, _ definition: ExtractionDefinition, _ state: ExtractionState,
        evidence: StageEvidence?
    ) async {
        let now = Date()
        report.weights = WeightsReport(state.weights)
        report.version = state.version
        report.hold = state.hold
        report.gaps = evidence?.gaps
        if let window = FallbackWindow(state: state, definition: definition, now: now) { report.fallback.add(window) }
        let judged = await guardRunner.report(of: definition.name)
        report.ramp = RampReport(state: state, definition: definition, findings: judged?.findings, now: now)
        if Ramp.isGuarded(state) {
            report.guard = GuardStatus(
                findings: judged?.findings, holder: judged?.holder, interval: definition.guardLimits.interval.inSeconds)
        }
        guard report.storeConnected, let store = try? store.connected() else { return }
        report.waivers = try? await store.waivers(extraction: definition.name).filter { $0.revokedAt == nil }.map {
            WaiverReport(subject: $0.subject, $0.waiver)
        }
        report.replicas = try? await replicas().filter { !$0.gone }.map { replica in
            var replica = replica
            replica.extractions = replica.extractions.filter { $0.key == definition.name }
            return replica
        }
    }

    func replicas() async throws(AdminError) -> [ReplicaReport] {
        let states = await keeper.states
        return try await asking { try await $0.replicas() }.filter { $0.stoppedAt == nil }.map { replica in
            ReplicaReport(replica, states: states, isCurrent: replica.id == keeper.replica)
        }
    }
}

extension ReplicaReport {
    init(_ replica: Replica, states: [String: ExtractionState], isCurrent: Bool) {
        let age = replica.age ?? 0
        self.init(
            id: replica.id, host: replica.host, process: replica.process, version: replica.version,
            startedAt: replica.startedAt, beatAt: replica.beatAt ?? replica.startedAt,
            age: (age * 10).rounded() / 10, silent: replica.isSilent, gone: replica.isGivenUp,
            guarding: replica.guardBackend != nil && replica.isBeating, current: isCurrent,
            extractions: replica.extractions.mapValues(with: states) { name, served in
                Served(
                    version: served.version, behind: served.version < states[name]?.version ?? 0,
                    backlog: served.backlog, openBreakers: served.openBreakers)
            })
    }
}

extension [String: Replica.ServedState] {
    fileprivate func mapValues(
        with states: [String: ExtractionState], _ body: (String, Replica.ServedState) -> ReplicaReport.Served
    ) -> [String: ReplicaReport.Served] {
        // What no file names any more is nobody's business.
        reduce(into: [:]) { result, entry in
            if states[entry.key] != nil { result[entry.key] = body(entry.key, entry.value) }
        }
    }
}
