import AdminAPI
import AsyncHTTPClient
import Comparison
import DualWrite
import Extraction
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import PostgresClient
import Synchronization
import Testing

@testable import PostgresStore
@testable import strangler

/// Two sides, a store with what was written, and the walk between them.
@Suite(.serialized) struct ReconcileTests {
    /// A store of its own, with rows that a ledger would have filed.
    struct World {
        let monolith: EntityOrigin
        let service: EntityOrigin
        let store: PostgresStore
        let postgres: PrivatePostgres
        let url: String

        static func start(_ monolith: [String: String], _ service: [String: String]) async throws -> World {
            let folder = NSTemporaryDirectory() + "strangler-reconcile-" + UUID().uuidString.prefix(8)
            let postgres = PrivatePostgres(directory: folder, logger: Logger(label: "test"))
            let keywords = try await postgres.start()
            let host = try #require(keywords.firstMatch(of: #/host='([^']*)'/#)?.1)
            let store = PostgresStore(keywords, logger: Logger(label: "test"))
            try await store.migrate()
            return World(
                monolith: try await EntityOrigin(monolith), service: try await EntityOrigin(service), store: store,
                postgres: postgres,
                url: "postgres://strangler@/strangler?host=\(host.replacing("/", with: "%2F"))&port=5432")
        }

        func stop() async {
            await store.close()
            await postgres.stop()
            await monolith.close()
            await service.close()
        }

        func wrote(
            _ number: Int, _ entity: String?, state: String = "settled", by side: String = "monolith",
            method: String = "PATCH", payload: [UInt8]? = nil
        ) async throws {
            try await store.pool.query(
                """
                INSERT INTO strangler.writes (id, extraction, endpoint, lane, sequence, spool, primary_side, answered_by,
                    state, entity, received_at, payload)
                VALUES ($1, 'orders', $2, 1, $3, 'a', $4, $4, $5, $6, now() - interval '1 minute', $7)
                """,
                [
                    .text(WriteID(high: 0, low: UInt64(number)).description), .text("\(method) /orders/{id}"),
                    .int(number), .text(side), .text(state), .text(optional: entity),
                    payload.map { .bytes($0) } ?? .null,
                ])
        }

        /// A whole walk, without the proxy around it.
        func walked(
            stage: Stage = .shadow, repair: Bool = false, puts: Bool = false,
            seams: ReconcileSeams = ReconcileSeams()
        ) async throws -> StoredReconcileRun {
            let (from, to) = (Date(timeIntervalSinceNow: -3_600), Date(timeIntervalSinceNow: 3_600))
            var run = try await store.beginReconcile(
                extraction: "orders", from: from, to: to, repairs: repair,
                counts: try await store.entities(extraction: "orders", from: from, to: to), actor: "ann",
                reason: "test")
            let http = HTTPClient(eventLoopGroupProvider: .singleton)
            let reading = EntityReading(
                extraction: "orders", http: http, monolith: "127.0.0.1:\(monolith.port)",
                service: "127.0.0.1:\(service.port)", headers: [], timeout: .seconds(2),
                comparer: Comparer(rules: .none, redactor: Redactor(key: [UInt8](repeating: 1, count: 32))),
                readable: ReadablePaths(["/orders/{id}"]), noise: LearnedNoise([:]), seams: seams,
                settle: .milliseconds(1))
            let repairing = EntityRepair(reading: reading, store: store, actor: "ann", reason: "test", puts: puts)
            while run.endedAt == nil {
                let step = ReconcileStep(
                    run: run, store: store, stage: stage, reading: reading, repair: repair ? repairing : nil,
                    rate: 1_000)
                let (walk, isOver) = try await step.take()
                #expect(try await store.saveReconcile(run.id, from: run.place, walk, isOver: isOver))
                run = try #require(try await store.reconcileRun(run.id, extraction: "orders"))
                if walk.halted != nil { break }
            }
            try await http.shutdown()
            return run
        }
    }

    private static func results(_ run: StoredReconcileRun) -> [String: ReconcileFinding.Result] {
        Dictionary(run.found.map { ($0.entity, $0.result) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `what is apart is told, and what is on its way or gone is told apart`() async throws {
        let world = try await World.start(
            ["/orders/1": #"{"a":1}"#, "/orders/2": #"{"a":1}"#, "/orders/3": #"{"a":1}"#, "/orders/5": #"{"a":1}"#],
            ["/orders/1": #"{ "a": 1 }"#, "/orders/2": #"{"a":2}"#, "/orders/4": #"{"a":1}"#, "/orders/5": #"{"a":2}"#])
        for number in 1...4 { try await world.wrote(number, "/orders/\(number)") }
        try await world.wrote(5, "/orders/5", state: "accepted")
        try await world.wrote(6, "/orders/6")
        try await world.wrote(7, "/orders/7", method: "DELETE")
        try await world.wrote(8, nil)
        let run = try await world.walked()
        #expect(
            Self.results(run) == [
                "/orders/2": .differs, "/orders/3": .missing, "/orders/4": .missing, "/orders/5": .behind,
                "/orders/6": .unreadable,
            ])
        #expect(run.counts.same == 2 && run.counts.checked == 7 && run.counts.nameless == 1)
        let found = try #require(run.found.first)
        #expect(found.differences.map(\.path) == ["$.a"] && found.primary == .monolith)
        #expect(run.found[1].reason == "the service does not have it")
        #expect(run.found[2].reason == "the monolith does not have it")
        #expect(run.found[3].reason == "1 write of it still to be delivered")
        for asked in world.monolith.asked + world.service.asked {
            #expect(asked.method == "GET" && asked.headers["strangler-shadow"] == ["1"])
            #expect(asked.headers["strangler-request-id"].first?.count == 32)
        }
        await world.stop()
    }

    @Test func `the side that answers clients counts, and each is asked for a thing by its own name`() async throws {
        let world = try await World.start(["/orders/m1": #"{"a":1}"#], ["/orders/s1": #"{"a":2}"#])
        try await world.wrote(1, "/orders/s1", by: "service")
        var seams = ReconcileSeams()
        seams.translate = { target, body, from in
            .ready(
                target: target.replacing(from == .service ? "s1" : "m1", with: from == .service ? "m1" : "s1"),
                body: body)
        }
        for (stage, primary) in [(Stage.shadow, Side.monolith), (.cutover, .service), (.fallback, .service)] {
            let run = try await world.walked(stage: stage, seams: seams)
            #expect(run.found.map(\.primary) == [primary] && run.found.map(\.result) == [.differs])
            let difference = try #require(run.found.first?.differences.first)
            #expect(difference.primary == (primary == .service ? "2" : "1"))
        }
        seams.translate = { _, _, _ in .unmapped("s1") }
        let unmapped = try await world.walked(seams: seams)
        #expect(unmapped.found.map(\.reason) == ["how the monolith calls s1 is not known"])
        await world.stop()
    }

    @Test func `dead writes are delivered again in order, and not behind later ones`() async throws {
        let world = try await World.start(
            ["/orders/1": #"{"a":2}"#, "/orders/2": #"{"a":2}"#, "/orders/3": #"{"a":2}"#], [:])
        try await world.wrote(1, "/orders/1", state: "dead", payload: [1])
        try await world.wrote(2, "/orders/1", state: "dead", payload: [2])
        try await world.wrote(3, "/orders/2", state: "dead", payload: [3])
        try await world.wrote(4, "/orders/2")
        try await world.wrote(5, "/orders/3", state: "dead")
        try await world.wrote(6, "/orders/3", state: "uncertain")
        // As the ledger does: the row is open, then settled, and the service has what was written.
        let retried = Mutex<[String]>([])
        var seams = ReconcileSeams()
        seams.retry = { (id, _, actor, reason) async throws(AdminError) in
            #expect(actor == "ann" && reason == "test")
            retried.withLock { $0.append(id.description) }
            world.service["/orders/1"] = #"{"a":\#(retried.withLock { $0.count })}"#
            _ = try? await world.store.pool.query(
                "UPDATE strangler.writes SET state = 'settled', payload = NULL WHERE id = $1", [.text(id.description)])
        }
        let run = try await world.walked(repair: true, seams: seams)
        #expect(Self.results(run) == ["/orders/1": .repaired, "/orders/2": .missing, "/orders/3": .missing])
        #expect(retried.withLock { $0 } == [1, 2].map { WriteID(high: 0, low: $0).description })
        #expect(run.found[0].reason == "2 writes delivered again")
        #expect(run.found[1].reason?.contains("would come after later ones that have been delivered") == true)
        #expect(run.found[2].reason?.contains("1 write of it may or may not have been carried out") == true)
        #expect(run.counts.repaired == 1 && !run.counts.isClean)
        await world.stop()
    }

    @Test func `PUT repairs what was delivered, only where it is allowed, and deletes nothing`() async throws {
        let world = try await World.start(
            ["/orders/1": #"{"a":1}"#, "/orders/2": #"{"a":1}"#],
            ["/orders/2": #"{"a":2}"#, "/orders/3": #"{"a":3}"#])
        for number in 1...3 { try await world.wrote(number, "/orders/\(number)") }
        let looked = try await world.walked(repair: true)
        #expect(looked.counts.repaired == 0)
        #expect(looked.found.allSatisfy { $0.reason?.contains("`reconcile: {put: true}`") == true })
        #expect(world.service.asked.allSatisfy { $0.method == "GET" })
        let run = try await world.walked(repair: true, puts: true)
        #expect(Self.results(run) == ["/orders/1": .repaired, "/orders/2": .repaired, "/orders/3": .missing])
        #expect(run.found[0].reason == "the monolith's representation was PUT to the service")
        #expect(run.found[2].reason?.contains("nothing is deleted here") == true)
        #expect(world.service["/orders/1"] == #"{"a":1}"# && world.service["/orders/2"] == #"{"a":1}"#)
        let puts = world.service.asked.filter { $0.method == "PUT" }
        #expect(puts.count == 2 && puts.allSatisfy { $0.headers["idempotency-key"].first?.count == 32 })
        #expect(
            puts.contains { $0.headers["if-none-match"] == ["*"] }
                && puts.contains { $0.headers.contains(name: "if-match") })
        #expect(world.monolith.asked.allSatisfy { $0.method == "GET" })
        world.service.refusePut()
        world.service["/orders/1"] = nil
        let refused = try await world.walked(repair: true, puts: true)
        #expect(refused.found[0].reason?.contains("the service answers 405 to PUT") == true)
        await world.stop()
    }

    @Test func `a side that is away halts the walk where it stands, and credentials that are missing do not`()
        async throws
    {
        let documents = Dictionary(uniqueKeysWithValues: (10..<40).map { ("/orders/\($0)", #"{"a":1}"#) })
        let world = try await World.start(documents, documents)
        for number in 10..<40 { try await world.wrote(number, "/orders/\(number)") }
        world.service.answerAll(with: 503)
        let halted = try await world.walked()
        #expect(halted.endedAt == nil && halted.counts.checked == 0 && halted.place == .start)
        #expect(world.service.asked.count < 30)
        world.service.answerAll(with: 401)
        let denied = try await world.walked()
        #expect(denied.endedAt != nil && denied.counts.unreadable == 30)
        #expect(denied.found.first?.reason == "answered 200 and 401: --header supplies credentials")
        world.service.answerAll(with: nil)
        #expect(try await world.walked().counts.isClean)
        await world.stop()
    }
}
