package import DualWrite
import Extraction
import Foundation
import PostgresClient

// What comes out of the spools.
//
// A drain that was interrupted begins again at its cursor, so the same rows come again, and older ones after newer ones; and
// what one spool began, another goes on with. A row is therefore merged, and the end is the same in whatever order and
// however often its parts come:
//
// - Within one sequence a row only moves on: `intent`, `accepted`, `delivered`, then `dead` or `uncertain`, or `settled` or
//   `refused`; at the same state, to more attempts.
// - Delivered again by a person, perhaps on another machine, it has a higher sequence and begins anew: that one takes over,
//   and what is said of those before counts no more.
// - What a person has settled stays settled.
extension PostgresStore {
    /// Rows and bytes of payload of one statement.
    private static let rowsOfStatement = 2_000
    private static let bytesOfStatement = 4 << 20

    /// Files what was folded from a spool's records; in one round trip for a few thousand rows. May be interrupted
    /// anywhere and said again.
    ///
    /// - Parameters:
    ///   - spool: whose records they are of.
    ///   - isFiling: called after each statement: whoever fails after that has filed a part.
    /// - Returns: how many rows were new or have moved on.
    @discardableResult
    package func file(
        writes rows: [LedgerRow], spool: String, isFiling: @Sendable () -> Void = {}
    ) async throws -> Int {
        var changed = 0
        for batch in Self.batches(rows) {
            changed += try await ledger.query(
                Self.filing, batch.parameters + [.text(KeyText.extraction(spool))]
            ).affected
            isFiling()
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
            sequence = excluded.sequence,
            spool = \(later("spool")),
            is_retried = known.is_retried OR excluded.is_retried,
            attempts = CASE WHEN \(takesOver) THEN excluded.attempts
                ELSE greatest(known.attempts, excluded.attempts) END,
            state = \(later("state")),
            reason = \(later("reason")),
            \(merged("answered_by")), \(merged("primary_status")), \(merged("other_status")), \(merged("entity")),
            payload = CASE WHEN \(later("state")) IN ('dead', 'uncertain') THEN
                CASE WHEN \(isLater) THEN coalesce(excluded.payload, known.payload)
                    ELSE coalesce(known.payload, excluded.payload) END END,
            changed_at = now()
        WHERE \(isLater) OR \(fills)
        """

    private static let takesOver =
        "(excluded.sequence > known.sequence AND known.state NOT IN ('settled', 'refused'))"

    private static let movesOn = """
        (excluded.sequence = known.sequence
            AND (\(rank("excluded")), excluded.attempts) > (\(rank("known")), known.attempts))
        """

    private static let isLater = "(\(takesOver) OR \(movesOn))"

    private static func rank(_ row: String) -> String {
        """
        CASE \(row).state WHEN 'intent' THEN 0 WHEN 'accepted' THEN 1 WHEN 'delivered' THEN 2
            WHEN 'dead' THEN 3 WHEN 'uncertain' THEN 3 ELSE 4 END
        """
    }

    private static let fills =
        "(excluded.sequence = known.sequence AND ("
        + ["answered_by", "primary_status", "other_status", "entity"].map {
            "known.\($0) IS NULL AND excluded.\($0) IS NOT NULL"
        }.joined(separator: " OR ")
        + " OR known.state IN ('dead', 'uncertain') AND known.payload IS NULL AND excluded.payload IS NOT NULL))"

    private static func later(_ column: String) -> String {
        "CASE WHEN \(isLater) THEN excluded.\(column) ELSE known.\(column) END"
    }

    /// The later word first, and either where the other says nothing.
    private static func merged(_ column: String) -> String {
        """
        \(column) = CASE WHEN \(isLater) THEN coalesce(excluded.\(column), known.\(column))
            ELSE coalesce(known.\(column), excluded.\(column)) END
        """
    }
}
