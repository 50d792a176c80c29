import Hummingbird
package import Logging
import PostgresClient

/// The extracted orders service, over a database of its own.
package struct OrdersServer: Sendable {
    private let server: ShopServer
    private let variant: OrdersVariant

    /// `conninfo`: a database that ``ShopDatabase/prepareOrders(conninfo:)`` has set up. Both variants store alike,
    /// so the fixed one may be started on the faulty one's database.
    package init(conninfo: String, port: Int, variant: OrdersVariant, logger: Logger) {
        let options = ShopServer.databaseOptions("shop-orders")
        server = ShopServer(
            name: "shop-orders", port: port, pool: PostgresPool(conninfo, size: 4, options: options), logger: logger)
        self.variant = variant
    }

    /// See ``ShopServer/run(_:onReady:)``: serves until cancelled, tells its port once.
    package func run(onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let wording = Discrepancies(variant)
        let router = Router(context: ShopServer.Context.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorAnswers(logger: server.logger))
        OrderRoutes(
            store: .service(server.pool, wording), outbox: EmailOutbox(logger: server.logger), wording: wording
        ).add(to: router)
        try await server.run(router, onReady: onReady)
    }
}
