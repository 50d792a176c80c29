import Foundation
import Testing

/// Files change under the running program.
@Suite(.serialized) struct ReloadTests {
    private static func ordersFile(service: Int, path: String = "/o/**", name: String = "orders") -> String {
        """
        extraction: \(name)
        problem: p
        because: [scale-variance, team-size]
        match: [{path: "\(path)"}]
        service: {url: "http://127.0.0.1:\(service)"}
        """
    }

    /// Rules are checked against extractions, so a broken file of either kind is one error.
    private static let badFile = "extraction: orders\nproblem: p\nbecause: [scale-variance, no-such-reason]\n"

    private struct Files: Decodable {
        let generation: Int
        let digest: String
        let current: Bool
        let errors: [String]
    }

    private func files(of proxy: RunningProxy) async throws -> Files {
        let outcome = try await Program.run("reload", "--json", "--admin", proxy.admin)
        return try JSONDecoder().decode(Files.self, from: Data(outcome.output.utf8))
    }

    @Test func `200 reloads under load fail no request`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
            "Routes/orders.yaml": Self.ordersFile(service: origin.port),
        ])
        // Without looking by itself, so that each file is loaded by the signal that is sent for it.
        let proxy = try await RunningProxy(deployment, "--no-watch")
        let load = LoadGenerator(port: proxy.port, target: "/o/1")
        for number in 1...200 {
            // Routes, upstreams and limits change with each.
            try deployment.write(
                "Routes/orders.yaml", Self.ordersFile(service: origin.port, path: number % 2 == 0 ? "/o/**" : "/o/{id}")
            )
            try deployment.write(
                "Routes/proxy.yaml",
                Deployment.proxyFile(monolith: origin.port) + "\ntimeouts: {first-byte: \(20 + number)s}\n")
            kill(proxy.processID, SIGHUP)
            var generation = 0.0
            try await eventually(pause: 2, "configuration \(number + 1) is loaded") {
                generation = try await proxy.metric("strangler_configuration_generation") ?? 0
                return generation == Double(number + 1)
            }
            try #require(generation == Double(number + 1))
        }
        try await load.answers(100)
        try await load.stop()
        #expect(load.failures == [])
        #expect(load.answered > 400)
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }

    @Test func `a changed, an added and a removed file take effect by themselves`() async throws {
        let (origin, service) = (try await Origin(), try await Origin(body: "service"))
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port)])
        let proxy = try await RunningProxy(deployment)
        func isDefined(_ name: String) async throws -> Bool {
            try await Program.run("status", name, "--json", "--admin", proxy.admin).status == 0
        }
        func explained(_ path: String) async throws -> String {
            try await Program.run("explain", "GET", path, "--json", "--admin", proxy.admin).output
        }
        #expect(try await !isDefined("orders"))
        try deployment.write("Routes/orders.yaml", Self.ordersFile(service: service.port))
        try await eventually("the added file is loaded") { try await isDefined("orders") }
        #expect(try await explained("/o/1").contains(#""extraction":"orders""#))
        // An added extraction lives through the steps like any other.
        try await eventually("the stage moves") {
            try await Program.run(
                "advance", "orders", "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin
            ).status == 0
        }
        try deployment.write("Routes/orders.yaml", Self.ordersFile(service: service.port, path: "/new/**"))
        try await eventually("the changed file is loaded") {
            try await explained("/new/1").contains(#""extraction":"orders""#)
        }
        #expect(try await explained("/o/1").contains(#""extraction":null"#))
        let status = try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output
        #expect(status.contains(#""stage":"shadow""#), "the stage stays: \(status)")
        try FileManager.default.removeItem(atPath: deployment.folder + "/Routes/orders.yaml")
        try await eventually("the removed file is gone") { try await !isDefined("orders") }
        try deployment.write("Routes/orders.yaml", Self.ordersFile(service: service.port))
        try await eventually("it is back") { try await isDefined("orders") }
        let back = try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output
        #expect(back.contains(#""stage":"shadow""#), "it goes on where it stood: \(back)")
        #expect(await proxy.stop().status == 0)
        await service.close()
        await origin.close()
    }

    @Test func `a bad file changes nothing, and log and status say why`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
            "Routes/orders.yaml": Self.ordersFile(service: origin.port),
        ])
        let proxy = try await RunningProxy(deployment)
        let load = LoadGenerator(port: proxy.port, clients: 2)
        let good = try await files(of: proxy)
        #expect(good.generation == 1 && good.current)
        try deployment.write("Routes/orders.yaml", Self.badFile)
        try await eventually("status says so") {
            let status = try await Program.run("status", "--admin", proxy.admin)
            return status.output.contains("The files on disk cannot be loaded")
                && status.output.contains("Routes/orders.yaml:3:")
        }
        let refused = try await Program.run("reload", "--admin", proxy.admin)
        #expect(refused.status == 1)
        #expect(refused.error.contains("Routes/orders.yaml:3:") && refused.error.contains("no-such-reason"))
        let json = try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output
        #expect(json.contains(#""generation":1"#) && json.contains(#""current":false"#), "\(json)")
        #expect(json.contains(good.digest), "the running digest is shown")
        let explained = try await Program.run("explain", "GET", "/o/1", "--json", "--admin", proxy.admin).output
        #expect(explained.contains(#""extraction":"orders""#), "the running routes stay")
        // Back as it was: nothing is loaded, and the complaint goes.
        try deployment.write("Routes/orders.yaml", Self.ordersFile(service: origin.port))
        try await eventually("status is content again") {
            try await !Program.run("status", "--admin", proxy.admin).output.contains("The files on disk")
        }
        #expect(try await files(of: proxy).generation == 1)
        try await load.stop()
        #expect(load.failures == [])
        let ended = await proxy.stop()
        #expect(ended.status == 0)
        #expect(ended.log.contains("Routes/orders.yaml:3:") && ended.log.contains("stays as it is"))
        await origin.close()
    }

    @Test func `a limit that is lowered turns new clients away, and old ones keep working`() async throws {
        let origin = try await Origin()
        let file = Deployment.proxyFile(monolith: origin.port)
        let deployment = try Deployment(["Routes/proxy.yaml": file])
        let proxy = try await RunningProxy(deployment, "--no-watch")
        let load = LoadGenerator(port: proxy.port, clients: 1, connections: .kept)
        try await load.answers(10)
        try deployment.write("Routes/proxy.yaml", file + "\nlimits: {connections: 1}\n")
        #expect(try await files(of: proxy).generation == 2)
        let newcomer = LoadGenerator(port: proxy.port, clients: 1, connections: .kept)
        try await eventually("the newcomer is turned away") { !newcomer.failures.isEmpty }
        try await newcomer.stop()
        #expect(newcomer.answered == 0 && newcomer.failures.allSatisfy { $0.contains("503 service unavailable") })
        #expect(try await proxy.metric("strangler_connections_refused_total") ?? 0 >= 1)
        try await load.answers(10)
        try await load.stop()
        #expect(load.failures == [])
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }

    @Test func `what needs a start is refused by its key, with all that comes along`() async throws {
        let origin = try await Origin()
        let file = Deployment.proxyFile(monolith: origin.port)
        let deployment = try Deployment(["Routes/proxy.yaml": file])
        let proxy = try await RunningProxy(deployment, "--no-watch")
        let changed = file.replacing("127.0.0.1:0}]", with: "127.0.0.1:1}]").replacing(
            "data:     data", with: "data: x")
        try deployment.write("Routes/proxy.yaml", changed + "\nthreads: 7\n")
        try deployment.write("Routes/orders.yaml", Self.ordersFile(service: origin.port))
        let status = try await Program.run("status", "--admin", proxy.admin)
        #expect(status.output.contains("have changed and are not loaded yet"), "\(status)")
        let refused = try await Program.run("reload", "--admin", proxy.admin)
        #expect(refused.status == 1)
        for key in ["proxy.yaml:1:", "`listen`", "proxy.yaml:4:1: `data`", "proxy.yaml:6:1: `threads`"] {
            #expect(refused.error.contains(key), "\(refused.error)")
        }
        #expect(try await Program.run("status", "orders", "--admin", proxy.admin).status == 1, "nothing was loaded")
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }
}
