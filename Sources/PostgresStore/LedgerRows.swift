import DualWrite
import Extraction
import Foundation
import PostgresClient

/// Columns of `strangler.writes` as the arrays of one statement. No id may be in it twice.
struct LedgerRows: Sendable {
    /// Extractions, endpoints, reasons and entities, each once: few differ, and arrays of numbers are short.
    private var texts: [String] = []
    private var places: [String: Int64] = [:]
    private var ids: [String?] = []
    private var extraction: [Int64] = []
    private var endpoint: [Int64] = []
    private var lane: [Int64] = []
    private var sequence: [Int64] = []
    private var primary: [Int64] = []
    private var answered: [Int64] = []
    private var state: [Int64] = []
    private var isRetried: [Int64] = []
    private var attempts: [Int64] = []
    private var primaryStatus: [Int64] = []
    private var otherStatus: [Int64] = []
    private var reason: [Int64] = []
    private var entity: [Int64] = []
    private var received: [Int64] = []
    private var payload: [String?] = []
    private var hasPayload = false

    /// Milliseconds since 1970, of the year 9999.
    private static let latest: Int64 = 253_402_300_000_000

    init(_ rows: some Sequence<LedgerRow>) {
        for row in rows {
            ids.append(row.id.description)
            extraction.append(place(KeyText.extraction(row.extraction)))
            endpoint.append(place(KeyText.endpoint(row.endpoint)))
            lane.append(Int64(bitPattern: row.lane))
            sequence.append(Int64(clamping: row.sequence))
            primary.append(Self.code(row.primary))
            answered.append(Self.code(row.answeredBy))
            state.append(Int64(LedgerRow.State.allCases.firstIndex(of: row.state) ?? 0) + 1)
            isRetried.append(row.isRetried ? 1 : 0)
            attempts.append(Int64(Int32(clamping: max(0, row.attempts))))
            primaryStatus.append(Int64(Int32(clamping: row.primaryStatus ?? 0)))
            otherStatus.append(Int64(Int32(clamping: row.otherStatus ?? 0)))
            // What once went wrong is no reason any more.
            let isThere = row.state == .delivered || row.state == .settled
            reason.append(isThere ? 0 : place(row.reason.map(KeyText.reason)))
            entity.append(place(row.entity.map(KeyText.endpoint)))
            received.append(min(max(0, row.receivedAt), Self.latest))
            let bytes = row.state == .dead || row.state == .uncertain ? row.payload : nil
            payload.append(bytes.map(Self.base64))
            hasPayload = hasPayload || bytes != nil
        }
    }

    /// From 1 on; 0 for nil.
    private mutating func place(_ text: String?) -> Int64 {
        guard let text else { return 0 }
        if let known = places[text] { return known }
        texts.append(text)
        let place = Int64(texts.count)
        places[text] = place
        return place
    }

    private static func code(_ side: Side?) -> Int64 { side.map { $0 == .monolith ? 1 : 2 } ?? 0 }
    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    var parameters: [PostgresValue] {
        [
            .textArray(texts), .textArray(ids), .intArray(extraction), .intArray(endpoint), .intArray(lane),
            .intArray(sequence), .intArray(primary), .intArray(answered), .intArray(state), .intArray(isRetried),
            .intArray(attempts), .intArray(primaryStatus), .intArray(otherStatus), .intArray(reason),
            .intArray(entity), .intArray(received), hasPayload ? .textArray(payload) : .textArray([]),
        ]
    }

    /// See `statement`. Places in `$1` where it says `text`, 0 for null.
    static let rows = """
        SELECT id, ($1::text[])[extraction] AS extraction, ($1::text[])[endpoint] AS endpoint, lane, sequence,
            \(side("primary_side")) AS primary_side, \(side("answered_by")) AS answered_by,
            \(states)[state] AS state, is_retried = 1 AS is_retried, attempts::integer AS attempts,
            nullif(primary_status, 0)::integer AS primary_status, nullif(other_status, 0)::integer AS other_status,
            ($1::text[])[reason] AS reason, ($1::text[])[entity] AS entity,
            to_timestamp(received / 1000.0) AS received_at, decode(payload, 'base64') AS payload
        FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                $15::bigint[], $16::bigint[], $17::text[])
            AS row (id, extraction, endpoint, lane, sequence, primary_side, answered_by, state, is_retried, attempts,
                primary_status, other_status, reason, entity, received, payload)
        """

    private static func side(_ column: String) -> String { "(ARRAY['monolith', 'service'])[\(column)]" }
    private static let states =
        "(ARRAY[" + LedgerRow.State.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ") + "])"
}
