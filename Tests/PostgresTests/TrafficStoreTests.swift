import Comparison
import Extraction
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct TrafficStoreTests {
        /// 40 seconds into a minute.
        static let now = EvidenceStoreTests.now
        static let get = "GET /orders/{id}"

        static func tally(
            _ requests: Int, errors: Int = 0, bytes: Int = 0, times: [Int64] = [], at: Date = now
        ) -> TrafficTally {
            var latency = LatencyHistogram()
            for time in times { latency.record(nanoseconds: time) }
            return TrafficTally(
                traffic: SideTraffic(requests: requests, errors: errors, latency: latency), bytes: bytes,
                nanoseconds: times.reduce(0) { $0 &+ Int($1) }, last: at)
        }

        static func batch(
            _ extraction: String, _ endpoint: String, _ side: Side, _ tally: TrafficTally
        ) -> EvidenceBatch {
            EvidenceStoreTests.batch {
                $0.countTraffic(TrafficKey(extraction: extraction, endpoint: endpoint, side: side), tally)
            }
        }

        // Four replicas with a store each write the same keys at once.
        @Test func `what replicas put in at once is what comes out, whatever it is`() async throws {
            let target = try await TestServer.database()
            let stores = (0..<4).map { _ in PostgresStore(target, logger: Logger(label: "test")) }
            try await stores[0].migrate()
            var generator = SeededGenerator(seed: 5)
            let names = ["", "orders", "users"]
            var batches: [(EvidenceBatch, Date)] = []
            var expected: [TrafficKey: TrafficTally] = [:]
            for _ in 0..<60 {
                let at = Self.now.addingTimeInterval(Double(Int.random(in: 0..<600, using: &generator)))
                var batch = EvidenceBatch()
                for _ in 0..<20 {
                    let key = TrafficKey(
                        extraction: names.randomElement(using: &generator) ?? "",
                        endpoint: "GET /\(Int.random(in: 0..<5, using: &generator))",
                        side: Bool.random(using: &generator) ? .monolith : .service)
                    let times = (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
                        Int64.random(in: 0..<100_000_000_000, using: &generator)
                    }
                    let tally = Self.tally(
                        Int.random(in: 0..<1000, using: &generator), errors: Int.random(in: 0..<10, using: &generator),
                        bytes: Int.random(in: 0..<1_000_000_000, using: &generator), times: times, at: at)
                    batch.countTraffic(key, tally)
                    if expected[key]?.merge(tally) == nil { expected[key] = tally }
                }
                batches.append((batch, at))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, (batch, at)) in batches.enumerated() {
                    group.addTask { try await stores[index % 4].record(batch, at: at) }
                }
                try await group.waitForAll()
            }
            try await expect(stores[0], expected)
            // As hours, too.
            try await stores[1].dropExpired(now: Self.now.addingTimeInterval(2 * UTCDay.length + 1000))
            try await expect(stores[0], expected)
            for store in stores { await store.close() }
        }

        private func expect(_ store: PostgresStore, _ expected: [TrafficKey: TrafficTally]) async throws {
            let (since, until) = (Self.now.addingTimeInterval(-7200), Self.now.addingTimeInterval(7200))
            for name in ["", "orders", "users"] {
                let ofThis = expected.filter { $0.key.extraction == name }
                let traffic = try await store.traffic(extraction: name, since: nil)
                let summary = try await store.trafficSummary(extraction: name, since: since, until: until)
                #expect(summary.count == ofThis.count)
                for (key, tally) in ofThis {
                    #expect(traffic[key.endpoint]?[key.side] == tally.traffic)
                    let found = try #require(summary.first { $0.endpoint == key.endpoint && $0.side == key.side })
                    #expect(
                        found
                            == TrafficSummary(
                                endpoint: key.endpoint, side: key.side, requests: tally.traffic.requests,
                                errors: tally.traffic.errors, bytes: tally.bytes,
                                nanoseconds: Int64(tally.nanoseconds), latency: tally.traffic.latency, last: tally.last)
                    )
                }
                #expect(summary.map(\.requests) == summary.map(\.requests).sorted(by: >))
                for side in [Side.monolith, .service] {
                    let total = try await store.trafficTotals(since: since, until: until)
                        .first { $0.extraction == name && $0.side == side }
                    let tallies = ofThis.filter { $0.key.side == side }.values
                    #expect(total?.requests == tallies.map(\.traffic.requests).reduce(0, +))
                    #expect(total?.last == tallies.map(\.last).max())
                }
            }
        }

        // 12:00 ── stage entered at 12:30:15 ── hold ended at 12:40:20 ── 13:00
        @Test func `since a stage, since a hold's end and until are exact, as minutes and as hours`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            let entered = EvidenceDay.start.addingTimeInterval(1815)
            let resumed = EvidenceDay.start.addingTimeInterval(2420)
            let hour = EvidenceDay.start.addingTimeInterval(3600)
            let initial = ExtractionState.initial(name: "orders", now: entered)
            let first = try await store.apply(
                StageStoreTests.transition(initial, to: .cutover, weight: 500, at: entered), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: entered)
            func record(from first: Double, to last: Double) async throws {
                for second in stride(from: first, to: last, by: 30) {
                    let at = EvidenceDay.start.addingTimeInterval(second)
                    try await store.record(
                        Self.batch("orders", Self.get, .service, Self.tally(1, times: [1_000_000], at: at)), at: at)
                }
            }
            try await record(from: 5, to: 2420)
            let held = ExtractionState(
                name: "orders", stage: .cutover, weights: first.weights, since: entered, version: 2,
                windowStartedAt: nil, bakingSince: resumed)
            _ = try await store.apply(
                StageTransition(action: "resume", from: first, to: held, forced: false), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: resumed)
            try await record(from: 2435, to: 5400)
            func totals() async throws -> [Int?] {
                var totals: [Int?] = []
                for since in [nil, entered, resumed, hour] {
                    totals.append(
                        try await store.traffic(extraction: "orders", since: since)[Self.get]?.service.requests)
                }
                let early = try await store.trafficSummary(extraction: "orders", since: entered, until: hour)
                return totals + early.map(\.requests)
            }
            let expected = [180, 119, 99, 60, 59]
            #expect(try await totals() == expected)
            #expect(try await store.firstTraffic() == EvidenceDay.start)
            // Not before two days are over.
            try await store.dropExpired(now: EvidenceDay.start.addingTimeInterval(2 * UTCDay.length))
            let minutes = try await connection.query("SELECT count(*) AS n FROM strangler.traffic_counts")
            #expect(try minutes.first?.int("n") == 92)
            try await store.dropExpired(now: EvidenceDay.start.addingTimeInterval(5399 + 2 * UTCDay.length))
            #expect(try await totals() == expected)
            let buckets = try await connection.query("SELECT bucket FROM strangler.traffic_counts ORDER BY bucket")
            #expect(
                try buckets.map { try $0.timestamp("bucket") } == [EvidenceDay.start, entered, resumed, hour])
            try await store.dropExpired(now: EvidenceDay.day(402))
            #expect(try await store.firstTraffic() == nil)
            await store.close()
        }

        @Test func `a sum that is too large for the store stays at its largest, and no batch is lost`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let huge = TrafficTally(
                traffic: SideTraffic(requests: 1, errors: -1), bytes: .max, nanoseconds: .max, last: Self.now)
            for endpoint in ["a\0", "a\u{FFFD}"] {
                for second in [0.0, 0, 60] {
                    try await store.record(
                        Self.batch("orders", endpoint, .monolith, huge), at: Self.now.addingTimeInterval(second))
                }
            }
            let summary = try await store.trafficSummary(
                extraction: "orders", since: .distantPast, until: .distantFuture)
            #expect(summary.count == 1)
            #expect(summary.first?.requests == 6 && summary.first?.nanoseconds == .max && summary.first?.bytes == .max)
            #expect(summary.first?.errors == 0 && summary.first?.latency.total == 0)
            await store.close()
        }

        @Test func `fallbacks are told by endpoint too`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            let batch = EvidenceStoreTests.batch { batch in
                for (endpoint, reason) in [("GET /a", "refused"), ("GET /a", "timeout"), ("GET /b", "refused")] {
                    batch.countFallback(
                        FallbackKey(extraction: "orders", endpoint: endpoint, reason: reason), times: 2, at: Self.now)
                }
            }
            try await store.record(batch, at: Self.now)
            // As a proxy of the version before does.
            for count in [4, 1] {
                try await connection.query(
                    """
                    INSERT INTO strangler.fallback_counts AS known (extraction, bucket, reason, count, last_at)
                    VALUES ('orders', date_trunc('minute', $1::timestamptz), 'refused', $2, $1)
                    ON CONFLICT (extraction, bucket, reason)
                    DO UPDATE SET count = known.count + excluded.count
                    """, [.timestamp(Self.now), .int(count)])
            }
            let summary = try await store.fallbackSummary(extraction: "orders", since: nil)
            #expect(summary.total == 11 && summary.lastAt == Self.now)
            #expect(summary.byReason == ["refused": 9, "timeout": 2])
            #expect(summary.byEndpoint == ["": 5, "GET /a": 4, "GET /b": 2])
            await store.close()
        }
    }
}
