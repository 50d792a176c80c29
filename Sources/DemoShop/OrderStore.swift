import PostgresClient

/// Orders in Postgres. The same for both systems: they differ in the two tables that say who and what is known.
struct OrderStore: Sendable {
    /// The newest so many orders are listed.
    static let listLimit = 50

    let pool: PostgresPool
    let customerTable: String
    let productTable: String
    let wording: Discrepancies

    static func monolith(_ pool: PostgresPool) -> OrderStore {
        OrderStore(pool: pool, customerTable: "users", productTable: "products", wording: .none)
    }

    static func service(_ pool: PostgresPool, _ wording: Discrepancies) -> OrderStore {
        OrderStore(pool: pool, customerTable: "known_customers", productTable: "known_products", wording: wording)
    }

    /// A stored order, and whether this call is what stored or moved it: a repeated one sends no second e-mail.
    struct Outcome: Sendable {
        let order: Order
        let isNew: Bool
    }

    func order(_ id: String) async throws -> Order {
        guard ShopID.isValid(id) else { throw ShopError.unknownOrder }
        return try await pool.withConnection { try await Self.order(id, in: $0) }
    }

    /// Newest first, then by id.
    func orders(of customer: String) async throws -> [Order] {
        guard ShopID.isValid(customer) else { throw ShopError.unknownCustomer(wording) }
        return try await pool.withConnection { [customerTable, wording] database in
            let known = try await database.query(
                "SELECT 1 AS one FROM \(customerTable) WHERE id = $1", [.text(customer)])
            guard !known.isEmpty else { throw ShopError.unknownCustomer(wording) }
            return try Self.orders(
                in: await database.query(
                    """
                    SELECT \(Self.columns) FROM (
                        SELECT * FROM orders WHERE user_id = $1
                        ORDER BY created_at DESC, id COLLATE "C" LIMIT \(Self.listLimit)
                    ) o JOIN order_items i ON i.order_id = o.id
                    ORDER BY o.created_at DESC, o.id COLLATE "C", i.line
                    """,
                    [.text(customer)]))
        }
    }

    // MARK: rows

    private static let columns = """
        o.id, o.user_id, o.status, to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created,
        o.confirmation, i.product_id, i.quantity, i.unit_price
        """

    static func order(_ id: String, in database: isolated PostgresConnection) throws -> Order {
        let rows = try database.query(
            "SELECT \(columns) FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = $1 ORDER BY i.line",
            [.text(id)])
        guard let order = try orders(in: rows).first else { throw ShopError.unknownOrder }
        return order
    }

    /// Rows of one order lie together; a new id begins the next order.
    private static func orders(in rows: PostgresRows) throws -> [Order] {
        var orders: [Order] = []
        var lines: [OrderLine] = []
        for (index, row) in rows.enumerated() {
            let id = try row.text("id")
            guard let price = UnitPrice(decimal: try row.text("unit_price")),
                let status = OrderStatus(rawValue: try row.text("status"))
            else { throw PostgresError(.decoding, "order \(id) is damaged") }
            lines.append(
                OrderLine(productID: try row.text("product_id"), quantity: try row.int("quantity"), unitPrice: price))
            let isLast = try index + 1 == rows.count || rows[index + 1].text("id") != id
            if isLast {
                orders.append(
                    Order(
                        id: id, customerID: try row.text("user_id"), status: status, createdAt: try row.text("created"),
                        lines: lines, confirmation: try row.text("confirmation")))
                lines = []
            }
        }
        return orders
    }

    /// - Returns: false if the id is taken; nothing is written then.
    @discardableResult
    static func insert(
        _ order: Order, paymentMethod: String, rounding: DiscountRounding, into database: isolated PostgresConnection
    ) throws -> Bool {
        let inserted = try database.query(
            """
            INSERT INTO orders (id, user_id, total_amount, status, payment_method, created_at, confirmation)
            VALUES ($1, $2, $3::numeric, $4, $5, $6::timestamptz, $7) ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(order.id), .text(order.customerID),
                .text(Pricing.amounts(of: order.lines, rounding: rounding).total.lexeme),
                .text(order.status.rawValue), .text(paymentMethod), .text(order.createdAt),
                .text(order.confirmation),
            ])
        guard inserted.affected == 1 else { return false }
        try database.query(
            """
            INSERT INTO order_items (order_id, line, product_id, quantity, unit_price)
            SELECT $1, * FROM unnest($2::integer[], $3::text[], $4::integer[], $5::numeric[])
            """,
            [
                .text(order.id), .intArray(order.lines.indices.map { Int64($0) + 1 }),
                .textArray(order.lines.map(\.productID)), .intArray(order.lines.map { Int64($0.quantity) }),
                .textArray(order.lines.map(\.unitPrice.lexeme)),
            ])
        return true
    }
}
