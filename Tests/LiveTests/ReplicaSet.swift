import AsyncHTTPClient
import Extraction
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import PostgresClient
import PostgresStore
import Testing

/// Several proxies over one Postgres, with a monolith and a service that can be told apart.
final class ReplicaSet {
    let monolith: Origin
    let service: Origin
    let proxies: [RunningProxy]
    let store: PostgresStore
    let postgres: PrivatePostgres
    /// Of the Postgres that all share.
    let url: String
    private let folder: String

    init(_ count: Int, cutover: String = "{}") async throws {
        folder = FileManager.default.temporaryDirectory.path + "/set-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        postgres = PrivatePostgres(directory: folder, logger: Logger(label: "test"))
        let parameters = try await postgres.start()
        monolith = try await Origin(body: #"{"by":"monolith"}"#)
        service = try await Origin(body: #"{"by":"service"}"#)
        store = PostgresStore(parameters, logger: Logger(label: "test"))
        url = try #require(Self.url(parameters))
        var proxies: [RunningProxy] = []
        for _ in 0..<count {
            let deployment = try Self.deployment(
                monolith: monolith.port, service: service.port, store: url, cutover: cutover)
            proxies.append(try await RunningProxy(deployment))
        }
        self.proxies = proxies
    }

    static func deployment(monolith: Int, service: Int, store: String, cutover: String) throws -> Deployment {
        try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: monolith, store: "store: {url: \"\(store)\"}"),
            "Routes/orders.yaml": """
            extraction: orders
            problem: p
            because: [scale-variance, team-size]
            match: [{path: "/o/{id}", methods: [GET]}]
            service: {url: "http://127.0.0.1:\(service)"}
            cutover: \(cutover)
            """,
            // What differs is how the test tells the sides apart, and no fault.
            "Shadow/orders.yaml": """
            extraction: orders
            ignore: [{path: "$.by", because: "tells the sides apart"}]
            """,
        ])
    }

    /// `host='/tmp/x' port=5432 dbname='a' user=b` as a URL.
    static func url(_ parameters: String) -> String? {
        var fields: [String: String] = [:]
        for part in parameters.split(separator: " ") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { return nil }
            fields[String(pair[0])] = String(pair[1]).replacing("'", with: "")
        }
        guard let host = fields["host"], let port = fields["port"], let name = fields["dbname"],
            let user = fields["user"]
        else { return nil }
        return "postgres://\(user)@/\(name)?host=\(host.replacing("/", with: "%2F"))&port=\(port)"
    }

    func run(_ arguments: String..., at index: Int = 0) async throws -> Program.Outcome {
        try await Program.run(arguments + ["--admin", proxies[index].admin])
    }

    /// Asks the admin address itself, which takes less time than a process.
    static func post(_ command: String, _ body: String, to admin: String) async throws {
        var request = HTTPClientRequest(url: admin + "/api/v1/extractions/orders/\(command)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        #expect(answer.status == .ok, "\(text)")
    }

    /// Brings it to `cutover` at this weight, by force; every replica follows when this returns.
    func cutOver(to weight: String) async throws {
        try await eventually("Postgres is connected") {
            try await self.run("advance", "orders", "--to", "shadow", "--force", "--reason", "test").status == 0
        }
        let outcome = try await run("cutover", "orders", "--to", weight, "--force", "--reason", "test")
        #expect(outcome.status == 0, "\(outcome)")
        try await heard(proxies.count)
    }

    /// Replicas that beat and serve what Postgres has.
    func heard(_ count: Int, within seconds: Int = 90) async throws {
        try await eventually(within: seconds, "\(count) replicas serve the present state") {
            // Postgres may just be coming back.
            guard let version = (try? await self.state)?.version, let beating = try? await self.beating else {
                return false
            }
            return beating.count { $0.extractions["orders"]?.version == version } == count
        }
    }

    var state: (version: Int64, weight: Double, stage: String)? {
        get async throws {
            try await store.load().first { $0.name == "orders" }.map {
                ($0.version, $0.weight.percent, $0.stage.rawValue)
            }
        }
    }

    var beating: [Replica] {
        get async throws { try await store.replicas().filter { $0.stoppedAt == nil && ($0.age ?? 99) < 3 } }
    }

    /// The process that judges for all.
    var guardProcess: Int? {
        get async throws { try await beating.first { $0.guardBackend != nil }?.process }
    }

    /// Who answers a request now.
    static func answerer(at port: Int) async throws -> String {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)/o/1"), timeout: .seconds(30))
        let body = String(buffer: try await answer.body.collect(upTo: 1 << 16))
        return body.contains("monolith") ? "monolith" : "service"
    }

    /// - Parameter ended: those that are not running any more.
    func stop(except ended: Set<Int32> = []) async {
        for proxy in proxies where !ended.contains(proxy.processID) { _ = await proxy.stop() }
        await store.close()
        await monolith.close()
        await service.close()
        await postgres.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
