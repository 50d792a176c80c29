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
}
