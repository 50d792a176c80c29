package import Extraction
package import Foundation
import PostgresClient

/// What one running proxy says about itself.
package struct Replica: Sendable, Equatable {
    /// Which state of an extraction it serves.
    package struct ServedState: Sendable, Codable, Equatable {
        package var version: Int64
        /// Nil for a stage that only a newer version knows.
        package var stage: Stage?
        /// As people read it: `25%`, or `25% of reads, 5% of writes`.
        package var weight: String
        /// Writes that the other side has not got yet.
        package var backlog: Int
        /// Of its ledger; nil, here and below, from a version before it. The spools that it holds, its own and those of
        /// processes that are gone.
        package var spools: [String]?
        package var toMonolith: Owed?
        package var toService: Owed?
        /// Writes whose primary has not answered yet.
        package var underWay: Int?
        /// Deliveries that wait for a circuit breaker, or for an identity.
        package var paused: Int?
        /// Bytes of its spools, of all extractions, that Postgres has not got yet.
        package var undrained: Int?
        /// Writes that could not be on record, since it was started, by reason: refused, and sent to their primary alone.
        package var refusedWrites: [String: Int]?
        package var unrecordedWrites: [String: Int]?
        /// Pairs of names that contradicted known ones, since it was started.
        package var identityConflicts: Int?
        /// Of the service, over its event loops: circuit breakers that are not closed.
        package var openBreakers: Int
        /// The monolith does not answer it: by health check, or circuit breaker.
        package var isMonolithFailing: Bool

        /// Writes that a side has not got yet, and for how long the oldest of them has waited.
        package struct Owed: Sendable, Codable, Equatable {
            package var writes: Int
            package var seconds: Double

            package init(writes: Int, seconds: Double) {
                self.writes = writes
                self.seconds = seconds
            }
        }

        package init(
            version: Int64, stage: Stage?, weight: String, backlog: Int = 0, openBreakers: Int = 0,
            isMonolithFailing: Bool = false
        ) {
            self.version = version
            self.stage = stage
            self.weight = weight
            self.backlog = backlog
            self.openBreakers = openBreakers
            self.isMonolithFailing = isMonolithFailing
        }

        /// Reads what other versions wrote too.
        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            version = try fields.decodeIfPresent(Int64.self, forKey: .version) ?? 0
            stage = try fields.decodeIfPresent(String.self, forKey: .stage).flatMap(Stage.init)
            weight = try fields.decodeIfPresent(String.self, forKey: .weight) ?? ""
            backlog = try fields.decodeIfPresent(Int.self, forKey: .backlog) ?? 0
            spools = try? fields.decodeIfPresent([String].self, forKey: .spools)
            toMonolith = try? fields.decodeIfPresent(Owed.self, forKey: .toMonolith)
            toService = try? fields.decodeIfPresent(Owed.self, forKey: .toService)
            underWay = try fields.decodeIfPresent(Int.self, forKey: .underWay)
            paused = try fields.decodeIfPresent(Int.self, forKey: .paused)
            undrained = try fields.decodeIfPresent(Int.self, forKey: .undrained)
            refusedWrites = try? fields.decodeIfPresent([String: Int].self, forKey: .refusedWrites)
            unrecordedWrites = try? fields.decodeIfPresent([String: Int].self, forKey: .unrecordedWrites)
            identityConflicts = try? fields.decodeIfPresent(Int.self, forKey: .identityConflicts)
            openBreakers = try fields.decodeIfPresent(Int.self, forKey: .openBreakers) ?? 0
            isMonolithFailing = try fields.decodeIfPresent(Bool.self, forKey: .isMonolithFailing) ?? false
        }
    }

    /// Made anew by each process.
    package var id: String
    package var host: String
    package var process: Int
    /// Of the program.
    package var version: String
    package var startedAt: Date
    /// By the database's clock; nil in what has not come from the store.
    package var beatAt: Date?
    /// When it said goodbye.
    package var stoppedAt: Date?
    /// By name.
    package var extractions: [String: ServedState]
    /// The Postgres backend through which it holds the guard's lease, while it does.
    package var guardBackend: Int?
    /// Seconds since the last beat when it was read, by the database's clock, so that hosts need not agree on the time.
    package var age: Double?

    package init(
        id: String, host: String, process: Int, version: String, startedAt: Date, beatAt: Date? = nil,
        stoppedAt: Date? = nil, extractions: [String: ServedState] = [:], guardBackend: Int? = nil,
        age: Double? = nil
    ) {
        self.id = id
        self.host = host
        self.process = process
        self.version = version
        self.startedAt = startedAt
        self.beatAt = beatAt
        self.stoppedAt = stoppedAt
        self.extractions = extractions
        self.guardBackend = guardBackend
        self.age = age
    }
}

extension PostgresStore {
    private static let replicaLimit = 1_000

    /// Says that this replica lives, and what it serves. Its `beatAt`, `stoppedAt` and `age` are not looked at: one that
    /// beats has not stopped.
    /// - Returns: the database's time.
    @discardableResult
    package func beat(_ replica: Replica) async throws -> Date {
        let rows = try await control.query(
            """
            INSERT INTO strangler.replicas
                (id, host, process, version, started_at, beat_at, extractions, guard_backend)
            VALUES ($1, $2, $3, $4, $5, now(), $6, $7)
            ON CONFLICT (id) DO UPDATE SET
                host = excluded.host, process = excluded.process, version = excluded.version,
                started_at = excluded.started_at, beat_at = excluded.beat_at, stopped_at = NULL,
                extractions = excluded.extractions, guard_backend = excluded.guard_backend
            RETURNING beat_at
            """,
            [
                .text(KeyText.reason(replica.id)), .text(KeyText.reason(replica.host)), .int(replica.process),
                .text(KeyText.reason(replica.version)), .timestamp(replica.startedAt),
                .text(try StoredJSON.text(replica.extractions)), replica.guardBackend.map { .int($0) } ?? .null,
            ])
        guard let row = rows.first else { throw PostgresError(.decoding, "no time of a beat") }
        return try row.timestamp("beat_at")
    }

    /// All that have not been forgotten, in the order in which they were started.
    package func replicas() async throws -> [Replica] {
        try await control.query(
            """
            SELECT *, greatest(0, extract(epoch FROM now() - beat_at))::float8 AS age FROM (
                SELECT * FROM strangler.replicas ORDER BY beat_at DESC LIMIT $1
            ) AS newest ORDER BY started_at, id
            """, [.int(Self.replicaLimit)]
        ).map { row in
            let served = try row.text("extractions")
            return Replica(
                id: try row.text("id"), host: try row.text("host"), process: try row.int("process"),
                version: try row.text("version"), startedAt: try row.timestamp("started_at"),
                beatAt: try row.timestamp("beat_at"), stoppedAt: try row.optionalTimestamp("stopped_at"),
                // Of another version, perhaps: better a replica that serves nothing we know than none.
                extractions: (try? StoredJSON.value([String: Replica.ServedState].self, served)) ?? [:],
                guardBackend: try row.optionalText("guard_backend").flatMap { Int($0) }, age: try row.double("age"))
        }
    }

    /// A replica has handed over all its evidence and ends. False if nobody knows it.
    @discardableResult
    package func signOff(id: String) async throws -> Bool {
        try await control.query(
            "UPDATE strangler.replicas SET stopped_at = now(), guard_backend = NULL WHERE id = $1",
            [.text(KeyText.reason(id))]
        ).affected > 0
    }

    /// Those that were heard of last longer ago than this, in seconds by the database's clock.
    /// - Returns: how many.
    @discardableResult
    package func forgetReplicas(olderThan seconds: Double) async throws -> Int {
        try await forgetReplicas(olderThan: seconds, on: control)
    }

    @discardableResult
    func forgetReplicas(olderThan seconds: Double, on pool: PostgresPool) async throws -> Int {
        try await pool.query(
            "DELETE FROM strangler.replicas WHERE beat_at < now() - make_interval(secs => $1)",
            [.double(max(0, seconds))]
        ).affected
    }
}
