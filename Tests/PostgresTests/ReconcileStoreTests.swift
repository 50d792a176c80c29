import Comparison
import DualWrite
import Extraction
import Foundation
import PostgresClient
import Testing

@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct ReconcileStoreTests {
        static let now = Date(timeIntervalSince1970: 1_795_000_000)
        static let (from, to) = (now.addingTimeInterval(-3_600), now.addingTimeInterval(3_600))

        private static func insert(
            _ store: PostgresStore, _ number: Int, _ entity: String?, state: String = "settled",
            endpoint: String = "PATCH /orders/{id}", by side: String = "monolith", at seconds: Double = 0,
            payload: [UInt8]? = nil, extraction: String = "orders"
        ) async throws {
            try await store.pool.query(
                """
                INSERT INTO strangler.writes (id, extraction, endpoint, lane, sequence, spool, primary_side, answered_by,
                    state, entity, received_at, payload)
                VALUES ($1, $2, $3, 1, $4, 'a', $5, $5, $6, $7, $8, $9)
                """,
                [
                    .text(WriteID(high: 0, low: UInt64(number)).description), .text(extraction), .text(endpoint),
                    .int(number), .text(side), .text(state), .text(optional: entity),
                    .timestamp(now.addingTimeInterval(seconds)), payload.map { .bytes($0) } ?? .null,
                ])
        }

        @Test func `entities come once each, in the order of their bytes, with their newest write's side`() async throws
        {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.insert(store, 1, "/orders/b", at: 1)
            try await Self.insert(store, 2, "/orders/b", endpoint: "DELETE /orders/{id}", by: "service", at: 2)
            try await Self.insert(store, 3, "/orders/B", state: "accepted")
            try await Self.insert(store, 4, "/orders/a", state: "dead")
            try await Self.insert(store, 5, "/orders/a", state: "uncertain", by: "service", at: 9)
            try await Self.insert(store, 6, "/orders/old", at: -7_200)
            try await Self.insert(store, 7, "/orders/other", extraction: "billing")
            try await Self.insert(store, 8, "/orders/refused", state: "refused")
            try await Self.insert(store, 9, nil)
            let counts = try await store.entities(extraction: "orders", from: Self.from, to: Self.to)
            #expect(counts == ReconcileCounts(total: 3, nameless: 1))
            var seen: [StoredEntity] = []
            while true {
                let page = try await store.entities(
                    extraction: "orders", from: Self.from, to: Self.to, after: seen.last?.path, limit: 2)
                if page.isEmpty { break }
                seen += page
            }
            #expect(seen.map(\.path) == ["/orders/B", "/orders/a", "/orders/b"])
            #expect(seen.map(\.answeredBy) == [.monolith, .monolith, .service])
            #expect(seen.map(\.isDeleted) == [false, false, true])
            #expect(seen.map { [$0.open, $0.dead, $0.uncertain] } == [[1, 0, 0], [0, 1, 1], [0, 0, 0]])
        }

        @Test func `pairs are walked whose write names no entity`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.insert(store, 1, "/orders/1")
            for (monolith, write) in [("1", 1), ("2", 2), ("3", 3)] {
                try await store.pool.query(
                    """
                    INSERT INTO strangler.identity_pairs (extraction, kind, monolith, service, learned_at, write_id)
                    VALUES ('orders', '$.orderId', $1, $2, $3, $4)
                    """,
                    [
                        .text(monolith), .text("s" + monolith), .timestamp(Self.now),
                        .text(WriteID(high: 0, low: UInt64(write)).description),
                    ])
            }
            let pairs = try await store.orphanedPairs(
                extraction: "orders", from: Self.from, to: Self.to, after: nil, limit: 1)
            #expect(pairs.map(\.monolith) == ["2"])
            let rest = try await store.orphanedPairs(
                extraction: "orders", from: Self.from, to: Self.to, after: ("$.orderId", "2"), limit: 5)
            #expect(rest.map(\.service) == ["s3"])
            #expect(
                try await store.entities(extraction: "orders", from: Self.from, to: Self.to)
                    == ReconcileCounts(total: 1))
        }

        @Test func `a run goes on where it was written down, and nobody takes a step twice`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let begun = try await store.beginReconcile(
                extraction: "orders", from: Self.from, to: Self.to, repairs: true, counts: ReconcileCounts(total: 2),
                actor: "ann", reason: "after the outage")
            #expect(begun.place == .start && begun.endedAt == nil && begun.repairs && begun.actor == "ann")
            var walk = begun.walk
            let number = walk.took(.entity("/orders/1")) ?? -1
            walk.looked(
                number,
                .looked(
                    ReconcileFinding(
                        entity: "/orders/1", result: .differs, primary: .service,
                        differences: [Difference(path: "$.status", kind: .value, primary: "PAID", shadow: "CREATED")],
                        reason: "because")))
            #expect(try await store.saveReconcile(begun.id, from: .start, walk, isOver: false))
            #expect(try await !store.saveReconcile(begun.id, from: .start, walk, isOver: false))
            let found = try #require(try await store.reconcileRun(begun.id, extraction: "orders"))
            #expect(found.place == walk.place && found.counts == walk.counts && found.found == walk.found)
            #expect(found.found.first?.primary == .service)
            #expect(try await store.saveReconcile(begun.id, from: walk.place, walk, isOver: true))
            #expect(try await !store.saveReconcile(begun.id, from: walk.place, walk, isOver: true))
            let runs = try await store.reconcileRuns(extraction: "orders", limit: 5)
            #expect(runs.map(\.id) == [begun.id] && runs.first?.endedAt != nil)
            #expect(try await store.reconcileRun(begun.id, extraction: "billing") == nil)
        }

        @Test func `dead writes say whether later ones have overtaken them`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.insert(store, 1, "/orders/1", state: "dead", at: 1, payload: [0, 1, 255])
            try await Self.insert(store, 2, "/orders/1", state: "settled", at: 2)
            try await Self.insert(store, 3, "/orders/1", state: "dead", by: "service", at: 3)
            try await Self.insert(store, 4, "/orders/1", state: "accepted", at: 4)
            let dead = try await store.deadWrites(extraction: "orders", entity: "/orders/1")
            #expect(dead.map(\.isOvertaken) == [true, false])
            #expect(dead.map(\.hasPayload) == [true, false])
            #expect(dead.map(\.answeredBy) == [.monolith, .service])
            #expect(try await store.openWrites(extraction: "orders", entity: "/orders/1") == 1)
        }

        @Test func `what a dead write was about is found out once and kept`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            try await Self.insert(store, 1, nil, state: "dead", payload: [0, 1, 255])
            try await Self.insert(store, 2, nil, state: "uncertain", payload: [7])
            try await Self.insert(store, 3, nil, state: "dead")
            try await Self.insert(store, 4, "/orders/4", state: "dead", payload: [7])
            let nameless = try await store.namelessPayloads(
                extraction: "orders", from: Self.from, to: Self.to, after: nil, limit: 10)
            #expect(nameless.map(\.payload) == [[0, 1, 255], [7]])
            let first = try #require(nameless.first)
            try await store.name([(first.id, "/orders/1")])
            let rest = try await store.namelessPayloads(
                extraction: "orders", from: Self.from, to: Self.to, after: first.id, limit: 10)
            #expect(rest.map(\.payload) == [[7]])
            let page = try await store.entities(
                extraction: "orders", from: Self.from, to: Self.to, after: nil, limit: 10)
            #expect(page.map(\.path) == ["/orders/1", "/orders/4"])
        }
    }
}
