import Comparison
import Extraction
import Foundation
import Logging
import ShadowSchema
import Testing

@testable import PostgresClient
@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct RetentionTests {
        static let key = EvidenceCounterTests.key

        /// Everything that can expire.
        static func batch(at: Date, path: String = "$.a") -> EvidenceBatch {
            var batch = ExampleStoreTests.batch([EvidenceStoreTests.record(path, at: at)])
            batch.count(VerdictKey(extraction: "orders", endpoint: EvidenceStoreTests.orders, verdict: .mismatch))
            batch.countFallback(
                FallbackKey(extraction: "orders", endpoint: "GET /orders/{id}", reason: "refused"), at: at)
            batch.countLatency(key, nanoseconds: 5_000_000)
            batch.countHidden(RuleKey(extraction: "orders", rule: "ignore $.b"), differences: 1, at: at)
            batch.addWithoutExample(EvidenceStoreTests.record(path).signature, at: at)
            batch.countNoise(
                NoiseScope(extraction: "orders", endpoint: EvidenceStoreTests.orders, side: .monolith),
                NoiseTally(compared: NoiseCount(twins: 1, pairs: 1)))
            return batch
        }

        @Test func `each kind of evidence goes when its time is over, not a day before`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(
                target, retention: Retention(examples: 3, counters: 10, noise: 5), logger: Logger(label: "test"))
            try await store.migrate()
            for day in 0..<13 {
                let at = EvidenceDay.day(Double(day) + 0.5)
                let path = "$.day\(day)"
                try await store.record(Self.batch(at: at, path: path), at: at)
                await store.houseIsKept()
                guard day == 1 else { continue }
                let decided = EvidenceStoreTests.record(path).signature.hex
                _ = try await store.setGroupState(decided, .accepted, actor: "ann", reason: nil, at: at)
            }
            let now = EvidenceDay.day(12.5)
            try await store.dropExpired(now: now)
            try await store.dropExpired(now: now)
            let connection = try await PostgresConnection.connect(target)
            // Of days 9 to 12; tomorrow's is made ahead.
            #expect(
                try await ExampleStoreTests.partitions(connection)
                    == ["20261130", "20261201", "20261202", "20261203", "20261204"])
            #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.mismatch == 11)
            #expect(try await store.fallbackSummary(extraction: "orders", since: nil).total == 11)
            #expect(try await store.latencies(extraction: "orders", since: nil)[Self.key]?.total == 11)
            #expect(try await store.ruleHits(extraction: "orders")["ignore $.b"]?.pairs == 11)
            #expect(try await store.losses(since: nil) == [.examplesDropped: 11])
            #expect(try await store.groups(extraction: "orders").count == 12)
            let days = try await connection.query("SELECT count(*) AS n FROM strangler.noise_counts")
            #expect(try days.first?.int("n") == 6)
            await store.close()
        }

        // 12:00 ── minutes ── stage entered at 12:30:15 ── minutes ── 13:00 ── minutes
        @Test func `minutes of latency become hours after a day, and the stage's beginning stays exact`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            let entered = EvidenceDay.start.addingTimeInterval(1815)
            _ = try await store.apply(
                StageStoreTests.transition(.initial(name: "orders", now: entered), to: .shadow, at: entered),
                actor: "ann", reason: nil, evidence: StageEvidence(), at: entered)
            for second in stride(from: 5.0, to: 5400, by: 30) {
                let at = EvidenceDay.start.addingTimeInterval(second)
                try await store.record(EvidenceCounterTests.batch { $0.countLatency(Self.key, nanoseconds: 1) }, at: at)
            }
            func totals() async throws -> [Int?] {
                var totals: [Int?] = []
                for since in [nil, entered, EvidenceDay.start.addingTimeInterval(3600)] {
                    totals.append(try await store.latencies(extraction: "orders", since: since)[Self.key]?.total)
                }
                return totals
            }
            #expect(try await totals() == [180, 119, 60])
            try await store.dropExpired(now: EvidenceDay.start.addingTimeInterval(5399 + UTCDay.length))
            #expect(try await totals() == [180, 119, 60])
            let buckets = try await connection.query(
                "SELECT bucket FROM strangler.latency_histograms ORDER BY bucket")
            #expect(
                try buckets.map { try $0.timestamp("bucket") }
                    == [EvidenceDay.start, entered, EvidenceDay.start.addingTimeInterval(3600)])
            await store.close()
        }

        @Test func `a reader in the way of a drop delays nobody for long; the next one drops`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            try await store.record(Self.batch(at: EvidenceDay.start), at: EvidenceDay.start)
            await store.houseIsKept()
            let later = EvidenceDay.day(40)
            try await connection.query("BEGIN")
            try await connection.query("SELECT count(*) FROM strangler.mismatch_examples")
            let error = await #expect(throws: PostgresError.self) { try await store.dropExpired(now: later) }
            #expect(error?.sqlState == "55P03")
            // Nor does one part that fails keep the others from being done.
            let old = EvidenceDay.day(-1000)
            try await store.record(EvidenceCounterTests.batch { $0.countLatency(Self.key, nanoseconds: 1) }, at: old)
            await store.houseIsKept()
            await #expect(throws: PostgresError.self) { try await store.dropExpired(now: later) }
            #expect(try await store.latencies(extraction: "orders", since: nil)[Self.key]?.total == 1)
            // What a flush begins fails too, but not the flush.
            try await store.record(Self.batch(at: later), at: later)
            await store.houseIsKept()
            #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.mismatch == 2)
            #expect(try await ExampleStoreTests.partitions(connection).contains("20261121"))
            try await connection.query("COMMIT")
            try await store.record(Self.batch(at: later.addingTimeInterval(1)), at: later.addingTimeInterval(301))
            await store.houseIsKept()
            #expect(try await !ExampleStoreTests.partitions(connection).contains("20261121"))
            await store.close()
        }
    }
}

extension OnRealPostgres.MigratorTests {
    @Test func `a database of version 002 keeps what is in it`() async throws {
        let target = try await TestServer.database()
        let logger = Logger(label: "test")
        try await Migrator(migrations: Array(migrations.prefix(2)), logger: logger).migrate(target)
        let connection = try await PostgresConnection.connect(target)
        let record = OnRealPostgres.EvidenceStoreTests.record(at: EvidenceDay.start)
        let hex = record.signature.hex
        try await connection.execute(
            script: """
                INSERT INTO strangler.verdict_counts VALUES ('orders', 'GET /', '2026-11-21Z', 'match', '', 7);
                INSERT INTO strangler.mismatch_groups VALUES ('\(hex)', 'orders', 'GET /', '[]', 'fixed', 3,
                    '2026-11-19Z', '2026-11-20Z', '2026-11-20 01:00Z', 'ann', 'deployed');
                INSERT INTO strangler.mismatch_examples (signature, at, differences, request, primary_answer,
                    shadow_answer)
                SELECT '\(hex)', at::timestamptz, '[]', '{"method":"GET","target":"/1.00","headers":[]}',
                    '{"status":200,"headers":[],"bodyBytes":0}', '{"status":500,"headers":[],"bodyBytes":0}'
                FROM unnest(ARRAY['2026-11-19 23:59:59.999999Z', '2026-11-20Z', '2026-11-20 00:30Z']) AS at;
                """)
        let store = PostgresStore(target, logger: logger)
        try await store.migrate()
        #expect(
            try await OnRealPostgres.ExampleStoreTests.partitions(connection) == ["20261119", "20261120"])
        let found = try #require(try await store.group(signaturePrefix: hex))
        #expect(found.examples.count == 3 && found.examples.first?.request.target == "/1.00")
        #expect(found.examples.first?.shadow.status == 500)
        #expect(
            try await store.groupHistory(hex) == [
                GroupChange(
                    at: EvidenceDay.day(-1).addingTimeInterval(3600), actor: "ann", from: nil, to: .fixed,
                    reason: "deployed")
            ])
        let coverage = try await store.coverage(extraction: "orders", since: nil)
        #expect(coverage.map(\.statusClasses.keys).map(Array.init) == [[0]] && coverage.first?.total.match == 7)
        // And goes on: new counts beside the old ones, new ids after them.
        var batch = OnRealPostgres.ExampleStoreTests.batch([record])
        batch.count(VerdictKey(extraction: "orders", endpoint: "GET /", verdict: .match))
        try await store.record(batch, at: EvidenceDay.start)
        #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.match == 8)
        #expect(try await store.groups(extraction: nil).map(\.state) == [.regressed])
        let ids = try await connection.query("SELECT id FROM strangler.mismatch_examples ORDER BY at")
        #expect(try ids.map { try $0.int("id") } == [1, 2, 3, 4])
        try await connection.execute(script: "DELETE FROM strangler.mismatch_groups")
        #expect(try await connection.query("SELECT FROM strangler.mismatch_examples").affected == 0)
        await store.close()
    }

    @Test func `a database of version 005 keeps its decisions, and they are known by extraction`() async throws {
        let target = try await TestServer.database()
        let logger = Logger(label: "test")
        try await Migrator(migrations: Array(migrations.prefix(5)), logger: logger).migrate(target)
        let connection = try await PostgresConnection.connect(target)
        let id = String(repeating: "0", count: 31) + "1"
        try await connection.execute(
            script: """
                INSERT INTO strangler.writes (id, extraction, endpoint, lane, sequence, spool, primary_side, state,
                    received_at)
                VALUES ('\(id)', 'orders', 'POST /orders', 1, 1, 'a', 'monolith', 'settled', now());
                INSERT INTO strangler.write_decisions (write_id, actor, decision, reason)
                VALUES ('\(id)', 'ann', 'settle', 'seen');
                """)
        let store = PostgresStore(target, logger: logger)
        try await store.migrate()
        let decisions = try await store.decisions(extraction: "orders", limit: 10)
        #expect(decisions.map(\.endpoint) == ["POST /orders"] && decisions.map(\.reason) == ["seen"])
        for statement in ["DELETE FROM", "UPDATE"] {
            let sql = "\(statement) strangler.write_decisions" + (statement == "UPDATE" ? " SET reason = 'x'" : "")
            await #expect(throws: PostgresError.self, "still append-only") { try await connection.query(sql) }
        }
        await store.close()
    }
}
