import Comparison
import Foundation
import PostgresClient

// The parts of a batch as columns of arrays: one statement each, whatever the number of rows.

/// Where the bucket of a counter begins: at the full minute, or at the change of stage or weight, or the end of a hold,
/// since then. `$1` is the time of the batch, `s` the extraction's state.
let counterBucket = """
    greatest(date_trunc('minute', $1::timestamptz), CASE WHEN s.since <= $1 THEN s.since END,
             CASE WHEN s.baking_since <= $1 THEN s.baking_since END)
    """

struct VerdictRows: Sendable {
    private var columns: (extraction: [String], endpoint: [String], verdict: [String], reason: [String]) =
        ([], [], [], [])
    private var statusClasses: [Int64] = []
    private var counts: [Int64] = []

    init(_ counters: [VerdictKey: Int]) {
        for (key, count) in counters {
            columns.extraction.append(KeyText.extraction(key.extraction))
            columns.endpoint.append(KeyText.endpoint(key.endpoint))
            columns.verdict.append(key.verdict.rawValue)
            columns.reason.append(KeyText.reason(key.reason ?? ""))
            statusClasses.append((0...9).contains(key.statusClass) ? Int64(key.statusClass) : 0)
            counts.append(Int64(max(0, count)))
        }
    }

    /// Keys that became equal by cutting or by NUL are added up first: one statement may not touch a row twice.
    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.verdict_counts AS known
                (extraction, endpoint, bucket, verdict, reason, status_class, count)
            SELECT extraction, endpoint, \(counterBucket), verdict, reason, status_class, sum(count)::bigint
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
                AS new (extraction, endpoint, verdict, reason, status_class, count)
            LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
            GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
            ON CONFLICT (extraction, bucket, endpoint, verdict, reason, status_class)
            DO UPDATE SET count = known.count + excluded.count
            """,
            [
                .timestamp(at), .textArray(columns.extraction), .textArray(columns.endpoint),
                .textArray(columns.verdict), .textArray(columns.reason), .intArray(statusClasses), .intArray(counts),
            ])
    }
}

struct FallbackRows: Sendable {
    private var extractions: [String] = []
    private var endpoints: [String] = []
    private var reasons: [String] = []
    private var counts: [Int64] = []
    private var last: [Date] = []

    init(_ tallies: [FallbackKey: FallbackTally]) {
        for (key, tally) in tallies {
            extractions.append(KeyText.extraction(key.extraction))
            endpoints.append(KeyText.endpoint(key.endpoint))
            reasons.append(KeyText.reason(key.reason))
            counts.append(Int64(max(0, tally.count)))
            last.append(tally.last)
        }
    }

    /// In two tables: the older one is shared with proxies of the version before, which do not tell endpoints apart.
    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        for (table, key) in [("fallback_counts", "reason"), ("fallback_endpoints", "endpoint, reason")] {
            try connection.query(
                """
                INSERT INTO strangler.\(table) AS known (extraction, bucket, count, last_at, \(key))
                SELECT extraction, \(counterBucket) AS bucket, sum(count)::bigint, max(last), \(key)
                FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
                    AS new (extraction, endpoint, reason, count, last)
                LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
                GROUP BY extraction, 2, \(key) ORDER BY extraction, 2, \(key)
                ON CONFLICT (extraction, bucket, \(key))
                DO UPDATE SET count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)
                """,
                [
                    .timestamp(at), .textArray(extractions), .textArray(endpoints), .textArray(reasons),
                    .intArray(counts), .timestampArray(last),
                ])
        }
    }
}

struct GroupRows: Sendable {
    private var signatures: [String] = []
    private var extractions: [String] = []
    private var endpoints: [String] = []
    private var differences: [String] = []
    private var counts: [Int64] = []
    private var first: [Date] = []
    private var last: [Date] = []

    init(_ tallies: [String: MismatchTally]) {
        for tally in tallies.values {
            // Paths and kinds are strings, which JSON can always hold.
            guard let json = try? StoredJSON.text(tally.signature.differences) else { continue }
            signatures.append(tally.signature.hex)
            extractions.append(KeyText.extraction(tally.signature.extraction))
            endpoints.append(KeyText.endpoint(tally.signature.endpoint))
            differences.append(json)
            counts.append(Int64(max(0, tally.count)))
            first.append(tally.first)
            last.append(tally.last)
        }
    }

    /// A group that was `fixed` and is seen after that has regressed. What was seen before somebody said so, and only
    /// arrives now, proves nothing.
    /// - Parameter limit: groups per extraction; of new ones the most frequent find a place.
    /// - Returns: the counts of those that did not, by signature.
    func insert(limit: Int, on connection: isolated PostgresConnection) throws(PostgresError) -> [String: Int] {
        guard !signatures.isEmpty else { return [:] }
        let isBack = "known.state = 'fixed' AND excluded.last_seen > known.state_changed_at"
        let excluded = try connection.query(
            """
            WITH new AS MATERIALIZED (
                SELECT new.*, known.signature IS NOT NULL AS is_known
                FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
                        $7::timestamptz[]) AS new (signature, extraction, endpoint, differences, count, first, last)
                LEFT JOIN strangler.mismatch_groups known USING (signature)
            ), sizes AS MATERIALIZED (
                SELECT extraction, count(*) AS size FROM strangler.mismatch_groups
                WHERE extraction IN (SELECT extraction FROM new WHERE NOT is_known) GROUP BY extraction
            ), ranked AS (
                SELECT new.*, is_known OR coalesce(size, 0) + row_number()
                    OVER (PARTITION BY extraction, is_known ORDER BY count DESC, signature) <= $8::bigint AS fits
                FROM new LEFT JOIN sizes USING (extraction)
            ), written AS (
                INSERT INTO strangler.mismatch_groups AS known
                    (signature, extraction, endpoint, differences, count, first_seen, last_seen)
                SELECT signature, extraction, endpoint, differences::json, count, first, last
                FROM ranked WHERE fits ORDER BY signature
                ON CONFLICT (signature) DO UPDATE SET
                    count = known.count + excluded.count,
                    first_seen = least(known.first_seen, excluded.first_seen),
                    last_seen = greatest(known.last_seen, excluded.last_seen),
                    state = CASE WHEN \(isBack) THEN 'regressed' ELSE known.state END,
                    state_changed_at = CASE WHEN \(isBack) THEN excluded.last_seen ELSE known.state_changed_at END,
                    state_changed_by = CASE WHEN \(isBack) THEN 'strangler' ELSE known.state_changed_by END,
                    state_changed_why = CASE WHEN \(isBack) THEN 'seen again' ELSE known.state_changed_why END
            )
            SELECT signature, count FROM ranked WHERE NOT fits
            """,
            [
                .textArray(signatures), .textArray(extractions), .textArray(endpoints), .textArray(differences),
                .intArray(counts), .timestampArray(first), .timestampArray(last), .int(limit),
            ])
        var left: [String: Int] = [:]
        for row in excluded { left[try row.text("signature")] = try row.int("count") }
        return left
    }
}
