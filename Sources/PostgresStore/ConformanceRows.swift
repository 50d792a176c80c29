package import Comparison
import Foundation
import PostgresClient

// How far the monolith keeps the contract: a row for each thing that is counted, so that replicas add to each other.

struct ConformanceRows: Sendable {
    private enum Kind: String {
        case checked, violating, unchecked, violation
    }

    private var columns: (extraction: [String], contract: [String], endpoint: [String]) = ([], [], [])
    private var kinds: [String] = []
    private var whats: [String] = []
    private var counts: [Int64] = []
    private var last: [Date] = []

    init(_ tallies: [ConformanceKey: ConformanceTally]) {
        for (key, tally) in tallies {
            add(key, .checked, "", tally.checked, tally.last)
            add(key, .violating, "", tally.violating, tally.last)
            for (reason, count) in tally.unchecked { add(key, .unchecked, KeyText.reason(reason), count, tally.last) }
            for (sentence, count) in tally.violations {
                add(key, .violation, KeyText.cut(sentence, to: 1_000), count, tally.last)
            }
        }
    }

    private mutating func add(_ key: ConformanceKey, _ kind: Kind, _ what: String, _ count: Int, _ at: Date) {
        columns.extraction.append(KeyText.extraction(key.extraction))
        columns.contract.append(KeyText.cut(key.contract, to: 64))
        columns.endpoint.append(KeyText.endpoint(key.endpoint))
        kinds.append(kind.rawValue)
        whats.append(what)
        counts.append(Int64(max(0, count)))
        last.append(at)
    }

    /// Of one endpoint so many violations get a row, the most frequent of new ones first: names in answers can be
    /// anything. All are in the number of answers that broke the contract.
    func insert(on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !counts.isEmpty else { return }
        try connection.query(
            """
            WITH new AS MATERIALIZED (
                SELECT extraction, contract, endpoint, kind, what, sum(count)::bigint AS count, max(last) AS last
                FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
                    AS new (extraction, contract, endpoint, kind, what, count, last)
                GROUP BY 1, 2, 3, 4, 5
            ), found AS MATERIALIZED (
                SELECT new.*, kind <> 'violation' OR EXISTS (
                    SELECT FROM strangler.contract_conformance known
                    WHERE (known.extraction, known.contract, known.endpoint, known.kind, known.what)
                        = (new.extraction, new.contract, new.endpoint, new.kind, new.what)) AS is_known
                FROM new
            ), ranked AS MATERIALIZED (
                SELECT found.*, is_known OR row_number() OVER (
                        PARTITION BY extraction, contract, endpoint, is_known ORDER BY count DESC, what)
                    + (SELECT count(*) FROM strangler.contract_conformance known
                        WHERE (known.extraction, known.contract, known.endpoint, known.kind)
                            = (found.extraction, found.contract, found.endpoint, 'violation')) <= $8::bigint AS fits
                FROM found
            )
            INSERT INTO strangler.contract_conformance AS known
                (extraction, contract, endpoint, kind, what, count, last_at)
            SELECT extraction, contract, endpoint, kind, what, count, last FROM ranked WHERE fits ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (extraction, contract, endpoint, kind, what) DO UPDATE SET
                count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)
            """,
            [
                .textArray(columns.extraction), .textArray(columns.contract), .textArray(columns.endpoint),
                .textArray(kinds), .textArray(whats), .intArray(counts), .timestampArray(last),
                .int(ConformanceTally.maximumViolations),
            ])
    }
}

extension PostgresStore {
    /// How far the monolith's answers keep a contract, by endpoint, over all replicas and stages.
    /// - Parameter contract: its fingerprint: answers that were held against another version say nothing of this one.
    package func conformance(extraction: String, contract: String) async throws -> [String: ConformanceTally] {
        let rows = try await pool.query(
            """
            SELECT endpoint, kind, what, count, last_at FROM strangler.contract_conformance
            WHERE extraction = $1 AND contract = $2
            """, [.text(KeyText.extraction(extraction)), .text(KeyText.cut(contract, to: 64))])
        return try rows.reduce(into: [:]) { tallies, row in
            let (endpoint, what, count) = (try row.text("endpoint"), try row.text("what"), try row.int("count"))
            var tally = tallies[endpoint] ?? ConformanceTally()
            switch try row.text("kind") {
            case "checked": tally.checked += count
            case "violating": tally.violating += count
            case "unchecked": tally.unchecked[what, default: 0] += count
            default: tally.violations[what, default: 0] += count
            }
            tally.last = max(tally.last, try row.timestamp("last_at"))
            tallies[endpoint] = tally
        }
    }
}
