import Comparison
import Extraction
import Foundation
import PostgresClient

/// How both sides answered clients, as columns of arrays.
struct TrafficRows: Sendable {
    private var columns: (extraction: [String], endpoint: [String], side: [String]) = ([], [], [])
    private var sums: (requests: [Int64], errors: [Int64], bytes: [Int64], nanoseconds: [Int64]) = ([], [], [], [])
    private var latencies: [String] = []
    private var last: [Date] = []

    init(_ tallies: [TrafficKey: TrafficTally]) {
        for (key, tally) in tallies {
            columns.extraction.append(KeyText.extraction(key.extraction))
            columns.endpoint.append(KeyText.endpoint(key.endpoint))
            columns.side.append(key.side.description)
            sums.requests.append(Int64(max(0, tally.traffic.requests)))
            sums.errors.append(Int64(max(0, tally.traffic.errors)))
            sums.bytes.append(Int64(max(0, tally.bytes)))
            sums.nanoseconds.append(Int64(max(0, tally.nanoseconds)))
            latencies.append(tally.traffic.latency.arrayText)
            last.append(tally.last)
        }
    }

    func insert(at: Date, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard !last.isEmpty else { return }
        let new = """
            unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[],
                $10::timestamptz[])
                AS new (extraction, endpoint, side, requests, errors, bytes, nanoseconds, latency, last_at)
            LEFT JOIN strangler.extraction_state s ON s.name = new.extraction
            """
        try connection.query(
            Self.insertion(from: new, bucket: counterBucket),
            [
                .timestamp(at), .textArray(columns.extraction), .textArray(columns.endpoint),
                .textArray(columns.side), .intArray(sums.requests), .intArray(sums.errors), .intArray(sums.bytes),
                .intArray(sums.nanoseconds), .textArray(latencies), .timestampArray(last),
            ])
    }

    /// Adds rows to those that are there. One statement may not touch a row twice, so equal keys are added up first.
    static func insertion(from rows: String, bucket: String) -> String {
        """
        INSERT INTO strangler.traffic_counts AS known
            (extraction, endpoint, bucket, side, requests, errors, bytes, nanoseconds, latency, last_at)
        SELECT extraction, endpoint, \(bucket), side, sum(requests)::bigint, sum(errors)::bigint,
            \(total("bytes")), \(total("nanoseconds")), strangler.total_counts(latency::bigint[]), max(last_at)
        FROM \(rows) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (extraction, bucket, endpoint, side) DO UPDATE SET
            requests = known.requests + excluded.requests, errors = known.errors + excluded.errors,
            bytes = \(sum("bytes")), nanoseconds = \(sum("nanoseconds")),
            latency = strangler.add_counts(known.latency, excluded.latency),
            last_at = greatest(known.last_at, excluded.last_at)
        """
    }

    /// Times of many requests at once add up to more than `bigint` holds: 292 years. It stays there then, since an error
    /// would keep the batch from ever being stored.
    static func total(_ column: String) -> String { "least(sum(\(column)), \(Int64.max))::bigint" }

    private static func sum(_ column: String) -> String {
        "least(known.\(column)::numeric + excluded.\(column), \(Int64.max))::bigint"
    }
}

extension LatencyHistogram {
    /// A Postgres array without the zeros at the end. Arrays of arrays would all need the same length, so it is sent as
    /// text.
    var arrayText: String {
        let used = counts.prefix((counts.lastIndex { $0 != 0 } ?? -1) + 1)
        return "{" + used.map(String.init).joined(separator: ",") + "}"
    }

    /// SQL for the sums of a column's buckets, as a list. One sum per bucket: an aggregate over arrays takes five times as
    /// long, seconds for the hours of a month. Buckets after the last one used are NULL, and left out.
    static func total(_ column: String) -> String {
        let sums = (1...bucketCount).map { "sum(\(column)[\($0)])" }.joined(separator: ",")
        return "array_to_string(ARRAY[\(sums)], ',')"
    }

    /// - Parameter list: of ``total(_:)``.
    init(list: String) {
        self.init(counts: list.split(separator: ",").map { Int($0) ?? 0 })
    }
}
