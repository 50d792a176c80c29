import Foundation
import Glibc
import PostgresClient
import Testing

/// Postgres goes away, and what is acknowledged goes on being acknowledged: no client's request fails or waits for it, and
/// afterwards every write is listed there.
@Suite(.serialized) struct LedgerPostgresTests {
    enum Loss: CaseIterable {
        /// In order; who connects is refused.
        case stopped
        case killed
        /// Nobody is refused, and nobody is answered.
        case hangs

        func begin(_ scene: LedgerScene) async throws {
            switch self {
            case .stopped: await scene.postgres.stop()
            case .killed: try await scene.killPostgres()
            case .hangs: try await scene.freezePostgres()
            }
        }

        func end(_ scene: LedgerScene) async throws {
            switch self {
            case .stopped, .killed: try await scene.postgres.start()
            case .hangs: scene.thawPostgres()
            }
        }
    }

    private func expectUndisturbed(_ clients: WritingClients) {
        for (name, lane) in clients.lanes {
            #expect(lane.refused.isEmpty && lane.unknown.isEmpty, "\(name): \(lane.refused) \(lane.unknown)")
        }
    }

    @Test(arguments: Loss.allCases)
    func `writes go on without Postgres, and each is filed when it is back`(_ loss: Loss) async throws {
        let scene = try await LedgerScene()
        var proxy = try await scene.start()
        let clients = WritingClients(clients: 8, pause: 1_000)
        clients.go(to: proxy.port)
        try await eventually("writes go on") { clients.acknowledged > 100 }
        try await loss.begin(scene)
        var before = clients.acknowledged
        try await eventually(within: 120, "writes go on without Postgres") { clients.acknowledged > before + 500 }
        try await eventually("the service gets them without Postgres") {
            scene.service.record.written.count > before + 400
        }
        // A successor that never sees Postgres does as well.
        let next = try await scene.start("--takeover")
        before = clients.acknowledged
        try await eventually(within: 120, "writes go on at the successor") { clients.acknowledged > before + 500 }
        try await loss.end(scene)
        #expect(await proxy.end().status == 0)
        proxy = next
        try await eventually("writes go on with Postgres") { clients.acknowledged > before + 600 }
        try await clients.stop()
        try await scene.settles(proxy, within: 120)
        expectUndisturbed(clients)
        let truth = try await LedgerTruth(scene, clients)
        truth.expectWhole("\(loss):")
        #expect(truth.ids("uncertain").isEmpty)
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    /// An hour's writes in a spool that has room for a minute's.
    @Test(arguments: [Loss.stopped, .hangs])
    func `away for longer than there is room, what is settled is let go of, and nothing else`(_ loss: Loss) async throws
    {
        let scene = try await LedgerScene(spool: ", quota: 4MiB, keep-free: 0, segment: 64KiB")
        let proxy = try await scene.start()
        let clients = WritingClients(clients: 8, pause: 10_000)
        clients.go(to: proxy.port)
        try await eventually("writes go on") { clients.acknowledged > 100 }
        try await loss.begin(scene)
        let before = clients.acknowledged
        try await eventually(within: 240, "several times what there is room for") {
            clients.acknowledged > before + 10_000
        }
        // Who watches hears of it instead of waiting, also from a server that hangs.
        let status = try await scene.run(proxy, "status", "orders")
        #expect(status.status == 0 && status.output.contains("Postgres cannot be reached"), "\(status)")
        try await loss.end(scene)
        try await eventually("writes go on with Postgres") { clients.acknowledged > before + 10_100 }
        try await clients.stop()
        try await scene.settles(proxy, within: 120)
        expectUndisturbed(clients)
        let truth = try await LedgerTruth(scene, clients, mayBeUnfiled: true)
        let ended = await proxy.stop()
        #expect(ended.status == 0, "\(ended.log)")
        truth.expectWhole("\(loss): \(ended.log)")
        #expect(truth.unfiled > 1_000)
        #expect(truth.ids("uncertain").isEmpty)
        // Of a write there are several records.
        let told = ended.log.matches(of: /; (\d+) records of settled writes were let go of/).compactMap { Int($0.1) }
        #expect(truth.unfiled <= told.reduce(0, +), "\(truth.unfiled) unfiled: \(ended.log)")
        await scene.end()
    }
}
