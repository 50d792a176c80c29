package import DualWrite
import Extraction
package import Foundation
import PostgresClient

// Lists of writes, how many wait, and what people decide about them.
extension PostgresStore {
    /// Open rows that are looked at; of more, those that wait longest. More are more than enough for every limit.
    private static let openLimit = 100_000
    private static let doneLimit = 100_000
    /// Seconds. What is younger may be done, and is filed at any moment.
    private static let settling = 10.0

    /// In the order that the filter says.
    package func writes(extraction: String, _ filter: WriteFilter = WriteFilter(), limit: Int) async throws
        -> [StoredWrite]
    {
        let direction = filter.oldestFirst ? "ASC" : "DESC"
        return try await ledger.query(
            """
            SELECT \(StoredWrite.columns) FROM strangler.writes WHERE \(Self.matching(filter))
            ORDER BY received_at \(direction), id \(direction) LIMIT $6
            """, Self.values(extraction, filter) + [.int(max(0, limit))]
        ).map { row throws(PostgresError) in try StoredWrite(row) }
    }

    /// How many ``writes(extraction:_:limit:)`` would list, counted up to `limit`.
    package func countWrites(extraction: String, _ filter: WriteFilter, limit: Int) async throws -> Int {
        try await ledger.query(
            """
            SELECT count(*) AS writes FROM (
                SELECT FROM strangler.writes WHERE \(Self.matching(filter)) LIMIT $6
            ) AS found
            """, Self.values(extraction, filter) + [.int(max(0, limit))]
        ).first?.int("writes") ?? 0
    }

    private static func matching(_ filter: WriteFilter) -> String {
        """
        extraction = $1 AND state = ANY ($2) AND ($3::text IS NULL OR endpoint = $3)
            AND ($4::timestamptz IS NULL OR (received_at, id) \(filter.oldestFirst ? ">" : "<") ($4, $5::text))
        """
    }

    private static func values(_ extraction: String, _ filter: WriteFilter) -> [PostgresValue] {
        [
            .text(KeyText.extraction(extraction)), .textArray(filter.states.map(\.rawValue)),
            .text(optional: filter.endpoint.map(KeyText.endpoint)),
            .timestamp(optional: filter.after?.receivedAt), .text(optional: filter.after?.id.description),
        ]
    }

    /// Nil if there is none, or none any more.
    package func write(_ id: WriteID) async throws -> StoredWrite? {
        try await ledger.query(
            "SELECT \(StoredWrite.columns) FROM strangler.writes WHERE id = $1", [.text(id.description)]
        ).first.map { row throws(PostgresError) in try StoredWrite(row) }
    }

    /// What gates and `status` look at.
    package func writeStanding(extraction: String) async throws -> StoredStanding {
        let rows = try await ledger.query(
            """
            SELECT state, '' AS spool, '' AS to_side, count(*) AS writes, now() AS oldest FROM strangler.writes
            WHERE extraction = $1 AND state IN ('dead', 'uncertain') GROUP BY state
            UNION ALL
            SELECT 'open', spool, to_side, count(*), min(received_at) FROM (
                SELECT spool, CASE coalesce(answered_by, primary_side) WHEN 'monolith' THEN 'service'
                    ELSE 'monolith' END AS to_side, received_at
                FROM strangler.writes
                WHERE extraction = $1 AND state IN ('intent', 'accepted', 'delivered')
                    AND received_at < now() - make_interval(secs => $2)
                ORDER BY received_at LIMIT $3
            ) AS waiting GROUP BY spool, to_side
            """,
            [.text(KeyText.extraction(extraction)), .double(Self.settling), .int(Self.openLimit)])
        return try rows.reduce(into: StoredStanding()) { standing, row in
            let writes = try row.int("writes")
            switch try row.text("state") {
            case "dead": standing.dead = writes
            case "uncertain": standing.uncertain = writes
            default:
                guard let side = Side(stored: try row.text("to_side")) else { return }
                standing.open.append(
                    StoredStanding.Open(
                        spool: try row.text("spool"), to: side, writes: writes, oldest: try row.timestamp("oldest")))
            }
        }
    }

    /// Settled among those received since then; of very many not all are counted.
    package func settledWrites(extraction: String, since: Date) async throws -> Int {
        try await ledger.query(
            """
            SELECT count(*) AS writes FROM (
                SELECT FROM strangler.writes WHERE extraction = $1 AND received_at >= $2 AND state = 'settled' LIMIT $3
            ) AS settled
            """, [.text(KeyText.extraction(extraction)), .timestamp(since), .int(Self.doneLimit)]
        ).first?.int("writes") ?? 0
    }

    /// For the guard.
    /// - Parameters:
    ///   - since: of dead and uncertain ones, when they were received.
    ///   - held: spools of proxies that are heard of, which tell themselves what they owe.
    package func guardedWrites(extraction: String, since: Date, held: Set<String>) async throws -> GuardedWrites {
        let rows = try await guarding.query(
            """
            SELECT count(*) FILTER (WHERE state = 'dead') AS dead,
                count(*) FILTER (WHERE state = 'uncertain') AS uncertain, (
                    SELECT count(*) FROM (
                        SELECT spool FROM strangler.writes
                        WHERE extraction = $1 AND state IN ('intent', 'accepted', 'delivered')
                            AND received_at < now() - make_interval(secs => $4)
                        ORDER BY received_at LIMIT $5
                    ) AS waiting WHERE spool <> ALL ($3::text[])
                ) AS lost
            FROM strangler.writes WHERE extraction = $1 AND state IN ('dead', 'uncertain') AND received_at >= $2
            """,
            [
                .text(KeyText.extraction(extraction)), .timestamp(since), .textArray(held.sorted()),
                .double(Self.settling), .int(Self.openLimit),
            ])
        guard let row = rows.first else { return GuardedWrites() }
        return GuardedWrites(
            dead: try row.int("dead"), uncertain: try row.int("uncertain"), lost: try row.int("lost"))
    }

    // MARK: Decisions

    /// Writes down what a person decided, and for `settle` carries it out.
    ///
    /// `retry` does not yet change the row: once a spool has taken the payload back, say `markReadmitted`. Whoever fails
    /// in between leaves the row as it was, with the decision on record; the write may be delivered twice then, with the
    /// same key, but is not lost.
    ///
    /// Dead and uncertain ones can be decided about; an open one only to be settled, when no proxy that is heard of holds
    /// its spool.
    ///
    /// - Parameters:
    ///   - held: spools of proxies that are heard of.
    ///   - opening: makes of a payload, for `retry`, what a spool can take. Where it throws, nothing is decided.
    /// - Returns: the payload, for `retry`.
    /// - Throws: ``WriteDecisionRefusal``, and what `opening` throws.
    @discardableResult
    package func decide(
        _ id: WriteID, _ verdict: WriteVerdict, actor: String, reason: String, held: Set<String>,
        opening: @escaping @Sendable (_ payload: [UInt8]) throws -> [UInt8] = { $0 }
    ) async throws -> [UInt8]? {
        let refused: Result<[UInt8]?, WriteDecisionRefusal> = try await ledger.transaction { connection in
            let found = try connection.query(
                """
                SELECT state, spool, received_at > now() - make_interval(secs => $2) AS is_young,
                    CASE WHEN $3 THEN encode(payload, 'base64') END AS payload
                FROM strangler.writes WHERE id = $1 FOR UPDATE
                """, [.text(id.description), .double(Self.settling), .bool(verdict == .retry)])
            guard let row = found.first else { return .failure(.unknown(id)) }
            guard let state = LedgerRow.State(rawValue: try row.text("state")) else { return .failure(.unknown(id)) }
            if WriteFilter.openStates.contains(state) {
                let spool = try row.text("spool")
                let isYoung = try row.bool("is_young")
                guard !isYoung, !held.contains(spool) else {
                    return .failure(.held(id, state, spool: spool))
                }
                guard verdict == .settle else { return .failure(.withoutPayload(id)) }
            } else if !WriteFilter.undecidedStates.contains(state) {
                return .failure(.notUndecided(id, state))
            }
            let text = try row.optionalText("payload")
            let payload = try text.flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }.map {
                try opening([UInt8]($0))
            }
            if verdict == .retry, payload == nil { return .failure(.withoutPayload(id)) }
            try connection.query(
                """
                INSERT INTO strangler.write_decisions (write_id, actor, decision, reason, extraction, endpoint)
                SELECT id, $2, $3, $4, extraction, endpoint FROM strangler.writes WHERE id = $1
                """,
                [.text(id.description), .text(KeyText.reason(actor)), .text(verdict.rawValue), .text(reason)])
            if verdict == .settle {
                try connection.query(
                    "UPDATE strangler.writes SET state = 'settled', payload = NULL, changed_at = now() WHERE id = $1",
                    [.text(id.description)])
            }
            return .success(payload)
        }
        return try refused.get()
    }

    /// A spool has a write to deliver again, under a higher sequence. The row is open from now on: what is said of the
    /// sequence before counts no more, and what that spool files of it takes over.
    /// - Returns: false if it has been filed already, perhaps as dead again, or somebody has settled the write.
    @discardableResult
    package func markReadmitted(_ id: WriteID, spool: String) async throws -> Bool {
        try await ledger.query(
            """
            UPDATE strangler.writes SET state = 'accepted', is_retried = true, attempts = 0, payload = NULL, spool = $2,
                sequence = sequence + 1, changed_at = now()
            WHERE id = $1 AND state IN ('dead', 'uncertain') AND changed_at <= (
                SELECT max(at) FROM strangler.write_decisions WHERE write_id = $1 AND decision = 'retry')
            """, [.text(id.description), .text(KeyText.extraction(spool))]
        ).affected > 0
    }
}
