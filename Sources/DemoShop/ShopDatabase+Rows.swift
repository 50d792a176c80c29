import PostgresClient

// What both systems have to agree on in the end.
extension ShopDatabase {
    /// Every order as one text, with everything that a client or a colleague could ever see of it: the order's row, then its
    /// lines. Sorted by id. Left out is what each server makes up for itself.
    /// - Throws: `PostgresError`.
    package static func orderRows(conninfo: String) async throws -> [String] {
        try await withConnection(conninfo) { database in
            try await database.query(
                """
                SELECT concat_ws(' ', o.id, o.user_id, o.total_amount, o.status, o.payment_method,
                    to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                    (SELECT string_agg(concat_ws(' ', i.line, i.product_id, i.quantity, i.unit_price), ', '
                        ORDER BY i.line) FROM order_items i WHERE i.order_id = o.id)) AS row
                FROM orders o ORDER BY o.id COLLATE "C"
                """
            ).map { row throws(PostgresError) in try row.text("row") }
        }
    }
}
