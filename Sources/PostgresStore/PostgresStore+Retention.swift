package import Foundation
import Logging
import PostgresClient
import Synchronization

/// How many days things are kept, each at least 1.
package struct Retention: Sendable, Equatable {
    package var examples: Int
    /// Verdicts, fallbacks, latencies, traffic, hits of rules, losses, gaps, and groups that nobody decided about.
    package var counters: Int
    package var noise: Int
    /// Writes that have come to their end.
    package var writes: Int

    package init(examples: Int = 30, counters: Int = 400, noise: Int = 30, writes: Int = 45) {
        self.examples = max(1, examples)
        self.counters = max(1, counters)
        self.noise = max(1, noise)
        self.writes = max(1, writes)
    }
}

// Partitions come and go, and what is old goes.
//
// To drop a partition, Postgres locks its table and the groups that the foreign key leads to against everybody; to attach
// one, the groups against writers. A flush holds weaker locks on both, groups first, for as long as its transaction
// takes, its COPY among it. So both wait for running flushes, and later flushes wait behind them: never longer than
// `patience`. What does not get its locks within that is left for the next time.
extension PostgresStore {
    private static let patience = "SET LOCAL lock_timeout = '500ms'"
    /// Days by the database's clock.
    private static let replicasKept = 30.0
    private static let betweenHousekeeping: TimeInterval = 3600
    private static let afterFailure: TimeInterval = 300
    private static let partitionPrefix = "mismatch_examples_"
    /// Rows that one statement deletes or merges, so that none takes long; the rest is for the next statement.
    static let rowsAtOnce = 20_000
    private static let statementsAtOnce = 25

    /// Deletes what is older than its retention, merges old minutes into hours (latencies after a day, traffic after two),
    /// and makes the partitions of today and tomorrow. Every hour `record` has it done.
    /// - Throws: the first failure, when everything else was done; each is logged.
    package func dropExpired(now: Date) async throws {
        var failure: (any Error)?
        func attempt(_ part: String, _ work: () async throws -> Void) async {
            // Nobody answers: nor will they for the rest.
            let code = (failure as? PostgresError)?.code
            guard !Task.isCancelled, code != .refused, code != .closed else { return }
            do {
                try await work()
            } catch {
                failure = failure ?? error
                if !Task.isCancelled { logger.warning("keeping house failed at \(part): \(error)") }
            }
        }
        func before(_ days: Int) -> [PostgresValue] {
            [.timestamp(now.addingTimeInterval(-Double(days) * UTCDay.length))]
        }
        func delete(_ table: String, where condition: String, days: Int, lock: String = "") async {
            await attempt(table) {
                try await repeatWhileFull(Self.deletion(table, where: condition, lock: lock), before(days))
            }
        }
        for day in [now, now.addingTimeInterval(UTCDay.length)].map(UTCDay.text) {
            await attempt("the partition of \(day)") { try await createPartition(day, on: housekeeping) }
        }
        await attempt("old partitions") {
            for partition in try await expiredPartitions(now: now) { try await drop(partition) }
        }
        for table in [
            "verdict_counts", "fallback_counts", "fallback_endpoints", "latency_histograms", "traffic_counts",
        ] {
            await delete(table, where: "bucket < $1", days: retention.counters)
        }
        let ofDays = "day < ($1::timestamptz AT TIME ZONE 'UTC')::date"
        for table in ["rule_hits", "evidence_losses"] { await delete(table, where: ofDays, days: retention.counters) }
        await attempt("replicas") {
            try await forgetReplicas(olderThan: Self.replicasKept * UTCDay.length, on: housekeeping)
        }
        await delete("evidence_gaps", where: "ended < $1", days: retention.counters)
        await delete("contract_conformance", where: "last_at < $1", days: retention.counters)
        await delete(
            "mismatch_groups", where: "last_seen < $1 AND state = 'new'", days: retention.counters,
            lock: "FOR UPDATE SKIP LOCKED")
        await delete("noise_counts", where: ofDays, days: retention.noise)
        await attempt("writes") { try await repeatWhileFull(Self.deletionOfWrites, before(retention.writes)) }
        await attempt("minutes of latencies") { try await repeatWhileFull(Self.mergeLatencies, before(1)) }
        await attempt("minutes of traffic") { try await repeatWhileFull(Self.mergeTraffic, before(2)) }
        if let failure { throw failure }
    }

    /// When it is done next, and by whom it is being done.
    struct House {
        var next = Date.distantPast
        var task: Task<Void, Never>?
        var isBusy = false
    }

    /// Once an hour, begun by whatever flush comes first in this process, which does not wait for it; one at a time.
    func keepHouse(now: Date) {
        house.withLock { house in
            guard now >= house.next, !house.isBusy else { return }
            house.next = now.addingTimeInterval(Self.betweenHousekeeping)
            house.isBusy = true
            house.task = Task(priority: .utility) {
                let isDone = (try? await self.dropExpired(now: now)) != nil
                self.house.withLock {
                    if !isDone { $0.next = now.addingTimeInterval(Self.afterFailure) }
                    $0.isBusy = false
                }
            }
        }
    }

    /// Waits until what a flush has begun is done.
    func houseIsKept() async {
        await house.withLock { $0.task }?.value
    }

    /// The rows whose partition is there, or could be made. Those older than the retention, or more than a day ahead,
    /// have none.
    func withPartitions(_ rows: [ExampleRow], now: Date) async throws -> [ExampleRow] {
        guard !rows.isEmpty else { return [] }
        let oldest = UTCDay.text(oldestExample(now: now))
        let newest = UTCDay.text(now.addingTimeInterval(UTCDay.length))
        let byDay = Dictionary(grouping: rows.indices) { UTCDay.text(rows[$0].at) }
        var usable: [Int] = []
        for (day, positions) in byDay.sorted(by: { $0.key < $1.key }) where day >= oldest && day <= newest {
            do {
                try await createPartition(day, on: pool)
                usable += positions
            } catch let error as PostgresError where error.sqlState != nil {
                logger.warning("examples of \(day) are left out, their partition cannot be made: \(error)")
            }
        }
        return usable.sorted().map { rows[$0] }
    }

    private func createPartition(_ day: String, on pool: PostgresPool) async throws {
        // Almost always there, which is seen without a lock.
        let known = try await pool.query(
            """
            SELECT FROM pg_inherits
            WHERE inhparent = 'strangler.mismatch_examples'::regclass AND inhrelid = to_regclass('strangler.' || $1)
            """, [.text(Self.partition(of: day))])
        guard known.affected == 0 else { return }
        try await pool.transaction { connection in
            try connection.query(Self.patience)
            try connection.query("SELECT strangler.create_example_partition($1::date)", [.text(day)])
        }
    }

    private func oldestExample(now: Date) -> Date {
        now.addingTimeInterval(-Double(retention.examples) * UTCDay.length)
    }

    /// Names of partitions sort like their days.
    private func expiredPartitions(now: Date) async throws -> [String] {
        try await housekeeping.query(
            """
            SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = 'strangler.mismatch_examples'::regclass
                AND relname ~ ('^' || $1 || '[0-9]{8}$') AND relname < $2 COLLATE "C" ORDER BY relname
            """,
            [.text(Self.partitionPrefix), .text(Self.partition(of: UTCDay.text(oldestExample(now: now))))]
        ).map { try $0.text("relname") }
    }

    /// - Parameter partition: from the catalogue, made of letters, digits and underscores only.
    private func drop(_ partition: String) async throws {
        try await housekeeping.transaction { connection in
            try connection.query(Self.patience)
            try connection.query("LOCK TABLE strangler.mismatch_groups IN ACCESS EXCLUSIVE MODE")
            try connection.query("LOCK TABLE strangler.mismatch_examples IN ACCESS EXCLUSIVE MODE")
            // Another replica may have been faster.
            try connection.query("DROP TABLE IF EXISTS strangler.\(partition)")
        }
        logger.info("examples of \(partition.suffix(8)) have expired")
    }

    private func repeatWhileFull(_ sql: String, _ parameters: [PostgresValue]) async throws {
        for _ in 0..<Self.statementsAtOnce {
            let affected = try await housekeeping.transaction { connection in
                try connection.query(Self.patience)
                return try connection.query(sql, parameters).first?.int("affected") ?? 0
            }
            if affected < Self.rowsAtOnce { return }
        }
    }

    private static func partition(of day: String) -> String {
        partitionPrefix + day.replacing("-", with: "")
    }

    /// Name by name, since the index by time has the extraction first.
    private static let deletionOfWrites = """
        WITH RECURSIVE names AS (
            (SELECT extraction FROM strangler.writes ORDER BY extraction LIMIT 1)
            UNION ALL
            SELECT (SELECT extraction FROM strangler.writes WHERE extraction > names.extraction
                ORDER BY extraction LIMIT 1)
            FROM names WHERE names.extraction IS NOT NULL
        ), gone AS (
            DELETE FROM strangler.writes WHERE state IN ('settled', 'refused') AND ctid = ANY (ARRAY(
                SELECT old.place FROM names CROSS JOIN LATERAL (
                    SELECT ctid AS place FROM strangler.writes
                    WHERE extraction = names.extraction AND received_at < $1 AND state IN ('settled', 'refused')
                    ORDER BY received_at LIMIT \(rowsAtOnce)
                ) AS old LIMIT \(rowsAtOnce)))
            RETURNING 1
        ) SELECT count(*) AS affected FROM gone
        """

    private static func deletion(_ table: String, where condition: String, lock: String = "") -> String {
        """
        WITH gone AS (
            DELETE FROM strangler.\(table) WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM strangler.\(table) WHERE \(condition) LIMIT \(rowsAtOnce) \(lock)))
            RETURNING 1
        ) SELECT count(*) AS affected FROM gone
        """
    }
}
