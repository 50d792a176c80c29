import Foundation
import PostgresStore
import Testing

/// `strangler reconcile` as people use it: the built program, a real proxy, a real Postgres.
@Suite(.serialized) struct ReconcileCommandTests {
    private static func deployment(_ world: ReconcileTests.World) throws -> Deployment {
        try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(
                monolith: world.monolith.port, store: "store: {url: \"\(world.url)\"}"),
            "Routes/orders.yaml": """
            extraction: orders
            problem: "Releases wait."
            because: [scale-variance, team-size]
            match: [{path: "/orders/{id}", methods: [GET, PATCH]}]
            service: {url: "http://127.0.0.1:\(world.service.port)"}
            shadow: {writes: dual-write}
            reconcile: {put: true}
            """,
        ])
    }

    private static func started(_ deployment: Deployment, stage: String? = nil) async throws -> RunningProxy {
        let proxy = try await RunningProxy(deployment)
        try await eventually("the store is there") {
            try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output.contains(
                #""storeConnected":true"#)
        }
        guard let stage else { return proxy }
        let done = try await Program.run(
            "advance", "orders", "--to", stage, "--force", "--reason", "test", "--admin", proxy.admin)
        #expect(done.status == 0, "\(done)")
        return proxy
    }

    @Test func `a walk that was stopped, and whose proxy was killed, goes on where it was`() async throws {
        let documents = Dictionary(uniqueKeysWithValues: (100..<160).map { ("/orders/\($0)", #"{"a":1}"#) })
        let world = try await ReconcileTests.World.start(documents, documents)
        for number in 100..<160 { try await world.wrote(number, "/orders/\(number)") }
        let deployment = try Self.deployment(world)
        let proxy = try await Self.started(deployment)
        let early = try await Program.run("reconcile", "orders", "--admin", proxy.admin)
        #expect(early.status == 1 && early.error.contains("stage identified"), "\(early)")
        let advanced = try await Program.run(
            "advance", "orders", "--to", "shadow", "--force", "--reason", "test", "--admin", proxy.admin)
        #expect(advanced.status == 0, "\(advanced)")

        // Ctrl-C: the step under way comes to its end.
        let first = Program.make(["reconcile", "orders", "--rate", "10", "--admin", proxy.admin], in: nil)
        let complaint = Pipe()
        (first.standardOutput, first.standardError) = (FileHandle.nullDevice, complaint)
        try first.run()
        try await eventually("a step was taken") { world.service.asked.count >= 5 }
        kill(first.processIdentifier, SIGINT)
        let said = String(decoding: try complaint.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        first.waitUntilExit()
        #expect(first.terminationStatus == 1 && said.contains("stopped; run 1 goes on with --resume"), "\(said)")
        let seen = world.service.asked.count
        #expect(seen < 60)

        // kill -9 of the proxy, in the middle of a step.
        let second = Program.make(["reconcile", "orders", "--resume", "--rate", "10", "--admin", proxy.admin], in: nil)
        (second.standardOutput, second.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try second.run()
        try await eventually("a step was taken") { world.service.asked.count >= seen + 20 }
        _ = await proxy.stop(SIGKILL)
        second.waitUntilExit()
        #expect(second.terminationStatus == 3)

        let again = try await Self.started(deployment)
        let last = try await Program.run(
            "reconcile", "orders", "--run", "1", "--rate", "1000", "--json", "--admin", again.admin)
        #expect(last.status == 0, "\(last)")
        let report = try JSONTree(last.output)
        #expect(report["counts"]?["checked"] == .number(60) && report["counts"]?["same"] == .number(60))
        let asked = world.service.asked.map(\.path)
        #expect(Set(asked).count == 60)
        // What was looked at in the step that was cut off is looked at again, and nothing else.
        #expect(asked.count <= 60 + 25, "\(asked.count)")
        let none = try await Program.run("reconcile", "orders", "--resume", "--admin", again.admin)
        #expect(none.status == 1 && none.error.contains("no walk of orders waits to go on"), "\(none)")
        #expect(await again.stop().status == 0)
        await world.stop()
    }

    @Test func `what differs is told, repaired with a reason, and a side that is away is no difference`() async throws {
        let world = try await ReconcileTests.World.start(
            ["/orders/1": #"{"a":1}"#, "/orders/2": #"{"a":1}"#], ["/orders/1": #"{"a":1}"#, "/orders/2": #"{"a":2}"#])
        for number in 1...2 { try await world.wrote(number, "/orders/\(number)") }
        let proxy = try await Self.started(try Self.deployment(world), stage: "shadow")
        let run = { (arguments: [String]) in
            try await Program.run(["reconcile", "orders"] + arguments + ["--admin", proxy.admin])
        }
        let found = try await run([])
        #expect(found.status == 1, "\(found)")
        for text in ["2 of 2 entities compared", "✗ differs     /orders/2", "$.a value"] {
            #expect(found.output.contains(text), "\(text) is missing in \(found.output)")
        }
        #expect(try await run(["--repair"]).status == 2)
        #expect(try await run(["--resume", "--from", "1h"]).status == 2)
        let past = try await run(["--from", "2d", "--to", "1d", "--json"])
        #expect(past.status == 0 && past.output.contains(#""checked":0"#), "\(past)")

        let repaired = try await run(["--repair", "--reason", "release 7 lost them"])
        #expect(repaired.status == 0 && repaired.output.contains("✓ repaired    /orders/2"), "\(repaired)")
        #expect(world.service["/orders/2"] == #"{"a":1}"#)
        let runs = try await world.store.reconcileRuns(extraction: "orders", limit: 1)
        #expect(runs.first?.reason == "release 7 lost them" && runs.first?.repairs == true)
        #expect(runs.first?.actor.contains("@") == true)

        for number in 10..<30 { try await world.wrote(number, "/orders/\(number)") }
        world.service.answerAll(with: 503)
        let away = try await run([])
        #expect(away.status == 3 && away.error.contains("the service answers 503"), "\(away)")
        #expect(await proxy.stop().status == 0)
        await world.stop()
    }
}
