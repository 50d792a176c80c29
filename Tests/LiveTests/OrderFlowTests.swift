import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import PostgresClient
import Synchronization
import Testing

@testable import DemoShop

/// What clients saw of orders through the proxy, whoever answered.
private final class SeenOrders: HTTPCaller {
    struct Seen {
        /// Acknowledged with 201, by who answered.
        var created: [String: String] = [:]
        var listed: Set<String> = []
        /// Somebody was told that an order does not exist of which he had been told that it does.
        var unknown: [String] = []
        /// Neither what was asked for nor what may be while the service is killed.
        var failures: [String] = []
    }

    private let base: String
    private let seen = Mutex(Seen())

    init(port: Int) { base = "http://127.0.0.1:\(port)" }

    var now: Seen { seen.withLock { $0 } }

    func created(by side: String) -> Int { now.created.values.count { $0 == side } }

    func call(_ request: ShopRequest) async throws -> ShopResponse {
        var message = HTTPClientRequest(url: base + request.path)
        message.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        if let body = request.body { message.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(message, timeout: .seconds(20))
        let body = Array(try await response.body.collect(upTo: 1 << 22).readableBytesView)
        let answer = ShopResponse(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }), body: body)
        note(request, answer)
        return answer
    }

    private func note(_ request: ShopRequest, _ answer: ShopResponse) {
        guard request.path.hasPrefix("/api/v1/orders"),
            let json = try? JSONTree(String(decoding: answer.body, as: UTF8.self))
        else { return }
        let asked = request.path.dropFirst("/api/v1/orders/".count)
        seen.withLock { seen in
            if request.method == "POST", answer.status == 201, let id = json["orderId"]?.text {
                seen.created[id] = answer.headers["server"] ?? ""
            }
            for order in json["orders"]?.elements ?? [] {
                seen.listed.formUnion([order["orderId"]?.text].compactMap(\.self))
            }
            if answer.status == 404, seen.created[String(asked)] != nil { seen.unknown.append(request.path) }
            if answer.status >= 500 { seen.failures.append("\(request.method) \(request.path): \(answer.status)") }
        }
    }
}

/// The demo's order flow under dual-write, with ids that each side makes up: through every stage and back, with the service
/// killed on the way, until both databases hold the same orders.
@Suite(.serialized) struct OrderFlowTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func deployment(monolith: Int, service: Int) throws -> Deployment {
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: monolith, store: "spool: {wait: 30s}"),
            "Routes/orders.yaml": """
            extraction: orders
            problem: "Releases wait."
            because: [scale-variance, team-size]
            match: [{path: "/api/v1/orders/**", methods: [GET, POST, PATCH]}]
            service: {url: "http://127.0.0.1:\(service)", breaker: {open: 1s}}
            contract: contracts/orders.openapi.yaml
            shadow: {sample: 100%, writes: dual-write, timeout: 2s}
            cutover: {affinity: {cookie: session}, bake: 1h, guard: {error-rate: 90%, p99: 20s, mismatch: 90%, interval: 1s}}
            """,
        ])
        let files = FileManager.default
        try files.createDirectory(atPath: deployment.folder + "/Routes/contracts", withIntermediateDirectories: true)
        for name in ["Routes/contracts/orders.openapi.yaml", "Shadow/orders.yaml"] {
            try deployment.write(name, String(contentsOf: repository.appending(path: name), encoding: .utf8))
        }
        return deployment
    }

    /// Orders that are paid with the confirmation that the answering side made up, and the other side has another of.
    private static func confirm(_ number: Int, by side: String, _ caller: SeenOrders) async throws -> [String] {
        var orders: [String] = []
        for index in 0..<number {
            let headers = ["Cookie": "session=confirm-\(side)-\(index)", "Content-Type": "application/json"]
            let customer = ShopSeeds.customers[ShopSeeds.customers.count - 1 - index].id
            let made = try await caller.call(
                ShopRequest(
                    method: "POST", path: "/api/v1/orders", headers: headers,
                    body: #"{"customerId":"\#(customer)","items":[{"productId":"prod_7721","quantity":1}],"#
                        + #""paymentMethod":"pm_visa_9832"}"#))
            #expect(made.status == 201 && made.headers["server"] == side)
            let order = try JSONTree(String(decoding: made.body, as: UTF8.self))
            let (id, code) = (try #require(order["orderId"]?.text), try #require(order["confirmation"]?.text))
            for (confirmation, status) in [("cnf_00000000", 409), (code, 200)] {
                let paid = try await caller.call(
                    ShopRequest(
                        method: "PATCH", path: "/api/v1/orders/\(id)", headers: headers,
                        body: #"{"status":"PAID","confirmation":"\#(confirmation)"}"#))
                #expect(paid.status == status)
            }
            orders.append(id)
        }
        return orders
    }

    private static func confirmation(of order: String, _ database: String) async throws -> String? {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.query(
            "SELECT confirmation || ' ' || status AS said FROM orders WHERE id = $1", [.text(order)])
        await connection.close()
        return try rows.first?.text("said")
    }

    @Test(.timeLimit(.minutes(15)))
    func `orders through shadow, 50 %, 100 % and back: both databases hold the same, and no client met an unknown id`()
        async throws
    {
        let postgres = PrivatePostgres(
            directory: NSTemporaryDirectory() + "strangler-flow-" + UUID().uuidString.prefix(8),
            logger: Logger(label: "test"))
        try await postgres.start()
        for name in ["shop_monolith", "shop_orders"] { try await postgres.createDatabase(name) }
        let databases = (
            monolith: try await postgres.connectionString(database: "shop_monolith"),
            service: try await postgres.connectionString(database: "shop_orders")
        )
        try await ShopDatabase.prepareMonolith(conninfo: databases.monolith)
        try await ShopDatabase.prepareOrders(conninfo: databases.service)
        try await ShopDatabase.copyOrders(from: databases.monolith, to: databases.service)
        let monolith = try await ShopProcess(["monolith", "--database", databases.monolith])
        let started = ["orders", "--database", databases.service, "--variant", "fixed"]
        var service = try await ShopProcess(started)
        let proxy = try await RunningProxy(Self.deployment(monolith: monolith.port, service: service.port))
        let run = { (arguments: [String]) in
            try await Program.run(arguments + ["--admin", proxy.admin], in: NSTemporaryDirectory())
        }
        let done = { (arguments: [String]) in
            let outcome = try await run(arguments + ["--reason", "test"])
            #expect(outcome.status == 0, "\(arguments): \(outcome.output)\(outcome.error)")
        }
        let status = { try JSONTree(try await run(["status", "orders", "--json"]).output) }
        try await eventually("the store is there") { try await status()["storeConnected"] == .bool(true) }
        try await done(["advance", "orders", "--to", "shadow", "--force"])

        let seen = SeenOrders(port: proxy.port)
        let traffic = ShopTraffic(
            caller: seen, settings: .init(shoppers: 40, requestsPerSecond: 60, scope: .ordersOnly))
        let shopping = Task { await traffic.run() }
        defer { shopping.cancel() }
        /// So many more orders are made at a side.
        func more(_ number: Int, by side: String, _ when: String) async throws {
            let before = seen.created(by: side)
            try await eventually(within: 180, "\(number) orders by \(side) \(when)") {
                seen.created(by: side) >= before + number
            }
        }

        try await more(15, by: "shop-monolith", "in shadow")
        var confirmed = try await Self.confirm(3, by: "shop-monolith", seen)
        #expect(seen.created(by: "shop-orders") == 0)
        try await done(["cutover", "orders", "--to", "50%", "--force"])
        try await more(10, by: "shop-orders", "at 50 %")
        // Between two requests, so that no write is lost in the middle of nowhere; deliveries may be.
        await traffic.pause()
        let port = service.port
        service.kill()
        await traffic.resume()
        try await more(10, by: "shop-monolith", "while the service is dead")
        service = try await ShopProcess(started + ["--port", "\(port)"])
        // The guard takes it back as long as it sees what was, and a circuit that is open.
        let before = seen.created(by: "shop-orders")
        try await eventually(within: 300, pause: 500, "15 orders by shop-orders at 100 %") {
            if try await status()["weight"] != .number(100) {
                _ = try await run(["resume", "orders", "--reason", "restarted"])
                _ = try await run(["cutover", "orders", "--to", "100%", "--force", "--reason", "test"])
            }
            return seen.created(by: "shop-orders") >= before + 15
        }
        confirmed += try await Self.confirm(3, by: "shop-orders", seen)
        try await done(["rollback", "orders"])
        try await more(15, by: "shop-monolith", "after the rollback")

        await traffic.pause()
        try await eventually(within: 180, "nothing is owed to anybody") { try await status().owesNothing }
        let (left, right) = (
            try await ShopDatabase.orderRows(conninfo: databases.monolith),
            try await ShopDatabase.orderRows(conninfo: databases.service)
        )
        let apart = Set(left).symmetricDifference(right).sorted()
        #expect(apart.isEmpty, "\(apart.count) rows differ: \(apart.prefix(6))")
        for order in confirmed {
            let codes = (
                try await Self.confirmation(of: order, databases.monolith),
                try await Self.confirmation(of: order, databases.service)
            )
            #expect(codes.0 != nil && codes.1 != nil && codes.0 != codes.1, "\(order): \(codes)")
        }
        let ids = Set(left.map { String($0.prefix { $0 != " " }) })
        let (orders, stats) = (seen.now, traffic.stats())
        #expect(Set(orders.created.keys).subtracting(ids).isEmpty, "acknowledged, and in no database")
        #expect(orders.listed.subtracting(ids).isEmpty, "listed, and in no database")
        #expect(orders.unknown.isEmpty, "\(orders.unknown.prefix(5))")
        #expect(stats.violations == 0 && stats.errors == 0, "\(stats.examples) \(orders.failures.prefix(5))")

        // What is filed a moment later is found, too.
        try await eventually("every order is known to be written") {
            let outcome = try await run(["reconcile", "orders", "--from", "1h", "--rate", "1000", "--json"])
            let counts = try JSONTree(outcome.output)["counts"]
            guard case .number(let checked) = counts?["checked"], case .number(let same) = counts?["same"] else {
                return false
            }
            #expect(outcome.status == (checked == same ? 0 : 1), "\(outcome.output)")
            return same == checked && Int(checked) >= orders.created.count
        }
        shopping.cancel()
        await traffic.resume()
        _ = await shopping.value
        #expect(await proxy.stop().status == 0)
        service.kill()
        monolith.kill()
        await postgres.stop()
    }
}
