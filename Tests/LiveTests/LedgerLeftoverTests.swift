import Dispatch
import Foundation
import Glibc
import Spool
import Testing

@testable import strangler

/// What processes have left in the folder of spools that were killed at an unfortunate moment, or whose disk was.
@Suite(.serialized) struct LedgerLeftoverTests {
    private func path(_ scene: LedgerScene, _ number: Int) -> String {
        "\(scene.deployment.folder)/data/spool/\(number)"
    }

    /// One record, which is not of the ledger's, and is drained like any.
    private func leave(_ path: String, isBegunOnly: Bool = false) throws {
        var options = SpoolOptions()
        options.freeFloor = 0
        options.reserve = 0
        let spool = try Spool.open(directory: path, options: options)
        let answered = DispatchSemaphore(value: 0)
        spool.append([255], essential: true) { _ in answered.signal() }
        answered.wait()
        guard isBegunOnly else { return spool.close() }
        // As a kill leaves it between the segment's head and its first record: the cursor knows of neither.
        let killed = path + ".killed"
        try FileManager.default.copyItem(atPath: path, toPath: killed)
        spool.close()
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: killed, toPath: path)
        try #require(truncate(path + "/00000001.seg", 64) == 0)
    }

    /// The first is the one that the proxy goes on with, the other one it adopts.
    @Test(arguments: [1, 9])
    func `where a process died as it began a segment, nothing is left to drain, and an adopted spool goes`(
        _ number: Int
    ) async throws {
        let scene = try await LedgerScene()
        try leave(path(scene, number), isBegunOnly: true)
        let proxy = try await scene.start()
        try await scene.settles(proxy)
        #expect(try scene.spools == ["1"])
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }

    /// Making room goes on until the cursor stands in the last segment, so it must get there.
    @Test func `the head of a segment without records is passed over where room is made`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "leftover-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try leave(root, isBegunOnly: true)
        let spool = try Spool.open(directory: root)
        defer { spool.close() }
        #expect(spool.drained < spool.durable)
        let sorted = try LedgerDrain.sort(spool, before: .max, filedThrough: 0)
        #expect(sorted.end == spool.durable && sorted.kept.isEmpty && sorted.shed == 0)
    }

    @Test func `what cannot be read of a predecessor's is waited for, and so is what lies beside it`() async throws {
        let scene = try await LedgerScene()
        let (whole, damaged) = (path(scene, 8), path(scene, 9))
        try leave(whole)
        try leave(damaged)
        try Data(repeating: 255, count: 8192).write(to: URL(filePath: damaged + "/cursor"))
        let locks = [damaged, whole].map { open($0 + "/lock", O_RDWR) }
        for lock in locks { try #require(flock(lock, LOCK_EX | LOCK_NB) == 0) }

        let proxy = try await scene.start()
        let clients = WritingClients(clients: 2, pause: 1_000)
        clients.go(to: proxy.port)
        try await eventually("writes are on record") { clients.acknowledged > 10 }
        try await clients.stop()
        // The damaged one first, so that there is no look that finds the other one alone.
        for lock in locks { close(lock) }
        // Who opens a spool writes its name in: the second look has begun when it is there once more.
        for _ in 0..<2 {
            try await eventually("the damaged one is looked at") {
                try String(contentsOfFile: damaged + "/lock", encoding: .utf8) == "\(proxy.processID)\n"
            }
            try #require(truncate(damaged + "/lock", 0) == 0)
        }
        #expect(scene.service.record.written.isEmpty)
        try FileManager.default.removeItem(atPath: damaged + "/cursor")

        try await scene.settles(proxy)
        try await LedgerTruth(scene, clients).expectWhole()
        let ended = await proxy.stop()
        #expect(ended.status == 0 && ended.log.contains("so nothing is delivered"), "\(ended)")
        await scene.end()
    }
}
