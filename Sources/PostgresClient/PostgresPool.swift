/// A few connections to one database, shared by callers in turn.
///
/// Reconnects by itself. While the server is away every call fails at once with the last error, and the server is
/// tried again only after a growing pause, so that a dead Postgres costs its callers nothing but the error.
package actor PostgresPool {
    private let connectionString: String
    private let options: PostgresOptions
    private let size: Int

    private var idle: [PostgresConnection] = []
    private var inUse = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var firstWaiter = 0
    private var isClosed = false

    private var lastFailure: PostgresError?
    private var retryAt = ContinuousClock.now
    private var pause = PostgresPool.firstPause

    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    /// Connects on first use. `size` is the number of connections, at least 1.
    package init(_ connectionString: String, size: Int, options: PostgresOptions = PostgresOptions()) {
        self.connectionString = connectionString
        self.options = options
        self.size = max(1, size)
    }

    /// Lends a connection to `body`; waits for one if all are lent.
    package func withConnection<Result: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await acquire()
        do {
            let result = try await body(connection)
            await release(connection)
            return result
        } catch {
            await release(connection)
            throw error
        }
    }

    @discardableResult
    package func query(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        try await withConnection { try await $0.query(sql, parameters) }
    }

    /// See `PostgresConnection.transaction`.
    package func transaction<Result: Sendable>(
        _ body: @escaping @Sendable (isolated PostgresConnection) throws -> Result
    ) async throws -> Result {
        try await withConnection { try await $0.transaction(body) }
    }

    /// Closes the idle connections now and the lent ones when they come back; later calls throw `.closed`.
    package func close() async {
        isClosed = true
        let closing = idle
        idle = []
        wakeAll()
        for connection in closing { await connection.close() }
    }

    private func acquire() async throws(PostgresError) -> PostgresConnection {
        while inUse >= size && !isClosed {
            await withCheckedContinuation { waiters.append($0) }
        }
        guard !isClosed else { throw PostgresError(.closed, "the connections to Postgres are closed") }
        inUse += 1
        while let connection = idle.popLast() {
            if await connection.isUsable { return connection }
        }
        do throws(PostgresError) {
            return try await connect()
        } catch {
            inUse -= 1
            wakeOne()
            throw error
        }
    }

    private func connect() async throws(PostgresError) -> PostgresConnection {
        if let lastFailure, ContinuousClock.now < retryAt { throw lastFailure }
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(connectionString, options: options)
            lastFailure = nil
            pause = Self.firstPause
            return connection
        } catch {
            lastFailure = error
            retryAt = .now.advanced(by: pause)
            pause = min(pause * 2, Self.longestPause)
            throw error
        }
    }

    private func release(_ connection: PostgresConnection) async {
        if isClosed {
            await connection.close()
        } else if await connection.isUsable {
            idle.append(connection)
        }
        inUse -= 1
        wakeOne()
    }

    /// The queue's used front is cut off only now and then, so a long queue costs no more per caller than a short one.
    private func wakeOne() {
        guard firstWaiter < waiters.count else { return }
        let next = waiters[firstWaiter]
        firstWaiter += 1
        if firstWaiter > 64 && firstWaiter * 2 > waiters.count {
            waiters.removeFirst(firstWaiter)
            firstWaiter = 0
        }
        next.resume()
    }

    private func wakeAll() {
        let waiting = waiters[firstWaiter...]
        waiters = []
        firstWaiter = 0
        for waiter in waiting { waiter.resume() }
    }
}
