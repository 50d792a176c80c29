import Foundation
import Glibc
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
    /// Of the Postgres.
    let url: String
    private let folder: String
    /// What libpq needs to reach it.
    let database: String
    /// Processes of Postgres that have been stopped, its server first.
    private var frozen: [pid_t] = []

    /// - Parameters:
    ///   - shadow: keys beside those that are there, as `, attempts: 2`; `spool` the same. A disk that others keep busy must not
    ///     refuse a write here.
    init(shadow: String = "", spool: String = "", isSetUp: Bool = true) async throws {
        folder = NSTemporaryDirectory() + "strangler-ledger-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        postgres = PrivatePostgres(directory: folder, logger: Logger(label: "test"))
        database = try await postgres.start()
        url = try #require(ReplicaSet.url(database))
        monolith = try await WrittenOrigin()
        service = try await WrittenOrigin()
        deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(
                monolith: monolith.port, store: "store: {url: \"\(url)\"}\nspool: {wait: 30s\(spool)}"),
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

    func start(_ options: String...) async throws -> RunningProxy { try await RunningProxy(deployment, options) }

    func run(_ proxy: RunningProxy, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments + ["--admin", proxy.admin])
    }

    func end() async {
        thawPostgres()
        await postgres.stop()
        await monolith.close()
        await service.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Writes that stand in this state.
    func writes(_ proxy: RunningProxy, state: String) async throws -> Int {
        try await listed(proxy, state: state, page: 1_000).count
    }

    /// Ids of the writes that stand in this state, of all pages of the list.
    func listed(_ proxy: RunningProxy, state: String, page: Int) async throws -> [String] {
        var ids: [String] = []
        var before: String?
        repeat {
            let found = try await Program.run(
                ["writes", "orders", "--state", state, "--json", "--limit", "\(page)", "--admin", proxy.admin]
                    + (before.map { ["--before", $0] } ?? []))
            try #require(found.status == 0, "\(found)")
            let report = try JSONTree(found.output)
            ids += report["writes"]?.elements?.compactMap { $0["id"]?.text } ?? []
            before = report["next"]?.text
        } while before != nil
        return ids
    }

    /// What Postgres keeps of a write.
    func payload(of id: String) async throws -> [UInt8] {
        let connection = try await PostgresConnection.connect(url)
        let rows = try await connection.query(
            "SELECT encode(payload, 'base64') AS payload FROM strangler.writes WHERE id = $1", [.text(id)])
        await connection.close()
        let text = try #require(try rows.first?.optionalText("payload"))
        return [UInt8](try #require(Data(base64Encoded: text, options: .ignoreUnknownCharacters)))
    }

    /// Waits until nothing is owed to either side, and what processes before have left has been taken over and filed.
    func settles(_ proxy: RunningProxy, within seconds: Int = 60) async throws {
        var last = ""
        var isSettled = false
        let end = ContinuousClock.now + .seconds(seconds)
        while !isSettled, ContinuousClock.now < end {
            let found = try await run(proxy, "status", "orders", "--json")
            let spools = try spools
            last = "spools \(spools), \(found.error)\(found.output)"
            isSettled = (try? JSONTree(found.output).owesNothing) == true && spools.count == 1
            if !isSettled { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(isSettled, "something is owed after \(seconds) s: \(last)")
    }

    /// Folders of the processes' spools.
    var spools: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: deployment.folder + "/data/spool") }
    }

    // MARK: Postgres

    /// Postgres is gone without a word: its server is killed, and its other processes notice by themselves.
    func killPostgres() async throws {
        kill(try await postgresServer(), SIGKILL)
        await postgres.stop()
    }

    /// Postgres hangs: who connects waits, and so does who has asked something.
    func freezePostgres() async throws {
        let server = try await postgresServer()
        kill(server, SIGSTOP)
        frozen = [server]
        // It makes no more of them now.
        let others = Self.children(of: server)
        for process in others { kill(process, SIGSTOP) }
        frozen += others
        #expect(!others.isEmpty)
    }

    func thawPostgres() {
        for process in frozen.reversed() { kill(process, SIGCONT) }
        frozen = []
    }

    private func postgresServer() async throws -> pid_t {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.query("SELECT pg_read_file('postmaster.pid') AS file")
        await connection.close()
        return try #require(try rows.first.flatMap { pid_t(try $0.text("file").prefix { $0 != "\n" }) })
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { process in
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                // Behind the name, in which anything may stand: state, then parent.
                let end = text.lastIndex(of: ")")
            else { return false }
            return text[end...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) } == parent
        }
    }

    deinit { thawPostgres() }
}

extension JSONTree {
    /// Of a status: `backlog` is what has waited for longer than a second; this is whatever is not at its end.
    var owesNothing: Bool {
        guard let dualWrite = self["dualWrite"], self["backlog"] == .number(0) else { return false }
        return dualWrite["toMonolith"]?["writes"] == .number(0) && dualWrite["toService"]?["writes"] == .number(0)
            && dualWrite["underWay"] == .number(0) && dualWrite["undrained"] == .number(0)
    }
}
