import Dispatch
package import DualWrite
import Logging
import Synchronization

/// The ledger's files: an append-only log in segments, in one directory that one process has at a time.
///
/// It answers for: a record that was reported durable is read again after any crash, in order, until it has been drained and
/// released; nothing is read that was not written; whatever is not as it was written stops the opening, with a report, but
/// for a torn tail. It does not know what the records say.
///
/// - One thread writes: it takes all records that wait, writes them at once, syncs once, and answers them in order. When it
///   does so says ``GroupCommit``.
/// - After a write or sync that failed nothing is written any more: what is on disk is not known, and a second `fsync` would
///   succeed although the first one's pages are lost (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
/// - Segments go from the oldest on, when they have been drained, nothing in them or before is retained, and the cursor
///   that says so is on disk.
package final class Spool: LedgerLog {
    package let directory: String
    package let id: SpoolID
    package let options: SpoolOptions
    /// What opening has found.
    package let recovery: SpoolRecovery

    let paths: SpoolPaths
    let files: any SpoolFiles
    let logger: Logger
    let state: Mutex<SpoolState>
    /// Of the writing thread; its lock is held during a whole commit and taken by nobody else but `close`.
    let writer: Mutex<SpoolWriter>
    /// Of whoever drains or deletes.
    let cursor: Mutex<SlotFile>
    let gapFile: Mutex<SlotFile>
    let reserve: Mutex<SpoolReserve>
    let readers: Mutex<SegmentReaders>
    let drainReaders: Mutex<SegmentReaders>
    let lock: Int32

    let writing = DispatchQueue(label: "spool.write")
    /// Wakes the writing thread from a pause that an intent has nothing to gain from.
    let hurry = DispatchSemaphore(value: 0)
    let reading = DispatchQueue(label: "spool.read")
    let deleting = DispatchQueue(label: "spool.delete")

    init(
        paths: SpoolPaths, id: SpoolID, options: SpoolOptions, files: any SpoolFiles, logger: Logger, lock: Int32,
        recovery: SpoolRecovery, state: consuming sending SpoolState, writer: consuming sending SpoolWriter,
        cursor: consuming sending SlotFile,
        gapFile: consuming sending SlotFile, reserve: consuming sending SpoolReserve
    ) {
        directory = paths.directory
        self.paths = paths
        self.id = id
        self.options = options
        self.files = files
        self.logger = logger
        self.lock = lock
        self.recovery = recovery
        self.state = Mutex(state)
        self.writer = Mutex(writer)
        self.cursor = Mutex(cursor)
        self.gapFile = Mutex(gapFile)
        self.reserve = Mutex(reserve)
        readers = Mutex(SegmentReaders(paths: paths, files: files, id: id, key: options.key))
        drainReaders = Mutex(SegmentReaders(paths: paths, files: files, id: id, key: options.key))
    }

    // MARK: Appending

    package func append(
        _ record: [UInt8], essential: Bool, _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void
    ) {
        append(record, done) { _ in essential ? .freeing : .ordinary }
    }

    package func append(
        _ record: [UInt8], about intent: LogPosition,
        _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void
    ) {
        append(record, done) { $0.urgency(about: intent) }
    }

    private func append(
        _ record: [UInt8], _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void,
        _ urgency: (SpoolState) -> SpoolUrgency
    ) {
        guard record.count <= options.effectiveRecordLimit else { return done(.failure(.tooLarge)) }
        let size = FrameHeader.size + record.count + (options.key == nil ? 0 : SegmentCipher.overhead)
        let now = ContinuousClock.now
        let (refusal, next, looks) = state.withLock { state in
            let looks = state.shortage != .none && state.freeIsStale(now)
            let urgency = urgency(state)
            if let refusal = state.refusal(of: size, urgency, options) {
                state.figures.refusedRecords += 1
                // One look is asked for, not one by each record.
                if looks { state.freeSeen = now }
                return (LogRefusal?.some(refusal), SpoolState.Next.nothing, looks)
            }
            let waiting = SpoolState.Waiting(record: record, urgency: urgency, done: done, size: size)
            return (nil, state.add(waiting), false)
        }
        if let refusal {
            if looks { writing.async { self.lookAtFreeSpace(always: true) } }
            return done(.failure(refusal))
        }
        switch next {
        case .nothing: break
        case .begin: writing.async { self.commitWaiting() }
        case .hurry: hurry.signal()
        }
    }

    // MARK: Standing

    package var usage: SpoolUsage {
        state.withLock { state in
            let standing: SpoolUsage.State =
                if let failure = state.failure {
                    .failed(failure)
                } else if state.shortage != .none {
                    .noSpace
                } else if state.segmentBytes + state.waitingBytes + FrameHeader.size > options.quota {
                    .full
                } else {
                    .ok
                }
            let drainedSegments = Int(state.drained.segment - min(state.first, state.drained.segment))
            let before = state.sizes.prefix(drainedSegments).reduce(0, +) + Int(state.drained.offset)
            return SpoolUsage(
                state: standing, bytes: state.segmentBytes, quota: options.quota, segments: state.sizes.count,
                oldestSegment: state.sizes.isEmpty ? 0 : state.first, free: state.free == .max ? nil : state.free,
                waitingBytes: state.waitingBytes, waitingRecords: state.waiting.count,
                undrainedBytes: max(0, state.segmentBytes - before), figures: state.figures)
        }
    }

    /// Everything before has been drained, by what is on disk.
    package var drained: LogPosition { state.withLock { $0.drained } }

    /// Where the next record will be read from, at the earliest: everything before is on disk.
    package var durable: LogPosition { state.withLock { $0.durable } }

    /// True if every record has been drained and nothing is needed: the directory can be given up.
    package var isDrained: Bool {
        state.withLock { $0.isDrained }
    }

    /// Records that something failed for good: from now on nothing is taken.
    func fail(_ failure: String) {
        let isFirst = state.withLock { state in
            defer { state.failure = state.failure ?? failure }
            return state.failure == nil
        }
        if isFirst {
            logger.critical(
                "the spool takes nothing any more until a restart",
                metadata: ["spool": "\(directory)", "failure": "\(failure)"])
        }
    }
}
