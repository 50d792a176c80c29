import Comparison
package import Foundation
import PostgresClient

// What reviewers work on.
extension PostgresStore {
    /// The most frequent first, at most `limit`; of all extractions with nil.
    package func groups(extraction: String?, limit: Int = 1000) async throws -> [MismatchGroup] {
        try await pool.transaction { connection in
            try Self.groups(
                where: "$1::text IS NULL OR extraction = $1", .text(optional: extraction.map(KeyText.extraction)),
                order: "count DESC, signature", limit: limit, on: connection)
        }
    }

    /// How many groups were fixed and are back.
    package func regressedGroups(extraction: String) async throws -> Int {
        try await pool.query(
            "SELECT count(*) AS n FROM strangler.mismatch_groups WHERE extraction = $1 AND state = 'regressed'",
            [.text(KeyText.extraction(extraction))]
        ).first?.int("n") ?? 0
    }

    /// The group whose signature begins with `prefix`, and its examples, oldest first. Nil if there is none.
    /// - Throws: `AmbiguousSignature` if there are several.
    package func group(
        signaturePrefix prefix: String
    ) async throws -> (group: MismatchGroup, examples: [MismatchExample])? {
        let found = try await pool.transaction { connection in
            try Self.groups(
                where: "starts_with(signature, $1)", .text(prefix), order: "signature = $1 DESC, signature", limit: 5,
                on: connection)
        }
        guard let group = found.first else { return nil }
        guard !prefix.isEmpty, found.count == 1 || group.signature == prefix else {
            throw AmbiguousSignature(prefix: prefix, candidates: found.map(\.signature))
        }
        let examples = try await pool.query(
            """
            SELECT at, differences, request, primary_answer, shadow_answer FROM strangler.mismatch_examples
            WHERE signature = $1 ORDER BY at, id
            """, [.text(group.signature)]
        ).map(Self.example)
        return (group, examples)
    }

    /// Records what a reviewer decided, in the group's history too; nil if there is no such group. `signature` is the
    /// whole one.
    package func setGroupState(
        _ signature: String, _ state: GroupState, actor: String, reason: String?, at: Date
    ) async throws -> MismatchGroup? {
        try await pool.transaction { connection in
            try connection.query(
                """
                UPDATE strangler.mismatch_groups
                SET state = $2, state_changed_by = $3, state_changed_why = $4, state_changed_at = $5 WHERE signature = $1
                """,
                [.text(signature), .text(state.rawValue), .text(actor), .text(optional: reason), .timestamp(at)])
            return try Self.groups(
                where: "signature = $1", .text(signature), order: "signature", limit: 1, on: connection
            ).first
        }
    }

    /// Oldest first; empty if nobody ever decided about it. `signature` is the whole one.
    package func groupHistory(_ signature: String) async throws -> [GroupChange] {
        try await pool.query(
            """
            SELECT at, actor, from_state, to_state, reason FROM strangler.group_history WHERE signature = $1 ORDER BY id
            """, [.text(signature)]
        ).map { row in
            GroupChange(
                at: try row.timestamp("at"), actor: try row.text("actor"),
                from: try row.optionalText("from_state").map(Self.groupState),
                to: try Self.groupState(try row.text("to_state")), reason: try row.optionalText("reason"))
        }
    }

    /// The groups that fulfil a condition on `$1`, at most `limit`, each with the pairs that were compared at its
    /// endpoint since the minute in which it was first seen.
    ///
    /// Per group, the rest of its first hour is looked up minute by minute; later hours are added up once per endpoint,
    /// whatever the number of its groups, as sums from each hour to the newest.
    private static func groups(
        where condition: String, _ value: PostgresValue, order: String, limit: Int,
        on connection: isolated PostgresConnection
    ) throws -> [MismatchGroup] {
        let sql = """
            WITH picked AS MATERIALIZED (
                SELECT *, date_trunc('hour', first_seen) AS first_hour FROM strangler.mismatch_groups
                WHERE \(condition) ORDER BY \(order) LIMIT $2
            ), hours AS MATERIALIZED (
                SELECT extraction, endpoint, date_trunc('hour', bucket) AS hour, sum(count) AS compared
                FROM strangler.verdict_counts
                WHERE extraction = ANY (ARRAY(SELECT extraction FROM picked GROUP BY 1))
                    AND endpoint = ANY (ARRAY(SELECT endpoint FROM picked GROUP BY 1))
                    AND bucket >= (SELECT min(first_hour) FROM picked) AND verdict = ANY ($3::text[])
                GROUP BY 1, 2, 3
            ), sums AS MATERIALIZED (
                SELECT extraction, endpoint, hour,
                    sum(compared) OVER (PARTITION BY extraction, endpoint ORDER BY hour DESC) AS compared,
                    lag(hour, 1, '-infinity') OVER (PARTITION BY extraction, endpoint ORDER BY hour) AS hour_before
                FROM hours
            )
            SELECT signature, picked.extraction, picked.endpoint, state, count, differences, first_seen, last_seen,
                state_changed_at, state_changed_by, state_changed_why,
                (coalesce(sums.compared, 0) + coalesce((
                    SELECT sum(v.count) FROM strangler.verdict_counts v
                    WHERE v.extraction = picked.extraction AND v.endpoint = picked.endpoint
                        AND v.verdict = ANY ($3::text[]) AND v.bucket >= date_trunc('minute', first_seen)
                        AND v.bucket < first_hour + interval '1 hour'
                ), 0))::bigint AS endpoint_compared
            FROM picked LEFT JOIN sums ON sums.extraction = picked.extraction AND sums.endpoint = picked.endpoint
                AND sums.hour > first_hour AND sums.hour_before <= first_hour
            ORDER BY \(order)
            """
        // The planner cannot know how few hours there are, and would sort a million rows on disk.
        try connection.query("SET LOCAL work_mem = '64MB'")
        return try connection.query(sql, [value, .int(max(0, limit)), comparedVerdicts]).map(group)
    }

    private static func group(_ row: PostgresRows.Row) throws -> MismatchGroup {
        MismatchGroup(
            signature: try row.text("signature"), extraction: try row.text("extraction"),
            endpoint: try row.text("endpoint"), state: try groupState(try row.text("state")),
            count: try row.int("count"),
            differences: try StoredJSON.value([GroupedDifference].self, try row.text("differences")),
            firstSeen: try row.timestamp("first_seen"), lastSeen: try row.timestamp("last_seen"),
            stateAt: try row.optionalTimestamp("state_changed_at"),
            stateBy: try row.optionalText("state_changed_by"), stateWhy: try row.optionalText("state_changed_why"),
            endpointCompared: try row.int("endpoint_compared"))
    }

    private static func groupState(_ text: String) throws(PostgresError) -> GroupState {
        guard let state = GroupState(rawValue: text) else {
            throw PostgresError(.decoding, "unknown state of a mismatch group: \(text)")
        }
        return state
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
