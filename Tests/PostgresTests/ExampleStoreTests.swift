import Comparison
import Foundation
import Logging
import Testing

@testable import PostgresClient
@testable import PostgresStore

@Suite struct ExampleSpreadTests {
    private let start = EvidenceDay.start

    private func spread(_ stored: [Double], offered: [Double], limit: Int) -> (kept: [Double], replaced: [Int64]) {
        var spread = ExampleSpread(
            stored: stored.enumerated().map { (start.addingTimeInterval($1), Int64($0)) }, limit: limit)
        for (position, second) in offered.enumerated() {
            spread.offer(at: start.addingTimeInterval(second), position: position)
        }
        let left = stored.indices.filter { !spread.replaced.contains(Int64($0)) }.map { stored[$0] }
        return ((left + spread.added.map { offered[$0] }).sorted(), spread.replaced)
    }

    @Test func `three come at once, the next an hour later`() {
        #expect(spread([], offered: [0, 1, 2, 3, 3601, 3602, 3700, 7202], limit: 20).kept == [0, 1, 2, 3602, 7202])
    }

    @Test func `an earlier one is told from the ones around it, too`() {
        #expect(spread([0, 1, 2, 7200], offered: [3700], limit: 20).kept == [0, 1, 2, 7200])
        #expect(spread([0, 1, 2, 7300], offered: [3650], limit: 20).kept == [0, 1, 2, 3650, 7300])
    }

    @Test func `when it is full the most crowded makes room, never the first`() {
        let hour = 3600.0
        let (kept, replaced) = spread([0, 1, 5 * hour, 10 * hour], offered: [12 * hour], limit: 4)
        #expect(kept == [0, 5 * hour, 10 * hour, 12 * hour] && replaced == [1])
        #expect(spread([0, hour], offered: [2 * hour], limit: 2).kept == [0, 2 * hour])
        // In the middle, or too soon.
        #expect(spread([0, 9 * hour], offered: [3 * hour, 9 * hour + 1], limit: 2).replaced.isEmpty)
        #expect(spread([0], offered: [hour], limit: 1).kept == [0])
        #expect(spread([], offered: [0], limit: 0).kept == [])
    }

    @Test func `after a long time they lie between the first and the last without crowds`() throws {
        let hours = (0..<1000).map { Double($0) * 3600 }
        let kept = spread([], offered: hours, limit: 20).kept
        #expect(kept.count == 20 && kept.first == 0 && kept.last == hours.last)
        let gaps = zip(kept.dropFirst(), kept).map { $0 - $1 }
        // A third to thrice of even, but for the newest.
        let even = 999 * 3600 / 19.0
        #expect(try #require(gaps.max()) <= 3 * even)
        #expect(gaps.dropLast(2).allSatisfy { $0 >= even / 3 })
    }
}

enum EvidenceDay {
    /// A full UTC day's beginning.
    static let start = Date(timeIntervalSince1970: 1_795_219_200)
    static func day(_ number: Double) -> Date { start.addingTimeInterval(number * UTCDay.length) }
}

extension OnRealPostgres {
    @Suite struct ExampleStoreTests {
        static func batch(_ records: [MismatchRecord]) -> EvidenceBatch {
            var batch = EvidenceBatch(limits: EvidenceLimits(examplesPerGroup: 100))
            for record in records { batch.add(record) }
            return batch
        }

        static func partitions(_ connection: PostgresConnection) async throws -> [String] {
            try await connection.query(
                """
                SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                WHERE inhparent = 'strangler.mismatch_examples'::regclass ORDER BY relname
                """
            ).map { String(try $0.text("relname").suffix(8)) }
        }

        @Test func `a full group goes on taking later examples, from the first to the last`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store(exampleLimit: 4)
            for hour in 0..<30 {
                let at = EvidenceDay.start.addingTimeInterval(Double(hour) * 3600)
                try await store.record(Self.batch([EvidenceStoreTests.record(at: at)]), at: at)
                // While it lasts no other one is begun, and the last hours' would be left out on a slow machine.
                await store.houseIsKept()
            }
            let found = try #require(
                try await store.group(signaturePrefix: EvidenceStoreTests.record().signature.hex))
            #expect(found.group.count == 30 && found.examples.count == 4)
            #expect(found.examples.first?.at == EvidenceDay.start)
            #expect(found.examples.last?.at == EvidenceDay.start.addingTimeInterval(29 * 3600))
            #expect(try await Self.partitions(connection) == ["20261121", "20261122", "20261123"])
            #expect(try await store.losses(since: nil).isEmpty)
            await store.close()
        }

        @Test func `replicas that need the same new days at once make each partition once`() async throws {
            let target = try await TestServer.database()
            let stores = (0..<6).map { _ in PostgresStore(target, logger: Logger(label: "test")) }
            try await stores[0].migrate()
            var records: [MismatchRecord] = []
            for number in 0..<36 {
                let at = EvidenceDay.day(-Double(number % 12) - Double(number / 12) / 10)
                records.append(EvidenceStoreTests.record("$.day\(number % 12)", at: at))
            }
            let batch = Self.batch(records)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores {
                    group.addTask { try await store.record(batch, at: EvidenceDay.start) }
                }
                try await group.waitForAll()
            }
            let connection = try await PostgresConnection.connect(target)
            for store in stores { await store.houseIsKept() }
            // Thirteen days back, and tomorrow.
            #expect(try await Self.partitions(connection).count == 14)
            let stored = try await connection.query("SELECT count(*) AS n FROM strangler.mismatch_examples")
            #expect(try stored.first?.int("n") == 36)
            #expect(try await stores[0].groups(extraction: nil).allSatisfy { $0.count == 18 })
            #expect(try await stores[0].losses(since: nil).isEmpty)
            for store in stores { await store.close() }
        }

        @Test func `examples of impossible days are lost and counted, the group and the others are not`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            let days = [-40_000, -31, -30, 0, 1, 2, 3_000_000].map { EvidenceDay.day($0) }
            let records = days.map { EvidenceStoreTests.record(at: $0) }
            try await store.record(Self.batch(records), at: EvidenceDay.start)
            let found = try #require(try await store.group(signaturePrefix: records[0].signature.hex))
            #expect(found.group.count == 7)
            #expect(found.examples.map(\.at) == [-30, 0, 1].map { EvidenceDay.day($0) })
            #expect(try await store.losses(since: nil) == [.examplesRefused: 4])
            await store.houseIsKept()
            #expect(try await Self.partitions(connection) == ["20261022", "20261121", "20261122"])
            await store.close()
        }

        @Test func `an example that is refused is counted as lost, and odd text is stored beside it`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            try await connection.execute(
                script: "ALTER TABLE strangler.mismatch_examples ADD CHECK (primary_answer::text NOT LIKE '%poison%')")
            let odd = "\\N\t\r\n\\.\n\u{0}\u{1}\"',{}\u{1F600}"
            let bodies = ["poison", odd]
            try await store.record(
                Self.batch(bodies.map { EvidenceStoreTests.record(at: EvidenceDay.start, body: $0) }),
                at: EvidenceDay.start)
            let found = try #require(
                try await store.group(signaturePrefix: EvidenceStoreTests.record().signature.hex))
            #expect(found.examples.map(\.primary.body) == [odd])
            #expect(try await store.losses(since: nil) == [.examplesRefused: 1])
            await store.close()
        }

        @Test func `with too many groups the most frequent of the new ones find a place`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, groupLimit: 3, logger: Logger(label: "test"))
            try await store.migrate()
            func batch(_ counts: [String: Int]) -> EvidenceBatch {
                Self.batch(
                    counts.flatMap { path, count in
                        (0..<count).map { _ in EvidenceStoreTests.record(path, at: EvidenceDay.start) }
                    } + [EvidenceStoreTests.record("$.x", extraction: "users", at: EvidenceDay.start)])
            }
            try await store.record(batch(["$.a": 1, "$.b": 2]), at: EvidenceDay.start)
            try await store.record(batch(["$.a": 5, "$.c": 3, "$.d": 4]), at: EvidenceDay.start)
            let groups = try await store.groups(extraction: "orders")
            #expect(groups.map(\.count) == [6, 4, 2])
            #expect(groups.map { $0.differences.first?.path } == ["$.a", "$.d", "$.b"])
            #expect(try await store.groups(extraction: "users").map(\.count) == [2])
            #expect(try await store.losses(since: nil) == [.mismatchesUngrouped: 3, .examplesDropped: 3])
            await store.close()
        }
    }
}
