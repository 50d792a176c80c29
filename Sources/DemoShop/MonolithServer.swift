import Hummingbird
package import Logging
import PostgresClient

/// The monolith: users, products, orders and payments in one process over one database.
package struct MonolithServer: Sendable {
    private let server: ShopServer

    /// `conninfo`: a database that ``ShopDatabase/prepareMonolith(conninfo:)`` has set up.
    package init(conninfo: String, port: Int, logger: Logger) {
        let options = ShopServer.databaseOptions("shop-monolith")
        server = ShopServer(
            name: "shop-monolith", port: port, pool: PostgresPool(conninfo, size: 4, options: options), logger: logger)
    }

    /// See ``ShopServer/run(_:onReady:)``: serves until cancelled, tells its port once.
    package func run(onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let router = Router(context: ShopServer.Context.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorAnswers(logger: server.logger))
        OrderRoutes(
            store: .monolith(server.pool), outbox: EmailOutbox(logger: server.logger), wording: .none
        ).add(to: router)
        addPeopleRoutes(to: router, PeopleStore(pool: server.pool))
        try await server.run(router, onReady: onReady)
    }

    private func addPeopleRoutes(to router: Router<ShopServer.Context>, _ people: PeopleStore) {
        router.get("/api/v1/users/:id") { _, context in
            try await Response.json(200, people.user(context.parameters.require("id")))
        }
        router.get("/api/v1/products") { _, _ in
            try await Response.json(200, people.products())
        }
        router.post("/api/v1/payments/webhook") { request, _ in
            let payment = try PaymentCallback(json: try await request.bytes())
            let status = try await people.book(payment)
            return Response.json(
                200,
                [
                    JSONText.member("paymentId", .string(payment.paymentID)),
                    JSONText.member("orderId", .string(payment.orderID)),
                    JSONText.member("status", .string(status.rawValue)),
                ])
        }
    }
}
