package import Extraction
package import Foundation
import PostgresClient

/// How one side answered clients at one endpoint in some span of time.
package struct TrafficSummary: Sendable, Equatable {
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var side: Side
    package var requests: Int
    /// Of `requests`, those answered 5xx, too late or not at all.
    package var errors: Int
    /// Of answers' bodies.
    package var bytes: Int
    /// Sum of the times from sending a request to its answer's head.
    package var nanoseconds: Int64
    package var latency: LatencyHistogram
    package var last: Date

    package init(
        endpoint: String, side: Side, requests: Int = 0, errors: Int = 0, bytes: Int = 0, nanoseconds: Int64 = 0,
        latency: LatencyHistogram = LatencyHistogram(), last: Date
    ) {
        self.endpoint = endpoint
        self.side = side
        self.requests = requests
        self.errors = errors
        self.bytes = bytes
        self.nanoseconds = nanoseconds
        self.latency = latency
        self.last = last
    }
}

/// What one side answered of one extraction, or, with an empty name, of what no extraction takes.
package struct TrafficTotal: Sendable, Equatable {
    package var extraction: String
    package var side: Side
    package var requests: Int
    package var last: Date

    package init(extraction: String, side: Side, requests: Int, last: Date) {
        self.extraction = extraction
        self.side = side
        self.requests = requests
        self.last = last
    }
}

// How both sides answered clients. Buckets are minutes for two days and hours after that; both begin anew where the
// current stage was entered, its weight changed or its hold ended, so that since then is exact. For any other time the
// rest of the minute, or hour, that it falls into is left out.
extension PostgresStore {
    /// Endpoints of one extraction that are given out; those asked for most.
    private static let trafficLimit = 5_000

    /// Both sides at the same time, by endpoint; nil for all that is kept.
    package func traffic(extraction: String, since: Date?) async throws -> [String: TrafficPair] {
        try await traffic(extraction: extraction, since: since, on: pool)
    }

    func traffic(extraction: String, since: Date?, on pool: PostgresPool) async throws -> [String: TrafficPair] {
        let rows = try await pool.query(
            """
            WITH counted AS (
                SELECT endpoint, side, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors,
                    \(LatencyHistogram.total("latency")) AS latency
                FROM strangler.traffic_counts
                WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) GROUP BY endpoint, side
            )
            SELECT * FROM counted ORDER BY requests DESC, endpoint, side LIMIT $3
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since), .int(2 * Self.trafficLimit)])
        return try rows.reduce(into: [:]) { traffic, row in
            guard let side = Side(stored: try row.text("side")) else { return }
            traffic[try row.text("endpoint"), default: TrafficPair()][side] = SideTraffic(
                requests: try row.int("requests"), errors: try row.int("errors"),
                latency: LatencyHistogram(list: try row.text("latency")))
        }
    }

    /// The buckets from `since` on and before `until`, by endpoint and side, those asked for most first.
    package func trafficSummary(extraction: String, since: Date, until: Date) async throws -> [TrafficSummary] {
        let rows = try await pool.query(
            """
            SELECT endpoint, side, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors,
                \(TrafficRows.total("bytes")) AS bytes, \(TrafficRows.total("nanoseconds")) AS nanoseconds,
                \(LatencyHistogram.total("latency")) AS latency, max(last_at) AS last_at
            FROM strangler.traffic_counts WHERE extraction = $1 AND bucket >= $2 AND bucket < $3
            GROUP BY endpoint, side ORDER BY sum(requests) DESC, endpoint, side LIMIT $4
            """,
            [
                .text(KeyText.extraction(extraction)), .timestamp(since), .timestamp(until),
                .int(2 * Self.trafficLimit),
            ])
        return try rows.compactMap { row in
            guard let side = Side(stored: try row.text("side")) else { return nil }
            return TrafficSummary(
                endpoint: try row.text("endpoint"), side: side, requests: try row.int("requests"),
                errors: try row.int("errors"), bytes: try row.int("bytes"), nanoseconds: try row.int64("nanoseconds"),
                latency: LatencyHistogram(list: try row.text("latency")), last: try row.timestamp("last_at"))
        }
    }

    /// Everything that clients asked for in that time, by extraction and side.
    package func trafficTotals(since: Date, until: Date) async throws -> [TrafficTotal] {
        let rows = try await pool.query(
            """
            SELECT extraction, side, sum(requests)::bigint AS requests, max(last_at) AS last_at
            FROM strangler.traffic_counts WHERE bucket >= $1 AND bucket < $2
            GROUP BY extraction, side ORDER BY extraction, side LIMIT 10000
            """, [.timestamp(since), .timestamp(until)])
        return try rows.compactMap { row in
            guard let side = Side(stored: try row.text("side")) else { return nil }
            return TrafficTotal(
                extraction: try row.text("extraction"), side: side, requests: try row.int("requests"),
                last: try row.timestamp("last_at"))
        }
    }

    /// How far back traffic is counted: the beginning of the oldest bucket; nil before anything was counted.
    package func firstTraffic() async throws -> Date? {
        try await pool.query("SELECT min(bucket) AS first FROM strangler.traffic_counts")
            .first?.optionalTimestamp("first")
    }
}

extension Side {
    /// As its description says; nil for a side that only a newer version knows.
    init?(stored text: String) {
        guard let side = [Side.monolith, .service].first(where: { $0.description == text }) else { return nil }
        self = side
    }
}
