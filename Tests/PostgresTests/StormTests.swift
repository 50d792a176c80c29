import Comparison
import Extraction
import Foundation
import Logging
import Testing

@testable import PostgresClient
@testable import PostgresStore
@testable import ShadowRunner

extension OnRealPostgres {
    /// Much at once, and from several sides.
    @Suite struct StormTests {
        static func signature(_ number: Int) -> MismatchSignature {
            MismatchSignature(
                extraction: "orders", endpoint: EvidenceStoreTests.orders,
                differences: [Difference(path: "$.map.key\(number)", kind: .value, primary: "1", shadow: "2")])
        }

        /// A second's worth of mismatches, each of another group.
        static func storm(_ mismatches: Int, at: Date) -> EvidenceBatch {
            var batch = EvidenceBatch()
            for number in 0..<mismatches {
                batch.count(
                    VerdictKey(
                        extraction: "orders", endpoint: EvidenceStoreTests.orders, verdict: .mismatch, statusClass: 2))
                let signature = signature(number)
                if batch.hasRoomForExample(of: signature) {
                    var record = EvidenceStoreTests.record(at: at, body: String(repeating: "x", count: 4000))
                    record.signature = signature
                    batch.add(record)
                } else {
                    batch.addWithoutExample(signature, at: at)
                }
            }
            return batch
        }

        @Test func `a storm costs a bounded number of rows, and every mismatch is counted`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            for second in 0..<5 {
                let at = EvidenceDay.start.addingTimeInterval(Double(second))
                // The last one brings twice as many groups as are kept.
                let batch = Self.storm(second == 4 ? 20_000 : 10_000, at: at)
                try await store.record(batch, at: at)
            }
            #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.mismatch == 60_000)
            let groups = try await store.groups(extraction: "orders", limit: 20_000)
            #expect(groups.count == 10_000 && groups.allSatisfy { $0.endpointCompared == 60_000 })
            let losses = try await store.losses(since: nil)
            #expect(groups.reduce(0) { $0 + $1.count } + losses[.mismatchesUngrouped, default: 0] == 60_000)
            #expect(losses[.mismatchesUngrouped] == 10_000)
            #expect(losses[.examplesDropped] == 57_500)
            let examples = try await connection.query("SELECT count(*) AS n FROM strangler.mismatch_examples")
            #expect(try (1...2_500).contains(examples.first?.int("n") ?? 0))
            await store.close()
        }

        @Test func `replicas that store the same keys of every kind at once neither block nor lose anything`()
            async throws
        {
            let target = try await TestServer.database()
            let stores = (0..<3).map { _ in PostgresStore(target, logger: Logger(label: "test")) }
            try await stores[0].migrate()
            let (rounds, keys) = (12, 40)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (replica, store) in stores.enumerated() {
                    group.addTask {
                        for round in 0..<rounds {
                            let at = EvidenceDay.start.addingTimeInterval(Double(round * 1300 + replica))
                            try await store.record(Self.everything(keys, at: at), at: at)
                        }
                    }
                }
                // Somebody keeps house all the while.
                group.addTask {
                    for _ in 0..<5 {
                        do {
                            try await stores[0].dropExpired(now: EvidenceDay.day(2))
                        } catch let error as PostgresError where error.sqlState == "55P03" {
                            // A flush held what it needed.
                        }
                    }
                }
                try await group.waitForAll()
            }
            let store = stores[0]
            let total = stores.count * rounds
            let coverage = try await store.coverage(extraction: "orders", since: nil)
            #expect(coverage.count == keys && coverage.allSatisfy { $0.statusClasses[2]?.match == total })
            let latencies = try await store.latencies(extraction: "orders", since: nil)
            #expect(latencies.count == keys && latencies.values.allSatisfy { $0.total == total })
            let hits = try await store.ruleHits(extraction: "orders")
            #expect(hits.count == keys && hits.values.allSatisfy { $0.pairs == total && $0.differences == 2 * total })
            let noise = try await store.noise(asOf: EvidenceDay.start)
            #expect(noise.count == keys && noise.values.allSatisfy { $0.compared.twins == total })
            #expect(noise.values.allSatisfy { $0.differing.values.allSatisfy { $0.pairs == total } })
            let groups = try await store.groups(extraction: "orders")
            #expect(groups.count == keys && groups.allSatisfy { $0.count == total })
            #expect(try await store.losses(since: nil) == [.examplesDropped: total * keys])
            for store in stores { await store.close() }
        }

        static func everything(_ keys: Int, at: Date) -> EvidenceBatch {
            var batch = EvidenceBatch(limits: EvidenceLimits(examples: 0))
            // Dictionaries give keys in another order each time; the store has to sort them.
            for number in 0..<keys {
                let endpoint = "GET /things/\(number)"
                batch.count(VerdictKey(extraction: "orders", endpoint: endpoint, verdict: .match, statusClass: 2))
                batch.countLatency(
                    LatencyKey(extraction: "orders", endpoint: endpoint, side: .monolith), nanoseconds: 1_000_000)
                batch.countHidden(RuleKey(extraction: "orders", rule: "ignore $.\(number)"), differences: 2, at: at)
                batch.countNoise(
                    NoiseScope(extraction: "orders", endpoint: endpoint, side: .monolith),
                    NoiseTally(
                        compared: NoiseCount(twins: 1, pairs: 1),
                        differing: [GroupedDifference(path: "$.a", kind: .value): NoiseCount(twins: 0, pairs: 1)]))
                batch.addWithoutExample(signature(number), at: at)
            }
            return batch
        }
    }
}

@Suite struct RecorderOnPostgresTests {
    @Test func `with Postgres killed under it a recorder holds a bounded amount, and all counters arrive once`()
        async throws
    {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let store = PostgresStore(try await server.start(), logger: Logger(label: "test"))
        try await store.migrate()
        let recorder = EvidenceRecorder(store: store, logger: Logger(label: "test"), now: { EvidenceDay.start })
        let key = VerdictKey(
            extraction: "orders", endpoint: EvidenceStoreTests.orders, verdict: .mismatch, statusClass: 2)
        func mismatches(_ numbers: Range<Int>) {
            for number in numbers {
                // Past the recorder's own limit of groups for an endpoint, which a storm would meet first.
                var findings = Findings()
                findings.batch.count(key)
                var record = OnRealPostgres.EvidenceStoreTests.record(at: EvidenceDay.start)
                record.signature = OnRealPostgres.StormTests.signature(number)
                findings.batch.add(record)
                recorder.take(findings, at: EvidenceDay.start)
            }
        }
        mismatches(0..<10)
        #expect(await recorder.flush())

        let place = try #require(await server.place)
        kill(try #require(place.recordedPid), SIGKILL)
        #expect(try await eventually { await !((try? store.ping()) != nil) })
        for round in 0..<4 {
            mismatches(round * 3000..<(round + 1) * 3000)
            #expect(await !recorder.flush())
        }

        async let monitored: Void = server.monitor()
        #expect(try await eventually { await recorder.flush() })
        #expect(await recorder.flush())
        #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.mismatch == 12_010)
        let groups = try await store.groups(extraction: "orders", limit: 20_000)
        let losses = try await store.losses(since: nil)
        // A batch holds 10,000 groups and 500 examples; ten groups were there before.
        #expect(groups.count == 10_000 && losses[.mismatchesUngrouped] == 2_000)
        #expect(groups.reduce(0) { $0 + $1.count } == 10_010)
        #expect(losses[.examplesDropped] == 11_500)
        await server.stop()
        await monitored
        await store.close()
    }

    private typealias EvidenceStoreTests = OnRealPostgres.EvidenceStoreTests
}
