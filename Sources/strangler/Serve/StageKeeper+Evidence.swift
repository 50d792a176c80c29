import AdminAPI
import Extraction
import Foundation
import PostgresStore
import ProxyServer
import ShadowRunner

extension StageKeeper {
    /// What is known about an extraction since its present stage was entered: in full, for people, and boiled down to what
    /// gates look at.
    struct Findings {
        let verdicts: VerdictSummary
        let fallbacks: FallbackSummary
        let evidence: StageEvidence
        let conformance: [ConformanceReport]
        let dualWrite: DualWriteReport
    }

    /// Summed over all replicas: what they have counted is in Postgres a second later, this one's as of its last flush.
    func findings(
        for definition: ExtractionDefinition, in state: ExtractionState
    ) async throws(Failure) -> Findings {
        let isHealthy = await serviceHealth(of: definition.name)
        do {
            return try await gather(definition, state, isHealthy: isHealthy)
        } catch {
            throw .storeUnavailable("\(error)")
        }
    }

    /// For history, where nothing hangs on it: without asking the service, which may be what has failed, and without what
    /// cannot be had within the time.
    func recordedEvidence(
        for definition: ExtractionDefinition, in state: ExtractionState, within limit: Duration = .milliseconds(300)
    ) async -> StageEvidence {
        await value(within: limit) {
            try? await self.gather(definition, state, isHealthy: nil).evidence
        } ?? StageEvidence()
    }

    /// The data plane's own check: a gate that opens on it opens to a service that is in use.
    private func serviceHealth(of name: String) async -> Bool? {
        guard let slot = model.slots.slot(of: name) else { return nil }
        let services = model.upstreams.services
        guard services.indices.contains(slot), let service = services[slot] else { return nil }
        return await server.checkNow(service)
    }

    private func gather(
        _ definition: ExtractionDefinition, _ state: ExtractionState, isHealthy: Bool?
    ) async throws -> Findings {
        let store = try store.answering()
        let name = definition.name
        let verdicts = try await store.verdictSummary(extraction: name, since: state.since)
        let fallbacks = try await store.fallbackSummary(extraction: name, since: state.windowStartedAt ?? state.since)
        let regressed = try await store.regressedGroups(extraction: name)
        let asked = try await store.gateEvidence(extraction: name, since: state.since)
        let conformance = try await model.conformance(of: name, in: store)
        let others = try await store.replicas().filter { $0.id != replica }
        let stored = try await store.writeStanding(extraction: name)
        let evidence = StageEvidence(
            serviceHealthy: isHealthy, compared: verdicts.total.compared, match: verdicts.total.match,
            mismatch: verdicts.total.mismatch, accepted: verdicts.total.accepted, regressedGroups: regressed,
            writeBacklog: await backlog(of: name, beside: others, stored: stored), deadWrites: stored.dead,
            uncertainWrites: stored.uncertain,
            fellBackTotal: fallbacks.total, lastFellBackAt: fallbacks.lastAt,
            contractProblems: model.contractProblems(of: name),
            endpoints: EndpointEvidence.listed(asked, beside: model.listedEndpoints(of: name)),
            gaps: try await store.gaps(extraction: name, since: state.since),
            silentReplicas: others.filter(\.isSilent).map(\.id),
            conformance: conformance.filter(\.isListed).map(\.evidence))
        return Findings(
            verdicts: verdicts, fallbacks: fallbacks, evidence: evidence, conformance: conformance,
            dualWrite: await dualWrite(of: name, in: state, beside: others, stored: stored))
    }

    func gate(for definition: ExtractionDefinition, in state: ExtractionState, evidence: StageEvidence) -> Gate {
        ExtractionMachine.gate(state: state, definition: definition, evidence: evidence, now: store.clock.now)
    }
}

extension EndpointEvidence {
    /// What was asked for, and with zeros what the files list and nobody has asked for yet; by name.
    static func listed(_ asked: [EndpointEvidence], beside written: Set<String>) -> [EndpointEvidence] {
        let silent = written.subtracting(asked.map(\.endpoint)).map { EndpointEvidence(endpoint: $0) }
        return (asked + silent).sorted { $0.endpoint < $1.endpoint }
    }
}
