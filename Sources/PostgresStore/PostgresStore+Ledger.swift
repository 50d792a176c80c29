package import DualWrite
import Extraction
import Foundation
import PostgresClient

// What comes out of the spools.
//
// A drain that was interrupted begins again at its cursor, so the same rows come again, and older ones after newer ones. A
// row is therefore merged, and the end is the same in whatever order and however often its parts come:
//
// - Within one sequence of one spool a row only moves on: `intent`, `accepted`, `delivered`, then `dead` or `uncertain`,
//   or `settled` or `refused`; at the same state, to more attempts.
// - Delivered again by a person, it has another sequence, perhaps on another machine, and begins anew: that sequence takes
//   over, and what is said of those before counts no more.
// - What a person has settled stays settled.
extension PostgresStore {
    /// Rows and bytes of payload of one statement.
    private static let rowsOfStatement = 2_000
    private static let bytesOfStatement = 4 << 20

    /// Files what was folded from a spool's records; in one round trip for a few thousand rows. May be interrupted
    /// anywhere and said again.
    ///
    /// - Parameter spool: names the data folder, over restarts.
    /// - Returns: how many rows were new or have moved on.
    @discardableResult
    package func file(writes rows: [LedgerRow], spool: String) async throws -> Int {
        var changed = 0
        for batch in Self.batches(rows) {
            changed += try await ledger.query(
                Self.filing, batch.parameters + [.text(KeyText.extraction(spool))]
            ).affected
        }
        return changed
    }

    /// In the order of the rows as far as it matters: one id is in a batch once, what comes later of it in a later one.
    /// Within a batch by id, so that replicas that file the same do not lock each other out.
    private static func batches(_ rows: [LedgerRow]) -> [LedgerRows] {
        var batches: [LedgerRows] = []
        var batch: [WriteID: LedgerRow] = [:]
        var bytes = 0
        func end() {
            guard !batch.isEmpty else { return }
            let sorted = batch.values.sorted { ($0.id.high, $0.id.low) < ($1.id.high, $1.id.low) }
            batches.append(LedgerRows(sorted))
            batch.removeAll(keepingCapacity: true)
            bytes = 0
        }
        for row in rows {
            if batch[row.id] != nil || batch.count >= rowsOfStatement || bytes >= bytesOfStatement { end() }
            batch[row.id] = row
            bytes += row.payload?.count ?? 0
        }
        end()
        return batches
    }

    private static let filing = """
        INSERT INTO strangler.writes AS known (id, extraction, endpoint, lane, sequence, spool, primary_side, answered_by,
            state, is_retried, attempts, primary_status, other_status, reason, entity, received_at, payload)
        SELECT id, extraction, endpoint, lane, sequence, $18, primary_side, answered_by,
            state, is_retried, attempts, primary_status, other_status, reason, entity, received_at, payload
        FROM (\(LedgerRows.rows)) AS filed
        ON CONFLICT (id) DO UPDATE SET
            sequence = CASE WHEN \(takesOver) THEN excluded.sequence ELSE known.sequence END,
            spool = CASE WHEN \(takesOver) THEN excluded.spool ELSE known.spool END,
            superseded = CASE WHEN \(takesOver) THEN known.superseded || \(mark("known")) ELSE known.superseded END,
            is_retried = known.is_retried OR excluded.is_retried,
            attempts = CASE WHEN \(takesOver) THEN excluded.attempts
                ELSE greatest(known.attempts, excluded.attempts) END,
            state = CASE WHEN \(takesOver) OR \(movesOn) THEN excluded.state ELSE known.state END,
            reason = CASE WHEN \(takesOver) OR \(movesOn) THEN excluded.reason ELSE known.reason END,
            \(merged("answered_by")), \(merged("primary_status")), \(merged("other_status")), \(merged("entity")),
            payload = CASE
                WHEN \(takesOver) OR \(movesOn) THEN
                    CASE WHEN excluded.state IN ('dead', 'uncertain') THEN coalesce(excluded.payload, known.payload) END
                WHEN known.state IN ('dead', 'uncertain') THEN coalesce(known.payload, excluded.payload) END,
            changed_at = now()
        WHERE \(mark("excluded")) <> ALL (known.superseded) AND (\(takesOver) OR \(movesOn) OR \(fills))
        """

    private static func mark(_ row: String) -> String { "(\(row).spool || '/' || \(row).sequence)" }

    private static let isSame = "(excluded.spool = known.spool AND excluded.sequence = known.sequence)"

    /// Only where it is not among the superseded.
    private static let takesOver = """
        (NOT \(isSame) AND known.state NOT IN ('settled', 'refused') AND (
            known.sequence < 0 OR (excluded.spool = known.spool AND excluded.sequence > known.sequence)
            OR (excluded.is_retried AND known.state IN ('dead', 'uncertain'))))
        """

    private static let movesOn = """
        (\(isSame) AND (\(rank("excluded")), excluded.attempts) > (\(rank("known")), known.attempts))
        """

    private static func rank(_ row: String) -> String {
        """
        CASE \(row).state WHEN 'intent' THEN 0 WHEN 'accepted' THEN 1 WHEN 'delivered' THEN 2
            WHEN 'dead' THEN 3 WHEN 'uncertain' THEN 3 ELSE 4 END
        """
    }

    private static let fills =
        "(\(isSame) AND ("
        + ["answered_by", "primary_status", "other_status", "entity"].map {
            "known.\($0) IS NULL AND excluded.\($0) IS NOT NULL"
        }.joined(separator: " OR ")
        + " OR known.state IN ('dead', 'uncertain') AND known.payload IS NULL AND excluded.payload IS NOT NULL))"

    /// The later word first, and either where the other says nothing.
    private static func merged(_ column: String) -> String {
        """
        \(column) = CASE WHEN \(takesOver) OR \(movesOn) THEN coalesce(excluded.\(column), known.\(column))
            ELSE coalesce(known.\(column), excluded.\(column)) END
        """
    }
}
