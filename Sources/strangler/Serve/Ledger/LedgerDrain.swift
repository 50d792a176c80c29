import DualWrite
import Foundation
import Logging
import PostgresClient
import PostgresStore
import ShadowRunner
import Spool
import Synchronization

/// Brings what the spools say into Postgres, in their order, again and again if need be: a spool's cursor moves on when
/// Postgres has it. Without Postgres the cursor stays, and everything else goes on.
final class LedgerDrain: Sendable {
    /// What the drain has done since the start.
    struct Figures: Sendable {
        /// Records that have been filed.
        var filed = 0
        /// Records of writes that were settled, let go of unfiled, because Postgres was away for longer than the spool has
        /// room for.
        var shed = 0
        /// Whole frames that are no record of the ledger's.
        var unreadable = 0
        var failures = 0
        /// The highest write of which Postgres may have a row that is not over.
        var filedThrough: UInt64 = 0
        /// Of what is being filed.
        var attemptedThrough: UInt64 = 0
        /// Of `shed`, what has been told of.
        var shedTold = 0
        var turn = Turn.idle
        /// The last attempt came to nothing.
        var isFailing = false
        var isMakingRoom = false

        /// Of `failures`, those of Postgres: all spools wait for it then.
        var storeFailures = 0
        /// Spools that could not be filed although Postgres is there, and until when they are left alone.
        var resting: [String: (until: ContinuousClock.Instant, pause: Duration)] = [:]

        mutating func failed(_ error: any Error, of id: String) {
            failures += 1
            // Who cannot even connect has filed nothing but what has been told; of anything else Postgres may have it.
            attempted(isFiled: (error as? PostgresError)?.code != .refused)
            if error is PostgresError || error is StoreLink.Unavailable {
                isFailing = true
                storeFailures += 1
            } else if !(error is CancellationError) {
                let pause = min((resting[id]?.pause ?? .milliseconds(500)) * 2, LedgerDrain.longestRest)
                resting[id] = (.now + pause, pause)
            }
        }

        func rests(_ id: String) -> Bool { resting[id].map { $0.until > .now } ?? false }

        mutating func attempted(isFiled: Bool) {
            if isFiled { filedThrough = max(filedThrough, attemptedThrough) }
            attemptedThrough = 0
            turn = .idle
        }
    }

    /// What the drain is at.
    enum Turn {
        case idle
        case reading
        case filing(since: ContinuousClock.Instant)
    }

    let files: LedgerFiles
    private let store: StoreLink
    private let identities: IdentityDirectory
    private let carryForward: @Sendable (_ segment: UInt32) async -> Int
    private let openWrites: @Sendable () async -> Int
    let logger: Logger
    let state = Mutex(Figures())
    /// Reading and syncing files blocks, so it has a queue of its own.
    private let queue = DispatchQueue(label: "ledger.drain")

    /// Of the quota: when so much is used, room is made.
    static let crowded = 0.75
    private static let carriedAtOnce = 10_000
    /// Of an open write: its intent and its outcome.
    private static let recordsOfOne = 2
    private static let bytesAtOnce = 8 << 20
    private static let recordsAtOnce = 10_000
    /// Of one record, at most.
    private static let bytesOfFrames = 64
    private static let pause = Duration.milliseconds(200)
    static let longestPause = Duration.seconds(5)
    /// Of one spool that is damaged, or whose key is not there.
    static let longestRest = Duration.seconds(60)

    /// - Parameter carryForward: appends open writes of the segments up to this one anew, as many as it does at a time, and
    ///   says how many they were.
    /// - Parameter openWrites: how many there are in all.
    init(
        files: LedgerFiles, store: StoreLink, identities: IdentityDirectory, logger: Logger,
        carryForward: @escaping @Sendable (_ segment: UInt32) async -> Int,
        openWrites: @escaping @Sendable () async -> Int
    ) {
        self.openWrites = openWrites
        self.carryForward = carryForward
        self.files = files
        self.store = store
        self.identities = identities
        self.logger = logger
    }

    var figures: Figures { state.withLock { $0 } }

    /// Of writes up to this one, which are older than this process, Postgres may have rows that are not over.
    func mayBeFiled(through sequence: UInt64) {
        state.withLock { $0.filedThrough = max($0.filedThrough, sequence) }
    }

    /// Until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepDraining() }
            // Beside it: while Postgres hangs, so does the drain.
            group.addTask { await self.keepRoom() }
        }
    }

    private func keepDraining() async {
        var pause = Self.pause
        while !Task.isCancelled {
            let failed = figures.storeFailures
            _ = await drainAll()
            await carryOldest()
            pause = figures.storeFailures == failed ? Self.pause : min(pause * 2, Self.longestPause)
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }

    /// - Returns: whether all that is on disk is in Postgres now.
    func drainAll() async -> Bool {
        var isDone = true
        for spool in files.adopted + [files.own] {
            guard !state.withLock({ $0.rests(spool.id.description) }) else {
                isDone = false
                continue
            }
            do {
                while try await drainSome(of: spool) {}
                state.withLock { $0.resting[spool.id.description] = nil }
                if spool !== files.own, spool.isDrained {
                    await onQueue { [files] in files.remove(spool) }
                }
            } catch {
                isDone = false
                state.withLock { $0.failed(error, of: spool.id.description) }
                switch error {
                case is StoreLink.Unavailable, is CancellationError: break
                case is PostgresError: logger.debug("the ledger is not filed for now: \(error)")
                default: logger.error("the spool \(spool.id) cannot be filed: \(error)")
                }
            }
        }
        return isDone
    }

    /// - Returns: whether it took as much as it takes at once, so that there may be more. A few records that have come
    ///   meanwhile wait for the next turn: each statement costs Postgres the same, and most writes are over by then and take
    ///   one row instead of two.
    private func drainSome(of spool: Spool) async throws -> Bool {
        let store = try store.connected()
        try await beginReading()
        let batch = try await onQueue { try Self.read(spool) }
        guard batch.count > 0 else {
            state.withLock { $0.turn = .idle }
            guard batch.next > spool.drained else { return false }
            // Behind the cursor there may be more than records: the head of a segment whose process died then, or what a
            // repair has made void. Left undrained, an adopted spool would stay for ever.
            try await onQueue { try spool.drained(to: batch.next) }
            return true
        }
        let highest = batch.rows.reduce(0) { max($0, $1.sequence) }
        state.withLock { state in
            state.attemptedThrough = highest
            state.turn = .filing(since: .now)
        }
        let conflicts = batch.pairs.isEmpty ? [] : try await store.file(pairs: batch.pairs)
        try await store.file(writes: try files.sealed(batch.rows), spool: spool.id.description) {
            self.mayBeFiled(through: highest)
        }
        try await onQueue { try spool.drained(to: batch.next) }
        for (extraction, pairs) in Dictionary(grouping: batch.pairs, by: \.extraction) {
            identities.filed(
                pairs.map(\.pair), conflicts: conflicts.filter { $0.extraction == extraction }, extraction: extraction)
        }
        let shed = state.withLock { state in
            state.filed += batch.count
            state.unreadable += batch.unreadable
            state.attempted(isFiled: true)
            state.isFailing = false
            defer { state.shedTold = state.shed }
            return state.shed - state.shedTold
        }
        if shed > 0 {
            logger.warning("Postgres is back; \(shed) records of settled writes were let go of meanwhile, unlisted")
        }
        return batch.isFull
    }

    /// What is about to be let go of must not be read: it would be filed by halves.
    private func beginReading() async throws {
        while state.withLock({ state in
            if !state.isMakingRoom { state.turn = .reading }
            return state.isMakingRoom
        }) {
            try await Task.sleep(for: Self.pause)
        }
    }

    private struct Batch {
        var rows: [LedgerRow] = []
        var pairs: [LearnedPair] = []
        var count = 0
        var unreadable = 0
        var isFull = false
        var next: LogPosition
    }

    private static func read(_ spool: Spool) throws -> Batch {
        let (records, next) = try spool.records(
            from: spool.drained, bytes: Self.bytesAtOnce, records: Self.recordsAtOnce)
        var batch = Batch(next: next)
        var fold = LedgerFold()
        for (_, record) in records where !fold.add(record) { batch.unreadable += 1 }
        batch.rows = fold.take()
        batch.count = records.count
        batch.isFull =
            records.count >= Self.recordsAtOnce
            || records.reduce(0) { $0 + $1.record.count } >= Self.bytesAtOnce - Self.bytesOfFrames * records.count
        for row in batch.rows {
            batch.pairs += row.pairs.map { LearnedPair(extraction: row.extraction, pair: $0, write: row.id) }
        }
        return batch
    }

    // MARK: Room

    /// A few writes that wait for days must not keep all the segments since. Where they are a small part of what they keep,
    /// they are written down anew, and the old segments go.
    private func carryOldest() async {
        let usage = files.own.usage
        guard Double(usage.bytes) > Self.crowded * Double(usage.quota), files.own.drained.segment > usage.oldestSegment
        else { return }
        // Where most of the spool is writes that wait, writing them down anew frees nothing.
        let perRecord = usage.figures.appendedBytes / max(1, usage.figures.appendedRecords)
        guard await openWrites() * perRecord * Self.recordsOfOne < usage.bytes / 2 else { return }
        var left = Self.carriedAtOnce
        while left > 0, !Task.isCancelled, files.own.usage.oldestSegment == usage.oldestSegment {
            let carried = await carryForward(usage.oldestSegment)
            guard carried > 0 else { return }
            left -= carried
        }
    }

    /// What must not be lost of the segments from the cursor's to the one before `last`, some megabytes of them; and where to
    /// go on. The disk is asked for a commit and a cursor once for all of it: it may be what is slow.
    static func sort(_ spool: Spool, before last: UInt32, filedThrough: UInt64) throws -> (
        kept: [[UInt8]], shed: Int, end: LogPosition
    ) {
        var (next, kept, shed, bytes) = (spool.drained, [[UInt8]](), 0, 0)
        while next.segment < last, bytes < bytesAtOnce {
            let (records, end) = try spool.records(from: next, bytes: 1 << 20)
            for (position, record) in records {
                guard position.segment < last else { return (kept, shed, position) }
                bytes += record.count
                if Self.mustBeFiled(record, filedThrough: filedThrough) { kept.append(record) } else { shed += 1 }
            }
            // Without a record it may have passed over what a repair has emptied.
            guard end > next else { break }
            next = end
        }
        return (kept, shed, next)
    }

    /// Pairs are needed for ever; dead and uncertain writes wait for a person; and a row that Postgres has would stay open.
    private static func mustBeFiled(_ record: [UInt8], filedThrough: UInt64) -> Bool {
        // Most are, and are the largest.
        switch record.withUnsafeBytes({ LedgerGlance($0)?.kind }) {
        case .intent, .outcome, .attempted, .carried, nil: return false
        case .settled, .dead, .uncertain: break
        }
        return switch LedgerRecord(record) {
        case .dead, .uncertain: true
        case .settled(let facts, .delivered(let delivered)):
            !delivered.pairs.isEmpty || facts.sequence <= filedThrough
        case .settled(let facts, _): facts.sequence <= filedThrough
        case .intent, .outcome, .attempted, .carried, nil: false
        }
    }

    func onQueue<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private func onQueue(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            queue.async {
                work()
                continuation.resume()
            }
        }
    }
}
