import Comparison
package import Foundation
import PostgresClient

// What the console, the command line and the gates ask.
extension PostgresStore {
    /// The verdicts of one extraction, or of all; with `since`, of the buckets that begin then or later. Exact for the
    /// time at which the current stage was entered, because a bucket begins there; for any other time the rest of the
    /// minute that it falls into is left out.
    package func verdictSummary(extraction: String?, since: Date?) async throws -> VerdictSummary {
        let rows = try await pool.query(
            """
            SELECT endpoint, verdict, reason, sum(count)::bigint AS count FROM strangler.verdict_counts
            WHERE ($1::text IS NULL OR extraction = $1) AND ($2::timestamptz IS NULL OR bucket >= $2)
            GROUP BY endpoint, verdict, reason
            """,
            [.text(optional: extraction.map(KeyText.extraction)), .timestamp(optional: since)])
        return try rows.reduce(into: VerdictSummary()) { summary, row in
            // A verdict of a newer version is no reason to show nothing.
            guard let verdict = Verdict(rawValue: try row.text("verdict")) else { return }
            let (endpoint, reason, count) = (try row.text("endpoint"), try row.text("reason"), try row.int("count"))
            summary.endpoints[endpoint, default: VerdictCounts()].add(verdict, reason: reason, count: count)
            summary.total.add(verdict, reason: reason, count: count)
        }
    }

    /// `since` as for `verdictSummary`.
    package func fallbackSummary(extraction: String, since: Date?) async throws -> FallbackSummary {
        let rows = try await pool.query(
            """
            SELECT reason, sum(count)::bigint AS count, max(last_at) AS last_at FROM strangler.fallback_counts
            WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) GROUP BY reason
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since)])
        return try rows.reduce(into: FallbackSummary()) { summary, row in
            let (reason, count, last) = (try row.text("reason"), try row.int("count"), try row.timestamp("last_at"))
            summary.total += count
            summary.byReason[reason, default: 0] += count
            summary.lastAt = max(summary.lastAt ?? last, last)
        }
    }

    /// The most frequent first, at most `limit`; of all extractions with nil.
    package func groups(extraction: String?, limit: Int = 1000) async throws -> [MismatchGroup] {
        try await pool.query(
            """
            SELECT \(Self.groupColumns) FROM strangler.mismatch_groups WHERE $1::text IS NULL OR extraction = $1
            ORDER BY count DESC, signature LIMIT $2
            """,
            [.text(optional: extraction.map(KeyText.extraction)), .int(max(0, limit))]
        ).map(Self.group)
    }

    /// The group whose signature begins with `prefix`, and its examples, oldest first. Nil if there is none.
    /// - Throws: `AmbiguousSignature` if there are several.
    package func group(
        signaturePrefix prefix: String
    ) async throws -> (group: MismatchGroup, examples: [MismatchExample])? {
        let found = try await pool.query(
            """
            SELECT \(Self.groupColumns) FROM strangler.mismatch_groups WHERE starts_with(signature, $1)
            ORDER BY signature = $1 DESC, signature LIMIT 5
            """, [.text(prefix)]
        ).map(Self.group)
        guard let group = found.first else { return nil }
        guard !prefix.isEmpty, found.count == 1 || group.signature == prefix else {
            throw AmbiguousSignature(prefix: prefix, candidates: found.map(\.signature))
        }
        let examples = try await pool.query(
            """
            SELECT at, differences, request, primary_answer, shadow_answer FROM strangler.mismatch_examples
            WHERE signature = $1 ORDER BY id
            """, [.text(group.signature)]
        ).map(Self.example)
        return (group, examples)
    }

    /// Records what a reviewer decided; nil if there is no such group. `signature` is the whole one.
    package func setGroupState(
        _ signature: String, _ state: GroupState, actor: String, reason: String?, at: Date
    ) async throws -> MismatchGroup? {
        try await pool.query(
            """
            UPDATE strangler.mismatch_groups
            SET state = $2, state_changed_by = $3, state_changed_why = $4, state_changed_at = $5
            WHERE signature = $1 RETURNING \(Self.groupColumns)
            """,
            [.text(signature), .text(state.rawValue), .text(actor), .text(optional: reason), .timestamp(at)]
        ).first.map(Self.group)
    }

    private static let groupColumns = """
        signature, extraction, endpoint, state, count, differences, first_seen, last_seen, state_changed_at,
        state_changed_by, state_changed_why
        """

    private static func group(_ row: PostgresRows.Row) throws -> MismatchGroup {
        let stateText = try row.text("state")
        guard let state = GroupState(rawValue: stateText) else {
            throw PostgresError(.decoding, "unknown state of a mismatch group: \(stateText)")
        }
        return MismatchGroup(
            signature: try row.text("signature"), extraction: try row.text("extraction"),
            endpoint: try row.text("endpoint"), state: state, count: try row.int("count"),
            differences: try StoredJSON.value([GroupedDifference].self, try row.text("differences")),
            firstSeen: try row.timestamp("first_seen"), lastSeen: try row.timestamp("last_seen"),
            stateAt: try row.optionalTimestamp("state_changed_at"),
            stateBy: try row.optionalText("state_changed_by"), stateWhy: try row.optionalText("state_changed_why"))
    }

    private static func example(_ row: PostgresRows.Row) throws -> MismatchExample {
        MismatchExample(
            at: try row.timestamp("at"),
            differences: try StoredJSON.value([Difference].self, try row.text("differences")),
            request: try StoredJSON.value(RecordedRequest.self, try row.text("request")),
            primary: try StoredJSON.value(RecordedAnswer.self, try row.text("primary_answer")),
            shadow: try StoredJSON.value(RecordedAnswer.self, try row.text("shadow_answer")))
    }
}
