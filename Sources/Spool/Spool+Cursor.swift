import Dispatch
package import DualWrite
import Logging
import Synchronization

// What is needed, and what may go.
extension Spool {
    package func retain(_ position: LogPosition) {
        state.withLock { $0.retained[position.segment, default: 0] += 1 }
    }

    package func release(_ position: LogPosition) {
        let frees = state.withLock { state in
            guard let count = state.retained[position.segment] else { return false }
            state.retained[position.segment] = count > 1 ? count - 1 : nil
            return count == 1 && state.firstNeeded > state.first
        }
        if frees { deleting.async { self.deleteWhatIsNotNeeded() } }
    }

    /// Everything before `position` has been drained: written down on disk, then segments that nobody needs are deleted.
    /// Blocks; not for an event loop. The cursor never goes back.
    package func drained(to position: LogPosition) throws(SpoolError) {
        guard !state.withLock({ $0.isClosed }) else { throw SpoolError(.closed, "the spool \(directory) is closed") }
        try moveCursor(to: position)
    }

    private func deleteWhatIsNotNeeded() {
        guard !state.withLock({ $0.isClosed }) else { return }
        do throws(SpoolError) {
            try moveCursor(to: nil)
        } catch {
            logger.error("segments cannot be deleted", metadata: ["spool": "\(directory)", "failure": "\(error)"])
        }
    }

    /// Says what is on disk now, so that none of it can be taken for a torn tail. Without it recovery knows less.
    /// Deletes nothing: who has just opened the spool has retained nothing yet, and who closes it perhaps never did.
    func writeCursor() {
        do throws(SpoolError) {
            try moveCursor(to: nil, mayDelete: false)
        } catch {
            logger.warning("the cursor was not written", metadata: ["spool": "\(directory)", "failure": "\(error)"])
        }
    }

    /// Writes the cursor down, and deletes what it says is not needed. In this order: a crash in between leaves segments that
    /// the next opening deletes.
    private func moveCursor(to position: LogPosition?, mayDelete: Bool = true) throws(SpoolError) {
        let result: Result<Void, SpoolError> = cursor.withLock { file in
            Result { () throws(SpoolError) in
                let content = state.withLock { state in
                    var changed = state
                    changed.drained = max(state.drained, min(position ?? state.drained, state.durable))
                    return CursorContent(
                        drained: changed.drained, first: mayDelete ? changed.firstNeeded : changed.first,
                        durable: changed.durable)
                }
                try system { () throws(SystemFailure) in try file.write(content.bytes) }
                state.withLock { $0.drained = content.drained }
                while let number = state.withLock({ $0.first < content.first ? $0.first : nil }) { try delete(number) }
            }
        }
        try result.get()
    }

    /// Deletes the oldest segment. Called with the cursor's lock.
    private func delete(_ number: UInt32) throws(SpoolError) {
        readers.withLock { $0.close { $0 == number } }
        drainReaders.withLock { $0.close { $0 == number } }
        do throws(SystemFailure) {
            try files.remove(paths.segment(number))
        } catch {
            if !error.isAbsent { throw SpoolError(error) }
        }
        state.withLock { state in
            state.segmentBytes -= state.sizes.isEmpty ? 0 : state.sizes.removeFirst()
            state.first = number + 1
        }
    }
}
