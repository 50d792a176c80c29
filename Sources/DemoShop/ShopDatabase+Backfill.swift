import PostgresClient

// The backfill: history is carried over before the two systems are compared, or every read of an old order would
// be a difference. It may run while both take writes, and again at any time.
extension ShopDatabase {
    /// What one backfill did.
    package struct Backfill: Sendable, Equatable {
        /// Orders read from the monolith.
        package let read: Int
        /// Orders that were new to the service, or behind.
        package let written: Int
    }

    /// Copies all orders with their lines from the monolith's database to the service's, from one consistent
    /// snapshot, in pages, and the keys of the writes that made them so. An order that the service has already is only ever moved forward (its status), never
    /// back: a shadow write may have overtaken the snapshot.
    /// - Throws: `PostgresError`; the pages written so far stay.
    @discardableResult
    package static func copyOrders(from monolith: String, to service: String) async throws -> Backfill {
        try await withConnection(monolith) { source in
            try await withConnection(service) { target in
                try await source.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                var read = 0
                var written = 0
                var last = ""
                while let page = try await page(of: source, after: last) {
                    written += try await store(page, in: target)
                    read += page.count
                    last = page.lastID
                }
                try await source.query("COMMIT")
                return Backfill(read: read, written: written)
            }
        }
    }

    private struct Page: Sendable {
        /// A JSON array; Postgres writes it and Postgres reads it, so that no number passes through another type.
        let orders: String
        let count: Int
        let lastID: String
    }

    private static func page(of source: PostgresConnection, after last: String) async throws -> Page? {
        let rows = try await source.query(
            """
            WITH page AS (
                SELECT * FROM orders WHERE id COLLATE "C" > $1 ORDER BY id COLLATE "C" LIMIT 500
            )
            SELECT count(*) AS count, max(id COLLATE "C") AS last, jsonb_agg(to_jsonb(page) || jsonb_build_object(
                'items', (SELECT coalesce(jsonb_agg(i), '[]') FROM order_items i WHERE i.order_id = page.id),
                'keys', (SELECT coalesce(jsonb_agg(k.key), '[]') FROM idempotency_keys k WHERE k.order_id = page.id)
            )) AS orders FROM page
            """,
            [.text(last)])
        guard let row = rows.first, try row.int("count") > 0 else { return nil }
        return Page(orders: try row.text("orders"), count: try row.int("count"), lastID: try row.text("last"))
    }

    private static func store(_ page: Page, in target: PostgresConnection) async throws -> Int {
        try await target.transaction { target in
            let changed = try target.query(
                """
                INSERT INTO orders (id, user_id, total_amount, status, payment_method, created_at, confirmation)
                SELECT id, user_id, total_amount, status, payment_method, created_at, confirmation
                FROM jsonb_to_recordset($1::jsonb) AS o (id text, user_id text, total_amount numeric, status text,
                                                         payment_method text, created_at timestamptz, confirmation text)
                ON CONFLICT (id) DO UPDATE
                SET status = excluded.status, total_amount = excluded.total_amount
                WHERE (array_position(\(statusRanks), excluded.status), excluded.total_amount) IS DISTINCT FROM
                      (array_position(\(statusRanks), orders.status), orders.total_amount)
                  AND array_position(\(statusRanks), excluded.status) >= array_position(\(statusRanks), orders.status)
                """,
                [.text(page.orders)]
            ).affected
            try target.query(
                """
                INSERT INTO order_items (order_id, line, product_id, quantity, unit_price)
                SELECT i.order_id, i.line, i.product_id, i.quantity, i.unit_price
                FROM jsonb_array_elements($1::jsonb) AS o,
                     jsonb_to_recordset(o -> 'items') AS i (order_id text, line integer, product_id text,
                                                            quantity integer, unit_price numeric)
                ON CONFLICT DO NOTHING
                """,
                [.text(page.orders)])
            // A write that the snapshot has and that is delivered after it must find its key, or it would count twice.
            try target.query(
                """
                INSERT INTO idempotency_keys (key, order_id)
                SELECT k.key, o.value ->> 'id'
                FROM jsonb_array_elements($1::jsonb) AS o (value), jsonb_array_elements_text(o.value -> 'keys') AS k (key)
                ON CONFLICT DO NOTHING
                """,
                [.text(page.orders)])
            return changed
        }
    }

    private static let statusRanks =
        "ARRAY[" + OrderStatus.allCases.map { "'\($0.rawValue)'" }.joined(separator: ",") + "]::text[]"
}
