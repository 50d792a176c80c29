package import Extraction

/// All open writes of one event loop, and in which order they go to the other side.
///
/// Within a lane a write is delivered when all before it are done with, in order of sequence; its head waits until the
/// primary's outcome is on disk, until its pause after a failure is over, or while its target is paused. Lanes take turns.
/// A read waits for the writes that its lane's other side is owed when it comes, and a write for the reads that were before
/// it, so that both sides see them in one order.
///
/// Answers for order only: bodies lie in the log, and what becomes of a write is the caller's. About a hundred bytes a
/// write. Time is handed in, in nanoseconds of one monotonic clock.
package struct LedgerIndex: ~Copyable, Sendable {
    /// An open write. Of one that has been closed, every call is answered with nothing.
    package struct Handle: Sendable, Hashable {
        package let index: UInt32
        package let sequence: UInt64

        package init(index: UInt32, sequence: UInt64) {
            self.index = index
            self.sequence = sequence
        }
    }

    /// One side of one extraction, that writes are delivered to.
    package struct Target: Sendable, Hashable {
        package let extraction: UInt16
        package let side: Side

        package init(extraction: UInt16, side: Side) {
            self.extraction = extraction
            self.side = side
        }

        var index: Int { Int(extraction) << 1 | (side == .service ? 1 : 0) }
    }

    enum Phase: UInt8 {
        case free
        /// The intent, then the outcome, is on its way to the disk or not known.
        case intent, accepting
        /// May be delivered.
        case owed
        case running
        /// How it ended is known, and not on disk yet.
        case ending
    }

    struct Node {
        var sequence: UInt64 = 0
        var id = WriteID(high: 0, low: 0)
        var at: Int64 = 0
        var intent = LogPosition(segment: 0, offset: 0)
        var outcome = LogPosition(segment: 0, offset: 0)
        var lane = LedgerIndex.none
        /// In the lane.
        var next = LedgerIndex.none
        var previous = LedgerIndex.none
        /// In the target's list of what it is owed.
        var owedNext = LedgerIndex.none
        var owedPrevious = LedgerIndex.none
        /// In units of 2²⁶ ns.
        var owedSince: UInt32 = 0
        var name: UInt16 = 0
        var attempts: UInt16 = 0
        /// Which of the logs has it.
        var origin: UInt8 = 0
        var phase = Phase.free
        var flags: Flags = []
    }

    struct Flags: OptionSet {
        let rawValue: UInt8

        static let serviceIsPrimary = Flags(rawValue: 1)
        static let serviceAnswered = Flags(rawValue: 2)
        /// An attempt may have reached the other side.
        static let wasSent = Flags(rawValue: 4)
        static let isRetried = Flags(rawValue: 8)
        static let isDurable = Flags(rawValue: 16)
    }

    struct Lane {
        enum Phase: UInt8 {
            /// Without a write that may be delivered.
            case waiting
            /// In its target's queue.
            case ready
            case running
            /// After a failure.
            case pausing
            /// After a failure that seems to be its target's; until that answers somebody.
            case away
            /// The name of something on the other side is not known yet.
            case holding

            var isPause: Bool { self == .pausing || self == .away || self == .holding }
        }

        var key: UInt64 = 0
        var until: Int64 = 0
        var head = LedgerIndex.none
        var tail = LedgerIndex.none
        /// In the target's queue.
        var link = LedgerIndex.none
        var open: UInt32 = 0
        /// Of the target, when the head's last attempt had ended.
        var answersSeen: UInt32 = 0
        var reads: UInt16 = 0
        /// Of the head, in a row.
        var failures: UInt8 = 0
        var phase = Phase.waiting
    }

    struct Queue {
        var head = LedgerIndex.none
        var tail = LedgerIndex.none
    }

    struct TargetState {
        var owedHead = LedgerIndex.none
        var owedTail = LedgerIndex.none
        var owed = 0
        /// Lanes whose head has not been tried, and those whose head has failed before.
        var fresh = Queue()
        var failed = Queue()
        var running = 0
        var runningFailed = 0
        var holding = 0
        var answers: UInt32 = 0
        /// Lanes that pause because it seems to be away.
        var away = PauseHeap()
        var isSilent = false
        var isPaused = false
    }

    struct WaitingRead {
        let id: UInt64
        /// Sequence of the write that it waits for.
        let behind: UInt64
        let since: Int64
    }

    static let none = UInt32.max

    /// Deliveries under way to one target at a time.
    package var callsPerTarget: Int
    /// Open writes of a lane beyond which reads do not wait for it.
    package static let readsWaitBehind = 64
    package static let readsWaitPerLane = 64

    var nodes = Slab(blank: Node())
    var lanes = Slab(blank: Lane())
    var table = LaneTable()
    var targets: [TargetState] = []
    /// By extraction: intents without an outcome.
    var underWay: [Int] = []
    var names = LedgerNames()
    /// Of lanes that are not `away`.
    var pauses = PauseHeap()
    var waitingReads: [UInt32: [WaitingRead]] = [:]
    package internal(set) var waitingReadCount = 0
    /// Lanes in their targets' queues.
    package internal(set) var readyCount = 0
    /// No lane gets ready: what comes before its writes may still be added.
    package private(set) var isHeld = false
    /// Where the lanes begin that a hold which has ended still keeps.
    private var releaseFrom: UInt32?

    package init(callsPerTarget: Int) { self.callsPerTarget = max(1, callsPerTarget) }

    /// Open writes.
    package var count: Int { nodes.count }
    /// Lanes with open writes or reads.
    package var laneCount: Int { lanes.count }

    /// Of memory, roughly.
    package var bytes: Int {
        nodes.bytes + lanes.bytes + table.bytes + pauses.bytes + targets.reduce(0) { $0 + $1.away.bytes }
            + waitingReadCount * MemoryLayout<WaitingRead>.stride
    }

    /// While held, writes come and become owed, and those of before can be recovered in front of them.
    package mutating func hold() { isHeld = true }

    /// Ends the hold, for about as many lanes at a time.
    /// - Returns: whether there are more, for which it is to be called again. It does nothing when it was called too often.
    package mutating func release(lanes count: Int) -> Bool {
        if isHeld { releaseFrom = 0 }
        isHeld = false
        guard let start = releaseFrom else { return false }
        var waiting: [UInt32] = []
        releaseFrom = lanes.visit(from: start, count: count) { lane, state in
            if state.phase == .waiting, state.head != LedgerIndex.none { waiting.append(lane) }
        }
        for lane in waiting { advance(lane) }
        return releaseFrom != nil
    }

    // MARK: Names

    /// Extractions have numbers for as long as the index lives.
    package mutating func extraction(_ name: String) -> UInt16 {
        let number = names.extraction(name)
        while targets.count < (Int(number) + 1) * 2 { targets.append(TargetState()) }
        while underWay.count <= Int(number) { underWay.append(0) }
        return number
    }

    package func name(ofExtraction number: UInt16) -> String { names.extractions[Int(number)] }

    package var extractions: [String] { names.extractions }

    // MARK: What is known of a write

    func node(_ handle: Handle) -> Node? {
        guard nodes.contains(handle.index), nodes[handle.index].sequence == handle.sequence,
            nodes[handle.index].phase != .free
        else { return nil }
        return nodes[handle.index]
    }

    func target(_ node: Node) -> Target {
        Target(
            extraction: names.extraction(of: node.name),
            side: node.flags.contains(.serviceAnswered) ? .monolith : .service)
    }

    /// What one open write is, for records about it and for whoever delivers it.
    package struct Write: Sendable, Equatable {
        package let facts: WriteFacts
        package let extraction: UInt16
        package let intent: LogPosition
        /// The same as of the intent: one record has both.
        package let outcome: LogPosition
        package let origin: UInt8
        /// Its intent is on disk, and retained there.
        package let isDurable: Bool
        /// As long as nobody has, who is to.
        package let answeredBy: Side
        /// That failed and count.
        package let attempts: Int
        package let wasSent: Bool
        package let isRetried: Bool
        /// Failures of its last attempts, counted or not.
        package let failures: Int
    }

    package subscript(handle: Handle) -> Write? {
        guard let node = node(handle) else { return nil }
        let extraction = names.extraction(of: node.name)
        return Write(
            facts: WriteFacts(
                id: node.id, sequence: node.sequence, at: node.at, extraction: names.extractions[Int(extraction)],
                endpoint: names.endpoint(node.name),
                lane: lanes[node.lane].key ^ LedgerIndex.salt(extraction),
                primary: node.flags.contains(.serviceIsPrimary) ? .service : .monolith),
            extraction: extraction, intent: node.intent, outcome: node.outcome, origin: node.origin,
            isDurable: node.flags.contains(.isDurable),
            answeredBy: node.flags.contains(.serviceAnswered) ? .service : .monolith, attempts: Int(node.attempts),
            wasSent: node.flags.contains(.wasSent), isRetried: node.flags.contains(.isRetried),
            failures: Int(lanes[node.lane].failures))
    }

    /// Two extractions may have lanes of one hash, which have nothing to do with each other.
    static func salt(_ extraction: UInt16) -> UInt64 { UInt64(extraction) &* 0xD6E8_FEB8_6659_FD93 }

    /// How the writes of one extraction stand.
    package func standing(_ extraction: UInt16) -> LedgerStanding {
        var standing = LedgerStanding()
        guard Int(extraction) < underWay.count else { return standing }
        standing.underWay = underWay[Int(extraction)]
        for side in [Side.monolith, .service] {
            let target = targets[Target(extraction: extraction, side: side).index]
            standing[side] = LedgerStanding.Owed(
                writes: target.owed, oldest: target.owed == 0 ? nil : nodes[target.owedHead].at)
            standing.paused += target.isPaused ? target.owed : target.holding
        }
        return standing
    }

    /// Writes that a side of an extraction has been owed for longer than `nanoseconds`.
    package func late(_ extraction: UInt16, by nanoseconds: Int64, now: Int64) -> Int {
        guard Int(extraction) < underWay.count else { return 0 }
        let since = LedgerIndex.coarse(now &- nanoseconds)
        var count = 0
        for side in [Side.monolith, .service] {
            let target = targets[Target(extraction: extraction, side: side).index]
            var young = 0
            var index = target.owedTail
            while index != LedgerIndex.none, nodes[index].owedSince > since {
                young += 1
                index = nodes[index].owedPrevious
            }
            count += target.owed - young
        }
        return count
    }

    static func coarse(_ time: Int64) -> UInt32 { UInt32(truncatingIfNeeded: max(0, time) >> 26) }
}

/// Names of endpoints and their extractions, each kept once.
struct LedgerNames: Sendable {
    private struct Name: Hashable {
        let extraction: UInt16
        let endpoint: String
    }

    /// What a client can make up is bounded; what comes beyond goes under one name.
    private static let maximum = 20_000

    private(set) var extractions: [String] = []
    private var numbers: [String: UInt16] = [:]
    private var names: [Name] = []
    private var places: [Name: UInt16] = [:]

    mutating func extraction(_ name: String) -> UInt16 {
        if let number = numbers[name] { return number }
        // No configuration has as many.
        guard extractions.count < UInt16.max else { return UInt16.max - 1 }
        let number = UInt16(extractions.count)
        numbers[name] = number
        extractions.append(name)
        return number
    }

    mutating func name(_ extraction: UInt16, _ endpoint: String) -> UInt16 {
        var name = Name(extraction: extraction, endpoint: endpoint)
        if let place = places[name] { return place }
        if names.count >= LedgerNames.maximum {
            name = Name(extraction: extraction, endpoint: "(other)")
            if let place = places[name] { return place }
            guard names.count < UInt16.max else { return 0 }
        }
        let place = UInt16(names.count)
        places[name] = place
        names.append(name)
        return place
    }

    func extraction(of name: UInt16) -> UInt16 { names[Int(name)].extraction }
    func endpoint(_ name: UInt16) -> String { names[Int(name)].endpoint }

    /// No write is open any more.
    mutating func forgetEndpoints() {
        guard names.count > 1_000 else { return }
        names = []
        places = [:]
    }
}

/// Lanes that pause, the first to go on at the top.
struct PauseHeap: Sendable {
    private struct Entry {
        let until: Int64
        let lane: UInt32
    }

    private var entries: [Entry] = []

    var bytes: Int { entries.capacity * MemoryLayout<Entry>.stride }

    mutating func insert(_ lane: UInt32, until: Int64) {
        var place = entries.count
        let entry = Entry(until: until, lane: lane)
        entries.append(entry)
        while place > 0, entries[(place - 1) / 2].until > until {
            entries[place] = entries[(place - 1) / 2]
            place = (place - 1) / 2
        }
        entries[place] = entry
    }

    mutating func pop(until now: Int64) -> (lane: UInt32, until: Int64)? {
        guard let first = entries.first, first.until <= now, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            var place = 0
            while true {
                var child = place * 2 + 1
                if child >= entries.count { break }
                if child + 1 < entries.count, entries[child + 1].until < entries[child].until { child += 1 }
                if entries[child].until >= last.until { break }
                entries[place] = entries[child]
                place = child
            }
            entries[place] = last
        }
        return (first.lane, first.until)
    }

    /// Takes all out.
    mutating func takeAll() -> [(lane: UInt32, until: Int64)] {
        defer { entries = [] }
        return entries.map { ($0.lane, $0.until) }
    }
}
