package import DualWrite
package import Foundation
import PostgresClient

/// What somebody decided about a write.
package struct WriteDecision: Sendable, Equatable {
    package var write: WriteID
    /// Nil where it is not known any more.
    package var endpoint: String?
    package var at: Date
    package var actor: String
    package var verdict: WriteVerdict
    package var reason: String

    package init(
        write: WriteID, endpoint: String?, at: Date, actor: String, verdict: WriteVerdict, reason: String
    ) {
        self.write = write
        self.endpoint = endpoint
        self.at = at
        self.actor = actor
        self.verdict = verdict
        self.reason = reason
    }

    fileprivate static let columns = "write_id, endpoint, at, actor, decision, reason"

    /// Nil for a verdict that only a newer version knows.
    fileprivate init?(_ row: PostgresRows.Row) throws(PostgresError) {
        guard let verdict = WriteVerdict(rawValue: try row.text("decision")),
            let write = WriteID(try row.text("write_id"))
        else { return nil }
        self.init(
            write: write, endpoint: try row.optionalText("endpoint"), at: try row.timestamp("at"),
            actor: try row.text("actor"), verdict: verdict, reason: try row.text("reason"))
    }
}

extension PostgresStore {
    /// What people decided about a write, the newest first.
    package func decisions(_ id: WriteID) async throws -> [WriteDecision] {
        try await ledger.query(
            "SELECT \(WriteDecision.columns) FROM strangler.write_decisions WHERE write_id = $1 ORDER BY id DESC",
            [.text(id.description)]
        ).compactMap { row in try WriteDecision(row) }
    }

    /// What people decided about an extraction's writes, the newest first.
    package func decisions(extraction: String, limit: Int) async throws -> [WriteDecision] {
        try await ledger.query(
            """
            SELECT \(WriteDecision.columns) FROM strangler.write_decisions AS decision
            WHERE extraction = $1 OR extraction IS NULL AND EXISTS (
                SELECT FROM strangler.writes WHERE id = decision.write_id AND extraction = $1)
            ORDER BY id DESC LIMIT $2
            """, [.text(KeyText.extraction(extraction)), .int(max(0, limit))]
        ).compactMap { row in try WriteDecision(row) }
    }
}
