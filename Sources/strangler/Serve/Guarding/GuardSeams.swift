import Extraction
import Foundation
import PostgresClient
import PostgresStore

// What the guard's loop asks of others, so that a test can put time and Postgres in between.

/// Where it reads, and who else might.
protocol GuardStore: StageStore, AnyObject {
    func guardSpan(extraction: String, since: Date) async throws -> GuardEvidence.Span
    func replicas() async throws -> [Replica]
    func guardedWrites(extraction: String, since: Date, held: Set<String>) async throws -> GuardedWrites
    func record(_ loss: ReplicaLoss) async throws
    func forgetReplicas(olderThan seconds: Double) async throws -> Int
    func lease() -> any GuardLease
}

extension PostgresStore: GuardStore {
    func record(_ loss: ReplicaLoss) async throws {
        try await recordGap(began: loss.began, ended: loss.ended, replica: loss.replica, reason: loss.reason)
    }

    func lease() -> any GuardLease { guardLease() }
}

/// The right to judge for all replicas, while it lasts.
protocol GuardLease: Sendable {
    /// The Postgres backend that holds it here.
    var backend: Int? { get async }
    func tryAcquire() async throws(PostgresError) -> Bool
    func isHeld() async -> Bool
    func release() async
    /// Takes it away from a process that hangs.
    func terminate(backend other: Int) async throws(PostgresError) -> Bool
}

extension PostgresLease: GuardLease {}

/// What it asks of the process that it runs in.
protocol GuardedStages: Sendable {
    var definitions: [ExtractionDefinition] { get async }
    func state(of name: String) async -> ExtractionState?
    func adopt(_ found: [ExtractionState]) async
    /// Brings this process's own evidence to Postgres.
    /// - Returns: whether nothing is left.
    func flush() async -> Bool
    func recordedEvidence(for definition: ExtractionDefinition, in state: ExtractionState) async -> StageEvidence
    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState
    /// Tells the others which backend holds the lock here; nil: none does.
    func holdsGuard(backend: Int?) async
}
