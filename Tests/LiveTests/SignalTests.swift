import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// How the running program ends.
@Suite(.serialized) struct SignalTests {
    private func slowRequest(_ proxy: RunningProxy) -> Task<HTTPResponseHead, any Error> {
        let url = "http://127.0.0.1:\(proxy.port)/slow"
        return Task {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
            _ = try await response.body.collect(upTo: 1 << 20)
            return HTTPResponseHead(version: response.version, status: response.status, headers: response.headers)
        }
    }

    private func isUnderWay(_ proxy: RunningProxy) async throws {
        try await eventually("the request is under way") {
            try await proxy.metric("strangler_connections_open") == 1
        }
    }

    @Test func `SIGTERM lets a slow request finish, and the exit status is 0`() async throws {
        let origin = try await Origin(delay: .milliseconds(1_500))
        let proxy = try await RunningProxy(
            Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)]))
        let answer = slowRequest(proxy)
        try await isUnderWay(proxy)
        let ended = await proxy.stop()
        #expect(ended.status == 0, "\(ended.log)")
        let head = try await answer.value
        #expect(head.status == .ok)
        #expect(head.headers.first(name: "connection") == "close")
        await origin.close()
    }

    @Test func `a second signal ends it at once, with status 1`() async throws {
        let origin = try await Origin(delay: .minutes(10))
        let proxy = try await RunningProxy(
            Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)]))
        let answer = slowRequest(proxy)
        try await isUnderWay(proxy)
        kill(proxy.processID, SIGTERM)
        try await eventually("it drains") {
            // The admin address stays open until the clients have gone; the listener does not.
            (try? await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://localhost:\(proxy.port)/"), timeout: .milliseconds(300))) == nil
        }
        let ended = await proxy.stop(SIGINT)
        #expect(ended.status == 1)
        #expect(ended.log.contains("at the second signal"))
        await #expect(throws: (any Error).self) { try await answer.value }
        await origin.close()
    }

    @Test func `clients that keep their connections lose nothing at SIGTERM`() async throws {
        let origin = try await Origin()
        let proxy = try await RunningProxy(
            Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)]))
        let load = LoadGenerator(port: proxy.port, connections: .kept)
        try await load.answers(100)
        #expect(await proxy.stop().status == 0)
        try await load.stop()
        // Each was told on its last answer; what it finds then is a closed door, not a broken connection.
        #expect(load.failures.allSatisfy { $0.contains("Connection refused") }, "\(load.failures)")
        await origin.close()
    }
}
