package import Foundation
import PostgresClient

extension PostgresStore {
    /// A replica that seemed lost has come back with all that it had counted. What it knows to be missing of an extraction
    /// stays.
    /// - Returns: how many gaps there were.
    @discardableResult
    package func forgetGaps(replica: String) async throws -> Int {
        try await control.query(
            "DELETE FROM strangler.evidence_gaps WHERE replica = $1 AND extraction IS NULL",
            [.text(KeyText.reason(replica))]
        ).affected
    }

    /// Writes of one extraction went to one side alone, and nothing will bring them to the other. Said again of the same
    /// replica, extraction and beginning, it is the same gap: it ends at the later of both ends, and has the greater count.
    ///
    /// - Parameters:
    ///   - replica: as people know it.
    ///   - spool: the id of the log that has it, by which the next process knows the same gap; nil: by `replica`.
    ///   - reason: in a word, such as `spool-full`.
    ///   - writes: how many, since the gap began.
    /// - Returns: the gap's number.
    @discardableResult
    package func recordGap(
        extraction: String, began: Date, ended: Date, replica: String, spool: String? = nil, reason: String, writes: Int
    ) async throws -> Int64 {
        let mark = spool.map { ", spool \($0.prefix(8))" } ?? ""
        // A proxy of the version before knows one gap of a replica and beginning: two of the same microsecond get
        // different ones.
        for place in 0..<Self.gapsOfOneMoment {
            let rows = try await control.query(
                """
                INSERT INTO strangler.evidence_gaps AS known (began, ended, replica, reason, extraction)
                VALUES ($1::timestamptz + $2::bigint * interval '1 microsecond', $3, coalesce((
                        SELECT replica FROM strangler.evidence_gaps
                        WHERE $8::text <> '' AND extraction = $7 AND right(replica, length($8::text)) = $8::text
                            AND began >= $1::timestamptz AND began < $1::timestamptz + interval '1 millisecond'
                        ORDER BY id LIMIT 1
                    ), $4),
                    $5::text || ', ' || $6::bigint || CASE $6::bigint WHEN 1 THEN ' write' ELSE ' writes' END, $7)
                ON CONFLICT (replica, began) DO UPDATE SET ended = greatest(known.ended, excluded.ended),
                    reason = CASE WHEN coalesce(substring(known.reason FROM ', ([0-9]+) writes?$')::bigint, -1) < $6::bigint
                        THEN excluded.reason ELSE known.reason END
                WHERE known.extraction = excluded.extraction RETURNING id
                """,
                [
                    .timestamp(began), .int(place), .timestamp(max(began, ended)),
                    .text(KeyText.reason(replica + mark)),
                    .text(KeyText.reason(reason)), .int(max(0, writes)), .text(KeyText.extraction(extraction)),
                    .text(mark),
                ])
            if let row = rows.first { return try row.int64("id") }
        }
        throw PostgresError(.invalidArgument, "too many gaps of \(replica) begin at the same moment")
    }

    private static let gapsOfOneMoment = 1_000
}
