import AsyncHTTPClient
import DemoConfiguration
import DemoShop
import Foundation
import Logging
import NIOCore
import NIOPosix
import PostgresClient
import ProxyConfiguration
import ShadowSchema

/// Everything that the demo runs: the shop's Postgres, monolith and orders service as processes of their own, and the
/// proxy with files and data in a folder.
actor DemoWorld {
    struct Settings {
        /// Nil: the usual port if it is free, else any.
        var port: Int?
        var adminPort: Int?
        /// Nil: a temporary folder that goes with the demo.
        var folder: String?
        /// Seconds instead of days, to see a whole migration.
        var isCompressed = false
        var startsService = true
    }

    nonisolated let folder: String
    nonisolated let client: HTTPClient
    nonisolated let proxy: ProxyProcess
    private let isTemporary: Bool
    private let postgres: PrivatePostgres
    private let monolithDatabase: String
    private let ordersDatabase: String
    private let monolith: ShopChild
    private var orders: ShopChild?
    nonisolated let ordersPort: Int
    nonisolated let monolithPort: Int

    nonisolated var url: String { "http://127.0.0.1:\(proxy.port)" }
    nonisolated var adminURL: String { "http://127.0.0.1:\(proxy.adminPort)" }
    nonisolated var routesFile: String { folder + "/Routes/proxy.yaml" }

    // MARK: Start

    static func start(_ settings: Settings, logger: Logger) async throws -> DemoWorld {
        let isTemporary = settings.folder == nil
        let folder =
            settings.folder ?? NSTemporaryDirectory() + "strangler-demo-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(
            atPath: folder + "/Routes/contracts", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        try FileManager.default.createDirectory(atPath: folder + "/Shadow", withIntermediateDirectories: true)
        let postgres = PrivatePostgres(directory: folder + "/shop", logger: Log.quiet())
        try await postgres.start()
        do {
            for name in ["shop_monolith", "shop_orders"] { try await postgres.createDatabase(name) }
            let monolithDatabase = try await postgres.connectionString(database: "shop_monolith")
            let ordersDatabase = try await postgres.connectionString(database: "shop_orders")
            async let preparedMonolith: Void = ShopDatabase.prepareMonolith(conninfo: monolithDatabase)
            async let preparedOrders: Void = ShopDatabase.prepareOrders(conninfo: ordersDatabase)
            _ = try await (preparedMonolith, preparedOrders)
            try await ShopDatabase.copyOrders(from: monolithDatabase, to: ordersDatabase)
            let monolith = try await ShopChild.start(["monolith", "--database", monolithDatabase])
            let orders = try await ShopChild.start(["orders", "--database", ordersDatabase])
            if !settings.startsService { await orders.kill() }
            let port = try await choosePort(settings.port, preferring: 8080)
            let adminPort = try await choosePort(settings.adminPort, preferring: 9901)
            try writeFiles(
                to: folder, port: port, adminPort: adminPort, monolith: monolith.port, orders: orders.port,
                isCompressed: settings.isCompressed)
            let proxy = try await ProxyProcess.start(file: folder + "/Routes/proxy.yaml", logger: logger)
            return DemoWorld(
                folder: folder, isTemporary: isTemporary, proxy: proxy, postgres: postgres,
                databases: (monolithDatabase, ordersDatabase), monolith: monolith, orders: orders,
                ordersRun: settings.startsService)
        } catch {
            await postgres.stop()
            if isTemporary { try? FileManager.default.removeItem(atPath: folder) }
            throw error
        }
    }

    private init(
        folder: String, isTemporary: Bool, proxy: ProxyProcess, postgres: PrivatePostgres,
        databases: (monolith: String, orders: String), monolith: ShopChild, orders: ShopChild, ordersRun: Bool
    ) {
        self.folder = folder
        self.isTemporary = isTemporary
        self.proxy = proxy
        self.postgres = postgres
        monolithDatabase = databases.monolith
        ordersDatabase = databases.orders
        self.monolith = monolith
        monolithPort = monolith.port
        ordersPort = orders.port
        self.orders = ordersRun ? orders : nil
        client = ProxyCaller.makeClient()
    }

    /// The repository's own route and rule files, with this run's addresses and, compressed, with seconds for days.
    private static func writeFiles(
        to folder: String, port: Int, adminPort: Int, monolith: Int, orders: Int, isCompressed: Bool
    ) throws {
        var proxyFile = DemoConfiguration.proxy
        var ordersFile = DemoConfiguration.orders
        try proxyFile.exchange("0.0.0.0:8080", "127.0.0.1:\(port)")
        try proxyFile.exchange("127.0.0.1:9901", "127.0.0.1:\(adminPort)")
        try proxyFile.exchange("127.0.0.1:9000", "127.0.0.1:\(monolith)")
        try ordersFile.exchange("127.0.0.1:9100", "127.0.0.1:\(orders)")
        if isCompressed {
            try ordersFile.exchange("30m", "3s")
            try ordersFile.exchange("window: 30d, quiet: 7d", "window: 6s, quiet: 3s")
            try ordersFile.exchange("[1%, 5%, 25%, 50%, 100%]", "[10%, 50%, 100%]")
            // 59 clean comparisons of each endpoint show that at most 5 % differ; 0.1 % would take 2,995.
            try ordersFile.exchange(
                "guard:    {error-rate: 1%, p99: 200ms, mismatch: 0.1%}",
                "guard: {error-rate: 5%, p99: 2s, mismatch: 5%, interval: 1s}")
            // The tour proves that nothing is left out: a slow disk is waited for.
            proxyFile += "\nspool: {wait: 30s}\n"
            try ordersFile.exchange("health: {path: /healthz}", "health: {path: /healthz}, breaker: {open: 2s}")
        }
        for (name, text) in [
            ("Routes/proxy.yaml", proxyFile), ("Routes/orders.yaml", ordersFile),
            ("Routes/contracts/orders.openapi.yaml", DemoConfiguration.ordersContract),
            ("Shadow/orders.yaml", ShadowSchema.demoRules),
        ] {
            try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        }
    }

    private static func choosePort(_ wanted: Int?, preferring port: Int) async throws -> Int {
        if let wanted { return wanted }
        for candidate in [port, 0] {
            guard
                let channel = try? await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: "127.0.0.1", port: candidate).get()
            else { continue }
            let found = channel.localAddress?.port
            try await channel.close()
            if let found { return found }
        }
        throw StartError(description: "no free port on 127.0.0.1")
    }

    // MARK: What happens in it

    nonisolated func traffic(shoppers: Int, perSecond: Double) -> ShopTraffic {
        ShopTraffic(
            caller: ProxyCaller(client: client, base: url),
            settings: .init(shoppers: shoppers, requestsPerSecond: perSecond))
    }

    /// A crash of the service.
    func killService() async {
        await orders?.kill()
        orders = nil
    }

    /// A release of the service, on the address that the routes name.
    func startService(_ variant: OrdersVariant) async throws {
        await killService()
        orders = try await ShopChild.start([
            "orders", "--database", ordersDatabase, "--port", "\(ordersPort)", "--variant", variant.rawValue,
        ])
    }

    /// What a team does before it compares, and after an outage: bring the service's data up to the monolith's.
    @discardableResult
    func backfill() async throws -> ShopDatabase.Backfill {
        try await ShopDatabase.copyOrders(from: monolithDatabase, to: ordersDatabase)
    }

    /// All orders of both databases as text, for a comparison row by row.
    func orderRows() async throws -> Rows {
        Rows(
            monolith: try await ShopDatabase.orderRows(conninfo: monolithDatabase),
            service: try await ShopDatabase.orderRows(conninfo: ordersDatabase))
    }

    struct Rows: Sendable {
        var monolith: [String]
        var service: [String]
    }

    func stop() async {
        await proxy.stop()
        await orders?.stop()
        await monolith.stop()
        try? await client.shutdown()
        await postgres.stop()
        if isTemporary { try? FileManager.default.removeItem(atPath: folder) }
    }
}

extension String {
    /// Replaces a text that must be there: an edited file would otherwise send the demo somewhere else.
    fileprivate mutating func exchange(_ old: String, _ new: String) throws(StartError) {
        guard contains(old) else { throw StartError(description: "the demo's files do not contain \(old)") }
        replace(old, with: new)
    }
}
