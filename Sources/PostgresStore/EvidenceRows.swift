import Comparison
import Foundation
import PostgresClient

// The parts of a batch as columns of arrays: one statement each, whatever the number of rows.

/// Where the bucket of a counter begins: at the full minute, or at the change of stage since then. `$1` is the time of
/// the batch, `s` the extraction's state.
private let bucket = """
    CASE WHEN s.since <= $1 THEN greatest(date_trunc('minute', $1::timestamptz), s.since)
         ELSE date_trunc('minute', $1::timestamptz) END
    """

struct VerdictRows: Sendable {
    private var columns: (extraction: [String], endpoint: [String], verdict: [String], reason: [String]) =
        ([], [], [], [])
    private var counts: [Int64] = []

    init(_ counters: [VerdictKey: Int]) {
        for (key, count) in counters {
            columns.extraction.append(KeyText.extraction(key.extraction))
            columns.endpoint.append(KeyText.endpoint(key.endpoint))
            columns.verdict.append(key.verdict.rawValue)
            columns.reason.append(KeyText.reason(key.reason ?? ""))
            counts.append(Int64(max(0, count)))
        }
    }

    /// Keys that became equal by cutting or by NUL are added up first: one statement may not touch a row twice.
    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.verdict_counts AS known (extraction, endpoint, bucket, verdict, reason, count)
            SELECT extraction, endpoint, \(bucket), verdict, reason, sum(count)::bigint
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
                AS new (extraction, endpoint, verdict, reason, count)
            LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (extraction, bucket, endpoint, verdict, reason)
            DO UPDATE SET count = known.count + excluded.count
            """,
            [
                .timestamp(at), .textArray(columns.extraction), .textArray(columns.endpoint),
                .textArray(columns.verdict), .textArray(columns.reason), .intArray(counts),
            ])
    }
}

struct FallbackRows: Sendable {
    private var extractions: [String] = []
    private var reasons: [String] = []
    private var counts: [Int64] = []
    private var last: [Date] = []

    init(_ tallies: [FallbackKey: FallbackTally]) {
        for (key, tally) in tallies {
            extractions.append(KeyText.extraction(key.extraction))
            reasons.append(KeyText.reason(key.reason))
            counts.append(Int64(max(0, tally.count)))
            last.append(tally.last)
        }
    }

    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.fallback_counts AS known (extraction, bucket, reason, count, last_at)
            SELECT extraction, \(bucket), reason, sum(count)::bigint, max(last)
            FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[]) AS new (extraction, reason, count, last)
            LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            ON CONFLICT (extraction, bucket, reason)
            DO UPDATE SET count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)
            """,
            [
                .timestamp(at), .textArray(extractions), .textArray(reasons), .intArray(counts), .timestampArray(last),
            ])
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
    func insert(on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !signatures.isEmpty else { return }
        let isBack = "known.state = 'fixed' AND excluded.last_seen > known.state_changed_at"
        try connection.query(
            """
            INSERT INTO strangler.mismatch_groups AS known
                (signature, extraction, endpoint, differences, count, first_seen, last_seen)
            SELECT signature, extraction, endpoint, differences::json, count, first, last
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
                    $7::timestamptz[]) AS new (signature, extraction, endpoint, differences, count, first, last)
            ORDER BY signature
            ON CONFLICT (signature) DO UPDATE SET
                count = known.count + excluded.count,
                first_seen = least(known.first_seen, excluded.first_seen),
                last_seen = greatest(known.last_seen, excluded.last_seen),
                state = CASE WHEN \(isBack) THEN 'regressed' ELSE known.state END,
                state_changed_at = CASE WHEN \(isBack) THEN excluded.last_seen ELSE known.state_changed_at END,
                state_changed_by = CASE WHEN \(isBack) THEN 'strangler' ELSE known.state_changed_by END,
                state_changed_why = CASE WHEN \(isBack) THEN 'seen again' ELSE known.state_changed_why END
            """,
            [
                .textArray(signatures), .textArray(extractions), .textArray(endpoints), .textArray(differences),
                .intArray(counts), .timestampArray(first), .timestampArray(last),
            ])
    }
}

/// One recorded pair, already JSON.
struct ExampleRow: Sendable {
    private let signature: String
    private let at: Date
    private let differences: String
    private let request: String
    private let primary: String
    private let shadow: String

    init(_ record: MismatchRecord) throws {
        signature = record.signature.hex
        at = record.at
        differences = try StoredJSON.text(record.differences)
        request = try StoredJSON.text(record.request)
        primary = try StoredJSON.text(record.primary)
        shadow = try StoredJSON.text(record.shadow)
    }

    /// Keeps a group's first `limit` examples. The groups were written in the same transaction, so their rows are
    /// locked and no other replica can add to them between the count and the insertion.
    static func insert(
        _ rows: [ExampleRow], limit: Int, on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.query(
            """
            INSERT INTO strangler.mismatch_examples (signature, at, differences, request, primary_answer, shadow_answer)
            SELECT signature, at, differences::json, request::json, primary_answer::json, shadow_answer::json
            FROM (
                SELECT *, row_number() OVER (PARTITION BY signature ORDER BY place) AS rank
                FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])
                    WITH ORDINALITY AS new (signature, at, differences, request, primary_answer, shadow_answer, place)
            ) AS ranked
            WHERE rank + (SELECT count(*) FROM strangler.mismatch_examples known
                          WHERE known.signature = ranked.signature) <= $7
            ORDER BY place
            """,
            [
                .textArray(rows.map(\.signature)), .timestampArray(rows.map(\.at)),
                .textArray(rows.map(\.differences)), .textArray(rows.map(\.request)),
                .textArray(rows.map(\.primary)), .textArray(rows.map(\.shadow)), .int(limit),
            ])
    }
}
