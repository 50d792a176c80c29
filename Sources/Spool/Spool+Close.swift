import Dispatch
import Logging
import Synchronization

extension Spool {
    /// Takes no more records, waits until those that wait are on disk and answered, and gives the directory free. Blocks,
    /// and must not be called from an append's answer.
    package func close() {
        guard stopAppending(when: { _ in true }) else { return }
        writeCursor()
        letGo()
        files.close(lock)
    }

    /// Closes the spool and removes its directory, if everything in it has been drained, nothing is retained, and no gap is
    /// left to file. Blocks.
    /// - Returns: false if something is left; the spool is as it was then.
    package func remove() throws(SpoolError) -> Bool {
        guard stopAppending(when: { $0.isDrained && $0.gaps.isEmpty }) else { return false }
        letGo()
        defer { files.close(lock) }
        try system { () throws(SystemFailure) in
            // The cursor first: without it what is left is read once more, with it segments would be missed.
            try removeIfThere(paths.cursor)
            try files.syncDirectory(directory)
            let names = try files.names(in: directory)
            for number in names.compactMap(SegmentHeader.number(inFileName:)).sorted() {
                try removeIfThere(paths.segment(number))
            }
            for path in [paths.gaps, paths.reserve, paths.id, paths.id + ".new", paths.lock] { try removeIfThere(path) }
            try files.removeDirectory(directory)
        }
        return true
    }

    private func removeIfThere(_ path: String) throws(SystemFailure) {
        do throws(SystemFailure) {
            try files.remove(path)
        } catch {
            if !error.isAbsent { throw error }
        }
    }

    /// False if it is closed already, or the condition does not hold.
    private func stopAppending(when condition: (SpoolState) -> Bool) -> Bool {
        let stops = state.withLock { state in
            guard !state.isClosed, condition(state) else { return false }
            state.isClosed = true
            return true
        }
        guard stops else { return false }
        // Behind whatever was asked for before.
        writing.sync { commitWaiting() }
        reading.sync {}
        deleting.sync {}
        return true
    }

    /// Closes every file but the lock.
    private func letGo() {
        writer.withLock { writer in
            if let active = writer.active { files.close(active.file) }
            writer.active = nil
        }
        readers.withLock { $0.close { _ in true } }
        drainReaders.withLock { $0.close { _ in true } }
        cursor.withLock { $0.close() }
        gapFile.withLock { $0.close() }
        reserve.withLock { $0.close() }
    }
}
