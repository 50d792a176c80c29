import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// What `Routes/proxy.yaml` says about bounds, seen from outside the running program.
@Suite(.serialized) struct BoundsServeTests {
    @Test func `with no time to drain, a request under way is cut off and not waited for`() async throws {
        let (requests, asked) = AsyncStream<Void>.makeStream()
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Silent(asked: asked))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let monolith = try #require(silent.localAddress?.port)
        let proxy = try await RunningProxy(
            Deployment([
                "Routes/proxy.yaml": Deployment.proxyFile(monolith: monolith) + "drain: 0s\ntimeouts: {first-byte: 10s}"
            ]))
        let port = proxy.port
        let answer = Task {
            try? await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://127.0.0.1:\(port)/"), timeout: .seconds(50)
            ).status.code
        }
        let patience = Task {
            try await Task.sleep(for: .seconds(30))
            asked.finish()
        }
        var isAsked = false
        for await _ in requests {
            isAsked = true
            break
        }
        patience.cancel()
        #expect(isAsked)
        #expect(await proxy.stop().status == 0)
        #expect(await answer.value == nil)
        try await silent.close()
    }

    @Test func `a service of two servers is healthy when both are`() async throws {
        let first = try await Origin()
        let second = try await Origin()
        func extraction(_ name: String, _ ports: [Int]) -> String {
            let urls = ports.map { "\"http://127.0.0.1:\($0)\"" }.joined(separator: ", ")
            return """
                extraction: \(name)
                problem: p
                because: [scale-variance, team-size]
                match: [{path: "/\(name)/**"}]
                service: {urls: [\(urls)], health: {path: /, timeout: 5s}}
                """
        }
        let proxy = try await RunningProxy(
            Deployment([
                "Routes/proxy.yaml": Deployment.proxyFile(monolith: first.port),
                "Routes/whole.yaml": extraction("whole", [first.port, second.port]),
                "Routes/half.yaml": extraction("half", [first.port, 1]),
            ]))
        for (name, isHealthy) in [("whole", true), ("half", false)] {
            try await eventually("the stage of \(name) moves") {
                try await Program.run(
                    "advance", name, "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin
                ).status == 0
            }
            let history = try await Program.run("history", name, "--json", "--admin", proxy.admin)
            #expect(history.output.contains("\"serviceHealthy\":\(isHealthy)"), "\(history)")
        }
        #expect(await proxy.stop().status == 0)
        await first.close()
        await second.close()
    }

    /// Takes requests and never answers.
    private final class Silent: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let asked: AsyncStream<Void>.Continuation

        init(asked: AsyncStream<Void>.Continuation) { self.asked = asked }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { asked.yield() }
    }
}
