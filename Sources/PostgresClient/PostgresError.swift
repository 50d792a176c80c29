/// What went wrong between us and Postgres, with a message that fits on one line of a log.
package struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Nobody answers at the address, or the server turned the connection away.
        case refused
        /// The connection was there and is gone; whether the last statement took effect is unknown.
        case connectionLost
        /// The server did not answer in time; the connection has been given up.
        case timedOut
        /// `close()` was called before.
        case closed
        /// The server refused a statement, with this five-character SQLSTATE (PostgreSQL manual, appendix A).
        case sqlState(String)
        /// A column is absent, null or not of the type that was asked for.
        case decoding
        /// The caller's value cannot be sent, e.g. a database name with a quote in it.
        case invalidArgument
        /// No PostgreSQL server programs on this machine.
        case notInstalled
        /// The private server could not be set up, started or kept.
        case serverFailed
    }

    package let code: Code
    /// One line, without a trailing full stop.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = Self.oneLine(message)
    }

    package var description: String { message }

    /// The SQLSTATE, if the server sent one.
    package var sqlState: String? {
        if case .sqlState(let state) = code { state } else { nil }
    }

    /// True if the same call may succeed when it is made again. For `connectionLost` and `timedOut` a statement that
    /// writes may have taken effect, so only an idempotent one may be repeated.
    package var isRetryable: Bool {
        switch code {
        case .refused, .connectionLost, .timedOut: true
        case .sqlState(let state): Self.retryableStates.contains(state)
        case .closed, .decoding, .invalidArgument, .notInstalled, .serverFailed: false
        }
    }

    /// Serialization failure, deadlock, too many connections, read-only transaction, the three kinds of shutdown.
    private static let retryableStates: Set<String> = ["40001", "40P01", "53300", "25006", "57P01", "57P02", "57P03"]

    /// True if the server behind the connection is of no more use: it is about to end, or takes no changes (any more), as
    /// a primary that has become a standby. Whoever connects anew may find another one.
    var endsConnection: Bool {
        switch code {
        case .sqlState(let state): state.hasPrefix("08") || Self.endingStates.contains(state)
        case .connectionLost, .timedOut, .closed: true
        case .refused, .decoding, .invalidArgument, .notInstalled, .serverFailed: false
        }
    }

    /// Read-only transaction, the three kinds of shutdown.
    private static let endingStates: Set<String> = ["25006", "57P01", "57P02", "57P03"]

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline)
            .map { line in
                var line = line
                while line.first?.isWhitespace == true { line.removeFirst() }
                while line.last?.isWhitespace == true { line.removeLast() }
                return String(line)
            }
            .filter { !$0.isEmpty }
            .joined(separator: "; ")
    }
}
