import Comparison
import Foundation
package import Logging
package import PostgresClient
import Synchronization

/// Everything that Strangler keeps in Postgres: stages with their history, and the evidence.
///
/// Every call is one transaction, or one statement, and throws one `PostgresError` at once when Postgres is away;
/// the connections come back by themselves. Callers keep serving on what they last knew.
package final class PostgresStore: Sendable {
    /// For evidence and the questions about it.
    let pool: PostgresPool
    /// For what must never wait behind evidence: stages, heartbeats, waivers. Short time-outs.
    let control: PostgresPool
    /// For what comes out of the spools, and the questions about it.
    let ledger: PostgresPool
    /// For the guard, which must not wait behind anybody's questions.
    let guarding: PostgresPool
    /// For what is deleted and merged now and then.
    let housekeeping: PostgresPool
    let logger: Logger
    /// Recorded pairs kept per mismatch group.
    let exampleLimit: Int
    /// Groups of mismatches kept per extraction.
    let groupLimit: Int
    /// Fields per endpoint, side and day of which noise is kept; twice as many if twins have shown them.
    let noiseFieldLimit: Int
    let retention: Retention
    private let connectionString: String
    let house = Mutex(House())
    /// Why, by name, for what was left out when stages were last loaded.
    let unreadableStages = Mutex<[String: String]>([:])

    /// Does not connect yet. Eight connections at most: two for evidence and two for the ledger, so that a batch and a
    /// question do not wait for each other, two for what changes stages and tells of replicas, one for the guard, one to
    /// keep house.
    package init(
        _ connectionString: String, exampleLimit: Int = 20, groupLimit: Int = 10_000,
        noiseFieldLimit: Int = NoiseTally.maximumFields, retention: Retention = Retention(), logger: Logger
    ) {
        self.connectionString = connectionString
        self.exampleLimit = max(0, exampleLimit)
        self.groupLimit = max(0, groupLimit)
        self.noiseFieldLimit = max(0, noiseFieldLimit)
        self.retention = retention
        self.logger = logger
        pool = PostgresPool(connectionString, size: 2)
        control = PostgresPool(connectionString, size: 2, options: .brief)
        ledger = PostgresPool(connectionString, size: 2)
        guarding = PostgresPool(connectionString, size: 1)
        housekeeping = PostgresPool(connectionString, size: 1)
    }

    /// Creates or updates the schema. To be called before anything else.
    package func migrate() async throws {
        try await Migrator(logger: logger).migrate(connectionString)
    }

    /// Whether Postgres answers now; for a readiness check.
    package func ping() async throws {
        try await control.query("SELECT 1")
    }

    package func close() async {
        house.withLock { $0.task?.cancel() }
        await pool.close()
        await control.close()
        await ledger.close()
        await guarding.close()
        await housekeeping.close()
    }
}

// Connections of their own, to the same database.
extension PostgresStore {
    /// The number of the guard's lock; ASCII "strguard".
    private static let guardKey: Int64 = 0x7374_7267_7561_7264

    /// Of whom runs the guard: one replica at a time. Does not connect yet.
    package func guardLease() -> PostgresLease { PostgresLease(connectionString, key: Self.guardKey) }

    /// Names of extractions whose state somebody has changed, as they change.
    package func stageChanges() -> AsyncStream<PostgresListener.Event> {
        PostgresListener.events(connectionString, channel: "strangler_stage")
    }
}
