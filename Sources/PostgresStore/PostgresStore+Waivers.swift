package import Extraction
package import Foundation
import PostgresClient

/// One row of the history of waivers.
package struct WaiverEntry: Sendable, Codable, Equatable {
    package var id: Int64
    package var extraction: String
    /// An endpoint, or `gap 12`.
    package var subject: String
    package var waiver: Waiver
    /// Nil while it is in force.
    package var revokedAt: Date?
    package var revokedBy: String?

    package init(
        id: Int64, extraction: String, subject: String, waiver: Waiver, revokedAt: Date? = nil,
        revokedBy: String? = nil
    ) {
        self.id = id
        self.extraction = extraction
        self.subject = subject
        self.waiver = waiver
        self.revokedAt = revokedAt
        self.revokedBy = revokedBy
    }
}

/// Somebody has waived the same before.
package struct WaiverStands: Error, Sendable, Equatable, CustomStringConvertible {
    package let subject: String
    package let waiver: Waiver

    package var description: String {
        "\(subject) was waived by \(waiver.actor) before, at \(PostgresTimestamp.text(waiver.at)): \(waiver.reason)"
    }
}

/// `gap 12`: what a waiver of a gap is about.
package struct GapSubject: Sendable, Equatable, CustomStringConvertible {
    package let id: Int64

    package init(id: Int64) { self.id = id }

    /// Nil if it is no gap's name.
    package init?(_ subject: String) {
        guard subject.hasPrefix("gap "), let id = Int64(subject.dropFirst(4)), "gap \(id)" == subject else {
            return nil
        }
        self.id = id
    }

    package var description: String { "gap \(id)" }
}

// Somebody's word in place of evidence, and the times of which evidence is missing.
extension PostgresStore {
    private static let entryLimit = 1_000
    private static let columns = "id, extraction, subject, at, actor, reason, revoked_at, revoked_by"

    /// - Parameter subject: an endpoint, or a gap's name as of ``GapSubject``.
    /// - Throws: ``WaiverStands`` if one is in force already; nothing is changed then.
    @discardableResult
    package func waive(
        extraction: String, subject: String, actor: String, reason: String, at: Date
    ) async throws -> WaiverEntry {
        let subject = KeyText.endpoint(subject)
        return try await control.transaction { connection in
            let inserted = try connection.query(
                """
                INSERT INTO strangler.waivers (extraction, subject, at, actor, reason) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (extraction, subject) WHERE revoked_at IS NULL DO NOTHING RETURNING \(Self.columns)
                """,
                [.text(KeyText.extraction(extraction)), .text(subject), .timestamp(at), .text(actor), .text(reason)])
            if let row = inserted.first { return try Self.waiver(row) }
            let standing = try connection.query(
                """
                SELECT \(Self.columns) FROM strangler.waivers
                WHERE extraction = $1 AND subject = $2 AND revoked_at IS NULL
                """, [.text(KeyText.extraction(extraction)), .text(subject)])
            guard let row = standing.first else {
                throw PostgresError(
                    .sqlState("40001"), "the waiver of \(subject) was revoked at this moment: try again")
            }
            throw WaiverStands(subject: subject, waiver: try Self.waiver(row).waiver)
        }
    }

    /// Nil if none was in force.
    @discardableResult
    package func revokeWaiver(
        extraction: String, subject: String, actor: String, at: Date
    ) async throws -> WaiverEntry? {
        try await control.query(
            """
            UPDATE strangler.waivers SET revoked_at = $3, revoked_by = $4
            WHERE extraction = $1 AND subject = $2 AND revoked_at IS NULL RETURNING \(Self.columns)
            """,
            [
                .text(KeyText.extraction(extraction)), .text(KeyText.endpoint(subject)), .timestamp(at), .text(actor),
            ]
        ).first.map(Self.waiver)
    }

    /// The newest first, the revoked ones among them.
    package func waivers(extraction: String) async throws -> [WaiverEntry] {
        try await control.query(
            "SELECT \(Self.columns) FROM strangler.waivers WHERE extraction = $1 ORDER BY id DESC LIMIT $2",
            [.text(KeyText.extraction(extraction)), .int(Self.entryLimit)]
        ).map(Self.waiver)
    }

    /// By subject.
    func waiversInForce(extraction: String) async throws -> [String: Waiver] {
        try await control.query(
            "SELECT \(Self.columns) FROM strangler.waivers WHERE extraction = $1 AND revoked_at IS NULL LIMIT 10000",
            [.text(KeyText.extraction(extraction))]
        ).reduce(into: [:]) { waivers, row in
            let entry = try Self.waiver(row)
            waivers[entry.subject] = entry.waiver
        }
    }

    /// Those of the extraction, or of all, that ended then or later, in the order of their beginnings, with the extraction's
    /// waivers; of more than a thousand those that nobody has waived, then the newest.
    package func gaps(extraction: String, since: Date) async throws -> [EvidenceGap] {
        try await control.query(
            """
            SELECT * FROM (
                SELECT g.id, began, ended, replica, g.reason, g.extraction, w.at AS waived_at, w.actor AS waived_by,
                    w.reason AS waived_why
                FROM strangler.evidence_gaps g LEFT JOIN strangler.waivers w
                    ON w.extraction = $1 AND w.subject = 'gap ' || g.id AND w.revoked_at IS NULL
                WHERE ended >= $2 AND (g.extraction IS NULL OR g.extraction = $1)
                ORDER BY w.at IS NOT NULL, began DESC LIMIT $3
            ) AS found ORDER BY began, id
            """, [.text(KeyText.extraction(extraction)), .timestamp(since), .int(Self.entryLimit)]
        ).map { row in
            EvidenceGap(
                id: try row.int64("id"), began: try row.timestamp("began"), ended: try row.timestamp("ended"),
                replica: try row.text("replica"), reason: try row.text("reason"),
                extraction: try row.optionalText("extraction"),
                waiver: try row.optionalTimestamp("waived_at").map {
                    Waiver(actor: try row.text("waived_by"), reason: try row.text("waived_why"), at: $0)
                })
        }
    }

    /// Said again of the same replica and beginning, it is the same gap, and ends at the later of both ends.
    /// - Returns: the gap's number.
    @discardableResult
    package func recordGap(began: Date, ended: Date, replica: String, reason: String) async throws -> Int64 {
        let rows = try await control.query(
            """
            INSERT INTO strangler.evidence_gaps AS known (began, ended, replica, reason) VALUES ($1, $2, $3, $4)
            ON CONFLICT (replica, began) DO UPDATE SET ended = greatest(known.ended, excluded.ended) RETURNING id
            """,
            [
                .timestamp(began), .timestamp(max(began, ended)), .text(KeyText.reason(replica)),
                .text(KeyText.endpoint(reason)),
            ])
        guard let row = rows.first else { throw PostgresError(.decoding, "no number of a gap") }
        return try row.int64("id")
    }

    private static func waiver(_ row: PostgresRows.Row) throws(PostgresError) -> WaiverEntry {
        WaiverEntry(
            id: try row.int64("id"), extraction: try row.text("extraction"), subject: try row.text("subject"),
            waiver: Waiver(
                actor: try row.text("actor"), reason: try row.text("reason"), at: try row.timestamp("at")),
            revokedAt: try row.optionalTimestamp("revoked_at"), revokedBy: try row.optionalText("revoked_by"))
    }
}
