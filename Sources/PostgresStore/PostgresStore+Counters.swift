package import Comparison
package import Extraction
package import Foundation
import PostgresClient

// Questions about what is counted beside the verdicts.
extension PostgresStore {
    /// What part of each endpoint's traffic was compared, by endpoint. `since` as for `verdictSummary`.
    package func coverage(extraction: String, since: Date?) async throws -> [EndpointCoverage] {
        let rows = try await pool.query(
            """
            WITH counted AS (
                SELECT endpoint, status_class, verdict, reason, sum(count)::bigint AS count
                FROM strangler.verdict_counts WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2)
                GROUP BY endpoint, status_class, verdict, reason
            ) \(Self.withAccepted("endpoint, status_class, verdict"))
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since)])
        var coverage: [String: EndpointCoverage] = [:]
        for row in rows {
            // A verdict of a newer version is no reason to show nothing.
            guard let verdict = Verdict(rawValue: try row.text("verdict")) else { continue }
            let (endpoint, reason, count) = (try row.text("endpoint"), try row.text("reason"), try row.int("count"))
            let accepted = try row.int("accepted")
            var known = coverage[endpoint] ?? EndpointCoverage(endpoint: endpoint)
            known.statusClasses[try row.int("status_class"), default: VerdictCounts()]
                .add(verdict, reason: reason, count: count, accepted: accepted)
            known.total.add(verdict, reason: reason, count: count, accepted: accepted)
            coverage[endpoint] = known
        }
        return coverage.values.sorted { $0.endpoint < $1.endpoint }
    }

    /// Pairs of answers that were judged. `since` as for `verdictSummary`.
    package func comparedPairs(extraction: String, since: Date?) async throws -> Int {
        let rows = try await pool.query(
            """
            SELECT coalesce(sum(count), 0)::bigint AS count FROM strangler.verdict_counts
            WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) AND verdict = ANY ($3)
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since), Self.comparedVerdicts])
        return try rows.first?.int("count") ?? 0
    }

    static let comparedVerdicts = PostgresValue.textArray([Verdict.match, .mismatch, .transient].map(\.rawValue))

    /// How long both sides took. Buckets are minutes for a day and hours after that; both begin anew where the current
    /// stage was entered, so that `since` is exact for that time.
    package func latencies(extraction: String, since: Date?) async throws -> [LatencyKey: LatencyHistogram] {
        let rows = try await pool.query(
            """
            SELECT endpoint, side, \(LatencyHistogram.total("counts")) AS counts
            FROM strangler.latency_histograms
            WHERE extraction = $1 AND ($2::timestamptz IS NULL OR bucket >= $2) GROUP BY endpoint, side
            """,
            [.text(KeyText.extraction(extraction)), .timestamp(optional: since)])
        return try rows.reduce(into: [:]) { latencies, row in
            guard let side = ComparedSide(rawValue: try row.text("side")) else { return }
            latencies[LatencyKey(extraction: extraction, endpoint: try row.text("endpoint"), side: side)] =
                LatencyHistogram(list: try row.text("counts"))
        }
    }

    /// What each rule has hidden, by ``RuleKey/rule``, over all days that are kept.
    package func ruleHits(extraction: String) async throws -> [String: RuleTally] {
        let rows = try await pool.query(
            """
            SELECT rule, sum(pairs)::bigint AS pairs, sum(differences)::bigint AS differences, max(last_at) AS last_at
            FROM strangler.rule_hits WHERE extraction = $1 GROUP BY rule
            """, [.text(KeyText.extraction(extraction))])
        return try rows.reduce(into: [:]) { hits, row in
            hits[try row.text("rule")] = RuleTally(
                pairs: try row.int("pairs"), differences: try row.int("differences"), last: try row.timestamp("last_at")
            )
        }
    }

    /// What was lost on the UTC day of `since` or later; nil for all days that are kept. Kinds without a loss are absent.
    package func losses(since: Date?) async throws -> [EvidenceLoss: Int] {
        let rows = try await pool.query(
            """
            SELECT kind, sum(count)::bigint AS count FROM strangler.evidence_losses
            WHERE $1::date IS NULL OR day >= $1 GROUP BY kind HAVING sum(count) > 0
            """, [.text(optional: since.map(UTCDay.text))])
        return try rows.reduce(into: [:]) { losses, row in
            guard let kind = EvidenceLoss(rawValue: try row.text("kind")) else { return }
            losses[kind] = try row.int("count")
        }
    }

    /// Of the last seven UTC days, today among them. Bounded whatever is in the table: the endpoints compared most, as
    /// many as a ``NoiseModel`` has places for, and of each the fields that twins show most, then the others.
    package func noise() async throws -> [NoiseScope: NoiseTally] {
        try await noise(asOf: Date())
    }

    func noise(asOf now: Date) async throws -> [NoiseScope: NoiseTally] {
        let sql = """
            WITH scopes AS MATERIALIZED (
                SELECT extraction, endpoint, side FROM strangler.noise_counts WHERE day > $1::date - 7 AND path = ''
                GROUP BY 1, 2, 3 ORDER BY sum(twins) + sum(pairs) DESC, 1, 2, 3 LIMIT $2
            ), fields AS (
                SELECT extraction, endpoint, side, path, kind, sum(twins)::bigint AS twins, sum(pairs)::bigint AS pairs
                FROM strangler.noise_counts JOIN scopes USING (extraction, endpoint, side)
                WHERE day > $1::date - 7 GROUP BY 1, 2, 3, 4, 5
            ), ranked AS (
                SELECT *, row_number() OVER (
                    PARTITION BY extraction, endpoint, side, path = '' ORDER BY twins DESC, pairs DESC, path, kind) AS rank
                FROM fields
            )
            SELECT extraction, endpoint, side, path, kind, twins, pairs FROM ranked WHERE rank <= $3
            """
        let rows = try await pool.transaction { connection in
            // Before fields were limited, a storm left millions, which would be sorted on disk.
            try connection.query("SET LOCAL work_mem = '64MB'")
            return try connection.query(
                sql, [.text(UTCDay.text(now)), .int(NoiseModel.maximumScopes), .int(NoiseTally.maximumFields)])
        }
        return try rows.reduce(into: [:]) { noise, row in
            guard let side = ComparedSide(rawValue: try row.text("side")) else { return }
            let scope = NoiseScope(
                extraction: try row.text("extraction"), endpoint: try row.text("endpoint"), side: side)
            let (path, kind) = (try row.text("path"), try row.text("kind"))
            let count = NoiseCount(twins: try row.int("twins"), pairs: try row.int("pairs"))
            if path.isEmpty {
                noise[scope, default: NoiseTally()].compared.merge(count)
            } else if let kind = DifferenceKind(rawValue: kind) {
                noise[scope, default: NoiseTally()]
                    .differing[GroupedDifference(path: path, kind: kind), default: NoiseCount()].merge(count)
            }
        }
    }
}
