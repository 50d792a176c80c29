import Foundation
import Glibc
import PostgresClient
import Testing

/// The disk has no room, or a side does not want what it gets.
@Suite(.serialized) struct LedgerFailureTests {
    /// The gap says at which replica it was, and when; and is found by its name.
    private func expectTold(_ scene: LedgerScene, _ proxy: RunningProxy) async throws {
        let status = try await scene.run(proxy, "status", "orders").output.flowing
        let host = ProcessInfo.processInfo.hostName
        let place = try #require(
            status.firstMatch(of: #/gaps gap (\d+): [^:]*? at ([^ ]*):\d+-[0-9a-f]+, spool [0-9a-f]{8}, from 2/#),
            "\(status)")
        #expect(place.2 == host)
        #expect(status.contains("sent to one side alone, since they could not be on record (spool-full"), "\(status)")
        let unknown = try await scene.run(proxy, "waive", "orders", "gap 999", "--reason", "test")
        #expect(unknown.status == 1 && unknown.error.contains("orders has no gap 999"), "\(unknown)")
        #expect(unknown.error.contains("gap \(place.1): ") && !unknown.error.contains("did you mean"), "\(unknown)")
        let waived = try await scene.run(proxy, "waive", "orders", "gap \(place.1)", "--reason", "copied by hand")
        #expect(waived.status == 0, "\(waived)")
        let history = try JSONTree(try await scene.run(proxy, "history", "orders", "--json").output).elements ?? []
        #expect(history.first?["action"]?.text == "waive" && history.first?["subject"]?.text == "gap \(place.1)")
        #expect(history.first?["from"]?["stage"]?.text == "shadow")
    }

    @Test(arguments: ["refuse-writes", "serve-without-shadow"])
    func `a full spool goes by its route, and there is room again when the service is back`(_ policy: String)
        async throws
    {
        let scene = try await LedgerScene(
            shadow: ", on-spool-full: \(policy)", spool: ", quota: 1MiB, keep-free: 0, segment: 64KiB")
        let proxy = try await scene.start()
        scene.service.turns(.silent)
        let clients = WritingClients(clients: 8, pause: 0)
        clients.go(to: proxy.port)
        if policy == "refuse-writes" {
            try await eventually(within: 120, "writes are refused") {
                clients.lanes.values.contains { $0.refused.values.contains(503) }
            }
        } else {
            try await eventually(within: 120, "a gap is on record") {
                let waivers = try await scene.run(proxy, "status", "orders")
                return waivers.output.contains("gap")
            }
            #expect(clients.lanes.values.allSatisfy { $0.refused.isEmpty })
        }
        scene.service.turns(.well)
        // More than there is room for at once.
        try await eventually(within: 240, "there is room again") { scene.service.record.written.count > 1_500 }
        try await clients.stop()
        try await scene.settles(proxy, within: 120)
        // Of what was served without being on record the monolith alone knows.
        if policy == "refuse-writes" {
            try await LedgerTruth(scene, clients).expectWhole()
            let status = try await scene.run(proxy, "status", "orders", "--json")
            let refused = try JSONTree(status.output)["dualWrite"]?["refused"]?["spool-full"]?.double ?? 0
            let seen = clients.lanes.values.reduce(0) { $0 + ($1.refused[503] ?? 0) }
            #expect(refused > 0 && refused >= Double(seen), "\(seen) in \(status)")
            let text = try await scene.run(proxy, "status", "orders").output.flowing
            #expect(text.contains("refused, since they could not be on record (spool-full"), "\(text)")
        } else {
            try await expectTold(scene, proxy)
        }
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
        let history = try JSONTree(try await scene.run(proxy, "history", "orders", "--json").output).elements ?? []
        #expect(history.prefix(3).map { $0["action"]?.text } == ["writes settle", "writes retry", "advance"])
        #expect(history.prefix(2).map { $0["writes"]?.elements?.map(\.text) } == [[ids[1]], [ids[0]]])
        try await eventually("the one is there") {
            scene.service.record.written.count { $0.number == 3 } == 1
        }
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    @Test func `with a key, what Postgres keeps of a dead write is encrypted, and only the key delivers it`()
        async throws
    {
        let keys = NSTemporaryDirectory() + "strangler-key-" + UUID().uuidString.prefix(8)
        let path = keys + "/key"
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        func makeKey(_ digit: String) throws {
            try? FileManager.default.removeItem(atPath: path)
            let isMade = FileManager.default.createFile(
                atPath: path, contents: Data(String(repeating: digit, count: 64).utf8),
                attributes: [.posixPermissions: 0o600])
            try #require(isMade)
        }
        try makeKey("a")
        let scene = try await LedgerScene(shadow: ", attempts: 2", spool: ", key-file: \"\(path)\"")
        var proxy = try await scene.start()
        scene.service.turns(.refusing(status: 422, numbers: [1]))
        let clients = WritingClients(clients: 1, pause: 1_000)
        clients.go(to: proxy.port)
        try await eventually("some are acknowledged") { clients.lanes.values.contains { $0.acknowledged.count > 2 } }
        try await clients.stop()
        try await eventually("one is dead") { try await scene.writes(proxy, state: "dead") == 1 }
        try await scene.settles(proxy)
        let listed = try JSONTree(
            try await scene.run(proxy, "writes", "orders", "--state", "dead", "--json").output)
        let id = try #require(listed["writes"]?.elements?.first?["id"]?.text)
        #expect(try await scene.payload(of: id).starts(with: "STRSEAL1".utf8))
        #expect(await proxy.stop().status == 0)

        // With nothing left in the spool, a proxy may begin it anew under another key.
        scene.service.turns(.well)
        try FileManager.default.removeItem(atPath: scene.deployment.folder + "/data/spool")
        try makeKey("b")
        proxy = try await scene.start()
        try await eventually("Postgres is there") { try await scene.writes(proxy, state: "dead") == 1 }
        let refused = try await scene.run(proxy, "writes", "retry", id, "--reason", "mended")
        #expect(refused.status == 1 && refused.error.flowing.contains("`spool.key-file` holds the key"), "\(refused)")
        #expect(try await scene.writes(proxy, state: "dead") == 1)
        let history = try await scene.run(proxy, "history", "orders")
        #expect(!history.output.contains("retry"), "\(history)")
        #expect(await proxy.stop().status == 0)

        try FileManager.default.removeItem(atPath: scene.deployment.folder + "/data/spool")
        try makeKey("a")
        proxy = try await scene.start()
        try await eventually("it is taken back") {
            try await scene.run(proxy, "writes", "retry", id, "--reason", "mended").status == 0
        }
        try await eventually("it is there") { scene.service.record.written.count { $0.number == 1 } == 1 }
        #expect(await proxy.stop().status == 0)
        await scene.end()
        try? FileManager.default.removeItem(atPath: keys)
    }
}
