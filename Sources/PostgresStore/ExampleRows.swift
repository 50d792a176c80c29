import Comparison
import Foundation
import PostgresClient

/// One recorded pair, already JSON.
struct ExampleRow: Sendable {
    let signature: String
    let at: Date
    private let differences: String
    private let request: String
    private let primary: String
    private let shadow: String

    init(_ record: MismatchRecord) throws {
        signature = record.signature.hex
        at = record.at
        differences = try StoredJSON.text(record.differences)
        request = try StoredJSON.text(record.request)
        primary = try StoredJSON.text(record.primary)
        shadow = try StoredJSON.text(record.shadow)
    }

    fileprivate var cells: [PostgresValue] {
        [.text(signature), .timestamp(at), .text(differences), .text(request), .text(primary), .text(shadow)]
    }
}

/// The examples of one batch on their way into their partitions.
struct ExampleRows: Sendable {
    let rows: [ExampleRow]
    let limit: Int

    /// Stores those that are worth keeping, see ``ExampleSpread``. The groups were written in the same transaction, so
    /// their rows are locked, and no other replica adds to them between the look at what is there and the insertion.
    /// - Returns: how many Postgres refused, and the last refusal.
    func insert(on connection: isolated PostgresConnection) throws -> (refused: Int, last: PostgresError?) {
        guard !rows.isEmpty, limit > 0 else { return (0, nil) }
        let (added, replaced) = try chosen(on: connection)
        if !replaced.isEmpty {
            try connection.query(
                "DELETE FROM strangler.mismatch_examples WHERE signature = ANY ($1) AND id = ANY ($2)",
                [.textArray(Array(Set(added.map(\.signature)))), .intArray(replaced)])
        }
        guard !added.isEmpty else { return (0, nil) }
        // A row that Postgres refuses costs itself, not what is beside it: all at once first, else each by itself.
        if try Self.attempt(added, on: connection) == nil { return (0, nil) }
        var refusals: [PostgresError] = []
        for row in added {
            if let error = try Self.attempt([row], on: connection) { refusals.append(error) }
        }
        return (refusals.count, refusals.last)
    }

    private func chosen(
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> (added: [ExampleRow], replaced: [Int64]) {
        let positions = Dictionary(grouping: rows.indices) { rows[$0].signature }
        var stored: [String: [(at: Date, id: Int64)]] = [:]
        let known = try connection.query(
            "SELECT signature, at, id FROM strangler.mismatch_examples WHERE signature = ANY ($1)",
            [.textArray(Array(positions.keys))])
        for row in known {
            stored[try row.text("signature"), default: []].append((try row.timestamp("at"), try row.int64("id")))
        }
        var (added, replaced): ([Int], [Int64]) = ([], [])
        for (signature, positions) in positions {
            var spread = ExampleSpread(stored: stored[signature, default: []], limit: limit)
            for position in positions.sorted(by: { rows[$0].at < rows[$1].at }) {
                spread.offer(at: rows[position].at, position: position)
            }
            added += spread.added
            replaced += spread.replaced
        }
        return (added.sorted().map { rows[$0] }, replaced)
    }

    /// - Returns: what is wrong with the rows themselves; they have not been stored then.
    private static func attempt(
        _ rows: [ExampleRow], on connection: isolated PostgresConnection
    ) throws(PostgresError) -> PostgresError? {
        try connection.query("SAVEPOINT examples")
        do throws(PostgresError) {
            try connection.copyIn(
                """
                COPY strangler.mismatch_examples (signature, at, differences, request, primary_answer, shadow_answer)
                FROM STDIN
                """, rows: rows.map(\.cells))
            try connection.query("RELEASE SAVEPOINT examples")
            return nil
        } catch {
            // SQLSTATE class 22 is data, 23 is constraints (and a day without a partition), 54 is limits.
            guard let state = error.sqlState, ["22", "23", "54"].contains(state.prefix(2)) else { throw error }
            try connection.query("ROLLBACK TO SAVEPOINT examples")
            return error
        }
    }
}
