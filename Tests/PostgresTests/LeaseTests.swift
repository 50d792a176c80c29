import Extraction
import Foundation
import Glibc
import Logging
import ShadowSchema
import Testing

@testable import PostgresClient
@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct ListenerEventTests {
        @Test func `a consumer that is too slow is told that it has missed something`() async throws {
            let target = try await TestServer.database()
            let stream = PostgresListener.events(target, channel: "c")
            var iterator = stream.makeAsyncIterator()
            #expect(await iterator.next() == .connected)
            let connection = try await PostgresConnection.connect(target)
            try await connection.query("SELECT pg_notify('c', n::text) FROM generate_series(1, 2000) AS n")
            // All are in the buffer, or dropped, when the listener is idle again.
            let isIdle = try await eventually {
                let rows = try await connection.query(
                    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT 1'")
                return rows.affected == 1
            }
            #expect(isIdle)
            try await connection.query("SELECT pg_notify('c', 'end')")
            var events: [PostgresListener.Event] = []
            while let event = await iterator.next() {
                events.append(event)
                if event == .notified("end") { break }
            }
            #expect(events.count <= 258 && events.contains(.connected))
        }
    }

    @Suite struct LeaseTests {
        @Test func `one of two holds it, and the other takes over when the holder lets go or is cut off`() async throws
        {
            let target = try await TestServer.database()
            let (one, two) = (PostgresLease(target, key: -7), PostgresLease(target, key: -7))
            let first = try await one.acquire()
            #expect(try await !two.tryAcquire())
            #expect(try await one.tryAcquire())
            #expect(await one.isHeld())
            #expect(await !two.isHeld())
            #expect(try await two.holder() == first)
            // Another's key, and another database, are nobody's business.
            let other = PostgresLease(target, key: -8)
            #expect(try await other.tryAcquire())
            let elsewhere = PostgresLease(try await TestServer.database(), key: -7)
            #expect(try await elsewhere.tryAcquire())

            await one.release()
            #expect(try await two.tryAcquire())
            #expect(await !one.isHeld())

            // The holder's connection is killed.
            async let taken = one.acquire(every: .milliseconds(50))
            let admin = try await PostgresConnection.connect(target)
            try await admin.query("SELECT pg_terminate_backend($1::int)", [.int(try #require(await two.backend))])
            let holder = try await taken
            #expect(try await one.holder() == holder)
            #expect(await !two.isHeld())
            #expect(await two.backend == nil)
            #expect(try await !two.tryAcquire())
            for lease in [one, two, other, elsewhere] { await lease.release() }
        }

        @Test func `a holder that hangs is ended by another, and nobody else is by mistake`() async throws {
            let target = try await TestServer.database()
            let (one, two) = (PostgresLease(target, key: 7), PostgresLease(target, key: 7))
            let holder = try await one.acquire()
            let bystander = try await PostgresConnection.connect(target)
            let pid = try #require(try await bystander.query("SELECT pg_backend_pid() AS pid").first?.int("pid"))
            #expect(try await !two.terminate(backend: pid))
            #expect(try await !two.terminate(backend: Int(Int32.max)))
            #expect(try await bystander.query("SELECT 1").count == 1)
            #expect(await one.isHeld())
            // Not itself either.
            #expect(try await !one.terminate(backend: holder))
            #expect(try await two.terminate(backend: holder))
            #expect(try await eventually { try await two.tryAcquire() })
            #expect(await !one.isHeld())
            // Its number is another's now, or nobody's.
            #expect(try await !one.terminate(backend: holder))
            await one.release()
            await two.release()
        }

        @Test func `a holder whose server does not answer does not think that it holds`() async throws {
            let target = try await TestServer.database()
            let lease = PostgresLease(target, key: 1)
            let backend = try await lease.acquire()
            kill(pid_t(backend), SIGSTOP)
            let isHeld = await lease.isHeld()
            kill(pid_t(backend), SIGCONT)
            #expect(!isHeld)
            #expect(try await eventually { try await lease.tryAcquire() })
            await lease.release()
        }

        @Test func `waiting for a lease ends with its task, also where nobody answers`() async throws {
            let nowhere = PostgresLease("host=/nonexistent dbname=x user=y", key: 1)
            let waiting = Task { try await nowhere.acquire() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(await !nowhere.isHeld())
            await #expect(throws: PostgresError.self) { try await nowhere.tryAcquire() }
        }
    }

    @Suite struct SchemaMismatchTests {
        private static let later = migrations.count + 1

        @Test(arguments: [nil, 3, later])
        func `a store of another version says so instead of changing a stage`(version: Int?) async throws {
            let target = try await TestServer.database()
            let store = PostgresStore(target, logger: Logger(label: "test"))
            let connection = try await PostgresConnection.connect(target)
            if let version {
                try await store.migrate()
                try await connection.execute(
                    script: version < 4
                        ? """
                        ALTER TABLE strangler.extraction_state DROP COLUMN write_weight;
                        DELETE FROM strangler.schema_migrations WHERE number > \(version);
                        """
                        : """
                        ALTER TABLE strangler.extraction_state ADD COLUMN colour text NOT NULL;
                        INSERT INTO strangler.schema_migrations VALUES (\(version), 'later', '');
                        """)
            }
            #expect(try await store.schemaVersion() == version)
            let initial = ExtractionState.initial(name: "orders", now: StageStoreTests.now)
            let error = await #expect(throws: SchemaMismatch.self) {
                try await store.apply(
                    StageStoreTests.transition(initial, to: .contracted), actor: "ann", reason: nil,
                    evidence: StageEvidence(), at: StageStoreTests.now)
            }
            #expect(error == SchemaMismatch(found: version, needed: migrations.count))
            if version != Self.later { await #expect(throws: SchemaMismatch.self) { try await store.load() } }
            await store.close()
        }
    }
}
