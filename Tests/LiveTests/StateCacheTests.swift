import Extraction
import Foundation
import Logging
import PostgresClient
import Testing

@testable import strangler

/// What is known of the stages across a restart.
@Suite struct StateCacheTests {
    @Test func `weights, ramp and hold survive`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/cache-" + UUID().uuidString.prefix(8)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = StateCache(data: try DataDirectory(path: folder), logger: Logger(label: "test"))
        let at = Date(timeIntervalSince1970: 1_795_233_600)
        let state = ExtractionState(
            name: "orders", stage: .cutover, weights: Weights(reads: Weight(clamping: 2_500), writes: .none), since: at,
            version: 12, windowStartedAt: nil, isRamping: true,
            hold: Hold(cause: .breach, by: "guard", reason: "it fails", at: at), bakingSince: at.addingTimeInterval(60))
        cache.save([state])
        #expect(cache.load() == ["orders": state])
    }

    @Test(.timeLimit(.minutes(10)))
    func `a restart without Postgres serves what was served, and takes no command`() async throws {
        let set = try await ReplicaSet(1)
        let deployment = try ReplicaSet.deployment(
            monolith: set.monolith.port, service: set.service.port, store: set.url, cutover: "{}")
        try await set.cutOver(to: "100%")
        let first = try await RunningProxy(deployment)
        try await set.heard(2)
        let paused = try await set.run("pause", "orders", "--reason", "lunch")
        #expect(paused.status == 0, "\(paused)")
        try await set.heard(2)
        _ = await first.stop()
        await set.postgres.stop()
        let again = try await RunningProxy(deployment)
        #expect(try await ReplicaSet.answerer(at: again.port) == "service")
        let status = try await Program.run("status", "orders", "--json", "--admin", again.admin)
        #expect(status.output.contains("lunch"), "\(status)")
        for command in [["rollback", "orders"], ["resume", "orders"], ["cutover", "orders", "--to", "10%"]] {
            let refused = try await Program.run(command + ["--reason", "test", "--admin", again.admin])
            #expect(refused.status == 3, "\(refused)")
        }
        #expect(try await ReplicaSet.answerer(at: again.port) == "service")
        _ = await again.stop()
        await set.stop()
    }
}
