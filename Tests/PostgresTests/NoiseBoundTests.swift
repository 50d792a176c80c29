import Comparison
import Foundation
import Testing

@testable import PostgresClient
@testable import PostgresStore

/// What is kept and read of fields where the primary may differ from itself, whatever names answers make up.
extension OnRealPostgres {
    @Suite struct NoiseBoundTests {
        static let now = EvidenceStoreTests.now

        static func scope(_ endpoint: String = "GET /map") -> NoiseScope {
            NoiseScope(extraction: "orders", endpoint: endpoint, side: .monolith)
        }

        static func batch(
            _ fields: Range<Int>, _ count: NoiseCount, endpoint: String = "GET /map"
        ) -> EvidenceBatch {
            let differing = fields.map { (GroupedDifference(path: "$.map.x\($0)", kind: .extra), count) }
            return EvidenceStoreTests.batch {
                $0.countNoise(
                    scope(endpoint),
                    NoiseTally(compared: count, differing: Dictionary(uniqueKeysWithValues: differing)))
            }
        }

        static func rows(_ connection: PostgresConnection) async throws -> Int {
            try await connection.query("SELECT count(*) AS n FROM strangler.noise_counts WHERE path <> ''")
                .first?.int("n") ?? 0
        }

        @Test func `a scope's day takes so many fields, first come, and those that twins show have room beside them`()
            async throws
        {
            let (store, connection) = try await EvidenceStoreTests.store()
            let limit = NoiseTally.maximumFields
            let onlyPairs = NoiseCount(twins: 0, pairs: 1)
            for round in 0..<4 {
                try await store.record(Self.batch(round * 150..<(round + 1) * 150, onlyPairs), at: Self.now)
            }
            #expect(try await Self.rows(connection) == limit)
            #expect(try await store.losses(since: nil) == [.noiseDropped: 600 - limit])
            // Those that are known go on being counted, and another endpoint and another day have their own.
            try await store.record(Self.batch(0..<150, onlyPairs), at: Self.now)
            try await store.record(Self.batch(0..<10, onlyPairs, endpoint: "GET /other"), at: Self.now)
            try await store.record(Self.batch(900..<910, onlyPairs), at: Self.now.addingTimeInterval(UTCDay.length))
            #expect(try await Self.rows(connection) == limit + 20)
            #expect(try await store.losses(since: nil) == [.noiseDropped: 600 - limit])
            let first = GroupedDifference(path: "$.map.x0", kind: .extra)
            let noise = try await store.noise(asOf: Self.now.addingTimeInterval(UTCDay.length))
            #expect(noise[Self.scope()]?.differing[first] == NoiseCount(twins: 0, pairs: 2))
            #expect(noise[Self.scope()]?.compared == NoiseCount(twins: 0, pairs: 6))
            // What twins show finds a place, and is read before the others, up to a limit of its own.
            try await store.record(Self.batch(5_000..<5_150, NoiseCount(twins: 1, pairs: 0)), at: Self.now)
            let learned = try await store.noise(asOf: Self.now)[Self.scope()]?.differing ?? [:]
            #expect(learned.count == limit && learned.values.count(where: { $0.twins > 0 }) == 150)
            try await store.record(Self.batch(6_000..<6_900, NoiseCount(twins: 1, pairs: 0)), at: Self.now)
            #expect(try await Self.rows(connection) == 2 * limit + 20)
            #expect(try await store.losses(since: nil) == [.noiseDropped: 600 - limit + 150 + 900 - limit])
            await store.close()
        }

        @Test func `what is read is bounded, whatever older versions have left in the table`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            // In parts: a loaded machine takes longer for all of it than one statement may.
            for part in 0..<3 {
                try await connection.query(
                    """
                    INSERT INTO strangler.noise_counts (extraction, endpoint, side, day, path, kind, twins, pairs)
                    SELECT 'orders', 'GET /' || n % 10, 'monolith', '2026-11-21'::date - n % 5, '$.k' || n, 'extra', 0, 1
                    FROM generate_series($1::int + 1, $1::int + 100000) AS n
                    """, [.int(part * 100_000)])
            }
            try await connection.execute(
                script: """
                    INSERT INTO strangler.noise_counts (extraction, endpoint, side, day, path, kind, twins, pairs)
                    SELECT 'orders', 'GET /' || n, 'monolith', '2026-11-21', '', '', 100, n + 1
                    FROM generate_series(0, 2499) AS n;
                    INSERT INTO strangler.noise_counts (extraction, endpoint, side, day, path, kind, twins, pairs)
                    VALUES ('orders', 'GET /2000', 'monolith', '2026-11-21', '$.stock', 'value', 7, 0);
                    """)
            let now = try #require(try? Date("2026-11-21T12:00:00Z", strategy: .iso8601))
            // The endpoints compared most: 0...9 are not among them.
            var noise = try await store.noise(asOf: now)
            #expect(noise.count == NoiseModel.maximumScopes)
            #expect(noise.values.reduce(0) { $0 + $1.differing.count } == 1)
            let stock = GroupedDifference(path: "$.stock", kind: .value)
            #expect(noise[Self.scope("GET /2000")]?.differing == [stock: NoiseCount(twins: 7, pairs: 0)])
            try await connection.execute(
                script: """
                    UPDATE strangler.noise_counts SET pairs = 1000000 WHERE path = '' AND length(endpoint) = 6;
                    INSERT INTO strangler.noise_counts (extraction, endpoint, side, day, path, kind, twins, pairs)
                    VALUES ('orders', 'GET /3', 'monolith', '2026-11-20', '$.stock', 'value', 1, 0);
                    """)
            noise = try await store.noise(asOf: now)
            #expect(noise.count == NoiseModel.maximumScopes)
            #expect(noise.values.allSatisfy { $0.differing.count <= NoiseTally.maximumFields })
            #expect(noise.values.reduce(0) { $0 + $1.differing.count } == 10 * NoiseTally.maximumFields + 1)
            #expect(noise[Self.scope("GET /3")]?.differing[stock] == NoiseCount(twins: 1, pairs: 0))
            #expect(noise[Self.scope("GET /3")]?.compared == NoiseCount(twins: 100, pairs: 1_000_000))
            await store.close()
        }
    }

    @Suite struct AcceptedGroupTests {
        static let now = EvidenceStoreTests.now

        @Test func `mismatches of accepted groups are told apart, as long as they are accepted`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let record = EvidenceStoreTests.record(at: Self.now)
            let hex = record.signature.hex
            let batch = EvidenceStoreTests.batch { batch in
                func count(_ reason: String?, _ times: Int) {
                    batch.count(
                        VerdictKey(
                            extraction: "orders", endpoint: EvidenceStoreTests.orders, verdict: .mismatch,
                            reason: reason, statusClass: 2), times: times)
                }
                // Its own, another's, and what an older version counted.
                count(hex, 40)
                count("0123456789abcdef", 3)
                count(nil, 2)
                batch.count(
                    VerdictKey(
                        extraction: "orders", endpoint: EvidenceStoreTests.orders, verdict: .notCompared, reason: hex))
                batch.add(record)
            }
            try await store.record(batch, at: Self.now)
            func accepted() async throws -> [Int] {
                let summary = try await store.verdictSummary(extraction: "orders", since: nil)
                let coverage = try await store.coverage(extraction: "orders", since: nil)
                #expect(summary.total.mismatch == 45 && summary.total.notCompared == [hex: 1])
                #expect(coverage.map(\.total) == [summary.total])
                return [
                    summary.total.accepted, summary.endpoints[EvidenceStoreTests.orders]?.accepted ?? -1,
                    coverage.first?.statusClasses[2]?.accepted ?? -1,
                ]
            }
            #expect(try await accepted() == [0, 0, 0])
            for (state, expected) in [(GroupState.accepted, 40), (.acknowledged, 0), (.accepted, 40), (.fixed, 0)] {
                _ = try await store.setGroupState(hex, state, actor: "ann", reason: nil, at: Self.now)
                #expect(try await accepted() == [expected, expected, expected], "\(state)")
            }
            // Seen again, a fixed group has regressed, and counts.
            let later = Self.now.addingTimeInterval(60)
            let again = EvidenceStoreTests.batch { $0.add(EvidenceStoreTests.record(at: later)) }
            try await store.record(again, at: later)
            #expect(try await store.group(signaturePrefix: hex)?.group.state == .regressed)
            #expect(try await accepted() == [0, 0, 0])
            await store.close()
        }
    }
}
