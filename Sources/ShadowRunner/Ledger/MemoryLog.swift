internal import DualWrite
internal import Synchronization

/// Stands in where there is no spool: keeps what is needed in memory, so it does not survive the process.
final class MemoryLog: LedgerLog {
    private struct State {
        var records: [LogPosition: [UInt8]] = [:]
        var retained: [LogPosition: Int] = [:]
        var next: UInt32 = 0
    }

    private let state = Mutex(State())

    func append(
        _ record: [UInt8], essential: Bool, _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void
    ) {
        let position = state.withLock { state in
            state.next &+= 1
            return LogPosition(segment: 0, offset: state.next)
        }
        // Whoever appends knows what he has appended; only what is retained is read again.
        state.withLock { $0.records[position] = record }
        done(.success(position))
        state.withLock { state in
            if state.retained[position] == nil { state.records[position] = nil }
        }
    }

    func read(_ position: LogPosition, _ done: @escaping @Sendable (Result<[UInt8], LogRefusal>) -> Void) {
        let record = state.withLock { $0.records[position] }
        done(record.map { .success($0) } ?? .failure(.damaged))
    }

    func retain(_ position: LogPosition) { state.withLock { $0.retained[position, default: 0] += 1 } }

    func release(_ position: LogPosition) {
        state.withLock { state in
            guard let count = state.retained[position] else { return }
            state.retained[position] = count > 1 ? count - 1 : nil
            if count == 1 { state.records[position] = nil }
        }
    }
}
