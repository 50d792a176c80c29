import Dispatch
import Logging
import Synchronization

extension Spool {
    /// Of writes that were served without being written down, not yet filed: also those of the process before.
    package var gaps: [SpoolGap] { state.withLock { $0.gaps } }

    /// Writes down that writes of an extraction are served without the ledger. Never waits, and takes no space: it works on a
    /// full disk. Gaps of one extraction are one; of more than 32 extractions, the rest is one under `*`.
    ///
    /// - Parameter done: called on the writing thread: true when the gap is on disk; false if it could not be brought
    ///   there, and is known to this process only.
    package func recordGap(_ gap: SpoolGap, _ done: @escaping @Sendable (Bool) -> Void) {
        changeGaps(done) { SpoolGaps.merge(gap, into: &$0) }
    }

    /// The gaps have been filed elsewhere. Counts that came meanwhile stay.
    package func removeGaps(_ filed: [SpoolGap], _ done: @escaping @Sendable (Bool) -> Void) {
        changeGaps(done) { SpoolGaps.remove(filed, from: &$0) }
    }

    private func changeGaps(_ done: @escaping @Sendable (Bool) -> Void, _ change: (inout [SpoolGap]) -> Void) {
        let (isClosed, begins) = state.withLock { state in
            guard !state.isClosed else { return (true, false) }
            change(&state.gaps)
            state.gapWaiters.append(done)
            defer { state.isWritingGaps = true }
            return (false, !state.isWritingGaps)
        }
        if isClosed { return done(false) }
        if begins { writing.async { self.writeGaps() } }
    }

    /// One write for all changes that have come until now.
    private func writeGaps() {
        gapFile.withLock { file in
            while true {
                let taken: ([SpoolGap], [@Sendable (Bool) -> Void])? = state.withLock { state in
                    guard !state.gapWaiters.isEmpty else {
                        state.isWritingGaps = false
                        return nil
                    }
                    defer { state.gapWaiters = [] }
                    return (state.gaps, state.gapWaiters)
                }
                guard let (gaps, waiters) = taken else { return }
                var isDurable = true
                do throws(SystemFailure) {
                    try file.write(SpoolGaps.bytes(gaps))
                } catch {
                    isDurable = false
                    logger.error(
                        "a gap could not be written down", metadata: ["spool": "\(directory)", "failure": "\(error)"])
                }
                for waiter in waiters { waiter(isDurable) }
            }
        }
    }
}
