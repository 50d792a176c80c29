import CLibPQ
import Glibc

// Sending, waiting with a deadline, and reading results. libpq's own blocking calls wait for ever, so its
// non-blocking ones are used with poll(2).
extension PostgresConnection {
    /// A result and its `PQclear`.
    final class ResultHandle {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { PQclear(pointer) }
        var status: ExecStatusType { PQresultStatus(pointer) }
    }

    func opened() throws(PostgresError) -> OpaquePointer {
        guard let handle else { throw PostgresError(.closed, "the connection to Postgres is closed") }
        return handle.pointer
    }

    /// Flushes what was sent and reads all results; the last one is returned, the first error is thrown.
    func finish() throws(PostgresError) -> ResultHandle {
        let deadline = ContinuousClock.now.advanced(by: .milliseconds(options.deadline))
        try flush(until: deadline)
        var last: ResultHandle?
        var failure: PostgresError?
        while let result = try nextResult(until: deadline) {
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
                if failure == nil { failure = error(of: result) }
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // A COPY ends only when it is fed: the caller does that.
                return result
            default:
                break
            }
            last = result
        }
        if let failure {
            if PQstatus(try opened()) != CONNECTION_OK { throw lost(failure.message) }
            if failure.endsConnection { handle = nil }
            throw failure
        }
        guard let last else { throw lost() }
        return last
    }

    /// Waits until all that libpq holds back has been handed to the kernel.
    func flush(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        let connection = try opened()
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                // The server may be blocked writing to us while we write to it: reading is what frees it.
                try wait(for: Int16(POLLIN | POLLOUT), until: deadline)
                guard PQconsumeInput(connection) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    private func nextResult(until deadline: ContinuousClock.Instant) throws(PostgresError) -> ResultHandle? {
        let connection = try opened()
        while PQisBusy(connection) == 1 {
            try wait(for: Int16(POLLIN), until: deadline)
            guard PQconsumeInput(connection) == 1 else { throw lost() }
        }
        return PQgetResult(connection).map { ResultHandle($0) }
    }

    func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws(PostgresError) {
        let connection = try opened()
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else {
                handle = nil
                throw PostgresError(.timedOut, "Postgres did not answer within \(options.deadline) ms")
            }
            var descriptor = pollfd(fd: PQsocket(connection), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let ready = poll(&descriptor, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw lost() }
        }
    }

    /// Waits until the server has sent something, or hung up.
    func waitForInput(or wakeUp: WakeUp, milliseconds: Int) throws(PostgresError) {
        let connection = try opened()
        var descriptors = [
            pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.reading, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&descriptors, 2, Int32(clamping: milliseconds)) >= 0 || errno == EINTR else { throw lost() }
    }

    /// Gives the connection up and returns the error to throw.
    func lost(_ reason: String? = nil) -> PostgresError {
        let reason = reason ?? handle.map { Self.message($0.pointer) } ?? ""
        handle = nil
        return PostgresError(
            .connectionLost, "the connection to Postgres was lost" + (reason.isEmpty ? "" : ": \(reason)"))
    }

    func error(of result: ResultHandle) -> PostgresError {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result.pointer, Int32(code.value)).map { String(cString: $0) }
        }
        // The field codes are those of the protocol (PostgreSQL manual 55.8): C is the SQLSTATE, M the message.
        let message = field("M") ?? String(cString: PQresultErrorMessage(result.pointer))
        guard let state = field("C") else { return PostgresError(.connectionLost, message) }
        return PostgresError(.sqlState(state), "\(message) (SQLSTATE \(state))")
    }

    func rows(of result: ResultHandle) -> PostgresRows {
        let pointer = result.pointer
        let columnCount = PQnfields(pointer)
        let rowCount = PQntuples(pointer)
        let columns = (0..<columnCount).map { column in PQfname(pointer, column).map { String(cString: $0) } ?? "" }
        var cells: [String?] = []
        cells.reserveCapacity(Int(columnCount) * Int(rowCount))
        for row in 0..<rowCount {
            for column in 0..<columnCount {
                cells.append(cell(pointer, row, column))
            }
        }
        let affected = PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
        return PostgresRows(columns: columns, cells: cells, affected: affected)
    }

    private func cell(_ result: OpaquePointer, _ row: Int32, _ column: Int32) -> String? {
        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else { return nil }
        return String(cString: value)
    }

    /// The payloads of the notifications that have arrived on `channel`; does not wait for any. Those of other channels
    /// are dropped: a connection that listens does so for one purpose.
    package func takeNotifications(_ channel: String) throws(PostgresError) -> [String] {
        let connection = try opened()
        guard PQconsumeInput(connection) == 1 else { throw lost() }
        var payloads: [String] = []
        while let notification = PQnotifies(connection) {
            if String(cString: notification.pointee.relname) == channel {
                payloads.append(String(cString: notification.pointee.extra))
            }
            PQfreemem(notification)
        }
        return payloads
    }

    static func message(_ connection: OpaquePointer) -> String {
        PQerrorMessage(connection).map { String(cString: $0) } ?? "unknown error"
    }
}
