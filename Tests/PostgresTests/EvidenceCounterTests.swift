import Comparison
import Extraction
import Foundation
import Logging
import TestSupport
import Testing

@testable import PostgresClient
@testable import PostgresStore

/// What is counted beside the verdicts, into the store and out of it.
extension OnRealPostgres {
    @Suite struct EvidenceCounterTests {
        static let now = EvidenceStoreTests.now
        static let orders = EvidenceStoreTests.orders
        static let key = LatencyKey(extraction: "orders", endpoint: orders, side: .service)

        static func batch(_ fill: (inout EvidenceBatch) -> Void) -> EvidenceBatch { EvidenceStoreTests.batch(fill) }

        @Test func `coverage tells status classes apart and says what was left out`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let batch = Self.batch { batch in
                func count(
                    _ verdict: Verdict, _ statusClass: Int, _ times: Int, _ reason: NotComparedReason? = nil,
                    endpoint: String = Self.orders
                ) {
                    batch.count(
                        VerdictKey(
                            extraction: "orders", endpoint: endpoint, verdict: verdict, reason: reason?.rawValue,
                            statusClass: statusClass), times: times)
                }
                count(.match, 2, 5)
                count(.match, 4, 3)
                count(.mismatch, 2, 2)
                count(.notCompared, 2, 10, .notSampled)
                count(.notCompared, 2, 4, .shed)
                count(.notCompared, 0, 1, .shadowCircuitOpen)
                count(.match, 99, 1)
                count(.match, 2, 7, endpoint: "POST /api/v1/orders")
                batch.count(VerdictKey(extraction: "users", endpoint: "GET /users", verdict: .match))
            }
            try await store.record(batch, at: Self.now)
            try await store.record(batch, at: Self.now)
            let coverage = try await store.coverage(extraction: "orders", since: nil)
            #expect(coverage.map(\.endpoint) == [Self.orders, "POST /api/v1/orders"])
            #expect(coverage.map(\.method) == ["GET", "POST"])
            let get = try #require(coverage.first)
            #expect(get.statusClasses[2]?.match == 10 && get.statusClasses[2]?.mismatch == 4)
            #expect(get.statusClasses[4]?.match == 6 && get.statusClasses[0]?.match == 2)
            #expect(get.total.seen == 52 && get.total.compared == 22 && get.total.notSampled == 20)
            #expect(get.total.shed == 8 && get.total.circuitOpen == 2)
            #expect(
                try await store.verdictSummary(extraction: "orders", since: nil).endpoints[Self.orders] == get.total)
            #expect(try await store.comparedPairs(extraction: "orders", since: nil) == 36)
            #expect(try await store.comparedPairs(extraction: "orders", since: Self.now) == 0)
            #expect(try await store.coverage(extraction: "orders", since: Self.now).isEmpty)
            await store.close()
        }

        @Test func `latencies add up over replicas and minutes, and begin anew with a stage`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let times: [Int64] = [0, 90_000, 12_000_000, 900_000_000, .max]
            let batch = Self.batch { batch in
                for time in times { batch.countLatency(Self.key, nanoseconds: time) }
                // These become one key in the store.
                for endpoint in ["a\0b", "a\u{FFFD}b"] {
                    let key = LatencyKey(extraction: "orders", endpoint: endpoint, side: .monolith)
                    batch.countLatency(key, nanoseconds: 1)
                }
            }
            try await store.record(batch, at: Self.now)
            let entered = Self.now.addingTimeInterval(5)
            _ = try await store.apply(
                StageStoreTests.transition(.initial(name: "orders", now: Self.now), to: .shadow, at: entered),
                actor: "ann", reason: nil, evidence: StageEvidence(), at: entered)
            try await store.record(batch, at: Self.now.addingTimeInterval(10))
            try await store.record(batch, at: Self.now.addingTimeInterval(100))
            var expected = LatencyHistogram()
            for _ in 0..<3 { for time in times { expected.record(nanoseconds: time) } }
            let all = try await store.latencies(extraction: "orders", since: nil)
            #expect(all[Self.key] == expected)
            let joined = LatencyKey(extraction: "orders", endpoint: "a\u{FFFD}b", side: .monolith)
            #expect(all.count == 2 && all[joined]?.total == 6)
            #expect(try await store.latencies(extraction: "orders", since: entered)[Self.key]?.total == 10)
            #expect(try await store.latencies(extraction: "none", since: nil).isEmpty)
            await store.close()
        }

        @Test func `hits of rules and losses add up over days`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let rule = #"ignore $['a"b\']"# + "\n"
            for day in 0..<3 {
                let at = Self.now.addingTimeInterval(Double(day) * UTCDay.length)
                var batch = EvidenceBatch(limits: EvidenceLimits(examples: 0, rules: 1))
                batch.countHidden(RuleKey(extraction: "orders", rule: rule), differences: 4, at: at)
                batch.countHidden(RuleKey(extraction: "orders", rule: rule), differences: 1, at: at)
                batch.countHidden(RuleKey(extraction: "orders", rule: "another"), differences: 7, at: at)
                batch.add(EvidenceStoreTests.record(at: at))
                try await store.record(batch, at: at)
            }
            let last = Self.now.addingTimeInterval(2 * UTCDay.length)
            let hits = try await store.ruleHits(extraction: "orders")
            #expect(hits == [rule: RuleTally(pairs: 6, differences: 15, last: last)])
            #expect(try await store.losses(since: nil) == [.ruleHitsDropped: 21, .examplesDropped: 3])
            #expect(try await store.losses(since: last) == [.ruleHitsDropped: 7, .examplesDropped: 1])
            #expect(try await store.losses(since: last.addingTimeInterval(UTCDay.length)).isEmpty)
            await store.close()
        }

        @Test func `the longest keys fit the indexes, though nothing about them can be compressed`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            var generator = SeededGenerator(seed: 7)
            let long = String(
                String.UnicodeScalarView(
                    (0..<5000).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 0x4E00...0x9FFF, using: &generator))
                    }))
            let scope = NoiseScope(extraction: long, endpoint: long, side: .service)
            let batch = Self.batch { batch in
                batch.count(VerdictKey(extraction: long, endpoint: long, verdict: .notCompared, reason: long))
                batch.countLatency(LatencyKey(extraction: long, endpoint: long, side: .service), nanoseconds: 1)
                for rule in [long + "1", long + "2"] {
                    batch.countHidden(RuleKey(extraction: long, rule: rule), differences: 1, at: Self.now)
                }
                let fields = [long + "1", long + "2"].map { GroupedDifference(path: $0, kind: .value) }
                let differing = Dictionary(uniqueKeysWithValues: fields.map { ($0, NoiseCount(twins: 1, pairs: 0)) })
                batch.countNoise(scope, NoiseTally(differing: differing))
            }
            try await store.record(batch, at: Self.now)
            #expect(try await store.coverage(extraction: long, since: nil).map(\.endpoint) == [KeyText.endpoint(long)])
            #expect(try await store.latencies(extraction: long, since: nil).values.map(\.total) == [1])
            #expect(try await store.ruleHits(extraction: long).values.map(\.pairs) == [2])
            let noise = try await store.noise(asOf: Self.now)
            #expect(noise.values.flatMap(\.differing.values) == [NoiseCount(twins: 2, pairs: 0)])
            await store.close()
        }

        @Test func `noise is what the last seven days showed, by scope and field`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let scope = NoiseScope(extraction: "orders", endpoint: Self.orders, side: .monolith)
            let other = NoiseScope(extraction: "orders", endpoint: Self.orders, side: .service)
            let field = GroupedDifference(path: "$.items[*].stock", kind: .value)
            let tally = NoiseTally(
                compared: NoiseCount(twins: 10, pairs: 100), differing: [field: NoiseCount(twins: 2, pairs: 30)])
            let batch = Self.batch { batch in
                batch.countNoise(scope, tally)
                batch.countNoise(other, NoiseTally(compared: NoiseCount(twins: 1, pairs: 0)))
            }
            for day in 0..<9 {
                try await store.record(batch, at: Self.now.addingTimeInterval(Double(day) * UTCDay.length))
            }
            let noise = try await store.noise(asOf: Self.now.addingTimeInterval(8 * UTCDay.length))
            #expect(noise.count == 2)
            #expect(noise[scope]?.compared == NoiseCount(twins: 70, pairs: 700))
            #expect(noise[scope]?.differing == [field: NoiseCount(twins: 14, pairs: 210)])
            #expect(noise[other] == NoiseTally(compared: NoiseCount(twins: 7, pairs: 0)))
            #expect(try await store.noise(asOf: Self.now.addingTimeInterval(20 * UTCDay.length)).isEmpty)
            await store.close()
        }

        @Test func `fields whose names are made up anew each time leave a bounded number of rows`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, noiseFieldLimit: 5, logger: Logger(label: "test"))
            try await store.migrate()
            let scope = NoiseScope(extraction: "orders", endpoint: Self.orders, side: .monolith)
            let known = GroupedDifference(path: "$.time", kind: .value)
            for round in 0..<4 {
                let batch = Self.batch { batch in
                    let compared = NoiseCount(twins: 1, pairs: 10)
                    var differing = [known: NoiseCount(twins: 1, pairs: 10)]
                    for name in 0..<10 {
                        let field = GroupedDifference(path: "$.x\(round)y\(name)", kind: .extra)
                        differing[field] = NoiseCount(twins: 0, pairs: 1)
                    }
                    batch.countNoise(scope, NoiseTally(compared: compared, differing: differing))
                }
                try await store.record(batch, at: Self.now)
            }
            let noise = try await store.noise(asOf: Self.now)
            #expect(noise[scope]?.compared == NoiseCount(twins: 4, pairs: 40))
            #expect(noise[scope]?.differing[known] == NoiseCount(twins: 4, pairs: 40))
            #expect(noise[scope]?.differing.count == 5)
            #expect(try await store.losses(since: nil) == [.noiseDropped: 36])
            await store.close()
        }

        @Test func `of a week's fields as many are given out as are remembered, the most frequent`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let scope = NoiseScope(extraction: "orders", endpoint: Self.orders, side: .monolith)
            let fields = (0..<400).map { GroupedDifference(path: "$.x\($0)", kind: .value) }
            let batch = Self.batch { batch in
                let counts = fields.enumerated().map { ($1, NoiseCount(twins: $0, pairs: 1_000)) }
                let differing = Dictionary(uniqueKeysWithValues: counts)
                batch.countNoise(
                    scope, NoiseTally(compared: NoiseCount(twins: 500, pairs: 1_000), differing: differing))
            }
            try await store.record(batch, at: Self.now)
            let noise = try #require(try await store.noise(asOf: Self.now)[scope])
            #expect(noise.compared == NoiseCount(twins: 500, pairs: 1_000))
            #expect(Set(noise.differing.keys) == Set(fields.suffix(NoiseTally.maximumFields)))
            await store.close()
        }

        // 12:00 compared 100 ── group seen at 12:01:20 ── compared 10 each at 12:01:20, 12:59, 13:00, next day
        @Test func `a group's share counts the pairs since it was first seen, at its own endpoint`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let hour = Date(timeIntervalSince1970: (Self.now.timeIntervalSince1970 / 3600).rounded(.down) * 3600)
            func compare(_ matches: Int, at: Date, mismatch: Bool = false) async throws {
                let batch = Self.batch { batch in
                    batch.count(
                        VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .match), times: matches)
                    batch.count(
                        VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .shadowFailed), times: 9)
                    batch.count(VerdictKey(extraction: "orders", endpoint: "GET /", verdict: .match), times: 50)
                    guard mismatch else { return }
                    batch.count(VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .mismatch))
                    batch.add(EvidenceStoreTests.record(at: at))
                }
                try await store.record(batch, at: at)
            }
            try await compare(100, at: hour)
            try await compare(9, at: hour.addingTimeInterval(80), mismatch: true)
            for second in [59 * 60.0, 3600, 86_400] {
                try await compare(9, at: hour.addingTimeInterval(second), mismatch: true)
            }
            let signature = EvidenceStoreTests.record().signature.hex
            let group = try #require(try await store.groups(extraction: "orders").first)
            #expect(group.count == 4 && group.endpointCompared == 40 && group.share == 0.1)
            #expect(try await store.group(signaturePrefix: signature)?.group == group)
            let changed = try await store.setGroupState(signature, .accepted, actor: "a", reason: nil, at: hour)
            #expect(changed?.endpointCompared == 40)
            await store.close()
        }

        @Test func `a group's history tells who decided what, and that it came back, once`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            let record = EvidenceStoreTests.record()
            let hex = record.signature.hex
            try await store.record(Self.batch { $0.add(record) }, at: Self.now)
            #expect(try await store.groupHistory(hex).isEmpty)
            let times = (1...4).map { Self.now.addingTimeInterval(Double($0)) }
            _ = try await store.setGroupState(hex, .accepted, actor: "ann", reason: "wanted", at: times[0])
            _ = try await store.setGroupState(hex, .accepted, actor: "bob", reason: "indeed", at: times[1])
            _ = try await store.setGroupState(hex, .fixed, actor: "bob", reason: nil, at: times[2])
            // Two replicas saw it.
            async let one: Void = store.record(
                Self.batch { $0.add(EvidenceStoreTests.record(at: times[3])) }, at: times[3])
            async let two: Void = store.record(
                Self.batch { $0.add(EvidenceStoreTests.record(at: times[3])) }, at: times[3])
            _ = try await (one, two)
            let history = try await store.groupHistory(hex)
            #expect(
                history == [
                    GroupChange(at: times[0], actor: "ann", from: .new, to: .accepted, reason: "wanted"),
                    GroupChange(at: times[1], actor: "bob", from: .accepted, to: .accepted, reason: "indeed"),
                    GroupChange(at: times[2], actor: "bob", from: .accepted, to: .fixed, reason: nil),
                    GroupChange(at: times[3], actor: "strangler", from: .fixed, to: .regressed, reason: "seen again"),
                ])
            for change in ["DELETE FROM", "TRUNCATE"] {
                await #expect(throws: PostgresError.self) {
                    try await connection.execute(script: "\(change) strangler.group_history")
                }
            }
            await store.close()
        }
    }
}
