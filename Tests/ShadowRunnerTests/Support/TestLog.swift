import DualWrite
import Synchronization

/// A ledger's log in memory that is slow, full or broken as a test wants it, and outlives its runner.
final class TestLog: LedgerLog {
    typealias Done = @Sendable (Result<LogPosition, LogRefusal>) -> Void

    private struct State {
        var records: [[UInt8]] = []
        var waiting: [(record: [UInt8], done: Done)] = []
        var isHeld = false
        var refusal: LogRefusal?
        var refusesAll = false
        var retained: [LogPosition: Int] = [:]
        var reads = 0
        var refused = 0
    }

    private let state = Mutex(State())

    func append(_ record: [UInt8], essential: Bool, _ done: @escaping Done) {
        let result: Result<LogPosition, LogRefusal>? = state.withLock { state in
            if let refusal = state.refusal, state.refusesAll || !essential {
                state.refused += 1
                return .failure(refusal)
            }
            if state.isHeld {
                state.waiting.append((record, done))
                return nil
            }
            return .success(TestLog.write(record, &state))
        }
        if let result { done(result) }
    }

    private static func write(_ record: [UInt8], _ state: inout State) -> LogPosition {
        state.records.append(record)
        return LogPosition(segment: 1, offset: UInt32(state.records.count - 1))
    }

    func read(_ position: LogPosition, _ done: @escaping @Sendable (Result<[UInt8], LogRefusal>) -> Void) {
        done(
            state.withLock { state in
                state.reads += 1
                let place = Int(position.offset)
                return state.records.indices.contains(place) ? .success(state.records[place]) : .failure(.damaged)
            })
    }

    func retain(_ position: LogPosition) { state.withLock { $0.retained[position, default: 0] += 1 } }

    func release(_ position: LogPosition) {
        state.withLock { state in
            let count = state.retained[position, default: 0] - 1
            state.retained[position] = count == 0 ? nil : count
        }
    }

    // MARK: What tests do and see

    /// As another process has left it.
    func add(_ record: LedgerRecord) { state.withLock { _ = TestLog.write(record.encoded, &$0) } }

    /// Nothing reaches the disk until `letGo`.
    func hold() { state.withLock { $0.isHeld = true } }

    func letGo() {
        let done = state.withLock { state in
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting.map { waiting in (waiting.done, TestLog.write(waiting.record, &state)) }
        }
        for (done, position) in done { done(.success(position)) }
    }

    func refuse(_ refusal: LogRefusal?, all: Bool = false) {
        state.withLock { state in
            state.refusal = refusal
            state.refusesAll = all
        }
    }

    var waiting: Int { state.withLock { $0.waiting.count } }
    var retained: Int { state.withLock { $0.retained.count } }
    var refused: Int { state.withLock { $0.refused } }
    var reads: Int { state.withLock { $0.reads } }

    var records: [LedgerRecord] { state.withLock { $0.records }.compactMap { LedgerRecord($0) } }

    /// `intent`, `outcome`, … of each record.
    var kinds: [LedgerRecord.Kind] { records.map(\.kind) }

    /// Of each write in order of arrival, where it stands.
    var states: [LedgerRow.State] {
        var fold = LedgerFold()
        for record in records { _ = fold.add(record.encoded) }
        return fold.take().map(\.state)
    }

    var rows: [LedgerRow] {
        var fold = LedgerFold()
        for record in records { _ = fold.add(record.encoded) }
        return fold.take()
    }

    /// Everything on it, for a runner that begins.
    func recovery() -> LedgerRecovery {
        var recovery = LedgerRecovery()
        for (place, record) in state.withLock({ $0.records }).enumerated() {
            _ = recovery.add(record, at: LogPosition(segment: 1, offset: UInt32(place)), origin: 0)
        }
        return recovery
    }

    /// As after a restart: nothing is retained any more.
    func forgetRetained() { state.withLock { $0.retained = [:] } }
}
