import Comparison
import Extraction
import Foundation
import Logging
import Testing

@testable import PostgresClient
@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct EvidenceStoreTests {
        /// 40 seconds into a minute.
        static let now = Date(timeIntervalSince1970: 1_795_234_600)
        static let orders = "GET /api/v1/orders/{id}"

        static func store(exampleLimit: Int = 20) async throws -> (PostgresStore, PostgresConnection) {
            let target = try await TestServer.database()
            let store = PostgresStore(target, exampleLimit: exampleLimit, logger: Logger(label: "test"))
            try await store.migrate()
            return (store, try await PostgresConnection.connect(target))
        }

        static func record(
            _ path: String = "$.totalAmount", extraction: String = "orders", endpoint: String = orders, at: Date = now,
            body: String = #"{"totalAmount":1.00}"#
        ) -> MismatchRecord {
            let differences = [Difference(path: path, kind: .type, primary: "1.00", shadow: "\"1.00\"")]
            return MismatchRecord(
                signature: MismatchSignature(extraction: extraction, endpoint: endpoint, differences: differences),
                at: at, differences: differences,
                request: RecordedRequest(
                    method: "GET", target: "/api/v1/orders/1", headers: [HeaderField(name: "Accept", value: "*/*")],
                    body: nil),
                primary: RecordedAnswer(status: 200, headers: [], body: body, bodyBytes: body.utf8.count),
                shadow: RecordedAnswer(status: 200, headers: [], body: nil, bodyBytes: 0))
        }

        static func batch(_ fill: (inout EvidenceBatch) -> Void) -> EvidenceBatch {
            var batch = EvidenceBatch(limits: EvidenceLimits(examplesPerGroup: 100))
            fill(&batch)
            return batch
        }

        @Test func `counts stay exact when replicas store many batches at once`() async throws {
            let (store, connection) = try await Self.store()
            let endpoints = (0..<20).map { "GET /api/v1/things/\($0)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        for round in 0..<25 {
                            let batch = Self.batch { batch in
                                for endpoint in endpoints {
                                    batch.count(VerdictKey(extraction: "orders", endpoint: endpoint, verdict: .match))
                                    batch.add(Self.record(endpoint: endpoint))
                                }
                                batch.count(
                                    VerdictKey(
                                        extraction: "orders", endpoint: endpoints[0], verdict: .notCompared,
                                        reason: "shed"), times: 3)
                                batch.countFallback(
                                    FallbackKey(extraction: "orders", endpoint: "GET /orders/{id}", reason: "refused"),
                                    at: Self.now)
                            }
                            let at = Self.now.addingTimeInterval(Double(worker + round) * 7)
                            try await store.record(batch, at: at)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let summary = try await store.verdictSummary(extraction: "orders", since: nil)
            #expect(summary.total.match == 8 * 25 * 20)
            #expect(summary.total.compared == 8 * 25 * 20)
            #expect(summary.total.notCompared == ["shed": 8 * 25 * 3])
            #expect(summary.endpoints.count == 20)
            #expect(summary.endpoints.values.allSatisfy { $0.match == 200 })
            let groups = try await store.groups(extraction: "orders")
            #expect(groups.count == 20)
            #expect(groups.allSatisfy { $0.count == 200 && $0.state == .new })
            #expect(try await store.fallbackSummary(extraction: "orders", since: nil).total == 200)
            // One example per batch and group was offered 200 times, all of the same time.
            let examples = try await connection.query(
                "SELECT max(n) AS most, min(n) AS least FROM (SELECT count(*) AS n FROM strangler.mismatch_examples GROUP BY signature) AS c"
            )
            #expect(try examples.first?.int("most") == 3)
            #expect(try examples.first?.int("least") == 3)
            await store.close()
        }

        @Test func `verdicts are told apart, per endpoint and in total, for one extraction or for all`() async throws {
            let (store, _) = try await Self.store()
            let batch = Self.batch { batch in
                for (index, verdict) in Verdict.allCases.enumerated() {
                    batch.count(
                        VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: verdict, reason: "why"),
                        times: index + 1)
                }
                batch.count(VerdictKey(extraction: "users", endpoint: "GET /users", verdict: .match), times: 100)
            }
            try await store.record(batch, at: Self.now)
            let orders = try await store.verdictSummary(extraction: "orders", since: nil)
            #expect(orders.total == orders.endpoints[Self.orders])
            #expect(orders.total.match == 1 && orders.total.mismatch == 2 && orders.total.transient == 3)
            #expect(orders.total.primaryFailed == 4 && orders.total.shadowFailed == 5)
            #expect(orders.total.notCompared == ["why": 6] && orders.total.compared == 6)
            #expect(try await store.verdictSummary(extraction: nil, since: nil).total.match == 101)
            #expect(try await store.verdictSummary(extraction: "none", since: nil) == VerdictSummary())
            await store.close()
        }

        // 12:00:00 ── batch 1 at :40 ── stage entered at :45 ── batch 2 at :50 ── 12:01:00 ── batch 3
        @Test func `evidence since a stage was entered leaves out what came before, within the same minute`()
            async throws
        {
            let (store, _) = try await Self.store()
            let batch = Self.batch { batch in
                batch.count(VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .match))
                batch.countFallback(
                    FallbackKey(extraction: "orders", endpoint: "GET /orders/{id}", reason: "refused"), at: Self.now)
            }
            try await store.record(batch, at: Self.now)
            let entered = Self.now.addingTimeInterval(5.25)
            let state = try await store.apply(
                StageStoreTests.transition(.initial(name: "orders", now: Self.now), to: .shadow, at: entered),
                actor: "ann", reason: nil, evidence: StageEvidence(), at: entered)
            try await store.record(batch, at: Self.now.addingTimeInterval(10))
            try await store.record(batch, at: Self.now.addingTimeInterval(11))
            try await store.record(batch, at: Self.now.addingTimeInterval(70))
            #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.match == 4)
            #expect(try await store.verdictSummary(extraction: "orders", since: state.since).total.match == 3)
            let later = Self.now.addingTimeInterval(15)
            #expect(try await store.verdictSummary(extraction: "orders", since: later).total.match == 1)
            let fallbacks = try await store.fallbackSummary(extraction: "orders", since: state.since)
            #expect(
                fallbacks
                    == FallbackSummary(
                        total: 3, byReason: ["refused": 3], byEndpoint: ["GET /orders/{id}": 3], lastAt: Self.now))
            await store.close()
        }

        @Test func `a fixed group that is seen again has regressed, one that was seen before has not`() async throws {
            let (store, _) = try await Self.store()
            let record = Self.record()
            try await store.record(Self.batch { $0.add(record) }, at: Self.now)
            let fixedAt = Self.now.addingTimeInterval(60)
            let fixed = try await store.setGroupState(
                record.signature.hex, .fixed, actor: "ann", reason: "deployed", at: fixedAt)
            #expect(fixed?.state == .fixed && fixed?.stateBy == "ann" && fixed?.stateWhy == "deployed")
            #expect(fixed?.stateAt == fixedAt)

            // Was on its way when ann decided.
            try await store.record(Self.batch { $0.add(Self.record(at: Self.now.addingTimeInterval(59))) }, at: fixedAt)
            #expect(try await store.groups(extraction: "orders").map(\.state) == [.fixed])

            let again = fixedAt.addingTimeInterval(1)
            try await store.record(Self.batch { $0.add(Self.record(at: again)) }, at: again)
            let group = try #require(try await store.groups(extraction: nil).first)
            #expect(group.state == .regressed && group.count == 3)
            #expect(try await store.regressedGroups(extraction: "orders") == 1)
            #expect(try await store.regressedGroups(extraction: "users") == 0)
            #expect(group.firstSeen == Self.now && group.lastSeen == again)
            #expect(group.stateBy == "strangler" && group.stateAt == again)
            await store.close()
        }

        @Test(arguments: [GroupState.acknowledged, .accepted, .regressed])
        func `other states stay when a group is seen again`(state: GroupState) async throws {
            let (store, _) = try await Self.store()
            let record = Self.record()
            try await store.record(Self.batch { $0.add(record) }, at: Self.now)
            _ = try await store.setGroupState(record.signature.hex, state, actor: "ann", reason: nil, at: Self.now)
            try await store.record(
                Self.batch { $0.add(Self.record(at: Self.now.addingTimeInterval(9))) }, at: Self.now)
            #expect(try await store.groups(extraction: nil).map(\.state) == [state])
            await store.close()
        }

        @Test func `a group keeps its first examples up to the limit, and counts the rest`() async throws {
            let (store, _) = try await Self.store(exampleLimit: 3)
            for first in [0, 2] {
                let batch = Self.batch { batch in
                    for index in first..<first + 2 {
                        batch.add(Self.record(at: Self.now.addingTimeInterval(Double(index))))
                    }
                }
                try await store.record(batch, at: Self.now)
            }
            let found = try #require(try await store.group(signaturePrefix: Self.record().signature.hex))
            #expect(found.group.count == 4)
            #expect(found.examples.map(\.at) == (0..<3).map { Self.now.addingTimeInterval(Double($0)) })
            await store.close()
        }

        @Test func `an example comes back as it was recorded, number lexemes and all`() async throws {
            let (store, connection) = try await Self.store()
            let record = Self.record(body: #"{"totalAmount":1.00,"n":1e400}"# + "\u{0}\u{1F600}")
            try await store.record(Self.batch { $0.add(record) }, at: Self.now)
            let found = try #require(try await store.group(signaturePrefix: String(record.signature.hex.prefix(6))))
            let example = try #require(found.examples.first)
            #expect(example.request == record.request && example.primary == record.primary)
            #expect(example.shadow == record.shadow && example.differences == record.differences)
            #expect(example.at == record.at)
            #expect(found.group.differences == record.signature.differences)
            let types = try await connection.query(
                "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_name = 'mismatch_examples' AND data_type LIKE 'json%'"
            )
            #expect(try types.map { try $0.text("data_type") } == ["json"])
            await store.close()
        }

        @Test func `a beginning is enough if only one signature has it`() async throws {
            let (store, _) = try await Self.store()
            // Sixteen first digits, seventeen groups: two of them share one.
            let records = (0..<17).map { Self.record("$.field\($0)") }
            try await store.record(Self.batch { batch in for record in records { batch.add(record) } }, at: Self.now)
            let byDigit = Dictionary(grouping: records.map(\.signature.hex)) { $0.prefix(1) }
            let shared = try #require(byDigit.first { $0.value.count > 1 })
            let error = await #expect(throws: AmbiguousSignature.self) {
                _ = try await store.group(signaturePrefix: String(shared.key))
            }
            #expect(error?.description.hasPrefix("\(shared.key) is the beginning of several signatures: ") == true)
            #expect(try await store.group(signaturePrefix: shared.value[0])?.group.signature == shared.value[0])
            #expect(try await store.group(signaturePrefix: "%") == nil)
            #expect(try await store.setGroupState("%", .fixed, actor: "a", reason: nil, at: Self.now) == nil)
            await #expect(throws: AmbiguousSignature.self) { _ = try await store.group(signaturePrefix: "") }
            await store.close()
        }

        @Test func `groups come most frequent first`() async throws {
            let (store, _) = try await Self.store()
            let batch = Self.batch { batch in
                for (path, times) in [("$.a", 1), ("$.b", 3), ("$.c", 2)] {
                    for _ in 0..<times { batch.add(Self.record(path)) }
                }
                batch.add(Self.record(extraction: "users"))
            }
            try await store.record(batch, at: Self.now)
            let groups = try await store.groups(extraction: "orders")
            #expect(groups.map(\.count) == [3, 2, 1])
            #expect(groups.first?.differences == [GroupedDifference(path: "$.b", kind: .type)])
            #expect(try await store.groups(extraction: nil, limit: 2).count == 2)
            #expect(try await store.groups(extraction: nil).count == 4)
            await store.close()
        }

        @Test func `hostile text in every field is kept word for word and fails nothing`() async throws {
            let (store, _) = try await Self.store()
            let hostile = #"x'); DROP SCHEMA strangler CASCADE; -- " \ {"a",NULL} $1 %"# + "\n\t\u{1}😀"
            let record = Self.record(
                extraction: hostile, endpoint: hostile, body: hostile + "\0")
            let batch = Self.batch { batch in
                batch.count(VerdictKey(extraction: hostile, endpoint: hostile, verdict: .notCompared, reason: hostile))
                batch.add(record)
                batch.countFallback(
                    FallbackKey(extraction: hostile, endpoint: "GET /orders/{id}", reason: hostile), at: Self.now)
            }
            try await store.record(batch, at: Self.now)
            let summary = try await store.verdictSummary(extraction: hostile, since: nil)
            #expect(summary.endpoints[hostile]?.notCompared == [hostile: 1])
            let fallbacks = try await store.fallbackSummary(extraction: hostile, since: nil)
            #expect(fallbacks.byReason == [hostile: 1])
            let changed = try await store.setGroupState(
                record.signature.hex, .accepted, actor: hostile, reason: hostile, at: Self.now)
            #expect(changed?.stateBy == hostile && changed?.stateWhy == hostile)
            let found = try #require(try await store.group(signaturePrefix: record.signature.hex))
            #expect(found.group.extraction == hostile && found.group.endpoint == hostile)
            #expect(found.examples.map(\.primary) == [record.primary])
            await store.close()
        }

        @Test func `NUL and endless text in keys are replaced and cut, and equal keys add up`() async throws {
            let (store, _) = try await Self.store()
            let long = String(repeating: "é", count: 100_000)
            let batch = Self.batch { batch in
                for endpoint in ["a\0b", "a\u{FFFD}b", long + "1", long + "2"] {
                    batch.count(
                        VerdictKey(extraction: "orders", endpoint: endpoint, verdict: .shadowFailed, reason: long))
                }
                batch.add(Self.record(extraction: long, endpoint: long))
                batch.countFallback(
                    FallbackKey(extraction: long, endpoint: "GET /orders/{id}", reason: long), at: Self.now)
            }
            try await store.record(batch, at: Self.now)
            let summary = try await store.verdictSummary(extraction: "orders", since: nil)
            #expect(summary.endpoints.mapValues(\.shadowFailed) == ["a\u{FFFD}b": 2, KeyText.endpoint(long): 2])
            #expect(KeyText.endpoint(long).utf8.count <= 1024)
            #expect(try await store.fallbackSummary(extraction: long, since: nil).total == 1)
            #expect(try await store.groups(extraction: long).count == 1)
            await store.close()
        }

        @Test func `an example that Postgres refuses costs only itself`() async throws {
            let (store, connection) = try await Self.store()
            try await connection.execute(
                script: "ALTER TABLE strangler.mismatch_examples ADD CHECK (primary_answer::text NOT LIKE '%poison%')")
            let batch = Self.batch { batch in
                for body in ["one", "poison", "two"] { batch.add(Self.record(body: body)) }
                batch.count(VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .mismatch), times: 3)
            }
            try await store.record(batch, at: Self.now)
            let found = try #require(try await store.group(signaturePrefix: Self.record().signature.hex))
            #expect(found.group.count == 3)
            #expect(found.examples.map(\.primary.body) == ["one", "two"])
            #expect(try await store.verdictSummary(extraction: nil, since: nil).total.mismatch == 3)
            await store.close()
        }

        @Test func `a batch that fails leaves nothing behind`() async throws {
            let (store, connection) = try await Self.store()
            try await connection.execute(script: "ALTER TABLE strangler.mismatch_groups ADD CHECK (count < 2)")
            let batch = Self.batch { batch in
                for _ in 0..<2 { batch.add(Self.record()) }
                batch.count(VerdictKey(extraction: "orders", endpoint: Self.orders, verdict: .mismatch), times: 2)
            }
            await #expect(throws: PostgresError.self) { try await store.record(batch, at: Self.now) }
            #expect(try await store.verdictSummary(extraction: nil, since: nil) == VerdictSummary())
            try await store.record(EvidenceBatch(), at: Self.now)
            await store.close()
        }
    }
}

@Suite struct StoreRecoveryTests {
    @Test func `while Postgres is away calls fail at once, and they work again when the monitor has restarted it`()
        async throws
    {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let lines = LogLines()
        let server = PrivatePostgres(directory: directory, logger: lines.logger)
        let store = PostgresStore(try await server.start(), logger: Logger(label: "test"))
        try await store.migrate()
        let batch = OnRealPostgres.EvidenceStoreTests.batch {
            $0.count(VerdictKey(extraction: "orders", endpoint: "GET /", verdict: .match))
        }
        let now = OnRealPostgres.EvidenceStoreTests.now
        try await store.record(batch, at: now)

        let place = try #require(await server.place)
        kill(try #require(place.recordedPid), SIGKILL)
        #expect(try await eventually { await !((try? store.ping()) != nil) })
        // The other pool's server process goes a moment later.
        #expect(
            try await eventually {
                await (try? store.verdictSummary(extraction: "orders", since: nil)) == nil
            })
        let elapsed = await ContinuousClock().measure {
            let error = await #expect(throws: PostgresError.self) { try await store.record(batch, at: now) }
            #expect(error?.isRetryable == true)
        }
        #expect(elapsed < .seconds(30))

        async let monitored: Void = server.monitor()
        #expect(try await eventually { (try? await store.ping()) != nil })
        try await store.record(batch, at: now)
        #expect(try await store.verdictSummary(extraction: "orders", since: nil).total.match == 2)
        await server.stop()
        await monitored
        await store.close()
    }
}
