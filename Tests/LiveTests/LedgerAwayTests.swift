import Foundation
import Glibc
import Testing

/// The service is down for a day.
@Suite(.serialized) struct LedgerAwayTests {
    /// Silent, then not there, then behind a gateway that says so; each in another process, the first of which is killed.
    @Test func `a day without the service, over two restarts, comes to it in order, and nothing is given up`()
        async throws
    {
        let scene = try await LedgerScene(spool: ", segment: 64KiB")
        let clients = WritingClients(clients: 16)
        var proxy = try await scene.start()
        let moods: [WrittenOrigin.Mood] = [.silent, .gone, .unavailable]
        for (number, mood) in moods.enumerated() {
            scene.service.turns(mood)
            if number > 0 {
                let ended = await proxy.stop(number == 1 ? SIGKILL : SIGTERM)
                #expect((ended.status == 0) == (number == 2), "\(ended.log)")
                proxy = try await scene.start()
            }
            clients.go(to: proxy.port)
            let before = clients.acknowledged
            try await eventually(within: 120, "2,000 writes while the service is away") {
                clients.acknowledged >= before + 2_000
            }
        }
        #expect(scene.service.record.written.isEmpty)
        let status = try JSONTree(try await scene.run(proxy, "status", "orders", "--json").output)
        #expect((status["dualWrite"]?["toService"]?["writes"]?.double ?? 0) > 5_900, "\(status["dualWrite"] as Any)")
        let spool = scene.deployment.folder + "/data/spool/" + (try scene.spools.first ?? "")
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool).count > 50, "segments")
        scene.service.turns(.well)
        try await clients.stop()
        try await scene.settles(proxy, within: 240)
        let truth = try await LedgerTruth(scene, clients)
        truth.expectWhole()
        // But for what the kill has cut off between its two records.
        #expect(truth.lostTrackOf <= 16)
        #expect(clients.lanes.values.allSatisfy { $0.refused.isEmpty })
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }
}
