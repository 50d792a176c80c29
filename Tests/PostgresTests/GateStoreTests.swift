import Comparison
import Extraction
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct GateStoreTests {
        static let now = EvidenceStoreTests.now
        static let (get, post) = ("GET /orders/{id}", "POST /orders")

        /// Matches, and mismatches of groups in every state.
        private static func fill(_ store: PostgresStore) async throws {
            let batch = EvidenceStoreTests.batch { batch in
                func count(_ verdict: Verdict, _ times: Int, _ reason: String? = nil, _ endpoint: String = get) {
                    batch.count(
                        VerdictKey(extraction: "orders", endpoint: endpoint, verdict: verdict, reason: reason),
                        times: times)
                }
                count(.match, 100)
                count(.transient, 3)
                count(.primaryFailed, 50)
                count(.shadowFailed, 4, "timeout")
                count(.notCompared, 5, NotComparedReason.shed.rawValue)
                count(.notCompared, 900, NotComparedReason.notSampled.rawValue)
                count(.notCompared, 6, NotComparedReason.bodyTooLarge.rawValue)
                for (index, state) in GroupState.allCases.enumerated() {
                    let record = EvidenceStoreTests.record("$.\(state)", endpoint: get, at: now)
                    batch.add(record)
                    count(.mismatch, 1 << index, record.signature.hex)
                }
                // Of none: its group found no place.
                count(.mismatch, 32)
                count(.match, 7, nil, post)
            }
            try await store.record(batch, at: now)
            for state in GroupState.allCases {
                let hex = EvidenceStoreTests.record("$.\(state)", endpoint: get).signature.hex
                _ = try await store.setGroupState(hex, state, actor: "ann", reason: nil, at: now)
            }
        }

        // new 1, acknowledged 2, accepted 4, fixed 8, regressed 16, without a group 32
        @Test func `differences of fixed groups are left out, accepted ones are compared`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.fill(store)
            let since = Self.now.addingTimeInterval(-60)
            let evidence = try await store.gateEvidence(extraction: "orders", since: since)
            #expect(
                evidence == [
                    EndpointEvidence(
                        endpoint: Self.get, compared: 100 + 3 + 63 - 8, differing: 63 - 8 - 4, accepted: 4,
                        shadowFailed: 4, shed: 5, notCompared: [NotComparedReason.bodyTooLarge.rawValue: 6],
                        primaryFailed: 50),
                    EndpointEvidence(endpoint: Self.post, compared: 7),
                ])
            let span = try await store.guardSpan(extraction: "orders", since: since)
            #expect(span.differing == [Self.get: Share(51, of: 158), Self.post: Share(0, of: 7)])
            #expect(span.endpoints.isEmpty)
            try await store.record(
                TrafficStoreTests.batch("orders", Self.get, .monolith, TrafficStoreTests.tally(9, times: [1_000])),
                at: Self.now)
            let more = try await store.guardSpan(extraction: "orders", since: since)
            #expect(more.endpoints[Self.get]?.monolith == TrafficStoreTests.tally(9, times: [1_000]).traffic)
            #expect(more.endpoints[Self.get]?.service == SideTraffic() && more.differing == span.differing)
            #expect(try await store.gateEvidence(extraction: "orders", since: Self.now).isEmpty)
            #expect(
                try await store.guardSpan(extraction: "orders", since: Self.now) == GuardEvidence.Span())
            await store.close()
        }

        @Test func `a waiver stands until it is revoked, and a second is refused with the first one's words`()
            async throws
        {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.fill(store)
            let (get, later) = (Self.get, Self.now.addingTimeInterval(60))
            let rare = "DELETE /orders/{id}"
            let ann = Waiver(actor: "ann", reason: "nobody deletes", at: Self.now)
            let entry = try await store.waive(
                extraction: "orders", subject: rare, actor: ann.actor, reason: ann.reason, at: ann.at)
            #expect(entry.waiver == ann && entry.subject == rare && entry.revokedAt == nil)
            let refused = await #expect(throws: WaiverStands.self) {
                try await store.waive(extraction: "orders", subject: rare, actor: "bob", reason: "me too", at: later)
            }
            #expect(refused?.waiver == ann && refused?.description.contains("ann") == true)
            try await store.waive(extraction: "users", subject: rare, actor: "bob", reason: "other", at: later)
            try await store.waive(extraction: "orders", subject: get, actor: "bob", reason: "seen", at: later)
            let gap = try await store.recordGap(began: Self.now, ended: later, replica: "r1", reason: "cut off")
            try await store.waive(
                extraction: "orders", subject: "\(GapSubject(id: gap))", actor: "bob", reason: "at night", at: later)
            let evidence = try await store.gateEvidence(
                extraction: "orders", since: Self.now.addingTimeInterval(-60))
            #expect(evidence.map(\.endpoint) == [rare, get, Self.post])
            #expect(evidence[0] == EndpointEvidence(endpoint: rare, waiver: ann))
            #expect(evidence[1].waiver?.actor == "bob" && evidence[1].compared == 158 && evidence[2].waiver == nil)

            let revoked = try await store.revokeWaiver(extraction: "orders", subject: rare, actor: "cy", at: later)
            #expect(revoked?.id == entry.id && revoked?.revokedBy == "cy" && revoked?.revokedAt == later)
            #expect(
                try await store.revokeWaiver(extraction: "orders", subject: rare, actor: "cy", at: later) == nil)
            try await store.waive(extraction: "orders", subject: rare, actor: "bob", reason: "again", at: later)
            let history = try await store.waivers(extraction: "orders")
            #expect(history.map(\.waiver.actor) == ["bob", "bob", "bob", "ann"])
            #expect(history.map { $0.revokedBy } == [nil, nil, nil, "cy"])
            await store.close()
        }

        @Test func `of people who waive the same at once exactly one does`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let refusals = try await withThrowingTaskGroup(of: Bool.self) { group in
                for person in 0..<8 {
                    group.addTask {
                        do {
                            try await store.waive(
                                extraction: "orders", subject: Self.get, actor: "\(person)", reason: "", at: Self.now)
                            return false
                        } catch is WaiverStands {
                            return true
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refusals == 7)
            #expect(try await store.waivers(extraction: "orders").count == 1)
            await store.close()
        }

        @Test(arguments: [
            "UPDATE strangler.waivers SET reason = 'x'", "UPDATE strangler.waivers SET revoked_at = NULL",
            "UPDATE strangler.waivers SET subject = 'x' WHERE revoked_at IS NULL", "DELETE FROM strangler.waivers",
            "TRUNCATE strangler.waivers",
        ]) func `somebody's word cannot be changed, only ended`(statement: String) async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            for _ in 0..<2 {
                try await store.revokeWaiver(extraction: "orders", subject: Self.get, actor: "bob", at: Self.now)
                try await store.waive(
                    extraction: "orders", subject: Self.get, actor: "ann", reason: "rare", at: Self.now)
            }
            let error = await #expect(throws: PostgresError.self) { try await connection.query(statement) }
            #expect(error?.sqlState == "23001")
            #expect(try await store.waivers(extraction: "orders").map(\.waiver.reason) == ["rare", "rare"])
            await store.close()
        }

        @Test func `a gap said twice is one gap, and is given out while it reaches into the time asked for`()
            async throws
        {
            let (store, _) = try await EvidenceStoreTests.store()
            let (began, ended) = (Self.now, Self.now.addingTimeInterval(30))
            let first = try await store.recordGap(began: began, ended: ended, replica: "r1", reason: "cut off")
            #expect(try await store.recordGap(began: began, ended: began, replica: "r1", reason: "again") == first)
            let later = ended.addingTimeInterval(60)
            #expect(try await store.recordGap(began: began, ended: later, replica: "r1", reason: "again") == first)
            let other = try await store.recordGap(began: ended, ended: began, replica: "r2", reason: "killed")
            #expect(other != first)
            try await store.waive(
                extraction: "orders", subject: "gap \(first)", actor: "ann", reason: "at night", at: later)
            let gaps = try await store.gaps(extraction: "orders", since: began)
            #expect(
                gaps == [
                    EvidenceGap(
                        id: first, began: began, ended: later, replica: "r1", reason: "cut off",
                        waiver: Waiver(actor: "ann", reason: "at night", at: later)),
                    EvidenceGap(id: other, began: ended, ended: ended, replica: "r2", reason: "killed"),
                ])
            #expect(try await store.gaps(extraction: "users", since: began).map(\.waiver) == [nil, nil])
            #expect(try await store.gaps(extraction: "orders", since: later).map(\.id) == [first])
            #expect(try await store.gaps(extraction: "orders", since: later.addingTimeInterval(1)).isEmpty)
            try await store.dropExpired(now: later.addingTimeInterval(401 * UTCDay.length))
            #expect(try await store.gaps(extraction: "orders", since: .distantPast).isEmpty)
            await store.close()
        }

        @Test(arguments: ["gap 12": 12, "gap -1": -1, "gap 012": nil, "gap ": nil, "GET /gap 1": nil, "gap 1 ": nil])
        func `a gap's name is told from an endpoint's`(subject: String, id: Int64?) {
            #expect(GapSubject(subject)?.id == id)
        }
    }

    @Suite struct ReplicaStoreTests {
        static func replica(_ id: String = "r1", startedAt: Date = Date(timeIntervalSince1970: 1_700_000_000))
            -> Replica
        {
            Replica(
                id: id, host: "host\0\"'", process: 4711, version: "1.2", startedAt: startedAt,
                extractions: [
                    "orders": Replica.ServedState(
                        version: 12, stage: .cutover, weight: "25% of reads, 5% of writes", backlog: 3, openBreakers: 1)
                ],
                guardBackend: 99)
        }

        @Test func `a replica is known by its beats, by the database's clock, until it is forgotten`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            #expect(try await store.replicas().isEmpty)
            let before = try await connection.query("SELECT now() AS now").first?.timestamp("now")
            let beat = try await store.beat(Self.replica())
            #expect(try beat >= #require(before))
            let found = try #require(try await store.replicas().first)
            var expected = Self.replica()
            expected.host = "host\u{FFFD}\"'"
            (expected.beatAt, expected.age) = (beat, found.age)
            #expect(found == expected)
            #expect(try #require(found.age) >= 0)
            try await connection.query("UPDATE strangler.replicas SET beat_at = now() - interval '90 seconds'")
            #expect(try #require(try await store.replicas().first?.age) >= 90)
            #expect(try await store.signOff(id: "r1"))
            #expect(try await !store.signOff(id: "nobody"))
            let gone = try #require(try await store.replicas().first)
            #expect(gone.stoppedAt != nil && gone.guardBackend == nil)
            // It was only thought to be gone.
            var changed = Self.replica()
            changed.extractions = [:]
            changed.guardBackend = nil
            try await store.beat(changed)
            let back = try #require(try await store.replicas().first)
            #expect(back.stoppedAt == nil && back.extractions.isEmpty && back.guardBackend == nil)
            try await store.beat(Self.replica("r0", startedAt: Date(timeIntervalSince1970: 1_600_000_000)))
            #expect(try await store.replicas().map(\.id) == ["r0", "r1"])
            #expect(try await store.forgetReplicas(olderThan: 60) == 0)
            try await connection.query(
                "UPDATE strangler.replicas SET beat_at = beat_at - interval '1 day' WHERE id = 'r1'")
            #expect(try await store.forgetReplicas(olderThan: 3600) == 1)
            #expect(try await store.replicas().map(\.id) == ["r0"])
            await store.close()
        }

        @Test func `what a replica of another version says is read as far as it is understood`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            for (id, extractions) in [
                ("a", #"{"orders":{"version":3,"stage":"dreaming","colour":"red"},"users":{}}"#), ("b", "[1]"),
            ] {
                try await store.beat(Self.replica(id))
                try await connection.query(
                    "UPDATE strangler.replicas SET extractions = $1 WHERE id = $2", [.text(extractions), .text(id)])
            }
            let found = try await store.replicas()
            #expect(found.first?.extractions["orders"] == Replica.ServedState(version: 3, stage: nil, weight: ""))
            #expect(found.first?.extractions["users"]?.version == 0)
            #expect(found.count == 2 && found.last?.extractions.isEmpty == true)
            await store.close()
        }

        @Test func `reports of retiring are kept word for word, the newest first`() async throws {
            struct Report: Codable, Sendable, Equatable {
                var endpoints: [String]
                var since: Date
            }
            let (store, _) = try await EvidenceStoreTests.store()
            let now = EvidenceStoreTests.now
            let reports = (0..<2).map { Report(endpoints: ["GET /\($0)\0 1.00"], since: now) }
            for (index, report) in reports.enumerated() {
                for _ in 0..<2 {
                    try await store.saveRetireReport(
                        extraction: "orders", at: now.addingTimeInterval(Double(index)), report: report)
                }
            }
            let stored = try await store.retireReports(extraction: "orders")
            #expect(try stored.map { try $0.decoded(as: Report.self) } == reports.reversed())
            #expect(stored.map(\.at) == [now.addingTimeInterval(1), now])
            #expect(try await store.retireReports(extraction: "users").isEmpty)
            #expect(throws: PostgresError.self) { try stored[0].decoded(as: [Int].self) }
            await store.close()
        }
    }
}
