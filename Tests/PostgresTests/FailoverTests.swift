import Extraction
import Foundation
import Glibc
import Logging
import PostgresStore
import Testing

@testable import PostgresClient

/// Keeps what a listener has said so far.
actor Heard {
    private(set) var events: [PostgresListener.Event] = []

    func add(_ event: PostgresListener.Event) { events.append(event) }

    func count(_ isWanted: (PostgresListener.Event) -> Bool) -> Int { events.count { isWanted($0) } }

    var connections: Int { count { $0 == .connected } }

    var losses: Int {
        count { event in
            if case .lost = event { true } else { false }
        }
    }

    static func follow(_ stream: AsyncStream<PostgresListener.Event>) -> (heard: Heard, task: Task<Void, Never>) {
        let heard = Heard()
        let task = Task {
            for await event in stream { await heard.add(event) }
        }
        return (heard, task)
    }
}

@Suite(.serialized) struct FailoverTests {
    private static let now = Date(timeIntervalSince1970: 1_795_234_567)

    private static func advance(_ from: ExtractionState, _ stage: Stage) -> StageTransition {
        StageTransition(
            action: "advance", from: from,
            to: ExtractionState(
                name: from.name, stage: stage, weight: .none, since: now, version: from.version + 1,
                windowStartedAt: nil),
            forced: false)
    }

    @discardableResult
    private static func apply(_ from: ExtractionState?, _ stage: Stage, _ store: PostgresStore) async throws
        -> ExtractionState
    {
        try await store.apply(
            advance(from ?? .initial(name: "orders", now: now), stage), actor: "ann", reason: nil,
            evidence: StageEvidence(), at: now)
    }

    /// - Parameter fail: what happens to the primary.
    private static func expectFailover(_ fail: @Sendable (ReplicatedServers) -> Void) async throws {
        try await ReplicatedServers.with { servers in
            let store = PostgresStore(servers.url, logger: Logger(label: "test"))
            try await store.migrate()
            let first = try await apply(nil, .contracted, store)
            let (heard, listening) = Heard.follow(store.stageChanges())
            defer { listening.cancel() }
            let lease = store.guardLease()
            #expect(try await lease.tryAcquire())
            #expect(try await eventually { await heard.connections == 1 })
            try await servers.waitForStandby()

            fail(servers)
            let failedAt = ContinuousClock.now
            await #expect(throws: PostgresError.self) { try await apply(first, .parallel, store) }
            let refusal = failedAt.duration(to: .now)
            #expect(refusal < .seconds(60))
            #expect(await !lease.isHeld())
            #expect(try await servers.standby.ask("SELECT pg_promote(true, 30) AS done").bool("done"))
            let promotedAt = ContinuousClock.now
            var second: ExtractionState?
            #expect(
                try await eventually {
                    second = try? await apply(first, .parallel, store)
                    return second != nil
                })
            let back = promotedAt.duration(to: .now)
            #expect(try await store.load() == [try #require(second)])
            #expect(try await store.history(name: "orders", limit: 10).map(\.to.stage) == [.parallel, .contracted])
            #expect(try await eventually { await heard.connections == 2 })
            #expect(await heard.losses == 1)
            try await apply(second, .shadow, store)
            #expect(try await eventually { await heard.count { $0 == .notified("orders") } >= 1 })
            #expect(try await eventually { (try? await lease.tryAcquire()) == true })
            print("refused after \(refusal), changes possible \(back) after the promotion")
            await lease.release()
            await store.close()
        }
    }

    @Test func `a primary that is killed is replaced by its standby for stages, listener and lease`() async throws {
        try await Self.expectFailover { $0.primary.end(SIGQUIT) }
    }

    @Test func `a primary that is frozen is replaced by its standby, though it still accepts connections`()
        async throws
    {
        try await Self.expectFailover { $0.primary.signalAll(SIGSTOP) }
    }

    @Test func `a primary that takes no changes any more is left, and come back to`() async throws {
        try await ReplicatedServers.with { servers in
            let store = PostgresStore(servers.url(), logger: Logger(label: "test"))
            try await store.migrate()
            let first = try await Self.apply(nil, .contracted, store)
            // A standby alone is not what a store may talk to.
            let standby = PostgresPool(
                "host=127.0.0.1 port=\(servers.standby.port) user=strangler dbname=postgres", size: 1)
            let refused = await #expect(throws: PostgresError.self) { try await standby.query("SELECT 1") }
            #expect(refused?.code == .refused)

            let admin = try await PostgresConnection.connect(servers.primary.url)
            try await admin.query("ALTER SYSTEM SET default_transaction_read_only = on")
            try await admin.query("SELECT pg_reload_conf()")
            var failures: [PostgresError] = []
            #expect(
                try await eventually {
                    do {
                        try await store.waive(
                            extraction: "orders", subject: UUID().uuidString, actor: "a", reason: "", at: Self.now)
                    } catch let error as PostgresError {
                        failures.append(error)
                    }
                    return failures.count > 1
                })
            #expect(failures.first?.sqlState == "25006")
            #expect(failures.last?.code == .refused)
            try await admin.query("SET default_transaction_read_only = off")
            try await admin.query("ALTER SYSTEM RESET default_transaction_read_only")
            try await admin.query("SELECT pg_reload_conf()")
            #expect(try await eventually { (try? await Self.apply(first, .parallel, store)) != nil })
            await store.close()
        }
    }
}

@Suite(.serialized) struct ListenerTests {
    // connected ── notified ── server stops ── lost ── a change nobody hears ── server starts ── connected ── notified
    @Test func `a listener outlives its server, and says when everything has to be read anew`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let target = try await server.start()
        let (heard, listening) = Heard.follow(PostgresListener.events(target, channel: "a \"channel\""))
        func notify(_ payload: String) async throws {
            let connection = try await PostgresConnection.connect(target)
            try await connection.query(
                "SELECT pg_notify('other', 'x'), pg_notify('a \"channel\"', $1)", [.text(payload)])
            await connection.close()
        }
        #expect(try await eventually { await heard.events == [.connected] })
        try await notify("one")
        try await notify("two")
        #expect(try await eventually { await heard.events == [.connected, .notified("one"), .notified("two")] })
        await server.stop()
        #expect(try await eventually { await heard.losses == 1 })
        // Tried again and again meanwhile.
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await server.start() == target)
        #expect(try await eventually { await heard.connections == 2 })
        #expect(await heard.losses == 1)
        try await notify("three")
        #expect(try await eventually { await heard.events.last == .notified("three") })

        // Frozen: nothing ends, but nobody answers.
        let connection = try await PostgresConnection.connect(target)
        let pid = try #require(
            try await connection.query(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"
            )
            .first?.int("pid"))
        kill(pid_t(pid), SIGSTOP)
        #expect(try await eventually { await heard.connections == 3 })
        kill(pid_t(pid), SIGCONT)
        #expect(await heard.losses == 2)

        // Cancelled: the connection goes.
        listening.cancel()
        await listening.value
        let isAlone = try await eventually {
            let others = try await connection.query(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            return others.affected == 0
        }
        #expect(isAlone)
        await connection.close()
        await server.stop()
    }
}
