import Comparison
package import Extraction
package import Foundation
import PostgresClient

// What gates and guards judge by, summed over replicas.
extension PostgresStore {
    /// What a guard judges by in the time from `since` on. `since` as for `traffic`.
    package func guardSpan(extraction: String, since: Date) async throws -> GuardEvidence.Span {
        let compared = try await comparisons(extraction: extraction, since: since, on: guarding)
        return GuardEvidence.Span(
            endpoints: try await traffic(extraction: extraction, since: since, on: guarding),
            differing: compared.compactMapValues { $0.compared > 0 ? Share($0.differing, of: $0.compared) : nil })
    }

    /// What gates look at, by endpoint in the order of their names, with the waivers that are in force: also of endpoints
    /// that nothing is known of but that. `since` as for `verdictSummary`.
    package func gateEvidence(extraction: String, since: Date) async throws -> [EndpointEvidence] {
        var evidence = try await comparisons(extraction: extraction, since: since, on: pool)
        for (subject, waiver) in try await waiversInForce(extraction: extraction)
        where GapSubject(subject) == nil {
            evidence[subject, default: EndpointEvidence(endpoint: subject)].waiver = waiver
        }
        return evidence.values.sorted { $0.endpoint < $1.endpoint }
    }

    /// Mismatches of groups that were fixed are left out altogether.
    private func comparisons(
        extraction: String, since: Date, on pool: PostgresPool
    ) async throws -> [String: EndpointEvidence] {
        let rows = try await pool.query(
            """
            WITH counted AS (
                SELECT endpoint, verdict, reason, sum(count)::bigint AS count FROM strangler.verdict_counts
                WHERE extraction = $1 AND bucket >= $2 GROUP BY endpoint, verdict, reason
            )
            SELECT endpoint, verdict, CASE verdict WHEN 'mismatch' THEN coalesce(state, '') ELSE reason END AS reason,
                sum(count)::bigint AS count
            FROM counted
            LEFT JOIN (SELECT signature, state FROM strangler.mismatch_groups WHERE state IN ('accepted', 'fixed')) AS known
                ON verdict = 'mismatch' AND signature = reason
            GROUP BY 1, 2, 3
            """, [.text(KeyText.extraction(extraction)), .timestamp(since)])
        return try rows.reduce(into: [:]) { evidence, row in
            // A verdict of a newer version is no reason to show nothing.
            guard let verdict = Verdict(rawValue: try row.text("verdict")) else { return }
            let endpoint = try row.text("endpoint")
            evidence[endpoint, default: EndpointEvidence(endpoint: endpoint)]
                .add(verdict, reason: try row.text("reason"), count: try row.int("count"))
        }
    }
}

extension EndpointEvidence {
    /// - Parameter reason: of a mismatch, the state of its group if that is accepted or fixed.
    fileprivate mutating func add(_ verdict: Verdict, reason: String, count: Int) {
        switch (verdict, reason) {
        case (.match, _), (.transient, _): compared += count
        case (.mismatch, GroupState.fixed.rawValue): break
        case (.mismatch, GroupState.accepted.rawValue):
            compared += count
            accepted += count
        case (.mismatch, _):
            compared += count
            differing += count
        case (.shadowFailed, _): shadowFailed += count
        case (.notCompared, NotComparedReason.shed.rawValue): shed += count
        case (.primaryFailed, _): primaryFailed += count
        // Nobody wanted them compared; the primary refused the write, so there was nothing to bring to the other side.
        case (.notCompared, NotComparedReason.notSampled.rawValue),
            (.notCompared, NotComparedReason.writeRejected.rawValue):
            break
        case (.notCompared, _): notCompared[reason, default: 0] += count
        }
    }
}
