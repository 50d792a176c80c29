import PostgresClient

// Old minutes become hours. An hour's own row, at its full hour or where the current stage or weight began, takes up the
// minutes after it. Two replicas that merge at once skip each other's minutes.
extension PostgresStore {
    /// Of a row's `bucket`; `s` is the extraction's state.
    private static let hour = """
        greatest(date_trunc('hour', bucket), CASE WHEN s.since <= bucket THEN s.since END,
                 CASE WHEN s.baking_since <= bucket THEN s.baking_since END)
        """

    static let mergeLatencies = """
        WITH merged AS (
            SELECT l.ctid, \(hour) AS hour
            FROM strangler.latency_histograms l LEFT JOIN strangler.extraction_state s ON s.name = l.extraction
            WHERE bucket < $1 AND bucket <> \(hour) LIMIT \(rowsAtOnce) FOR UPDATE OF l SKIP LOCKED
        ), gone AS (
            DELETE FROM strangler.latency_histograms l USING merged WHERE l.ctid = merged.ctid
            RETURNING l.extraction, l.endpoint, merged.hour, l.side, l.counts
        ), written AS (
            INSERT INTO strangler.latency_histograms AS known (extraction, endpoint, bucket, side, counts)
            SELECT extraction, endpoint, hour, side, strangler.total_counts(counts) FROM gone
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            ON CONFLICT (extraction, bucket, endpoint, side)
            DO UPDATE SET counts = strangler.add_counts(known.counts, excluded.counts)
        ) SELECT count(*) AS affected FROM gone
        """

    static let mergeTraffic = """
        WITH merged AS (
            SELECT t.ctid, \(hour) AS hour
            FROM strangler.traffic_counts t LEFT JOIN strangler.extraction_state s ON s.name = t.extraction
            WHERE bucket < $1 AND bucket <> \(hour) LIMIT \(rowsAtOnce) FOR UPDATE OF t SKIP LOCKED
        ), gone AS (
            DELETE FROM strangler.traffic_counts t USING merged WHERE t.ctid = merged.ctid
            RETURNING t.extraction, t.endpoint, merged.hour AS bucket, t.side, t.requests, t.errors, t.bytes,
                t.nanoseconds, t.latency, t.last_at
        ), written AS (
            \(TrafficRows.insertion(from: "gone", bucket: "bucket"))
        ) SELECT count(*) AS affected FROM gone
        """
}
