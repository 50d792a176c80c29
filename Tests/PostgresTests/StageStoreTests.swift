import Extraction
import Foundation
import Logging
import PostgresStore
import ShadowSchema
import Testing

@testable import PostgresClient

extension OnRealPostgres {
    @Suite struct StageStoreTests {
        static let now = Date(timeIntervalSince1970: 1_795_234_567.654321)

        static func store() async throws -> PostgresStore {
            let store = PostgresStore(try await TestServer.database(), logger: Logger(label: "test"))
            try await store.migrate()
            return store
        }

        static func transition(
            _ from: ExtractionState, to stage: Stage, weight: Int = 0, at: Date = now, action: String = "advance"
        ) -> StageTransition {
            StageTransition(
                action: action, from: from,
                to: ExtractionState(
                    name: from.name, stage: stage, weight: Weight(clamping: weight), since: at,
                    version: from.version + 1, windowStartedAt: stage == .fallback ? at : nil),
                forced: false)
        }

        @Test func `what is applied is loaded and told in the history, newest first`() async throws {
            let store = try await Self.store()
            #expect(try await store.load().isEmpty)
            let initial = ExtractionState.initial(name: "orders", now: Self.now)
            let evidence = StageEvidence(compared: 12, lastFellBackAt: Self.now, contractProblems: ["one", "two"])
            let first = try await store.apply(
                Self.transition(initial, to: .contracted), actor: "ann", reason: nil, evidence: evidence, at: Self.now)
            #expect(first.version == 1 && first.stage == .contracted && first.since == Self.now)
            let later = Self.now.addingTimeInterval(60)
            let second = try await store.apply(
                Self.transition(first, to: .fallback, weight: 10_000, at: later, action: "cutover"), actor: "bob",
                reason: "because", evidence: StageEvidence(), at: later)
            #expect(try await store.load() == [second])
            #expect(second.windowStartedAt == later)
            let history = try await store.history(name: "orders", limit: 10)
            #expect(history.map(\.actor) == ["bob", "ann"])
            #expect(history.map(\.action) == ["cutover", "advance"])
            #expect(history.map(\.reason) == ["because", nil])
            #expect(history.map(\.to) == [second.point, first.point])
            #expect(history.map(\.from) == [first.point, initial.point])
            #expect(history.map(\.at) == [later, Self.now])
            #expect(history.last?.evidence == evidence)
            #expect(try await store.history(name: "orders", limit: 1).count == 1)
            #expect(try await store.history(name: "orders", limit: -1).isEmpty)
            #expect(try await store.history(name: "users", limit: 10).isEmpty)
            await store.close()
        }

        @Test func `now is kept with the version that it was asked for`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            let first = try await store.apply(
                Self.transition(.initial(name: "orders", now: Self.now), to: .cutover, weight: 5_000), actor: "ann",
                reason: nil, evidence: StageEvidence(), at: Self.now)
            #expect(!first.flipsAtOnce)
            let back = try ExtractionMachine.rollBack(first, atOnce: true, now: Self.now)
            let second = try await store.apply(
                back, actor: "ann", reason: nil, evidence: StageEvidence(), at: Self.now)
            #expect(second.flipsAtOnce && second.stage == .shadow)
            #expect(try await store.load() == [second])
            #expect(try await store.history(name: "orders", limit: 1).map(\.action) == ["rollback --now"])
            // A proxy of the version before changes it, and knows nothing of it.
            let connection = try await PostgresConnection.connect(target)
            try await connection.query(
                "UPDATE strangler.extraction_state SET version = version + 1, machine_version = version + 1")
            #expect(try await store.load().map(\.flipsAtOnce) == [false])
            let again = try #require(try await store.load().first)
            let third = try await store.apply(
                try ExtractionMachine.rollBack(again, now: Self.now), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            #expect(!third.flipsAtOnce)
            await store.close()
        }

        // ann: reads version 1 ── judges ── applies 1→2 ─────────────── done
        // bob: reads version 1 ── judges ─────────────── applies 1→2 ── conflict: the store is at 2
        @Test func `of operators who change the same version at once exactly one wins`() async throws {
            let store = try await Self.store()
            let initial = ExtractionState.initial(name: "orders", now: Self.now)
            for from in [initial, nil as ExtractionState?] {
                let loaded = try await store.load().first
                let start = try #require(from ?? loaded)
                let conflicts = try await withThrowingTaskGroup(of: StageConflict?.self) { group in
                    for index in 0..<8 {
                        group.addTask {
                            do {
                                let transition = Self.transition(start, to: .cutover, weight: 100 + index)
                                _ = try await store.apply(
                                    transition, actor: "operator \(index)", reason: nil, evidence: StageEvidence(),
                                    at: Self.now)
                                return nil
                            } catch let conflict as StageConflict {
                                return conflict
                            }
                        }
                    }
                    return try await group.reduce(into: [StageConflict]()) {
                        if let conflict = $1 { $0.append(conflict) }
                    }
                }
                #expect(conflicts.count == 7)
                #expect(conflicts.allSatisfy { $0.expected == start.version && $0.found == start.version + 1 })
                #expect(conflicts.allSatisfy { $0.stage == .cutover && $0.name == "orders" })
                #expect(try await store.history(name: "orders", limit: 100).count == Int(start.version) + 1)
            }
            await store.close()
        }

        @Test func `a change judged on a version that never was is a conflict`() async throws {
            let store = try await Self.store()
            let ghost = ExtractionState(
                name: "ghost", stage: .shadow, weight: .none, since: Self.now, version: 7, windowStartedAt: nil)
            let conflict = await #expect(throws: StageConflict.self) {
                _ = try await store.apply(
                    Self.transition(ghost, to: .cutover), actor: "a", reason: nil, evidence: StageEvidence(),
                    at: Self.now)
            }
            #expect(conflict == StageConflict(name: "ghost", expected: 7, found: 0, stage: .identified))
            #expect(try await store.load().isEmpty)
            await store.close()
        }

        @Test(arguments: [
            "UPDATE strangler.stage_history SET actor = 'x'", "DELETE FROM strangler.stage_history",
            "TRUNCATE strangler.stage_history", "UPDATE strangler.stage_history SET actor = 'x' WHERE false",
        ]) func `history cannot be changed, not even by its owner`(statement: String) async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            _ = try await store.apply(
                Self.transition(.initial(name: "orders", now: Self.now), to: .contracted), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            let connection = try await PostgresConnection.connect(target)
            let error = await #expect(throws: PostgresError.self) { try await connection.query(statement) }
            #expect(error?.sqlState == "23001")
            #expect(try await store.history(name: "orders", limit: 10).map(\.actor) == ["ann"])
            await store.close()
        }

        @Test func `hostile names, actors and reasons are stored word for word, NUL as replacement character`()
            async throws
        {
            let store = try await Self.store()
            let hostile = #"x'; DROP SCHEMA strangler CASCADE; -- " \ {"a"} $1"# + "\n\t"
            let stored = try await store.apply(
                Self.transition(.initial(name: hostile, now: Self.now), to: .contracted, action: hostile),
                actor: hostile, reason: hostile + "\0", evidence: StageEvidence(contractProblems: [hostile + "\0"]),
                at: Self.now)
            #expect(stored.name == hostile)
            let entry = try #require(try await store.history(name: hostile, limit: 1).first)
            #expect(entry.actor == hostile && entry.action == hostile)
            #expect(entry.reason == hostile + "\u{FFFD}")
            #expect(entry.evidence?.contractProblems == [hostile + "\0"])
            await store.close()
        }

        @Test func `what a proxy of the version before writes is read as that version means it`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            let hold = Hold(cause: .breach, by: "guard", reason: "errors", at: Self.now)
            let held = ExtractionState(
                name: "orders", stage: .cutover, weights: Weights(reads: Weight(clamping: 500), writes: .none),
                since: Self.now, version: 1, windowStartedAt: nil, isRamping: true, hold: hold,
                bakingSince: Self.now.addingTimeInterval(60))
            let initial = ExtractionState.initial(name: "orders", now: Self.now)
            let first = try await store.apply(
                StageTransition(action: "pause", from: initial, to: held, forced: false), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            #expect(first == held)
            let connection = try await PostgresConnection.connect(target)
            let later = Self.now.addingTimeInterval(10)
            try await connection.query(
                """
                UPDATE strangler.extraction_state SET stage = $2, weight = $3, since = $4, version = $5,
                    window_started_at = $6 WHERE name = $1 AND version = 1
                """,
                [.text("orders"), .text("cutover"), .int(2500), .timestamp(later), .int(2), .timestamp(optional: nil)])
            let second = Self.transition(first, to: .cutover, weight: 2500, at: later).to
            #expect(try await store.load() == [second])
            let third = try await store.apply(
                Self.transition(second, to: .shadow, at: later), actor: "ann", reason: nil, evidence: StageEvidence(),
                at: later)
            #expect(try await store.load() == [third])
            await store.close()
        }

        // The store was restored at 9; a proxy serves 12, another served 40 until it ended.
        @Test func `a change gets a version above all that anybody has known`() async throws {
            let (store, connection) = try await EvidenceStoreTests.store()
            var from = ExtractionState.initial(name: "orders", now: Self.now)
            for _ in 0..<9 {
                from = try await store.apply(
                    Self.transition(from, to: .cutover, weight: 500), actor: "ann", reason: nil,
                    evidence: StageEvidence(), at: Self.now)
            }
            #expect(from.version == 9)
            var replica = ReplicaStoreTests.replica("r1")
            try await store.beat(replica)
            replica = ReplicaStoreTests.replica("r2")
            replica.extractions["orders"]?.version = 40
            try await store.beat(replica)
            try await store.signOff(id: "r2")
            try await store.beat(ReplicaStoreTests.replica("r3"))
            try await connection.query("UPDATE strangler.replicas SET extractions = '[1]' WHERE id = 'r3'")
            let stored = try await store.apply(
                Self.transition(from, to: .shadow, action: "rollback"), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            #expect(stored.version == 13 && stored.stage == .shadow)
            #expect(try await store.load() == [stored])
            #expect(
                try await connection.query("SELECT FROM strangler.stage_history WHERE version = 13").affected == 1)
            // The state was lost, the history was not.
            try await store.signOff(id: "r1")
            try await connection.query("DELETE FROM strangler.extraction_state")
            let anew = try await store.apply(
                Self.transition(.initial(name: "orders", now: Self.now), to: .contracted), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            #expect(anew.version == 14)
            await store.close()
        }

        @Test func `a stage that cannot be read is left out and told once, a hold of an unknown cause holds`()
            async throws
        {
            let target = try await TestServer.database()
            let log = LogLines()
            let store = PostgresStore(target, logger: log.logger)
            try await store.migrate()
            for name in ["orders", "people", "users"] {
                _ = try await store.apply(
                    Self.transition(.initial(name: name, now: Self.now), to: .shadow), actor: "ann", reason: nil,
                    evidence: StageEvidence(), at: Self.now)
            }
            let connection = try await PostgresConnection.connect(target)
            try await connection.execute(
                script: """
                    ALTER TABLE strangler.extraction_state DROP CONSTRAINT extraction_state_stage_check;
                    UPDATE strangler.extraction_state SET stage = 'dreaming' WHERE name = 'people';
                    UPDATE strangler.extraction_state SET hold =
                        '{"cause":"eclipse","by":"ann","reason":"dark","at":"2026-11-21 00:00:00Z"}'
                    WHERE name = 'users';
                    """)
            for _ in 0..<3 {
                let states = try await store.load()
                #expect(states.map(\.name) == ["orders", "users"])
                #expect(states.last?.hold?.cause == .paused && states.last?.hold?.reason == "dark")
            }
            #expect(log.all.filter { $0.contains("people") && $0.contains("dreaming") }.count == 1)
            await store.close()
        }

        @Test func `a change is announced to who listens`() async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            try await store.migrate()
            let listener = try await PostgresConnection.connect(target)
            try await listener.query("LISTEN strangler_stage")
            _ = try await store.apply(
                Self.transition(.initial(name: "orders", now: Self.now), to: .contracted), actor: "ann", reason: nil,
                evidence: StageEvidence(), at: Self.now)
            #expect(try await eventually { try await listener.takeNotifications("strangler_stage") == ["orders"] })
            await store.close()
        }
    }

    @Suite struct MigratorTests {
        @Test func `migrators that start together apply each migration once`() async throws {
            let target = try await TestServer.database()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await Migrator(logger: Logger(label: "test")).migrate(target) }
                }
                try await group.waitForAll()
            }
            let connection = try await PostgresConnection.connect(target)
            let rows = try await connection.query("SELECT name FROM strangler.schema_migrations ORDER BY number")
            #expect(
                try rows.map { try $0.text("name") } == [
                    "001_stages", "002_evidence", "003_evidence_depth", "004_machine", "005_ledger",
                    "006_decisions",
                ])
        }

        @Test func `an applied migration that was edited is named and nothing is done`() async throws {
            let target = try await TestServer.database()
            let logger = Logger(label: "test")
            try await Migrator(logger: logger).migrate(target)
            var edited = migrations
            edited[1] = Migration(number: 2, name: "002_evidence", sql: edited[1].sql + "-- edited")
            edited.append(Migration(number: 99, name: "099_more", sql: "CREATE TABLE strangler.more (n int)"))
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: edited, logger: logger).migrate(target)
            }
            #expect(error?.message.contains("002_evidence") == true)
            let connection = try await PostgresConnection.connect(target)
            #expect(try await connection.query("SELECT FROM pg_tables WHERE tablename = 'more'").affected == 0)
        }

        @Test func `a migration that fails half-way leaves nothing and can be tried again`() async throws {
            let target = try await TestServer.database()
            let logger = Logger(label: "test")
            let half = Migration(number: 99, name: "099_half", sql: "CREATE TABLE strangler.half (n int); SELECT 1/0")
            await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: migrations + [half], logger: logger).migrate(target)
            }
            let connection = try await PostgresConnection.connect(target)
            #expect(try await connection.query("SELECT FROM pg_tables WHERE tablename = 'half'").affected == 0)
            let whole = Migration(number: 99, name: "099_half", sql: "CREATE TABLE strangler.half (n int)")
            try await Migrator(migrations: migrations + [whole], logger: logger).migrate(target)
            #expect(try await connection.query("SELECT FROM pg_tables WHERE tablename = 'half'").affected == 1)
        }
    }
}
