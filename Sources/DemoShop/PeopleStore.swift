import PostgresClient

/// The monolith's other domains: users, products and payments, in the same schema as the orders.
struct PeopleStore: Sendable {
    let pool: PostgresPool

    func user(_ id: String) async throws -> [JSONText.Member] {
        guard ShopID.isValid(id) else { throw ShopError.unknownUser }
        let rows = try await pool.query(
            """
            SELECT id, email, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created
            FROM users WHERE id = $1
            """,
            [.text(id)])
        guard let row = rows.first else { throw ShopError.unknownUser }
        return [
            JSONText.member("userId", .string(try row.text("id"))),
            JSONText.member("email", .string(try row.text("email"))),
            JSONText.member("createdAt", .string(try row.text("created"))),
        ]
    }

    func products() async throws -> [JSONText.Member] {
        let rows = try await pool.query("SELECT id, name, unit_price FROM products ORDER BY id COLLATE \"C\"")
        let products: [JSONText] = try rows.map { row in
            guard let price = UnitPrice(decimal: try row.text("unit_price")) else {
                throw PostgresError(.decoding, "unit_price of a product is damaged")
            }
            return .object([
                JSONText.member("productId", .string(try row.text("id"))),
                JSONText.member("name", .string(try row.text("name"))),
                JSONText.member("unitPrice", .number(price.lexeme)),
            ])
        }
        return [JSONText.member("products", .array(products))]
    }

    /// Books a payment and marks its order as paid, in one transaction: what the split will make hard. A gateway
    /// calls back more than once, so a known payment changes nothing.
    ///
    /// The orders service hears nothing of it: payments are another extraction's domain.
    ///
    /// - Returns: the order's status afterwards.
    func book(_ payment: PaymentCallback) async throws -> OrderStatus {
        try await pool.transaction { database in
            let found = try database.query(
                "SELECT total_amount, status FROM orders WHERE id = $1 FOR UPDATE", [.text(payment.orderID)])
            guard let row = found.first, let status = OrderStatus(rawValue: try row.text("status")) else {
                throw ShopError.unknownOrder
            }
            guard Cents(decimal: try row.text("total_amount")) == payment.amount else {
                throw ShopError(status: 422, message: "amount is not the order's total")
            }
            let booked = try database.query(
                """
                INSERT INTO payments (id, order_id, amount, status, created_at)
                VALUES ($1, $2, $3::numeric, $4, $5::timestamptz) ON CONFLICT (id) DO NOTHING
                """,
                [
                    .text(payment.paymentID), .text(payment.orderID), .text(payment.amount.lexeme),
                    .text(payment.status), .text(payment.timestamp),
                ])
            guard booked.affected == 1, payment.succeeded, status == .created else { return status }
            try database.query("UPDATE orders SET status = 'PAID' WHERE id = $1", [.text(payment.orderID)])
            return .paid
        }
    }
}
