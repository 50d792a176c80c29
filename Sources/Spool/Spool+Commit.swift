import Dispatch
import DualWrite
import Logging
import Synchronization

// The writing thread: takes what waits, writes, syncs, answers.
extension Spool {
    /// Bytes that are written and synced at once, unless one record is larger.
    static var commitSize: Int { 4 << 20 }

    func commitWaiting() {
        writer.withLock { writer in
            while let pause = state.withLock({ $0.pause(options) }) {
                if pause > .zero {
                    let (_, attoseconds) = pause.components
                    _ = hurry.wait(timeout: .now() + .nanoseconds(Int(attoseconds / 1_000_000_000)))
                    continue
                }
                let batch = state.withLock { $0.takeWaiting() }
                lookAtFreeSpace(always: false)
                var rest = batch[...]
                while !rest.isEmpty { commit(&rest, &writer) }
            }
        }
    }

    /// One commit: as many records as go into the segment and into one write.
    private func commit(_ rest: inout ArraySlice<SpoolState.Waiting>, _ writer: inout SpoolWriter) {
        var refusal = rest.first.flatMap { makeRoom(for: $0.size, &writer) }
        while refusal == .noSpace, yieldsRoom(&rest) {
            refusal = rest.first.flatMap { makeRoom(for: $0.size, &writer) }
        }
        guard !rest.isEmpty else { return }
        let room = options.effectiveSegmentSize - (writer.active?.end ?? 0)
        var (count, bytes) = (0, 0)
        for waiting in rest {
            guard count == 0 || bytes + waiting.size <= min(room, Self.commitSize) else { break }
            (count, bytes) = (count + 1, bytes + waiting.size)
        }
        let group = rest.prefix(count)
        rest = rest.dropFirst(count)
        let results =
            refusal.map { refusal in group.map { _ in .failure(refusal) } } ?? store(group, &writer)
        let stored = results.reduce(0) { if case .success = $1 { $0 + 1 } else { $0 } }
        state.withLock { state in
            state.waitingBytes -= bytes
            state.figures.refusedRecords += group.count - stored
        }
        for (waiting, result) in zip(group, results) { waiting.done(result) }
        // Published after the answers, so that whoever needs a record retains it before it can be drained.
        if stored > 0, let active = writer.active {
            state.withLock { $0.durable = LogPosition(segment: active.number, offset: UInt32(clamping: active.end)) }
        }
    }

    // MARK: Writing

    private func store(_ group: ArraySlice<SpoolState.Waiting>, _ writer: inout SpoolWriter) -> [Result<
        LogPosition, LogRefusal
    >] {
        let (failure, shortage, isReserveGone) = state.withLock { ($0.failure, $0.shortage, $0.isReserveGone) }
        guard failure == nil else { return group.map { _ in .failure(.failed) } }
        var least: SpoolUrgency = isReserveGone ? .freeing : shortage != .none ? .essential : .ordinary
        writing: while let lowest = group.lazy.map(\.urgency).filter({ $0 >= least }).min() {
            switch write(group, atLeast: lowest, &writer) {
            case .success(let results): return results
            // What there is room for goes to those that must not be lost.
            case .failure(.noSpace) where lowest == .ordinary: least = .essential
            case .failure(.noSpace):
                if giveUpReserve(entirely: lowest == .freeing) { continue }
                guard lowest == .essential else { break writing }
                least = .freeing
            case .failure: break writing
            }
        }
        let refusal: LogRefusal = state.withLock { $0.failure } == nil ? .noSpace : .failed
        return group.map { _ in .failure(refusal) }
    }

    /// Writes frames behind the active segment's end and syncs; either all of them are durable or none counts.
    private func write(
        _ group: ArraySlice<SpoolState.Waiting>, atLeast urgency: SpoolUrgency, _ writer: inout SpoolWriter
    ) -> Result<[Result<LogPosition, LogRefusal>], LogRefusal> {
        guard var active = writer.active else { return .failure(.failed) }
        var results: [Result<LogPosition, LogRefusal>] = []
        results.reserveCapacity(group.count)
        if writer.buffer.capacity > SpoolWriter.keptBuffer { writer.buffer = [] }
        writer.buffer.removeAll(keepingCapacity: true)
        let last = group.lastIndex { $0.urgency >= urgency }
        var written = 0
        for (place, waiting) in zip(group.indices, group) {
            guard waiting.urgency >= urgency else {
                results.append(.failure(.noSpace))
                continue
            }
            guard let offset = UInt32(exactly: active.end + writer.buffer.count),
                append(waiting.record, active, offset, endsCommit: place == last, &writer)
            else {
                fail("a record could not be encrypted or placed")
                return .failure(.failed)
            }
            results.append(.success(LogPosition(segment: active.number, offset: offset)))
            written += 1
        }
        do throws(SystemFailure) {
            try files.writeAll(active.file, at: active.end, writer.buffer)
        } catch  where error.isNoSpace {
            return .failure(takeBack(active, error))
        } catch {
            fail(error.description)
            return .failure(.failed)
        }
        let begin = ContinuousClock.now
        do throws(SystemFailure) {
            try files.sync(active.file)
        } catch {
            fail(error.description)
            return .failure(.failed)
        }
        let (seconds, attoseconds) = (ContinuousClock.now - begin).components
        let bytes = writer.buffer.count
        active.end += bytes
        writer.active = active
        writer.commit = (writer.commit + 1) % FrameHeader.commits
        state.withLock { state in
            if !state.sizes.isEmpty { state.sizes[state.sizes.count - 1] = active.end }
            state.segmentBytes += bytes
            state.figures.committed(
                records: written, bytes: bytes, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
        return .success(results)
    }

    /// One frame into the buffer.
    private func append(
        _ record: [UInt8], _ active: ActiveSegment, _ offset: UInt32, endsCommit: Bool, _ writer: inout SpoolWriter
    ) -> Bool {
        var flags: FrameHeader.Flags = endsCommit ? .endsCommit : []
        let start = writer.buffer.count
        writer.buffer.append(contentsOf: repeatElement(0, count: FrameHeader.size))
        if let cipher = active.cipher {
            guard let sealed = cipher.seal(record, at: offset) else { return false }
            flags.insert(.encrypted)
            writer.buffer += sealed
        } else {
            writer.buffer += record
        }
        let length = UInt32(clamping: writer.buffer.count - start - FrameHeader.size)
        let header = FrameHeader(length: length, flags: flags, commit: writer.commit)
        writer.buffer.withUnsafeMutableBytes { bytes in
            active.seal.seal(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), header, at: offset)
        }
        return true
    }

    /// The disk is full: what was written of a commit is cut off, durably, so that none of what is refused now appears
    /// after a crash.
    private func takeBack(_ active: ActiveSegment, _ failure: SystemFailure) -> LogRefusal {
        do throws(SystemFailure) {
            try files.truncate(active.file, to: active.end)
            try files.sync(active.file)
        } catch {
            fail("\(error), after \(failure)")
            return .failed
        }
        diskIsFull(failure)
        return .noSpace
    }

    // MARK: Segments

    /// Makes a new segment if `count` bytes do not go into the active one.
    /// - Returns: why there is no room.
    private func makeRoom(for count: Int, _ writer: inout SpoolWriter) -> LogRefusal? {
        guard state.withLock({ $0.failure }) == nil else { return .failed }
        if let active = writer.active, active.key == options.key?.id,
            active.end == SegmentHeader.size || active.end + count <= options.effectiveSegmentSize
        {
            return nil
        }
        let header = SegmentHeader(
            spool: id, number: writer.nextNumber, lengthBefore: UInt32(clamping: writer.active?.end ?? 0),
            key: options.key?.id)
        let path = paths.segment(header.number)
        let file: Int32
        do throws(SystemFailure) {
            file = try create(path)
        } catch  where error.isNoSpace {
            diskIsFull(error)
            return .noSpace
        } catch {
            // Nothing has been touched. Without descriptors, for one, the old segment may grow meanwhile.
            logger.error("no new segment", metadata: ["spool": "\(directory)", "failure": "\(error)"])
            guard let active = writer.active, active.key == options.key?.id, active.end + count <= 2 << 30 else {
                return .failed
            }
            return nil
        }
        do throws(SystemFailure) {
            try files.writeAll(file, at: 0, header.bytes)
            try files.sync(file)
            try files.syncDirectory(directory)
        } catch {
            files.close(file)
            // Left behind it would be a torn tail, which the next opening removes; here it is tried again.
            let isGone = (try? files.remove(path)) != nil
            guard error.isNoSpace, isGone else {
                fail(error.description)
                return .failed
            }
            diskIsFull(error)
            return .noSpace
        }
        if let old = writer.active { files.close(old.file) }
        writer.active = ActiveSegment(
            file: file, number: header.number, seal: FrameSeal(spool: id, segment: header.number), key: header.key,
            cipher: options.key?.cipher(of: header), end: SegmentHeader.size)
        writer.nextNumber += 1
        writer.commit = 0
        state.withLock { state in
            if state.sizes.isEmpty { state.first = header.number }
            state.sizes.append(SegmentHeader.size)
            state.segmentBytes += SegmentHeader.size
        }
        return nil
    }

    /// A file of a segment that was begun before, and could not be removed then, holds no record.
    private func create(_ path: String) throws(SystemFailure) -> Int32 {
        do throws(SystemFailure) {
            return try files.open(path, .creating)
        } catch  where error.isThere {
            try files.remove(path)
            return try files.open(path, .creating)
        }
    }

    // MARK: Space

    /// There is none for a new segment. Those that matter least are refused, or a part of the reserve is given up.
    /// - Returns: whether it can be tried again with what is left of them.
    private func yieldsRoom(_ rest: inout ArraySlice<SpoolState.Waiting>) -> Bool {
        guard let lowest = rest.lazy.map(\.urgency).min() else { return false }
        if lowest > .ordinary, giveUpReserve(entirely: lowest == .freeing) { return true }
        guard rest.contains(where: { $0.urgency > lowest }) else { return false }
        let refused = rest.filter { $0.urgency == lowest }
        rest = ArraySlice(rest.filter { $0.urgency > lowest })
        state.withLock { state in
            state.waitingBytes -= refused.reduce(0) { $0 + $1.size }
            state.figures.refusedRecords += refused.count
        }
        for waiting in refused { waiting.done(.failure(.noSpace)) }
        return true
    }

    private func giveUpReserve(entirely: Bool) -> Bool {
        let (hasRoom, isGone) = reserve.withLock { ($0.giveUp(entirely: entirely), $0.isGone) }
        guard hasRoom else { return false }
        state.withLock { $0.isReserveGone = isGone }
        logger.warning(
            "the disk is full: \(isGone ? "the last" : "a part") of what is kept for such a time is given up",
            metadata: ["spool": "\(directory)"])
        return true
    }

    private func diskIsFull(_ failure: SystemFailure) {
        let isNew = state.withLock { state in
            defer { (state.shortage, state.freeSeen) = (.disk, .now) }
            return state.shortage != .disk
        }
        if isNew { logger.error("the disk is full", metadata: ["spool": "\(directory)", "failure": "\(failure)"]) }
    }

    /// Looks at what is free on the disk, if it was not done just now.
    func lookAtFreeSpace(always: Bool) {
        let now = ContinuousClock.now
        guard always || state.withLock({ $0.freeIsStale(now) }) else { return }
        // Not knowing is no reason to refuse: the disk says itself when it is full.
        let free = (try? files.free(at: directory)) ?? .max
        let failure = reserve.withLock { reserve in
            let failure = reserve.restore(free: free)
            state.withLock { $0.freeSeen(free, floor: options.freeFloor, reserve, at: now) }
            return failure
        }
        if let failure {
            logger.error(
                "no room can be kept for when the disk is full: it goes on without",
                metadata: ["spool": "\(directory)", "failure": "\(failure)"])
        }
    }
}
