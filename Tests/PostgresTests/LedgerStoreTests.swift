import DualWrite
import Extraction
import Foundation
import Logging
import PostgresStore
import TestSupport
import Testing

@testable import PostgresClient

extension OnRealPostgres {
    /// What comes out of the spools.
    @Suite struct LedgerStoreTests {
        private static let columns = """
            id, extraction, endpoint, lane, sequence, spool, primary_side, answered_by, state, is_retried, attempts,
            primary_status, other_status, reason, entity, received_at, payload
            """

        private static func store() async throws -> (PostgresStore, PostgresConnection) {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            return (store, try await PostgresConnection.connect(target))
        }

        /// Every row as text, by id; without the time of its last change.
        private static func rows(_ connection: PostgresConnection) async throws -> [String: String] {
            let rows = try await connection.query(
                "SELECT id, row(\(columns))::text AS whole FROM strangler.writes ORDER BY id")
            return Dictionary(
                try rows.map { (try $0.text("id"), try $0.text("whole")) }, uniquingKeysWith: { $1 })
        }

        @Test func `a row says what was filed, byte for byte`() async throws {
            let (store, connection) = try await Self.store()
            let dead = LedgerSamples.row(3, .dead, attempts: 12) {
                $0.answeredBy = .service
                $0.primary = .service
                $0.primaryStatus = 201
                $0.otherStatus = 422
                $0.entity = #"/orders/"7"\,{}"#
                $0.endpoint = "POST /öäü \u{0}'"
            }
            #expect(try await store.file(writes: [dead], spool: "a") == 1)
            let found = try #require(try await store.write(dead.id))
            #expect(found.id == dead.id && found.extraction == "orders" && found.endpoint == "POST /öäü \u{FFFD}'")
            #expect(found.lane == dead.lane && found.spool == "a" && found.primary == .service)
            #expect(found.answeredBy == .service && found.state == .dead && found.attempts == 12 && found.hasPayload)
            #expect(found.primaryStatus == 201 && found.otherStatus == 422 && found.reason == "status-422")
            #expect(found.entity == dead.entity && found.receivedAt == LedgerSamples.now && !found.isRetried)
            let payload = try await connection.query("SELECT encode(payload, 'hex') AS hex FROM strangler.writes")
            #expect(try payload.first?.text("hex") == "00010203ff")
            // What the records do not say is not made up.
            let bare = LedgerSamples.row(4, .settled) { $0.answeredBy = nil }
            try await store.file(writes: [bare], spool: "a")
            let second = try #require(try await store.write(bare.id))
            #expect(second.answeredBy == nil && second.primaryStatus == nil && second.reason == nil)
            #expect(try await store.file(writes: [], spool: "a") == 0)
            await store.close()
        }

        @Test(arguments: 0..<4)
        func `in whatever order and however often parts of a ledger come, the end is the same`(seed: UInt64)
            async throws
        {
            var generator = SeededGenerator(seed: seed)
            let (ordered, orderedRows) = try await Self.store()
            let (mixed, mixedRows) = try await Self.store()
            let steps = (1...60).flatMap {
                LedgerSamples.way($0, sequence: UInt64($0), isWhole: true, using: &generator)
            }
            for step in steps { try await ordered.file(writes: [step], spool: "a") }
            var parts = (steps + steps + steps.filter { _ in Bool.random(using: &generator) })
                .shuffled(using: &generator)[...]
            while !parts.isEmpty {
                let batch = parts.prefix(Int.random(in: 1...90, using: &generator))
                parts = parts.dropFirst(batch.count)
                try await mixed.file(writes: Array(batch), spool: "a")
            }
            #expect(try await Self.rows(mixedRows) == Self.rows(orderedRows))
            #expect(try await mixed.file(writes: steps, spool: "a") == 0, "filed once more, nothing changes")
            await ordered.close()
            await mixed.close()
        }

        // spool a: … dead ──────── (crash: from the cursor again) … dead …
        // person:        retry ─┐
        // spool b:              └─ carried ─ accepted ─ … settled or dead, (crash) again
        @Test(arguments: 0..<6)
        func `drains that begin again and retries elsewhere never set a row back`(seed: UInt64) async throws {
            var generator = SeededGenerator(seed: seed)
            let (plain, plainRows) = try await Self.store()
            let (crashing, crashingRows) = try await Self.store()
            var first = (1...40).map {
                LedgerSamples.way($0, sequence: UInt64($0), isWhole: false, using: &generator)
            }
            func file(_ steps: [LedgerRow], _ spool: String) async throws {
                try await plain.file(writes: steps, spool: spool)
                var position = 0
                while position < steps.count {
                    let end = min(steps.count, position + Int.random(in: 1...20, using: &generator))
                    try await crashing.file(writes: Array(steps[position..<end]), spool: spool)
                    // The cursor may not have got as far.
                    position = Int.random(in: 0..<4, using: &generator) == 0 ? max(0, position - 15) : end
                }
            }
            first.shuffle(using: &generator)
            let before = first.flatMap(\.self)
            try await file(before, "a")
            var number = 0
            var after: [(LedgerRow, String)] = []
            for write in first where write.last?.state == .dead || write.last?.state == .uncertain {
                guard let last = write.last else { continue }
                number += 1
                let spool = Bool.random(using: &generator) ? "a" : "b"
                let sequence = UInt64(1_000 + number)
                let isMarked = Bool.random(using: &generator)
                for store in [plain, crashing] where isMarked {
                    try await store.decide(last.id, .retry, actor: "ann", reason: "again", held: [])
                    #expect(try await store.markReadmitted(last.id, spool: spool))
                }
                let steps = LedgerSamples.way(
                    Int(last.id.low), sequence: sequence, isRetry: true, isWhole: false, using: &generator)
                after += steps.map { ($0, spool) }
            }
            try await file(after.filter { $0.1 == "a" }.map(\.0), "a")
            try await crashing.file(writes: before, spool: "a")
            try await file(after.filter { $0.1 == "b" }.map(\.0), "b")
            try await crashing.file(writes: before, spool: "a")
            try await crashing.file(writes: after.filter { $0.1 == "b" }.map(\.0), spool: "b")
            let ends = try await Self.rows(plainRows)
            #expect(try await Self.rows(crashingRows) == ends)
            for (row, _) in after where row.state == .settled {
                #expect(try await crashing.write(row.id)?.state == .settled)
            }
            let states = Dictionary(grouping: after.map(\.0), by: \.id).compactMapValues(\.last?.state)
            #expect(!states.isEmpty)
            for (id, state) in states { #expect(try await crashing.write(id)?.state == state, "\(id)") }
            await plain.close()
            await crashing.close()
        }

        @Test func `retried twice on two machines, the first one's late word counts no more`() async throws {
            let (store, _) = try await Self.store()
            let dead = LedgerSamples.row(1, .dead, sequence: 5_000)
            let again = LedgerSamples.row(1, .dead, sequence: 5_003) { $0.isRetried = true }
            let last = LedgerSamples.row(1, .settled, sequence: 5_007) { $0.isRetried = true }
            try await store.file(writes: [dead], spool: "a")
            try await store.file(writes: [again], spool: "b")
            #expect(try await store.write(dead.id)?.spool == "b")
            try await store.file(writes: [dead], spool: "a")
            #expect(try await store.write(dead.id)?.spool == "b")
            try await store.file(writes: [last], spool: "a")
            for (row, spool) in [(dead, "a"), (again, "b"), (again, "b"), (last, "a")] {
                try await store.file(writes: [row], spool: spool)
                let found = try #require(try await store.write(dead.id))
                #expect(found.state == .settled && found.spool == "a" && !found.hasPayload && found.isRetried)
            }
            await store.close()
        }

        // spool a: intent ─ accepted (killed)
        // spool b, of its successor:          delivered ─ settled
        @Test(arguments: [false, true])
        func `what one spool began, another goes on with, whoever is drained first`(isOwnFirst: Bool) async throws {
            let (store, _) = try await Self.store()
            let begun = LedgerSamples.row(1, .accepted) { $0.primaryStatus = 201 }
            let ended = LedgerSamples.row(1, .settled) {
                $0.answeredBy = nil
                $0.otherStatus = 200
            }
            let parts = [(begun, "a"), (ended, "b")]
            for (row, spool) in isOwnFirst ? parts.reversed() : parts {
                try await store.file(writes: [row], spool: spool)
            }
            let found = try #require(try await store.write(begun.id))
            #expect(found.state == .settled && found.spool == "b" && !found.isRetried)
            #expect(found.primaryStatus == 201 && found.otherStatus == 200 && found.answeredBy == .monolith)
            await store.close()
        }

        @Test func `replicas that file the same at once do not lock each other out`() async throws {
            let (store, connection) = try await Self.store()
            var generator = SeededGenerator(seed: 3)
            let steps = (1...150).flatMap {
                LedgerSamples.way($0, sequence: UInt64($0), isWhole: true, using: &generator)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    let shuffled = steps.shuffled(using: &generator)
                    group.addTask {
                        for start in stride(from: 0, to: shuffled.count, by: 100) {
                            let batch = Array(shuffled[start..<min(shuffled.count, start + 100)])
                            try await store.file(writes: batch, spool: "a")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.rows(connection).count == 150)
            #expect(try await store.file(writes: steps, spool: "a") == 0)
            await store.close()
        }

        /// Prints how fast; the bound is far below, for busy machines.
        @Test func `thousands of rows are filed in a second`() async throws {
            let (store, _) = try await Self.store()
            let clock = ContinuousClock()
            for state in [LedgerRow.State.accepted, .settled] {
                let rows = (1...10_000).map { LedgerSamples.row($0, state) { $0.entity = "/orders/\($0.sequence)" } }
                let took = try await clock.measure { try await store.file(writes: rows, spool: "a") }
                print("filed 10,000 rows as \(state.rawValue) in \(took)")
                #expect(took < .seconds(30))
            }
            await store.close()
        }
    }
}
