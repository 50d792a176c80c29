import PostgresClient

/// Sets up the shop's databases. Every call may be repeated: what is there stays.
package enum ShopDatabase {
    /// Creates the monolith's tables and seeds ``ShopSeeds``: customers, products, and orders from before.
    /// - Throws: `PostgresError`.
    package static func prepareMonolith(conninfo: String) async throws {
        try await withConnection(conninfo) { database in
            try await database.transaction { database in
                try database.execute(script: ShopSchema.monolith)
                try database.query(
                    """
                    INSERT INTO users (id, email)
                    SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
                    """,
                    [.textArray(ShopSeeds.customers.map(\.id)), .textArray(ShopSeeds.customers.map(\.email))])
                try database.query(
                    """
                    INSERT INTO products (id, name, unit_price)
                    SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[]) ON CONFLICT DO NOTHING
                    """,
                    [
                        .textArray(ShopSeeds.products.map(\.id)), .textArray(ShopSeeds.products.map(\.name)),
                        .textArray(ShopSeeds.products.map(\.price.lexeme)),
                    ])
                for order in ShopSeeds.orders {
                    try OrderStore.insert(
                        order, paymentMethod: "pm_visa_9832", rounding: .halfUpPerOrder, into: database)
                }
            }
        }
    }

    /// Creates the orders service's tables and its copies of customers' ids and prices; no orders (``copyOrders``).
    /// - Throws: `PostgresError`.
    package static func prepareOrders(conninfo: String) async throws {
        try await withConnection(conninfo) { database in
            try await database.transaction { database in
                try database.execute(script: ShopSchema.orders)
                try database.query(
                    "INSERT INTO known_customers (id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
                    [.textArray(ShopSeeds.customers.map(\.id))])
                try database.query(
                    """
                    INSERT INTO known_products (id, unit_price)
                    SELECT * FROM unnest($1::text[], $2::numeric[]) ON CONFLICT DO NOTHING
                    """,
                    [
                        .textArray(ShopSeeds.products.map(\.id)),
                        .textArray(ShopSeeds.products.map(\.price.lexeme)),
                    ])
            }
        }
    }

    static func withConnection<Result: Sendable>(
        _ conninfo: String, _ body: @Sendable (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let database = try await PostgresConnection.connect(conninfo)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}
