package import Comparison
package import Foundation
import Logging
import PostgresClient

extension PostgresStore: EvidenceStore {
    /// One transaction of at most four statements, however much happened.
    ///
    /// Rows are written in the order of their keys, so that replicas that store the same keys at once wait for each
    /// other instead of locking each other out.
    package func record(_ batch: EvidenceBatch, at: Date) async throws {
        guard !batch.isEmpty else { return }
        let verdicts = VerdictRows(batch.counts)
        let fallbacks = FallbackRows(batch.fallbacks)
        let groups = GroupRows(batch.mismatchCounts)
        let examples = exampleRows(batch.examples)
        let limit = exampleLimit
        let refused = try await pool.transaction { connection in
            try verdicts.insert(at: at, on: connection)
            try fallbacks.insert(at: at, on: connection)
            try groups.insert(on: connection)
            return try Self.insert(examples, limit: limit, on: connection)
        }
        if let refused { logger.warning("examples that Postgres refused were left out: \(refused)") }
        if batch.mismatchesUngrouped > 0 {
            logger.warning(
                "\(batch.mismatchesUngrouped) mismatches were counted without a group: too many groups at once")
        }
    }

    package func noise() async throws -> [NoiseScope: NoiseTally] { [:] }

    private func exampleRows(_ records: [MismatchRecord]) -> [ExampleRow] {
        records.compactMap { record in
            do {
                return try ExampleRow(record)
            } catch {
                logger.warning("an example of \(record.signature.hex) cannot be written as JSON: \(error)")
                return nil
            }
        }
    }

    /// An example that Postgres refuses costs itself, not the counters beside it: all at once first, and if that
    /// fails each by itself. Returns the last refusal.
    private static func insert(
        _ rows: [ExampleRow], limit: Int, on connection: isolated PostgresConnection
    ) throws -> PostgresError? {
        guard !rows.isEmpty, limit > 0 else { return nil }
        if try attempt(rows, limit: limit, on: connection) == nil { return nil }
        var refused: PostgresError?
        for row in rows {
            if let error = try attempt([row], limit: limit, on: connection) { refused = error }
        }
        return refused
    }

    private static func attempt(
        _ rows: [ExampleRow], limit: Int, on connection: isolated PostgresConnection
    ) throws(PostgresError) -> PostgresError? {
        try connection.query("SAVEPOINT examples")
        do throws(PostgresError) {
            try ExampleRow.insert(rows, limit: limit, on: connection)
            try connection.query("RELEASE SAVEPOINT examples")
            return nil
        } catch {
            // Only what is wrong with the rows themselves: SQLSTATE class 22 is data, 23 is constraints, 54 is limits.
            guard let state = error.sqlState, ["22", "23", "54"].contains(state.prefix(2)) else { throw error }
            try connection.query("ROLLBACK TO SAVEPOINT examples")
            return error
        }
    }
}

/// What goes into a key is cut to a length that an index takes (a third of a page, 2704 bytes, for all columns
/// together): request methods and failure reasons come from outside.
enum KeyText {
    static func extraction(_ text: String) -> String { cut(text, to: 256) }
    static func endpoint(_ text: String) -> String { cut(text, to: 1024) }
    static func reason(_ text: String) -> String { cut(text, to: 256) }

    /// At most `limit` bytes of UTF-8, as Postgres will get them (NUL takes three there); what is cut ends in `…`.
    static func cut(_ text: String, to limit: Int) -> String {
        let size = { (scalar: Unicode.Scalar) in scalar.value == 0 ? 3 : scalar.utf8.count }
        var total = 0
        guard
            text.unicodeScalars.contains(where: {
                total += size($0); return total > limit
            })
        else { return text }
        var kept = String.UnicodeScalarView()
        var length = 3
        for scalar in text.unicodeScalars {
            length += size(scalar)
            if length > limit { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }
}
