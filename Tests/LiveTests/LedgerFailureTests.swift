import Foundation
import Glibc
import PostgresClient
import Testing

/// What the ledger is for: one side is away, Postgres is away, the disk has no room, and nothing is lost.
@Suite(.serialized) struct LedgerFailureTests {
    /// Every acknowledged write is at the service, and each lane came in order.
    private func expectWhole(_ scene: LedgerScene, _ clients: WritingClients) {
        let written = scene.service.record.written
        for (name, lane) in clients.lanes {
            let delivered = written.filter { $0.lane == name }.map(\.number)
            #expect(delivered == delivered.sorted(), "\(name) out of order")
            #expect(Set(delivered).isSuperset(of: lane.acknowledged), "\(name) has lost some")
        }
    }

    @Test func `a service that is away for long gets everything in order when it is back, and no attempt is burned`()
        async throws
    {
        let scene = try await LedgerScene()
        let proxy = try await scene.start()
        scene.service.turns(.silent)
        let clients = WritingClients(clients: 16, pause: 500)
        clients.go(to: proxy.port)
        try await eventually(within: 60, "2,000 writes while the service is away") { clients.acknowledged >= 2_000 }
        let owed = try JSONTree(try await scene.run(proxy, "status", "orders", "--json").output)
        #expect((owed["dualWrite"]?["toService"]?["writes"]?.double ?? 0) > 1_000, "\(owed["dualWrite"] as Any)")
        scene.service.turns(.well)
        try await clients.stop()
        try await scene.settles(proxy, within: 120)
        expectWhole(scene, clients)
        #expect(try await scene.writes(proxy, state: "dead") == 0)
        #expect(try await scene.writes(proxy, state: "uncertain") == 0)
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    @Test func `without Postgres writes go on, and what became of them is filed when it is back`() async throws {
        let scene = try await LedgerScene()
        let proxy = try await scene.start()
        let clients = WritingClients(clients: 8, pause: 1_000)
        clients.go(to: proxy.port)
        try await eventually("writes go on") { clients.acknowledged > 100 }
        await scene.postgres.stop()
        let before = clients.acknowledged
        try await eventually("writes go on without Postgres") { clients.acknowledged > before + 500 }
        try await clients.stop()
        #expect(clients.lanes.values.allSatisfy { $0.refused.isEmpty && $0.unknown.isEmpty })
        try await eventually("all are at the service") { scene.service.record.written.count == clients.acknowledged }
        _ = try await scene.postgres.start()
        try await eventually(within: 60, "they are listed as settled") {
            let found = try await scene.run(proxy, "writes", "orders", "--json")
            guard found.status == 0 else { return false }
            return try JSONTree(found.output)["settledLastDay"]?.double == Double(clients.acknowledged)
        }
        expectWhole(scene, clients)
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    @Test(arguments: ["refuse-writes", "serve-without-shadow"])
    func `a full spool goes by its route, and there is room again when the service is back`(_ policy: String)
        async throws
    {
        let scene = try await LedgerScene(
            shadow: ", on-spool-full: \(policy)", proxy: "spool: {quota: 1MiB, keep-free: 0, segment: 64KiB}")
        let proxy = try await scene.start()
        scene.service.turns(.silent)
        let clients = WritingClients(clients: 8, pause: 0)
        clients.go(to: proxy.port)
        if policy == "refuse-writes" {
            try await eventually(within: 60, "writes are refused") {
                clients.lanes.values.contains { $0.refused.values.contains(503) }
            }
        } else {
            try await eventually(within: 60, "a gap is on record") {
                let waivers = try await scene.run(proxy, "status", "orders")
                return waivers.output.contains("gap")
            }
            #expect(clients.lanes.values.allSatisfy { $0.refused.isEmpty })
        }
        scene.service.turns(.well)
        try await eventually(within: 60, "there is room again") {
            let before = scene.service.record.written.count
            try await Task.sleep(for: .milliseconds(200))
            return scene.service.record.written.count > before + 100
        }
        try await clients.stop()
        try await scene.settles(proxy, within: 120)
        if policy == "refuse-writes" { expectWhole(scene, clients) }
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    @Test func `a person decides about what nobody can deliver`() async throws {
        let scene = try await LedgerScene(shadow: ", attempts: 2")
        let proxy = try await scene.start()
        scene.service.turns(.refusing(status: 422, numbers: [3]))
        let clients = WritingClients(clients: 2, pause: 1_000)
        clients.go(to: proxy.port)
        try await eventually("both lanes go on behind it") {
            clients.lanes.count == 2 && clients.lanes.values.allSatisfy { $0.acknowledged.count > 10 }
        }
        try await clients.stop()
        try await eventually("two are dead") { try await scene.writes(proxy, state: "dead") == 2 }
        let refused = try await scene.run(proxy, "advance", "orders", "--to", "cutover")
        #expect(refused.status == 1 && (refused.output + refused.error).contains("dead"), "\(refused)")
        let listed = try JSONTree(
            try await scene.run(proxy, "writes", "orders", "--state", "dead", "--json").output)
        let ids = listed["writes"]?.elements?.compactMap { $0["id"]?.text } ?? []
        try #require(ids.count == 2)
        scene.service.turns(.well)
        let retried = try await scene.run(proxy, "writes", "retry", ids[0], "--reason", "mended")
        #expect(retried.status == 0, "\(retried)")
        let settled = try await scene.run(proxy, "writes", "settle", ids[1], "--reason", "done by hand")
        #expect(settled.status == 0, "\(settled)")
        try await eventually("none is dead") { try await scene.writes(proxy, state: "dead") == 0 }
        try await eventually("the one is there") {
            scene.service.record.written.count { $0.number == 3 } == 1
        }
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }
}
