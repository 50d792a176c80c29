import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// Two processes serve on the same data for a moment, and each has writes that only it knows to be owed.
@Suite(.serialized) struct LedgerTakeoverTests {
    private func write(_ number: Int, to proxy: RunningProxy) async throws -> UInt {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(proxy.port)/orders")
        request.method = .POST
        request.headers = ["Cookie": "session=a", "Content-Type": "application/json", "Connection": "close"]
        request.body = .bytes(ByteBuffer(string: #"{"lane":"a","number":\#(number)}"#))
        return try await HTTPClient.shared.execute(request, timeout: .seconds(20)).status.code
    }

    @Test(.timeLimit(.minutes(3)))
    func `a lane that the process before still owes a write does not change sides at its successor`() async throws {
        let scene = try await LedgerScene()
        let old = try await scene.start()
        scene.service.turns(.silent)
        #expect(try await write(1, to: old) == 201)
        // One write that its shadow does not answer: the old process waits for it, as long as a stop may take.
        let new = try await RunningProxy(scene.deployment, "--takeover")
        try await eventually("the new process follows the stages") {
            try await scene.run(new, "status", "orders", "--json").output.contains(#""storeConnected":true"#)
        }
        let weighed = try await scene.run(new, "cutover", "orders", "--to", "100%", "--force", "--reason", "test")
        #expect(weighed.status == 0, "\(weighed)")
        #expect(kill(old.processID, 0) == 0, "both are there")
        // At 100 %, and the service has not got the first yet.
        #expect(try await write(2, to: new) == 201)
        #expect(scene.monolith.record.written.map(\.number) == [1, 2])
        scene.service.turns(.well)
        let ended = await old.end()
        #expect(ended.status == 0, "\(ended.log)")
        // Now the successor knows what is owed, and the lane turns when nothing is.
        var number = 2
        try await eventually(within: 60, "the lane has changed sides") {
            number += 1
            let status = try await write(number, to: new)
            #expect(status == 201)
            return scene.service.record.written.contains { !$0.isShadowed }
        }
        try await scene.settles(new)
        for origin in [scene.service, scene.monolith] {
            #expect(origin.record.written.map(\.number) == Array(1...number))
        }
        #expect(await new.stop().status == 0)
        await scene.end()
    }

    private func follows(_ proxy: RunningProxy, _ scene: LedgerScene) async throws {
        try await eventually("the new process follows the stages, and can be taken over from") {
            let isConnected = try await scene.run(proxy, "status", "orders", "--json").output
                .contains(#""storeConnected":true"#)
            return isConnected
                && FileManager.default.fileExists(atPath: scene.deployment.folder + "/data/takeover.sock")
        }
    }

    /// Writes until `origin` has answered one, and looks whether both have all in order.
    private func turns(
        to origin: WrittenOrigin, after last: Int, _ proxy: RunningProxy, _ scene: LedgerScene
    ) async throws {
        var number = last
        let already = origin.record.written.filter { !$0.isShadowed }.count
        try await eventually("the lane has changed sides") {
            number += 1
            let status = try await write(number, to: proxy)
            #expect(status == 201)
            return origin.record.written.filter { !$0.isShadowed }.count > already
        }
        try await scene.settles(proxy)
        for origin in [scene.service, scene.monolith] {
            #expect(origin.record.written.map(\.number) == Array(1...number))
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func `a lane that waits at a rollback stays on its side through a takeover, until the other has its writes`()
        async throws
    {
        let scene = try await LedgerScene()
        let old = try await scene.start()
        try await follows(old, scene)
        let weighed = try await scene.run(old, "cutover", "orders", "--to", "100%", "--force", "--reason", "test")
        #expect(weighed.status == 0, "\(weighed)")
        scene.monolith.turns(.silent)
        #expect(try await write(1, to: old) == 201)
        let back = try await scene.run(old, "rollback", "orders", "--reason", "test")
        #expect(back.status == 0, "\(back)")
        #expect(try await write(2, to: old) == 201)
        let new = try await RunningProxy(scene.deployment, "--takeover")
        // The monolith, whose turn it is, has not got the first yet; and does not answer.
        #expect(try await write(3, to: new) == 201)
        #expect(kill(old.processID, 0) == 0, "both are there")
        #expect(scene.service.record.written.map(\.isShadowed) == [false, false, false])
        scene.monolith.turns(.well)
        let ended = await old.end()
        #expect(ended.status == 0, "\(ended.log)")
        try await turns(to: scene.monolith, after: 3, new, scene)
        #expect(!FileManager.default.fileExists(atPath: scene.deployment.folder + "/data/lanes.json"))
        #expect(await new.stop().status == 0)
        await scene.end()
    }

    @Test(.timeLimit(.minutes(4)))
    func `of two takeovers in a row, the sides of before the first hold`() async throws {
        let scene = try await LedgerScene()
        let first = try await scene.start()
        try await follows(first, scene)
        scene.service.turns(.silent)
        #expect(try await write(1, to: first) == 201)
        let second = try await RunningProxy(scene.deployment, "--takeover")
        try await follows(second, scene)
        let weighed = try await scene.run(second, "cutover", "orders", "--to", "100%", "--force", "--reason", "test")
        #expect(weighed.status == 0, "\(weighed)")
        let third = try await RunningProxy(scene.deployment, "--takeover")
        // At 100 %, and the service, which does not answer, has not got the first yet.
        #expect(try await write(2, to: third) == 201)
        #expect(kill(first.processID, 0) == 0, "the first is there")
        #expect(scene.monolith.record.written.map(\.number) == [1, 2])
        scene.service.turns(.well)
        for process in [first, second] {
            let ended = await process.end()
            #expect(ended.status == 0, "\(ended.log)")
        }
        try await turns(to: scene.service, after: 2, third, scene)
        #expect(await third.stop().status == 0)
        await scene.end()
    }

    @Test(.timeLimit(.minutes(3)))
    func `after a process without a spool, lanes turn`() async throws {
        let scene = try await LedgerScene()
        let old = try await scene.start()
        try await follows(old, scene)
        // As a version had it that knew of no ledger.
        try FileManager.default.removeItem(atPath: scene.deployment.folder + "/data/spool")
        let new = try await RunningProxy(scene.deployment, "--takeover")
        try await follows(new, scene)
        let weighed = try await scene.run(new, "cutover", "orders", "--to", "100%", "--force", "--reason", "test")
        #expect(weighed.status == 0, "\(weighed)")
        try await turns(to: scene.service, after: 0, new, scene)
        let back = try await scene.run(new, "rollback", "orders", "--reason", "test")
        #expect(back.status == 0, "\(back)")
        let last = scene.service.record.written.count
        try await turns(to: scene.monolith, after: last, new, scene)
        _ = await old.end()
        #expect(await new.stop().status == 0)
        await scene.end()
    }
}
