/// Who of several processes does something that only one may do: the one that holds an advisory lock (PostgreSQL manual,
/// Advisory Locks), on a connection of its own. When the process or its connection ends, the lock is free.
///
/// The holder may lose it at any time, so it asks ``isHeld()`` before each use. Between the answer and the use it may lose
/// it still, as with any lease: what is done under it has to be safe against a second that does the same.
/// Not through a connection pooler that lends a session per transaction.
package actor PostgresLease {
    private let connectionString: String
    private let key: Int64
    private let options: PostgresOptions
    private var connection: PostgresConnection?
    /// The server process that holds the lock for us, as far as we know; nil while we do not hold it.
    package private(set) var backend: Int?

    /// - Parameter key: any number that is used for nothing else in that database.
    package init(_ connectionString: String, key: Int64, options: PostgresOptions = .brief) {
        self.connectionString = connectionString
        self.key = key
        self.options = options
    }

    /// Tries until it is held.
    /// - Returns: the server process that holds it.
    /// - Throws: `CancellationError` only.
    package func acquire(every pause: Duration = .seconds(1)) async throws -> Int {
        while true {
            try Task.checkCancellation()
            if try await tried(), let backend { return backend }
            try await Task.sleep(for: pause)
        }
    }

    /// One try; true also if it is held already.
    package func tryAcquire() async throws(PostgresError) -> Bool {
        if await isHeld() { return true }
        let row = try await ask("SELECT pg_backend_pid() AS backend, pg_try_advisory_lock($1) AS held", [.int(key)])
            .first
        guard let row, try row.bool("held") else { return false }
        backend = try row.int("backend")
        return true
    }

    /// Asks the server; at most 3 seconds. False also if the server does not answer.
    package func isHeld() async -> Bool {
        guard backend != nil, connection != nil else { return false }
        let held = try? await ask("SELECT FROM pg_locks WHERE \(Self.isOurs) AND pid = pg_backend_pid()", [.int(key)])
        if held?.affected != 1 { backend = nil }
        return backend != nil
    }

    /// The server process that holds it now, for us or for another.
    package func holder() async throws(PostgresError) -> Int? {
        try await ask("SELECT pid FROM pg_locks WHERE \(Self.isOurs)", [.int(key)]).first?.int("pid")
    }

    /// Takes it from a holder that is alive, but hangs, by ending its connection. The server looks in the same statement
    /// whether this process still holds it: process numbers are used again.
    /// - Returns: false if that process does not hold it.
    package func terminate(backend other: Int) async throws(PostgresError) -> Bool {
        let row = try await ask(
            """
            SELECT pg_terminate_backend(pid) AS ended FROM pg_locks
            WHERE \(Self.isOurs) AND pid = $2 AND pid <> pg_backend_pid()
            """, [.int(key), .int(other)]
        ).first
        return try row?.bool("ended") ?? false
    }

    /// Free for others when this returns, unless the server does not answer: then when it notices.
    package func release() async {
        backend = nil
        guard let ended = connection else { return }
        connection = nil
        _ = try? await ended.query("SELECT pg_advisory_unlock_all()")
        await ended.close()
    }

    /// The halves of a lock's number are in two columns, and 1 says that they are (PostgreSQL manual, pg_locks).
    private static let isOurs = """
        locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = ($1::bigint >> 32) & 4294967295 AND objid::bigint = $1::bigint & 4294967295
        """

    private func tried() async throws -> Bool { (try? await tryAcquire()) ?? false }

    /// On our connection, which is made if there is none. Any failure ends it, and with it the lock.
    private func ask(_ sql: String, _ parameters: [PostgresValue]) async throws(PostgresError) -> PostgresRows {
        let asked = try await connected()
        do throws(PostgresError) {
            return try await asked.query(sql, parameters)
        } catch {
            await asked.close()
            if connection === asked {
                connection = nil
                backend = nil
            }
            throw error
        }
    }

    private func connected() async throws(PostgresError) -> PostgresConnection {
        if let connection { return connection }
        let made = try await PostgresConnection.connect(connectionString, options: options)
        // The other way round too: the server must notice that our host is gone.
        _ = try? await made.query(
            """
            SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),
                set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false)
            """)
        if let connection {
            // Somebody else was faster.
            await made.close()
            return connection
        }
        connection = made
        return made
    }
}
