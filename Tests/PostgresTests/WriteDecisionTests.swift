import DualWrite
import Extraction
import Foundation
import Logging
import PostgresStore
import Testing

@testable import PostgresClient

extension OnRealPostgres {
    /// Lists, counts, decisions, retention, gaps of one extraction.
    @Suite struct WriteDecisionTests {
        private static func store(_ rows: [LedgerRow] = []) async throws -> (PostgresStore, PostgresConnection) {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            try await store.file(writes: rows, spool: "a")
            return (store, try await PostgresConnection.connect(target))
        }

        @Test func `a dead write is retried: its payload is handed out, and it is open once a spool has it`()
            async throws
        {
            let dead = LedgerSamples.row(1, .dead, attempts: 12)
            let (store, _) = try await Self.store([dead])
            let payload = try await store.decide(dead.id, .retry, actor: "ann", reason: "mended", held: [])
            #expect(payload == dead.payload)
            // A crash here: nothing is lost.
            #expect(try await store.write(dead.id)?.state == .dead)
            #expect(try await store.markReadmitted(dead.id, spool: "b"))
            let open = try #require(try await store.write(dead.id))
            #expect(open.state == .accepted && open.attempts == 0 && open.isRetried && !open.hasPayload)
            #expect(open.spool == "b")
            #expect(try await !store.markReadmitted(dead.id, spool: "b"))
            // The old spool's word counts no more, the new one's does.
            try await store.file(writes: [dead], spool: "a")
            #expect(try await store.write(dead.id)?.state == .accepted)
            let again = LedgerSamples.row(1, .dead, sequence: 2, attempts: 3) { $0.isRetried = true }
            try await store.file(writes: [again], spool: "b")
            #expect(try await store.write(dead.id)?.attempts == 3)
            #expect(try await store.decisions(dead.id).map(\.reason) == ["mended"])
            await store.close()
        }

        @Test
        func `decisions are listed by extraction, also of writes that are gone, and what cannot be opened is none`()
            async throws
        {
            struct NoKey: Error {}
            let (store, connection) = try await Self.store(
                [1, 2].map { LedgerSamples.row($0, .dead) } + [LedgerSamples.row(3, .dead, extraction: "users")])
            let ids = (0...3).map { WriteID(high: LedgerSamples.row(1, .dead).id.high, low: UInt64($0)) }
            await #expect(throws: NoKey.self) {
                try await store.decide(ids[1], .retry, actor: "ann", reason: "x", held: []) { _ in throw NoKey() }
            }
            let opened = try await store.decide(ids[1], .retry, actor: "ann", reason: "mended", held: []) {
                $0.reversed()
            }
            #expect(opened == LedgerSamples.row(1, .dead).payload?.reversed())
            try await store.decide(ids[2], .settle, actor: "bob", reason: "seen", held: [])
            try await store.decide(ids[3], .settle, actor: "bob", reason: "other", held: [])
            // As a proxy of the version before writes it.
            try await connection.query(
                "INSERT INTO strangler.write_decisions (write_id, actor, decision, reason) VALUES ($1, 'cy', 'retry', 'old')",
                [.text(ids[1].description)])
            try await connection.query("DELETE FROM strangler.writes WHERE id = $1", [.text(ids[2].description)])
            let found = try await store.decisions(extraction: "orders", limit: 10)
            #expect(found.map(\.reason) == ["old", "seen", "mended"])
            #expect(
                found.map(\.write) == [ids[1], ids[2], ids[1]] && found.map(\.verdict) == [.retry, .settle, .retry])
            #expect(found[1].endpoint == LedgerSamples.row(2, .dead).endpoint && found[0].endpoint == nil)
            #expect(try await store.decisions(extraction: "orders", limit: 1).map(\.reason) == ["old"])
            #expect(try await store.decisions(extraction: "none", limit: 10).isEmpty)
            await store.close()
        }

        @Test func `filed before it is marked, a retry stays as it was filed`() async throws {
            let dead = LedgerSamples.row(1, .dead)
            let (store, _) = try await Self.store([dead])
            try await store.decide(dead.id, .retry, actor: "ann", reason: "mended", held: [])
            let again = LedgerSamples.row(1, .dead, sequence: 9) { $0.isRetried = true }
            try await store.file(writes: [again], spool: "b")
            #expect(try await !store.markReadmitted(dead.id, spool: "b"))
            #expect(try await store.write(dead.id)?.state == .dead)
            await store.close()
        }

        @Test func `settled by a person, a write stays settled, whatever is filed`() async throws {
            let uncertain = LedgerSamples.row(1, .uncertain)
            let (store, connection) = try await Self.store([uncertain])
            #expect(try await store.decide(uncertain.id, .settle, actor: "ann", reason: "seen", held: ["a"]) == nil)
            for state in LedgerRow.State.allCases {
                let late = LedgerSamples.row(1, state, sequence: 1)
                let retried = LedgerSamples.row(1, state, sequence: 2) { $0.isRetried = true }
                try await store.file(writes: [late, retried], spool: "a")
                try await store.file(writes: [retried], spool: "b")
                let found = try #require(try await store.write(uncertain.id))
                #expect(found.state == .settled && !found.hasPayload, "\(state)")
            }
            let decision = try #require(try await store.decisions(uncertain.id).first)
            #expect(decision.actor == "ann" && decision.verdict == .settle && decision.reason == "seen")
            for statement in [
                "UPDATE strangler.write_decisions SET actor = 'x'", "DELETE FROM strangler.write_decisions",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await connection.query(statement) }
                #expect(error?.sqlState == "23001")
            }
            await store.close()
        }

        @Test func `what does not wait for a decision is left alone`() async throws {
            let rows = [LedgerRow.State.settled, .refused, .accepted].enumerated().map {
                LedgerSamples.row($0.offset + 1, $0.element)
            }
            let bare = LedgerSamples.row(9, .dead) { $0.payload = nil }
            let (store, _) = try await Self.store(rows + [bare])
            for (row, state) in [(rows[0], LedgerRow.State.settled), (rows[1], .refused)] {
                for verdict in WriteVerdict.allCases {
                    let refusal = await #expect(throws: WriteDecisionRefusal.self) {
                        try await store.decide(row.id, verdict, actor: "ann", reason: "x", held: [])
                    }
                    #expect(refusal == .notUndecided(row.id, state))
                }
            }
            let open = rows[2].id
            await #expect(throws: WriteDecisionRefusal.held(open, .accepted, spool: "a")) {
                try await store.decide(open, .settle, actor: "ann", reason: "x", held: ["a"])
            }
            // Nobody holds its spool any more: it cannot be delivered, but somebody may see to it.
            await #expect(throws: WriteDecisionRefusal.withoutPayload(open)) {
                try await store.decide(open, .retry, actor: "ann", reason: "x", held: [])
            }
            try await store.decide(open, .settle, actor: "ann", reason: "x", held: ["b"])
            #expect(try await store.write(open)?.state == .settled)
            await #expect(throws: WriteDecisionRefusal.withoutPayload(bare.id)) {
                try await store.decide(bare.id, .retry, actor: "ann", reason: "x", held: [])
            }
            let nobody = WriteID(high: 0, low: 0)
            await #expect(throws: WriteDecisionRefusal.unknown(nobody)) {
                try await store.decide(nobody, .settle, actor: "ann", reason: "x", held: [])
            }
            #expect(try await store.decisions(bare.id).isEmpty, "a refused decision is not on record")
            await store.close()
        }

        @Test func `lists go page by page, and counts say who waits for whom`() async throws {
            let now = Date()
            let rows = (1...7).map { (number: Int) -> LedgerRow in
                let state: LedgerRow.State = number == 7 ? .dead : number == 6 ? .uncertain : .accepted
                return LedgerSamples.row(
                    number, state, receivedAt: now.addingTimeInterval(-100 + Double(number % 2))
                ) {
                    $0.answeredBy = number == 1 ? .service : .monolith
                    if number == 2 { $0.endpoint = "DELETE /orders/{id}" }
                }
            }
            let (store, _) = try await Self.store(rows)
            try await store.file(
                writes: [
                    LedgerSamples.row(20, .intent, receivedAt: now.addingTimeInterval(-60)) { $0.primary = .service },
                    LedgerSamples.row(21, .accepted, receivedAt: now),
                    LedgerSamples.row(22, .settled, receivedAt: now),
                    LedgerSamples.row(23, .accepted, extraction: "users", receivedAt: now.addingTimeInterval(-60)),
                ], spool: "b")
            for oldestFirst in [false, true] {
                var seen: [StoredWrite] = []
                var filter = WriteFilter(
                    states: WriteFilter.openStates + WriteFilter.undecidedStates, oldestFirst: oldestFirst)
                #expect(try await store.countWrites(extraction: "orders", filter, limit: 5) == 5)
                while case let page = try await store.writes(extraction: "orders", filter, limit: 2),
                    let last = page.last
                {
                    #expect(page.count <= 2)
                    #expect(
                        try await store.countWrites(extraction: "orders", filter, limit: 100) == 9 - seen.count)
                    seen += page
                    filter.after = .init(receivedAt: last.receivedAt, id: last.id)
                }
                let newestFirst: [UInt64] = [21, 20, 7, 5, 3, 1, 6, 4, 2]
                #expect(seen.map(\.id.low) == (oldestFirst ? newestFirst.reversed() : newestFirst))
            }
            let deleted = try await store.writes(
                extraction: "orders", WriteFilter(endpoint: "DELETE /orders/{id}"), limit: 10)
            #expect(deleted.map(\.id.low) == [2])
            let standing = try await store.writeStanding(extraction: "orders")
            #expect(standing.dead == 1 && standing.uncertain == 1)
            let open = standing.open.sorted { ($0.spool, $0.to.rawValue) < ($1.spool, $1.to.rawValue) }
            #expect(open.map(\.spool) == ["a", "a", "b"])
            // Row 21 has just come, and may be done already.
            #expect(open.map(\.to) == [.monolith, .service, .monolith] && open.map(\.writes) == [1, 4, 1])
            #expect(standing.lost(beside: ["a"]).map(\.spool) == ["b"])
            #expect(try await store.settledWrites(extraction: "orders", since: now.addingTimeInterval(-5)) == 1)
            let guarded = try await store.guardedWrites(extraction: "orders", since: .distantPast, held: ["a"])
            #expect(guarded == GuardedWrites(dead: 1, uncertain: 1, lost: 1))
            #expect(
                try await store.guardedWrites(extraction: "orders", since: now, held: ["a", "b"]) == GuardedWrites())
            await store.close()
        }

        @Test func `what is done goes after its time, what waits for a person never`() async throws {
            let now = Date()
            let old = now.addingTimeInterval(-46 * 86_400)
            var rows = LedgerRow.State.allCases.enumerated().map {
                LedgerSamples.row(
                    $0.offset + 1, $0.element, extraction: $0.offset % 2 == 0 ? "a" : "b", receivedAt: old)
            }
            rows += [LedgerSamples.row(20, .settled, extraction: "b", receivedAt: now.addingTimeInterval(-44 * 86_400))]
            rows += (100..<130).map { LedgerSamples.row($0, .settled, extraction: "c\($0 % 3)", receivedAt: old) }
            let (store, _) = try await Self.store(rows)
            try await store.dropExpired(now: now)
            var left: [UInt64] = []
            for name in ["a", "b", "c0", "c1", "c2"] {
                left += try await store.writes(extraction: name, limit: 100).map(\.id.low)
            }
            let kept = LedgerRow.State.allCases.enumerated().filter { ![.settled, .refused].contains($0.element) }
            #expect(left.sorted() == kept.map { UInt64($0.offset + 1) } + [20])
            await store.close()
        }

        @Test func `a gap of one extraction grows, and closes no other's gate`() async throws {
            let (store, _) = try await Self.store()
            let began = Date(timeIntervalSince1970: 1_795_234_567)
            let of = { (name: String, seconds: Double, writes: Int) in
                try await store.recordGap(
                    extraction: name, began: began, ended: began.addingTimeInterval(seconds), replica: "web-1",
                    reason: "spool-full", writes: writes)
            }
            // The replica's own gap began in the same moment.
            let whole = try await store.recordGap(
                began: began, ended: began.addingTimeInterval(1), replica: "web-1", reason: "it ended")
            let orders = try await of("orders", 4, 1)
            let users = try await of("users", 9, 3)
            #expect(Set([whole, orders, users]).count == 3)
            #expect(try await of("orders", 7, 120) == orders)
            #expect(try await of("orders", 5, 60) == orders, "said again, late")
            let gaps = try await store.gaps(extraction: "orders", since: began)
            #expect(gaps.map(\.id) == [whole, orders] && gaps.map(\.extraction) == [nil, "orders"])
            let own = try #require(gaps.last)
            #expect(own.reason == "spool-full, 120 writes" && own.ended == began.addingTimeInterval(7))
            try await store.waive(
                extraction: "orders", subject: "gap \(orders)", actor: "ann", reason: "copied by hand", at: began)
            #expect(try await store.gaps(extraction: "orders", since: began).last?.waiver?.actor == "ann")
            // The replica lives: what it had counted is there, but not the writes.
            try await store.forgetGaps(replica: "web-1")
            #expect(try await store.gaps(extraction: "orders", since: began).map(\.id) == [orders])
            #expect(try await store.gaps(extraction: "users", since: began).map(\.id) == [users])
            await store.close()
        }

        @Test func `a gap is the same one whoever files it, by the spool that has it`() async throws {
            let (store, _) = try await Self.store()
            let began = Date(timeIntervalSince1970: 1_795_234_567)
            let file = { (name: String, replica: String, spool: String, writes: Int) in
                try await store.recordGap(
                    extraction: name, began: began, ended: began.addingTimeInterval(Double(writes)), replica: replica,
                    spool: spool, reason: "spool-full", writes: writes)
            }
            let (one, other) = ("1a2b3c4d5e6f708192a3b4c5d6e7f809", "ffffffff5e6f708192a3b4c5d6e7f809")
            let first = try await file("orders", "web-1:7-ab", one, 1)
            #expect(try await file("orders", "web-1, a process before web-1:9-cd", one, 2) == first)
            #expect(try await file("orders", "web-1:7-ab", other, 1) != first)
            #expect(try await file("users", "web-1:7-ab", one, 1) != first)
            let gaps = try await store.gaps(extraction: "orders", since: began)
            #expect(gaps.map(\.replica) == ["web-1:7-ab, spool 1a2b3c4d", "web-1:7-ab, spool ffffffff"])
            #expect(gaps.first?.reason == "spool-full, 2 writes")
            await store.close()
        }
    }
}
