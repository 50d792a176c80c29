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
            WITH counted AS (
                SELECT endpoint, verdict, reason, sum(count)::bigint AS count FROM strangler.verdict_counts
                WHERE ($1::text IS NULL OR extraction = $1) AND ($2::timestamptz IS NULL OR bucket >= $2)
                GROUP BY endpoint, verdict, reason
            ) \(Self.withAccepted("endpoint, verdict"))
            """,
            [.text(optional: extraction.map(KeyText.extraction)), .timestamp(optional: since)])
        return try rows.reduce(into: VerdictSummary()) { summary, row in
            // A verdict of a newer version is no reason to show nothing.
            guard let verdict = Verdict(rawValue: try row.text("verdict")) else { return }
            let (endpoint, reason, count) = (try row.text("endpoint"), try row.text("reason"), try row.int("count"))
            let accepted = try row.int("accepted")
            summary.endpoints[endpoint, default: VerdictCounts()]
                .add(verdict, reason: reason, count: count, accepted: accepted)
            summary.total.add(verdict, reason: reason, count: count, accepted: accepted)
        }
    }

    /// Sums up `counted`, and says how much of it are mismatches of groups that are accepted now. A mismatch's reason is
    /// its group's signature; it is empty where an older version counted it, and of none where the group found no place.
    static func withAccepted(_ columns: String) -> String {
        """
        SELECT CASE verdict WHEN 'mismatch' THEN '' ELSE reason END AS reason, \(columns), sum(count)::bigint AS count,
            coalesce(sum(count) FILTER (WHERE signature IS NOT NULL), 0)::bigint AS accepted
        FROM counted LEFT JOIN (SELECT signature FROM strangler.mismatch_groups WHERE state = 'accepted') AS wanted
            ON verdict = 'mismatch' AND signature = reason
        GROUP BY 1, \(columns)
        """
    }

    /// `since` as for `verdictSummary`. What nobody counted by endpoint is that of an empty one.
    package func fallbackSummary(extraction: String, since: Date?) async throws -> FallbackSummary {
        let rows = try await pool.query(
            """
            SELECT NULL AS endpoint, reason, sum(count)::bigint AS count, max(last_at) AS last_at
            FROM strangler.fallback_counts
            WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) GROUP BY reason
            UNION ALL
            SELECT endpoint, '', sum(count)::bigint, max(last_at) FROM strangler.fallback_endpoints
            WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) GROUP BY endpoint
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since)])
        var summary = try rows.reduce(into: FallbackSummary()) { summary, row in
            let count = try row.int("count")
            if let endpoint = try row.optionalText("endpoint") {
                summary.byEndpoint[endpoint, default: 0] += count
            } else {
                let last = try row.timestamp("last_at")
                summary.total += count
                summary.byReason[try row.text("reason"), default: 0] += count
                summary.lastAt = max(summary.lastAt ?? last, last)
            }
        }
        let elsewhere = summary.total - summary.byEndpoint.values.reduce(0, +)
        if elsewhere > 0 { summary.byEndpoint["", default: 0] += elsewhere }
        return summary
    }
}
