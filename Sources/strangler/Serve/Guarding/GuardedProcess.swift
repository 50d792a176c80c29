import Extraction
import Foundation
import PostgresStore
import ShadowRunner

/// The process that a guard's loop runs in.
struct GuardedProcess: GuardedStages {
    let keeper: StageKeeper
    let registry: ReplicaRegistry
    let recorder: EvidenceRecorder

    var definitions: [ExtractionDefinition] { get async { await keeper.model.definitions } }

    func state(of name: String) async -> ExtractionState? { await keeper.states[name] }

    func adopt(_ found: [ExtractionState]) async { await keeper.adopt(found) }

    func flush() async -> Bool { await recorder.flush() }

    func recordedEvidence(for definition: ExtractionDefinition, in state: ExtractionState) async -> StageEvidence {
        await keeper.recordedEvidence(for: definition, in: state)
    }

    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState {
        try await keeper.apply(transition, actor: actor, reason: reason, evidence: evidence, at: at)
    }

    func holdsGuard(backend: Int?) async { await registry.holdsGuard(backend: backend) }
}
