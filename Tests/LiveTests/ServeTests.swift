import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite(.serialized) struct ServeTests {
    private func status(of port: Int, _ path: String = "/") async throws -> UInt {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"), timeout: .seconds(30))
        _ = try await response.body.collect(upTo: 1 << 20)
        return response.status.code
    }

    @Test func `a malformed configuration gives every error at once, and nothing is started`() async throws {
        let deployment = try Deployment([
            "Routes/proxy.yaml":
                "listen: [{address: 127.0.0.1:0}]\nmonolit: {url: \"http://127.0.0.1:1\"}\ndata: data\n",
            "Routes/orders.yaml": "extraction: orders\nproblem: x\nbecause: [scale-variance]\n",
        ])
        let outcome = try await Program.run("serve", "--config", "Routes/proxy.yaml", in: deployment.folder)
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("Routes/proxy.yaml:2:1") && outcome.error.contains("monolith"))
        #expect(outcome.error.contains("Routes/orders.yaml:"))
        #expect(outcome.error.split(separator: "\n").count >= 4)
        #expect(!FileManager.default.fileExists(atPath: deployment.folder + "/data"))
    }

    @Test func `a port that another program uses is one line and exit 1`() async throws {
        let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: 1).replacing(
                "listen:   [{address: 127.0.0.1:0}]", with: "listen: [{address: 127.0.0.1:\(port)}]")
        ])
        let outcome = try await Program.run("serve", in: deployment.folder)
        #expect(outcome.status == 1)
        #expect(outcome.error.split(separator: "\n").count == 1)
        #expect(outcome.error.contains("127.0.0.1:\(port)") && outcome.error.contains("another program uses this port"))
        try await taken.close()
    }

    @Test func `a second proxy on the port of a first is refused, and the first goes on`() async throws {
        let origin = try await Origin()
        let first = try await RunningProxy(
            Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)]))
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port).replacing(
                "listen:   [{address: 127.0.0.1:0}]", with: "listen: [{address: 127.0.0.1:\(first.port)}]")
        ])
        let second = try await Program.run("serve", in: deployment.folder)
        #expect(second.status == 1 && second.error.contains("another program uses this port"), "\(second)")
        for _ in 0..<20 { #expect(try await status(of: first.port) == 200) }
        #expect(await first.stop().status == 0)
        await origin.close()
    }

    @Test func `a store that knows less than the proxy does not lock the stages`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
            "Routes/orders.yaml": """
            extraction: orders
            problem: p
            because: [scale-variance, team-size]
            match: [{path: "/o/**"}]
            service: {url: "http://127.0.0.1:\(origin.port)", health: {path: /}}
            """,
        ])
        let proxy = try await RunningProxy(deployment)
        try await eventually("the stage moves") {
            try await Program.run(
                "advance", "orders", "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin
            )
            .status == 0
        }
        _ = await proxy.stop()
        try FileManager.default.removeItem(atPath: deployment.folder + "/data/postgres")
        let again = try await RunningProxy(deployment)
        try await eventually("the new store is there") {
            try await Program.run("status", "orders", "--json", "--admin", again.admin).output.contains(
                #""storeConnected":true"#)
        }
        let status = try await Program.run("status", "orders", "--json", "--admin", again.admin)
        #expect(status.output.contains(#""stage":"shadow""#), "the last known stage is served")
        let rollback = try await Program.run("rollback", "orders", "--reason", "r", "--admin", again.admin)
        #expect(rollback.status == 0, "\(rollback)")
        _ = await again.stop()
        await origin.close()
    }

    @Test func `a store that cannot be reached is said once, and clients are answered`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(
                monolith: origin.port, store: "store: {url: \"postgres://nobody@127.0.0.1:1/none\"}")
        ])
        let proxy = try await RunningProxy(deployment)
        for _ in 0..<20 { #expect(try await status(of: proxy.port) == 200) }
        let ended = await proxy.stop()
        #expect(ended.status == 0)
        #expect(ended.log.split(separator: "\n").filter { $0.contains("error") }.count == 1, "\(ended.log)")
        await origin.close()
    }

    @Test func `Postgres killed while serving: clients are answered throughout, and it comes back by itself`()
        async throws
    {
        let origin = try await Origin()
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)])
        let proxy = try await RunningProxy(deployment)
        let isReady = { () async throws -> Bool in
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: proxy.admin + "/readyz"), timeout: .seconds(30))
            return String(buffer: try await answer.body.collect(upTo: 1 << 20)).contains(#""detail":"connected""#)
        }
        try await eventually("Postgres is connected") { try await isReady() }
        let servers = Set(try postgresProcesses(below: proxy.processID))
        #expect(!servers.isEmpty)
        for server in servers { kill(server, SIGKILL) }
        // It may be back before anybody asks: other processes are what says that it was away.
        try await eventually("another Postgres runs, and is connected") {
            #expect(try await status(of: proxy.port) == 200)
            let running = try postgresProcesses(below: proxy.processID)
            guard !running.isEmpty, servers.isDisjoint(with: running) else { return false }
            return try await isReady()
        }
        let ended = await proxy.stop()
        #expect(ended.status == 0)
        #expect(try postgresProcesses(below: proxy.processID).isEmpty)
        await origin.close()
    }

    /// Postgres servers that the proxy started: children, and children of a launcher.
    private func postgresProcesses(below parent: Int32) throws -> [Int32] {
        var found: [Int32] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let id = Int32(name), let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { continue }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            guard fields.count > 1, Int32(fields[1]) == parent, fields[0] != "Z" else { continue }
            if stat.contains("(postgres)") { found.append(id) } else { found += try postgresProcesses(below: id) }
        }
        return found
    }

    @Test func `a monolith that is down is 502, and the proxy goes on`() async throws {
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: 1)])
        let proxy = try await RunningProxy(deployment)
        #expect(try await status(of: proxy.port) == 502)
        #expect(try await status(of: proxy.port) == 502)
        #expect(await proxy.stop(SIGINT).status == 0)
    }

    @Test func `commands without a proxy exit 3 with one line`() async throws {
        for arguments in [["status"], ["diffs", "orders"], ["rollback", "orders"], ["history", "orders"]] {
            let outcome = try await Program.run(
                arguments[0], arguments.count > 1 ? arguments[1] : "--json", "--admin", "http://127.0.0.1:1")
            #expect(outcome.status == 3, "\(arguments) \(outcome)")
            #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        }
        #expect(try await Program.run("no-such-command").status == 2)
        #expect(try await Program.run("cutover").status == 2)
    }
}
