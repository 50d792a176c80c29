package import DualWrite
package import Extraction
package import Foundation
import PostgresClient

/// One walk over what was written in a period, as the store has it.
package struct StoredReconcileRun: Sendable, Equatable {
    package var id: Int
    package var extraction: String
    package var beganAt: Date
    /// Nil: it can go on.
    package var endedAt: Date?
    package var actor: String
    package var reason: String?
    package var from: Date
    package var to: Date
    package var repairs: Bool
    package var place: ReconcileWalk.Place
    package var counts: ReconcileCounts
    package var found: [ReconcileFinding]

    package var walk: ReconcileWalk { ReconcileWalk(at: place, counts: counts, found: found) }

    static let columns = """
        id, extraction, began_at, ended_at, actor, reason, period_from, period_to, repairs, cursor, counts, found
        """

    init(_ row: PostgresRows.Row) throws(PostgresError) {
        id = try row.int("id")
        extraction = try row.text("extraction")
        beganAt = try row.timestamp("began_at")
        endedAt = try row.optionalTimestamp("ended_at")
        actor = try row.text("actor")
        reason = try row.optionalText("reason")
        from = try row.timestamp("period_from")
        to = try row.timestamp("period_to")
        repairs = try row.bool("repairs")
        let cursor = try row.optionalText("cursor")
        guard let place = ReconcileWalk.Place(text: cursor) else {
            throw PostgresError(.decoding, "run \(id) stands at \(cursor ?? ""), which is no place")
        }
        self.place = place
        counts = try StoredJSON.value(ReconcileCounts.self, try row.text("counts"))
        found = try StoredJSON.value([ReconcileFinding].self, try row.text("found"))
    }
}

/// What the store knows of one entity's writes, whatever the period.
package struct StoredEntity: Sendable, Equatable {
    /// As `answeredBy` knows it.
    package var path: String
    /// Of the newest write that its side has taken.
    package var answeredBy: Side
    package var endpoint: String
    /// Of writes that are still to be delivered, given up, and not known to have been carried out at all.
    package var open: Int
    package var dead: Int
    package var uncertain: Int

    /// The newest write took it away.
    package var isDeleted: Bool { endpoint.hasPrefix("DELETE ") }

    init(_ row: PostgresRows.Row) throws(PostgresError) {
        path = try row.text("entity")
        answeredBy = Side(stored: try row.text("answered_by")) ?? .monolith
        endpoint = try row.text("endpoint")
        open = try row.int("open")
        dead = try row.int("dead")
        uncertain = try row.int("uncertain")
    }
}

/// A write of an entity that was given up, and could be delivered again.
package struct StoredDeadWrite: Sendable, Equatable {
    package var id: WriteID
    package var endpoint: String
    package var answeredBy: Side
    package var hasPayload: Bool
    /// Later writes of the same entity have reached the other side: delivered now, it would come after them.
    package var isOvertaken: Bool
}
