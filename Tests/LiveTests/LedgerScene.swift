import Foundation
import Logging
import PostgresClient
import Testing

/// A proxy in stage `shadow` with `writes: dual-write`, two systems that remember what they are told, and a Postgres that
/// outlives the proxy.
final class LedgerScene {
    let monolith: WrittenOrigin
    let service: WrittenOrigin
    let postgres: PrivatePostgres
    let deployment: Deployment
    private let folder: String

    init(shadow: String = "", proxy: String = "", isSetUp: Bool = true) async throws {
        folder = NSTemporaryDirectory() + "strangler-ledger-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        postgres = PrivatePostgres(directory: folder, logger: Logger(label: "test"))
        let url = try #require(ReplicaSet.url(try await postgres.start()))
        monolith = try await WrittenOrigin()
        service = try await WrittenOrigin()
        deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(
                monolith: monolith.port, store: "store: {url: \"\(url)\"}\n" + proxy),
            "Routes/orders.yaml": """
            extraction: orders
            problem: p
            because: [scale-variance, team-size]
            match: [{path: "/orders"}]
            service: {url: "http://127.0.0.1:\(service.port)"}
            shadow: {writes: dual-write, timeout: 2s\(shadow)}
            cutover: {affinity: {cookie: session}}
            """,
        ])
        if isSetUp { try await setUp() }
    }

    /// Brings the extraction to `shadow`.
    private func setUp() async throws {
        let proxy = try await start()
        try await eventually("Postgres is there") {
            try await run(proxy, "status", "orders", "--json").output.contains(#""storeConnected":true"#)
        }
        let done = try await run(proxy, "advance", "orders", "--to", "shadow", "--force", "--reason", "test")
        #expect(done.status == 0, "\(done)")
        #expect(await proxy.stop().status == 0)
    }

    func start(_ options: String...) async throws -> RunningProxy { try await RunningProxy(deployment) }

    func run(_ proxy: RunningProxy, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments + ["--admin", proxy.admin])
    }

    func end() async {
        await postgres.stop()
        await monolith.close()
        await service.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Writes that stand in this state, as lane and number; `open` for those that are not over.
    func writes(_ proxy: RunningProxy, state: String) async throws -> Int {
        let found = try await run(proxy, "writes", "orders", "--state", state, "--json", "--limit", "1000")
        #expect(found.status == 0, "\(found)")
        return try JSONTree(found.output)["writes"]?.elements?.count ?? 0
    }

    /// Waits until nothing is owed to either side.
    func settles(_ proxy: RunningProxy, within seconds: Int = 60) async throws {
        try await eventually(within: seconds, "nothing is owed") {
            let status = try JSONTree(try await run(proxy, "status", "orders", "--json").output)
            return status.owesNothing
        }
    }
}

extension JSONTree {
    /// Of a status: `backlog` is what has waited for longer than a second; this is whatever is not at its end.
    var owesNothing: Bool {
        guard let dualWrite = self["dualWrite"], self["backlog"] == .number(0) else { return false }
        return dualWrite["toMonolith"]?["writes"] == .number(0) && dualWrite["toService"]?["writes"] == .number(0)
            && dualWrite["underWay"] == .number(0) && dualWrite["undrained"] == .number(0)
    }
}
