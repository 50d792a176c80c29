import CLibPQ
import Glibc

/// How a connection behaves towards a server that does not answer.
package struct PostgresOptions: Sendable, Hashable {
    /// Seconds until connecting fails; libpq's smallest is 2.
    package var connectTimeout: Int
    /// Milliseconds after which the server itself gives up a statement.
    package var statementTimeout: Int
    /// The server is given this many milliseconds more than its own limit before we hang up: what stops a server that
    /// is frozen, and so cannot keep its limit, from holding the caller for ever.
    package var grace: Int
    /// Seconds of silence after which the kernel asks whether the server's host is there; three seconds later it is not.
    package var keepalive: Int
    /// Shown in `pg_stat_activity`.
    package var applicationName: String

    package init(
        connectTimeout: Int = 5, statementTimeout: Int = 10_000, grace: Int = 2000, keepalive: Int = 10,
        applicationName: String = "strangler"
    ) {
        self.connectTimeout = max(2, connectTimeout)
        self.statementTimeout = max(1, statementTimeout)
        self.grace = max(1, grace)
        self.keepalive = max(1, keepalive)
        self.applicationName = applicationName
    }

    /// For statements that take no time unless something is wrong: at most 3 seconds each, 2 to connect to each host.
    package static let brief = PostgresOptions(connectTimeout: 2, statementTimeout: 2000, grace: 1000, keepalive: 2)

    /// Milliseconds after which we hang up.
    var deadline: Int { statementTimeout &+ grace }
}

/// One connection to Postgres. All calls are synchronous inside the actor, which has a thread of its own, so a sequence
/// of calls made in one isolated function (`transaction`) is never interleaved with another caller's.
///
/// Answers for: deadlines, errors as values, the life of the `PGconn`. Does not reconnect: `PostgresPool` does.
package actor PostgresConnection {
    /// `PQfinish` runs when the last reference goes, so also when the actor itself is dropped.
    final class Handle {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { PQfinish(pointer) }
    }

    var handle: Handle?
    let options: PostgresOptions
    private let executor: BlockingExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(options: PostgresOptions) {
        self.options = options
        executor = BlockingExecutor(label: "strangler.postgres.connection")
    }

    /// Connects to a libpq connection string: `postgres://…` or `host=… dbname=…` (PostgreSQL manual 34.1.1). What the
    /// string does not say about time-outs and keep-alives comes from `options`.
    package static func connect(
        _ connectionString: String, options: PostgresOptions = PostgresOptions()
    ) async throws(PostgresError) -> PostgresConnection {
        let connection = PostgresConnection(options: options)
        try await connection.open(connectionString)
        return connection
    }

    /// False after `close()`, inside a transaction that somebody left open, or when the server is known to have gone.
    /// Asks the kernel, not the server.
    package var isUsable: Bool {
        guard let handle else { return false }
        guard PQconsumeInput(handle.pointer) == 1, PQstatus(handle.pointer) == CONNECTION_OK,
            PQtransactionStatus(handle.pointer) == PQTRANS_IDLE
        else {
            self.handle = nil
            return false
        }
        return true
    }

    /// Runs one statement with its parameters as `$1`, `$2`, …
    @discardableResult
    package func query(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> PostgresRows {
        let connection = try opened()
        guard parameters.count <= 65_535 else {
            throw PostgresError(
                .invalidArgument, "a statement has at most 65535 parameters, this has \(parameters.count)")
        }
        let sent = EncodedParameters(parameters).withPointers { pointers in
            PQsendQueryParams(connection, sql, Int32(pointers.count), nil, pointers, nil, nil, 0)
        }
        guard sent == 1 else { throw lost() }
        return try rows(of: finish())
    }

    /// Runs a script of any number of statements; the values in it are its author's, never a user's.
    package func execute(script: String) throws(PostgresError) {
        let connection = try opened()
        guard PQsendQuery(connection, script) == 1 else { throw lost() }
        _ = try finish()
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws. `body` is synchronous, so
    /// nothing else can slip into the transaction.
    package func transaction<Result: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws -> Result
    ) throws -> Result {
        try query("BEGIN")
        do {
            let result = try body(self)
            let tag = try commandTag("COMMIT")
            // A body that swallowed a failed statement's error would otherwise believe that its work is kept.
            guard tag == "COMMIT" else {
                throw PostgresError(.sqlState("25P02"), "the transaction had failed and was rolled back")
            }
            return result
        } catch {
            _ = try? query("ROLLBACK")
            throw error
        }
    }

    /// Says good-bye to the server; every later call throws `.closed`.
    package func close() {
        handle = nil
    }

    private func open(_ connectionString: String) throws(PostgresError) {
        // libpq's own message about a string that it cannot read quotes it, password included.
        guard let parsed = PQconninfoParse(connectionString, nil) else {
            throw PostgresError(
                .invalidArgument, "the Postgres connection string cannot be read: expected postgres://…")
        }
        PQconninfoFree(parsed)
        let settings = [
            ("connect_timeout", String(options.connectTimeout)),
            ("application_name", options.applicationName),
            ("client_encoding", "UTF8"),
            ("keepalives", "1"), ("keepalives_idle", String(options.keepalive)), ("keepalives_interval", "1"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String(options.deadline)),
            // Of several hosts the one that takes changes, wherever it has moved to.
            ("target_session_attrs", "read-write"),
            // Expanded last, so that what the user wrote wins.
            ("dbname", connectionString),
        ]
        let encoded = EncodedParameters(settings.flatMap { [.text($0.0), .text($0.1)] })
        let pointer = encoded.withPointers { pointers in
            var keywords = stride(from: 0, to: pointers.count, by: 2).map { pointers[$0] }
            var values = stride(from: 1, to: pointers.count, by: 2).map { pointers[$0] }
            keywords.append(nil)
            values.append(nil)
            return PQconnectdbParams(keywords, values, 1)
        }
        guard let pointer else { throw PostgresError(.refused, "out of memory while connecting to Postgres") }
        let handle = Handle(pointer)
        guard PQstatus(pointer) == CONNECTION_OK else {
            throw PostgresError(.refused, "cannot connect to Postgres: \(Self.message(pointer))")
        }
        // libpq prints notices to stderr by itself.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        PQsetnonblocking(pointer, 1)
        self.handle = handle
        try query(
            """
            SELECT set_config('statement_timeout', $1, false), set_config('timezone', 'UTC', false),
                   set_config('datestyle', 'ISO, YMD', false)
            """,
            [.text(String(options.statementTimeout))])
    }

    private func commandTag(_ sql: String) throws(PostgresError) -> String {
        guard PQsendQuery(try opened(), sql) == 1 else { throw lost() }
        guard let tag = PQcmdStatus(try finish().pointer) else { return "" }
        return String(cString: tag)
    }
}
