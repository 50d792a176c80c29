import Comparison
import Extraction
import Foundation
import PostgresClient

// What is counted beside the verdicts, as columns of arrays. As for verdicts, keys that became equal by cutting or by
// NUL are added up first, and rows are written in the order of their keys.

struct LatencyRows: Sendable {
    private var columns: (extraction: [String], endpoint: [String], side: [String]) = ([], [], [])
    /// Each a Postgres array, since arrays of arrays would all need the same length.
    private var counts: [String] = []

    init(_ latencies: [LatencyKey: LatencyHistogram]) {
        for (key, histogram) in latencies {
            columns.extraction.append(KeyText.extraction(key.extraction))
            columns.endpoint.append(KeyText.endpoint(key.endpoint))
            columns.side.append(key.side.rawValue)
            counts.append(histogram.arrayText)
        }
    }

    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.latency_histograms AS known (extraction, endpoint, bucket, side, counts)
            SELECT extraction, endpoint, \(counterBucket), side, strangler.total_counts(counts::bigint[])
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS new (extraction, endpoint, side, counts)
            LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            ON CONFLICT (extraction, bucket, endpoint, side)
            DO UPDATE SET counts = strangler.add_counts(known.counts, excluded.counts)
            """,
            [
                .timestamp(at), .textArray(columns.extraction), .textArray(columns.endpoint),
                .textArray(columns.side), .textArray(counts),
            ])
    }
}

struct RuleRows: Sendable {
    private var extractions: [String] = []
    private var rules: [String] = []
    private var pairs: [Int64] = []
    private var differences: [Int64] = []
    private var last: [Date] = []

    init(_ tallies: [RuleKey: RuleTally]) {
        for (key, tally) in tallies {
            extractions.append(KeyText.extraction(key.extraction))
            rules.append(KeyText.rule(key.rule))
            pairs.append(Int64(max(0, tally.pairs)))
            differences.append(Int64(max(0, tally.differences)))
            last.append(tally.last)
        }
    }

    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !rules.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.rule_hits AS known (extraction, rule, day, pairs, differences, last_at)
            SELECT extraction, rule, $1::date, sum(pairs)::bigint, sum(differences)::bigint, max(last)
            FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[])
                AS new (extraction, rule, pairs, differences, last)
            GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (extraction, rule, day) DO UPDATE SET
                pairs = known.pairs + excluded.pairs, differences = known.differences + excluded.differences,
                last_at = greatest(known.last_at, excluded.last_at)
            """,
            [
                .text(UTCDay.text(at)), .textArray(extractions), .textArray(rules), .intArray(pairs),
                .intArray(differences), .timestampArray(last),
            ])
    }
}

struct NoiseRows: Sendable {
    private var columns: (extraction: [String], endpoint: [String], side: [String]) = ([], [], [])
    private var fields: (path: [String], kind: [String]) = ([], [])
    private var counts: (twins: [Int64], pairs: [Int64]) = ([], [])

    init(_ noise: [NoiseScope: NoiseTally]) {
        for (scope, tally) in noise {
            add(scope, path: "", kind: "", tally.compared)
            for (field, count) in tally.differing {
                add(scope, path: KeyText.path(field.path), kind: field.kind.rawValue, count)
            }
        }
    }

    private mutating func add(_ scope: NoiseScope, path: String, kind: String, _ count: NoiseCount) {
        columns.extraction.append(KeyText.extraction(scope.extraction))
        columns.endpoint.append(KeyText.endpoint(scope.endpoint))
        columns.side.append(scope.side.rawValue)
        fields.path.append(path)
        fields.kind.append(kind)
        counts.twins.append(Int64(max(0, count.twins)))
        counts.pairs.append(Int64(max(0, count.pairs)))
    }

    /// - Parameter limit: fields of one scope that get a row on one day, first come: an endpoint that makes up names for
    ///   its fields would else leave as many rows as it has answers. Those that twins have shown have as many places
    ///   again, since the others teach nothing until twins show them. (Replicas that write at once may each fill the last
    ///   places.)
    /// - Returns: how many fields found no place.
    func insert(at: Date, limit: Int, on connection: isolated PostgresConnection) throws(PostgresError) -> Int {
        guard !fields.path.isEmpty else { return 0 }
        let rows = try connection.query(
            """
            WITH new AS MATERIALIZED (
                SELECT extraction, endpoint, side, path, kind, sum(twins)::bigint AS twins, sum(pairs)::bigint AS pairs
                FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
                    AS new (extraction, endpoint, side, path, kind, twins, pairs)
                GROUP BY 1, 2, 3, 4, 5
            ), found AS MATERIALIZED (
                SELECT new.*, path = '' OR EXISTS (
                    SELECT FROM strangler.noise_counts known WHERE known.day = $1::date
                        AND known.extraction = new.extraction AND known.endpoint = new.endpoint
                        AND known.side = new.side AND known.path = new.path AND known.kind = new.kind) AS is_known
                FROM new
            ), sizes AS MATERIALIZED (
                SELECT extraction, endpoint, side, (
                    SELECT count(*) FROM (
                        SELECT FROM strangler.noise_counts known WHERE known.day = $1::date
                            AND known.extraction = scope.extraction AND known.endpoint = scope.endpoint
                            AND known.side = scope.side AND known.path <> '' LIMIT 2 * $9::bigint) AS seen
                    ) AS size
                FROM (SELECT DISTINCT extraction, endpoint, side FROM found WHERE NOT is_known) AS scope
            ), ranked AS MATERIALIZED (
                SELECT found.*, is_known OR size + row_number() OVER (
                        PARTITION BY extraction, endpoint, side, is_known ORDER BY twins DESC, pairs DESC, path, kind
                    ) <= CASE WHEN twins > 0 THEN 2 ELSE 1 END * $9::bigint AS fits
                FROM found LEFT JOIN sizes USING (extraction, endpoint, side)
            ), written AS (
                INSERT INTO strangler.noise_counts AS known (extraction, endpoint, side, day, path, kind, twins, pairs)
                SELECT extraction, endpoint, side, $1::date, path, kind, twins, pairs
                FROM ranked WHERE fits ORDER BY 1, 2, 3, 5, 6
                ON CONFLICT (day, extraction, endpoint, side, path, kind)
                DO UPDATE SET twins = known.twins + excluded.twins, pairs = known.pairs + excluded.pairs
            )
            SELECT count(*) AS dropped FROM ranked WHERE NOT fits
            """,
            [
                .text(UTCDay.text(at)), .textArray(columns.extraction), .textArray(columns.endpoint),
                .textArray(columns.side), .textArray(fields.path), .textArray(fields.kind), .intArray(counts.twins),
                .intArray(counts.pairs), .int(limit),
            ])
        return try rows.first?.int("dropped") ?? 0
    }
}

/// What was lost on the way to the store, or is refused by it.
struct LossRows: Sendable {
    var counts: [EvidenceLoss: Int]

    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        let lost = counts.filter { $0.value > 0 }
        guard !lost.isEmpty else { return }
        try connection.query(
            """
            INSERT INTO strangler.evidence_losses AS known (kind, day, count)
            SELECT kind, $1::date, count FROM unnest($2::text[], $3::bigint[]) AS new (kind, count) ORDER BY kind
            ON CONFLICT (kind, day) DO UPDATE SET count = known.count + excluded.count
            """,
            [
                .text(UTCDay.text(at)), .textArray(lost.map(\.key.rawValue)), .intArray(lost.map { Int64($0.value) }),
            ])
    }
}
