import FoundationEssentials
import PostgresClient

extension OrderStore {
    /// Stores a new order, or finds the one that the same idempotency key, or the same given id and customer, made
    /// before: a dual write is delivered at least once, and may meet an order that the backfill brought already.
    ///
    /// - Throws: ``ShopError`` 404/422 for what is unknown, 409 for an id that is another customer's.
    func create(_ request: NewOrder, key: String?, now: Date) async throws -> Outcome {
        let id = request.orderID ?? ShopID.randomOrder()
        return try await pool.transaction { database in
            if let known = try Self.claim(key, for: id, in: database) {
                return Outcome(order: try Self.order(known, in: database), isNew: false)
            }
            let order = Order(
                id: id, customerID: request.customerID, status: .created,
                createdAt: request.createdAt ?? now.formatted(.iso8601), lines: try lines(of: request, in: database))
            let stored = try Self.insert(
                order, paymentMethod: request.paymentMethod, rounding: wording.rounding, into: database)
            if stored { return Outcome(order: order, isNew: true) }
            let existing = try Self.order(id, in: database)
            guard existing.customerID == request.customerID else { throw ShopError.orderExists }
            return Outcome(order: existing, isNew: false)
        }
    }

    /// Moves an order one step on. The same idempotency key again changes nothing and finds the order as it is now.
    ///
    /// - Throws: ``ShopError`` 404 for an unknown order, 409 for a wrong step or another order's confirmation.
    func advance(
        _ id: String, to wanted: OrderStatus, confirmation: String? = nil, key: String?
    ) async throws -> Outcome {
        guard ShopID.isValid(id) else { throw ShopError.unknownOrder }
        return try await pool.transaction { database in
            if let known = try Self.claim(key, for: id, in: database) {
                return Outcome(order: try Self.order(known, in: database), isNew: false)
            }
            try database.query("SELECT 1 AS one FROM orders WHERE id = $1 FOR UPDATE", [.text(id)])
            var order = try Self.order(id, in: database)
            guard confirmation == nil || confirmation == order.confirmation else { throw ShopError.notConfirmed }
            guard order.status.next == wanted else { throw ShopError.wrongStep(from: order.status, to: wanted) }
            try database.query("UPDATE orders SET status = $2 WHERE id = $1", [.text(id), .text(wanted.rawValue)])
            order.status = wanted
            return Outcome(order: order, isNew: true)
        }
    }

    /// Writes the key down; a second transaction with the same key waits here for the first.
    /// - Returns: the order the key was used for before, nil if it is new (or there is none).
    private static func claim(
        _ key: String?, for id: String, in database: isolated PostgresConnection
    ) throws -> String? {
        guard let key else { return nil }
        guard (1...255).contains(key.unicodeScalars.count) else {
            throw ShopError.invalid("Idempotency-Key must have 1 to 255 characters")
        }
        let claimed = try database.query(
            "INSERT INTO idempotency_keys (key, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(key), .text(id)])
        if claimed.affected == 1 { return nil }
        let known = try database.query("SELECT order_id FROM idempotency_keys WHERE key = $1", [.text(key)])
        return try known.first?.text("order_id")
    }

    /// Looks the customer up and freezes today's prices.
    private func lines(of request: NewOrder, in database: isolated PostgresConnection) throws -> [OrderLine] {
        guard ShopID.isValid(request.customerID) else { throw ShopError.unknownCustomer(wording) }
        let customer = try database.query(
            "SELECT 1 AS one FROM \(customerTable) WHERE id = $1", [.text(request.customerID)])
        guard !customer.isEmpty else { throw ShopError.unknownCustomer(wording) }
        let products = Set(request.items.map(\.productID))
        var prices: [String: UnitPrice] = [:]
        for row in try database.query(
            "SELECT id, unit_price FROM \(productTable) WHERE id = ANY ($1::text[])",
            [.textArray(products.sorted())])
        {
            prices[try row.text("id")] = UnitPrice(decimal: try row.text("unit_price"))
        }
        return try request.items.map { item in
            guard let price = prices[item.productID] else { throw ShopError.unknownProduct }
            return OrderLine(productID: item.productID, quantity: item.quantity, unitPrice: price)
        }
    }
}
