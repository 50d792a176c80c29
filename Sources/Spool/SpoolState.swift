import DualWrite

/// What is refused first when space runs out.
enum SpoolUrgency: Int, Comparable {
    /// An intent.
    case ordinary
    /// What became of a write.
    case essential
    /// The same, and nothing else can be deleted before it is written; or it is rare.
    case freeing

    static func < (left: SpoolUrgency, right: SpoolUrgency) -> Bool { left.rawValue < right.rawValue }
}

/// What a spool knows of itself, under one lock that is never held while a file is touched.
struct SpoolState {
    /// A record that waits for its commit.
    struct Waiting {
        let record: [UInt8]
        let urgency: SpoolUrgency
        let done: @Sendable (Result<LogPosition, LogRefusal>) -> Void
        /// Bytes of its frame.
        let size: Int
    }

    /// Why ordinary records are not taken for want of space.
    enum Shortage {
        case none
        /// Less is free than is to be left free.
        case floor
        /// The disk has said that it is full.
        case disk
    }

    var isClosed = false
    /// Set once, by a write or `fsync` that failed.
    var failure: String?

    var waiting: [Waiting] = []
    /// Of those and of the commit under way.
    var waitingBytes = 0
    /// A commit is under way or about to begin; it looks for more before it ends.
    private(set) var isCommitting = false
    private var grouping = GroupCommit()

    /// The oldest segment, and the bytes of all from there on.
    var first: UInt32
    var sizes: [Int]
    var segmentBytes: Int
    /// Everything before is on disk, and its appends have been answered.
    var durable: LogPosition
    /// Everything before has been drained.
    var drained: LogPosition
    /// How often each segment is needed.
    var retained: [UInt32: Int] = [:]

    var free = Int.max
    var freeSeen: ContinuousClock.Instant?
    var shortage = Shortage.none
    /// Of the reserve only so little is left that essential records wait for those which let the oldest segment go.
    var isReserveGone = false

    var gaps: [SpoolGap]
    var gapWaiters: [@Sendable (Bool) -> Void] = []
    /// Gaps are being written, or will be soon.
    var isWritingGaps = false

    var figures = SpoolFigures()

    init(first: UInt32, sizes: [Int], durable: LogPosition, drained: LogPosition, gaps: [SpoolGap]) {
        self.first = first
        self.sizes = sizes
        segmentBytes = sizes.reduce(0, +)
        self.durable = durable
        self.drained = drained
        self.gaps = gaps
    }

    /// The oldest segment that somebody needs: the drain, an open write, or the writer.
    var firstNeeded: UInt32 {
        // The keys are the few segments with open writes.
        min(drained.segment, retained.keys.min() ?? .max, first + UInt32(max(1, sizes.count) - 1))
    }

    var isDrained: Bool { waiting.isEmpty && !isCommitting && drained >= durable && retained.isEmpty }

    /// Whether a record may wait for the next commit.
    func refusal(of size: Int, _ urgency: SpoolUrgency, _ options: SpoolOptions) -> LogRefusal? {
        let isEssential = urgency > .ordinary
        if isClosed { return .closed }
        if failure != nil { return .failed }
        if shortage != .none, !isEssential { return .noSpace }
        if isReserveGone, urgency < .freeing { return .noSpace }
        let quota = isEssential ? SpoolOptions.withReserve(options.quota) : options.quota
        let queue = isEssential ? SpoolOptions.withReserve(options.queueLimit) : options.queueLimit
        guard segmentBytes + waitingBytes + size <= quota, waitingBytes + size <= queue else { return .full }
        return nil
    }

    /// What the writing thread is to do about a record that waits now.
    enum Next {
        case nothing, begin, hurry
    }

    mutating func add(_ record: Waiting) -> Next {
        waiting.append(record)
        waitingBytes += record.size
        let hurries = grouping.added(isEssential: record.urgency != .ordinary)
        guard isCommitting else {
            isCommitting = true
            return .begin
        }
        return hurries ? .hurry : .nothing
    }

    /// How long the writing thread waits for more before it takes what is there; nil: nothing is, and committing has ended.
    mutating func pause(_ options: SpoolOptions) -> Duration? {
        guard !waiting.isEmpty else {
            isCommitting = false
            return nil
        }
        return isClosed ? .zero : grouping.pause(interval: options.effectiveInterval)
    }

    /// The records of the next commits.
    mutating func takeWaiting() -> [Waiting] {
        defer { waiting = [] }
        grouping.taken()
        return waiting
    }

    /// True if it is time to look again at what is free.
    func freeIsStale(_ now: ContinuousClock.Instant) -> Bool {
        freeSeen.map { now - $0 >= .milliseconds(100) } ?? true
    }

    /// - Parameter reserve: after it has taken back what there was room for: that comes before new writes.
    mutating func freeSeen(
        _ bytes: Int, floor: Int, _ reserve: SpoolReserve, at now: ContinuousClock.Instant
    ) {
        (free, freeSeen, isReserveGone) = (bytes, now, reserve.isGone)
        if !reserve.isWhole {
            shortage = .disk
        } else {
            shortage = bytes >= floor ? .none : shortage == .disk ? .disk : .floor
        }
    }

    /// Of a record about a write that stands at `intent`.
    func urgency(about intent: LogPosition) -> SpoolUrgency {
        intent.segment <= retained.keys.min() ?? .max ? .freeing : .essential
    }
}
