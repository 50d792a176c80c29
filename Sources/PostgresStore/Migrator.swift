package import Logging
import PostgresClient
package import ShadowSchema

/// Brings a database's `strangler` schema to the version that this program needs.
///
/// Replicas start at the same time, so all of it happens under one advisory lock: the first does the work, the others
/// wait and find it done. Each migration is one transaction, so a failed one leaves the version before it.
package struct Migrator: Sendable {
    package let migrations: [Migration]
    private let logger: Logger

    package init(migrations: [Migration] = ShadowSchema.migrations, logger: Logger) {
        self.migrations = migrations
        self.logger = logger
    }

    /// Any number that nobody else locks by in this database; ASCII "strangle".
    private static let lockNumber: Int64 = 0x7374_7261_6E67_6C65

    /// Milliseconds: waiting for another replica's migration counts as a statement.
    private static let patience = 300_000

    /// - Throws: `PostgresError`. A migration that differs from what was applied under its number is
    ///   `.invalidArgument` and names it.
    package func migrate(_ connectionString: String) async throws {
        let connection = try await PostgresConnection.connect(
            connectionString,
            options: PostgresOptions(statementTimeout: Self.patience, applicationName: "strangler-migrator"))
        do {
            try await connection.query("SELECT pg_advisory_lock($1)", [.int(Self.lockNumber)])
            try await connection.execute(script: Self.bootstrap)
            for migration in migrations.sorted(by: { $0.number < $1.number }) {
                let isNew = try await connection.transaction { try Self.apply(migration, on: $0) }
                if isNew { logger.info("applied migration \(migration.name)") }
            }
        } catch {
            await connection.close()
            throw error
        }
        // Ends the session, and with it the lock.
        await connection.close()
    }

    private static let bootstrap = """
        CREATE SCHEMA IF NOT EXISTS strangler;
        CREATE TABLE IF NOT EXISTS strangler.schema_migrations (
            number     integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        """

    /// False if it was there already.
    private static func apply(_ migration: Migration, on connection: isolated PostgresConnection) throws -> Bool {
        let checksum = try connection.query(
            "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex') AS checksum", [.text(migration.sql)]
        ).first?.text("checksum")
        let applied = try connection.query(
            "SELECT name, checksum FROM strangler.schema_migrations WHERE number = $1", [.int(migration.number)])
        if let row = applied.first {
            guard try row.text("checksum") == checksum, try row.text("name") == migration.name else {
                throw PostgresError(
                    .invalidArgument,
                    "migration \(migration.name) is not what was applied to this database as \(try row.text("name")): "
                        + "an applied migration must not be changed")
            }
            return false
        }
        try connection.execute(script: migration.sql)
        try connection.query(
            "INSERT INTO strangler.schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
            [.int(migration.number), .text(migration.name), .text(optional: checksum)])
        return true
    }
}
