/// A few connections to one database, shared by callers in turn.
///
/// Reconnects by itself. While the server is away every call fails at once with the last error, and the server is
/// tried again only after a growing pause, so that a dead Postgres costs its callers nothing but the error. What one
/// connection shows of its server holds for the others: they are given up with it.
///
/// No call waits for ever: for its turn as long as one statement may take, then to connect for `connectTimeout` for each
/// host, then for each statement for its limit and the grace.
package actor PostgresPool {
    private let connectionString: String
    private let options: PostgresOptions
    private let size: Int

    private struct Lent {
        let connection: PostgresConnection
        let epoch: Int
    }

    private var idle: [PostgresConnection] = []
    private var inUse = 0
    private var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    /// Keys of `waiting`, those that have given up among them.
    private var queue: [Int] = []
    private var firstInQueue = 0
    private var nextTicket = 0
    private var isClosed = false
    /// Raised when a server is found to be of no more use.
    private var epoch = 0

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
        let lent = try await acquire()
        do {
            let result = try await body(lent.connection)
            await release(lent)
            return result
        } catch {
            if let failure = error as? PostgresError, failure.endsConnection { abandonServer(lent.epoch) }
            await release(lent)
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
        for turn in waiting.values { turn.resume(returning: false) }
        waiting = [:]
        for connection in closing { await connection.close() }
    }

    private func acquire() async throws(PostgresError) -> Lent {
        try await takeTurn()
        while let connection = idle.popLast() {
            let lent = Lent(connection: connection, epoch: epoch)
            if await connection.isUsable { return lent }
        }
        do throws(PostgresError) {
            let epoch = epoch
            return Lent(connection: try await connect(), epoch: epoch)
        } catch {
            passTurn()
            throw error
        }
    }

    private func takeTurn() async throws(PostgresError) {
        if !isClosed, inUse >= size {
            let ticket = nextTicket
            nextTicket += 1
            let milliseconds = options.deadline
            let patience = Task {
                guard (try? await Task.sleep(for: .milliseconds(milliseconds))) != nil else { return }
                waiting.removeValue(forKey: ticket)?.resume(returning: false)
            }
            let isOurs = await withCheckedContinuation {
                waiting[ticket] = $0
                queue.append(ticket)
            }
            patience.cancel()
            guard isOurs || isClosed else {
                throw PostgresError(
                    .timedOut, "all \(size) connections to Postgres were busy for \(milliseconds) ms")
            }
            if isOurs, isClosed { passTurn() }
        } else {
            inUse += 1
            if isClosed { passTurn() }
        }
        guard !isClosed else { throw PostgresError(.closed, "the connections to Postgres are closed") }
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

    private func release(_ lent: Lent) async {
        if isClosed || lent.epoch < epoch {
            await lent.connection.close()
        } else if await lent.connection.isUsable {
            idle.append(lent.connection)
        }
        passTurn()
    }

    /// Once for all connections that were made to it.
    private func abandonServer(_ seen: Int) {
        guard seen == epoch else { return }
        epoch += 1
        idle = []
    }

    /// To who waits longest. The queue's used front is cut off only now and then, so a long queue costs no more per
    /// caller than a short one.
    private func passTurn() {
        while firstInQueue < queue.count {
            let ticket = queue[firstInQueue]
            firstInQueue += 1
            if firstInQueue > 64 && firstInQueue * 2 > queue.count {
                queue.removeFirst(firstInQueue)
                firstInQueue = 0
            }
            if let turn = waiting.removeValue(forKey: ticket) { return turn.resume(returning: true) }
        }
        inUse -= 1
    }
}
