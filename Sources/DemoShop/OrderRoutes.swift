import FoundationEssentials
import Hummingbird
import Logging
import PostgresClient

/// The order endpoints, the same code in both systems; `store` and `wording` make the difference.
struct OrderRoutes: Sendable {
    let store: OrderStore
    let outbox: EmailOutbox
    let wording: Discrepancies

    func add(to router: Router<ShopServer.Context>) {
        router.post("/api/v1/orders") { request, _ in try await create(request) }
        router.get("/api/v1/orders") { request, _ in try await list(request) }
        router.get("/api/v1/orders/:id") { _, context in
            try await answer(200, store.order(context.parameters.require("id")))
        }
        router.patch("/api/v1/orders/:id") { request, context in
            try await advance(context.parameters.require("id"), request)
        }
        router.get("/healthz") { _, _ in
            try await store.pool.query("SELECT 1")
            return Response.json(200, .object([JSONText.member("status", .string("ok"))]))
        }
        router.get("/debug/emails") { _, _ in
            let counts = outbox.counts
            return Response.json(
                200,
                [
                    JSONText.member("sent", .number(String(counts.sent))),
                    JSONText.member("withheld", .number(String(counts.withheld))),
                ])
        }
    }

    private func create(_ request: Request) async throws -> Response {
        let new = try NewOrder(json: try await request.bytes())
        let outcome = try await store.create(new, key: request.header("Idempotency-Key"), now: Date())
        if outcome.isNew { outbox.send("order confirmation", about: outcome.order, isShadow: request.isShadow) }
        return answer(201, outcome.order)
    }

    private func list(_ request: Request) async throws -> Response {
        guard let customer = request.uri.queryParameters["customerId"] else {
            throw ShopError.invalid("customerId is required")
        }
        let orders = try await store.orders(of: String(customer))
        return .json(200, OrderAnswer.list(orders, wording, requestID: ShopID.randomRequest()))
    }

    private func advance(_ id: String, _ request: Request) async throws -> Response {
        let change = try StatusChange(json: try await request.bytes())
        let outcome = try await store.advance(
            id, to: change.status, confirmation: change.confirmation, key: request.header("Idempotency-Key"))
        if outcome.isNew && outcome.order.status == .shipped {
            outbox.send("dispatch note", about: outcome.order, isShadow: request.isShadow)
        }
        return answer(200, outcome.order)
    }

    private func answer(_ status: Int, _ order: Order) -> Response {
        .json(status, OrderAnswer.one(order, wording, requestID: ShopID.randomRequest()))
    }
}
