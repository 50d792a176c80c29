import PostgresClient
import ShadowSchema

/// The database's schema is not the one that this program knows, and a statement failed over it. Nothing was changed.
package struct SchemaMismatch: Error, Sendable, Equatable, CustomStringConvertible {
    /// The newest migration that was applied; nil in a database without a schema of ours.
    package let found: Int?
    package let needed: Int

    package var description: String {
        guard let found else { return "this database has no schema of Strangler: is it the right one?" }
        let both = "the database's schema is version \(found), this program's \(needed)"
        return found < needed
            ? "\(both): start one proxy of this version, which updates it, or use the program that the proxies run"
            : "\(both): use the program that the proxies run"
    }
}

extension PostgresStore {
    /// The newest migration that was applied; nil in a database without a schema of ours.
    package func schemaVersion() async throws -> Int? {
        do {
            let rows = try await control.query(
                "SELECT coalesce(max(number), 0) AS number FROM strangler.schema_migrations")
            return try rows.first?.int("number")
        } catch let error as PostgresError where Self.schemaStates.contains(error.sqlState ?? "") {
            return nil
        }
    }

    /// For who comes without having migrated: a command that goes straight to the store.
    func explainingSchema<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError
            where error.code == .decoding || Self.schemaStates.contains(error.sqlState ?? "")
        {
            let needed = migrations.map(\.number).max() ?? 0
            guard let found = try? await schemaVersion() as Int?? else { throw error }
            guard found != needed else { throw error }
            throw SchemaMismatch(found: found, needed: needed)
        }
    }

    /// Undefined table, column, function and schema; type mismatch; violated NOT NULL and CHECK.
    private static let schemaStates: Set<String> = [
        "42P01", "42703", "42883", "3F000", "42804", "23502", "23514",
    ]
}
