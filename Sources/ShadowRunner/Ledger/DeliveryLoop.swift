internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// The ledger's part on one event loop: has intents and outcomes written down, and brings writes to the other side, lane by
/// lane. It owns the lanes whose hash falls to this loop.
///
/// What it knows of open writes is in `index`; their bodies are in memory while there is room, and else in the log. A write
/// leaves only by a record that says how, and its place in the log is let go of when that record is on disk.
final class DeliveryLoop {
    /// What delivery tells the reads of its loop.
    struct Reads {
        var start: (_ ids: [UInt64]) -> Void
        /// Their lane is too far behind.
        var giveUp: (_ ids: [UInt64]) -> Void
    }

    /// Of an identity that is not known on the other side.
    struct Hold {
        let deadline: NIODeadline
        var waiter: IdentityDirectory.Waiter?
    }

    /// A write that is not delivered after this time counts as backlog.
    static let deliveryTime = TimeAmount.seconds(1)
    /// How long a read waits for its lane's writes.
    static let readsWait = TimeAmount.seconds(5)

    let loop: any EventLoop
    let sender: ShadowSender
    let sequence: WriteSequence
    let mailbox: LedgerMailbox
    /// The first is the process's own; the others are those of processes that are gone, which are only read.
    var logs: [any LedgerLog]
    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64
    let compare: (FinishedPair) -> Void
    var reads = Reads(start: { _ in }, giveUp: { _ in })

    var index: LedgerIndex
    /// By sequence: of writes that are owed, as many as there is room for.
    var held: [UInt64: HeldWrite] = [:]
    var heldBytes = 0
    var holds: [UInt64: Hold] = [:]
    var counts: [UInt16: LedgerCounts] = [:]
    /// By number of the extraction: the one that its debts are on.
    var boards: [UInt16: LaneBoard] = [:]
    /// By number of the extraction; nil where it is not configured any more.
    var slots: [Int?] = []
    /// Records that are on their way to the disk, and reads on their way back.
    var underWay = 0
    /// Last words that had no room.
    var unwritten: [LastWord] = []
    var unwrittenBytes = 0
    static let unwrittenAtOnce = 256
    var isStopped = false
    private static let releasedAtOnce = 4_000
    /// Another process still delivers what comes before.
    private var comesAfter = false
    /// That are under way.
    private var recoveries = 0
    private var isPumping = false
    private var whenQuiet: (() -> Void)?

    init(
        loop: any EventLoop, sender: ShadowSender, sequence: WriteSequence, log: any LedgerLog,
        now: @escaping @Sendable () -> Int64, compare: @escaping (FinishedPair) -> Void
    ) {
        self.loop = loop
        self.sender = sender
        self.sequence = sequence
        self.now = now
        self.compare = compare
        logs = [log]
        mailbox = LedgerMailbox(loop: loop)
        index = LedgerIndex(callsPerTarget: 1)
        mailbox.receive(self)
        settingsChanged()
    }

    var settings: ShadowSettings { sender.settings }

    // MARK: Extractions

    /// After the sender has them.
    func settingsChanged() {
        // The other half of the connections is the reads'.
        index.callsPerTarget = max(1, settings.maximumConnections / 2)
        for extraction in settings.extractions {
            if let extraction { _ = number(of: extraction) }
        }
        var slots: [Int?] = Array(repeating: nil, count: index.extractions.count)
        for (slot, extraction) in settings.extractions.enumerated() {
            if let extraction { slots[Int(index.extraction(extraction.name))] = slot }
        }
        self.slots = slots
        pump()
    }

    func number(of extraction: ShadowedExtraction) -> UInt16 {
        let number = index.extraction(extraction.name)
        if boards[number] == nil, let board = extraction.board {
            boards[number] = board
            // Of an extraction that was not configured until now, writes of before are open already.
            index.visitOpen(number) { board.owe($0, lane: $1) }
        }
        while slots.count <= Int(number) { slots.append(nil) }
        return number
    }

    func extraction(_ number: UInt16) -> (slot: Int, extraction: ShadowedExtraction)? {
        guard Int(number) < slots.count, let slot = slots[Int(number)], settings.extractions.indices.contains(slot),
            let extraction = settings.extractions[slot]
        else { return nil }
        return (slot, extraction)
    }

    // MARK: Turns

    func ticked(now: NIODeadline) {
        index.wake(now: now.nanoseconds)
        writeUnwritten()
        for number in index.extractions.indices {
            for side in [Side.monolith, .service] {
                _ = mayDeliver(LedgerIndex.Target(extraction: UInt16(number), side: side))
            }
        }
        var given: [UInt64] = []
        index.giveUpReads(since: (now - DeliveryLoop.readsWait).nanoseconds, into: &given)
        pump()
        if !given.isEmpty { reads.giveUp(given) }
    }

    /// Delivers what may be delivered. Work that ends at once makes room for the next, which may end at once too: one after
    /// the other, or a lane of thousands would nest as deep.
    func pump() {
        guard !isPumping, !isStopped else { return }
        isPumping = true
        var isMoving = true
        while isMoving, index.readyCount > 0 {
            isMoving = false
            for number in index.extractions.indices {
                for side in [Side.monolith, .service] {
                    let target = LedgerIndex.Target(extraction: UInt16(number), side: side)
                    while mayDeliver(target), let handle = index.next(target) {
                        isMoving = true
                        deliver(handle)
                    }
                }
            }
        }
        isPumping = false
    }

    /// All of a turn's news from the log have been heard.
    func lettersRead() {
        pump()
        guard isStopped, underWay == 0, let whenQuiet else { return }
        self.whenQuiet = nil
        whenQuiet()
    }

    /// Also keeps what counts as paused.
    private func mayDeliver(_ target: LedgerIndex.Target) -> Bool {
        guard let slot = extraction(target.extraction)?.slot else {
            index.setPaused(target, true)
            return false
        }
        let isOpen = sender.gate.isOpen(slot: slot, isService: target.side == .service)
        index.setPaused(target, isOpen)
        return !isOpen && index.hasReady(target)
    }

    /// A side has answered somebody: what waits for that goes on, on the other loops, too.
    func answered(_ target: LedgerIndex.Target) {
        index.answered(target)
        if let slot = extraction(target.extraction)?.slot { sender.news.answered(slot: slot, target.side) }
    }

    /// Another loop has had an answer: what waits for that here tries at once.
    func heardOfAnswer(slot: Int, _ side: Side) {
        sender.gate.heardOfAnswer(slot: slot, isService: side == .service)
        guard !isStopped, let number = slots.firstIndex(of: slot) else { return }
        index.answered(LedgerIndex.Target(extraction: UInt16(number), side: side))
        pump()
    }

    /// While another process still delivers what comes before.
    func hold(_ isHeld: Bool) {
        comesAfter = isHeld
        holdsChanged()
    }

    /// While what was left is brought here, in as many turns as it takes: a lane's first write may be in the last of them.
    func recovers(_ begins: Bool) {
        recoveries += begins ? 1 : -1
        holdsChanged()
    }

    private func holdsChanged() {
        if comesAfter || recoveries > 0 { index.hold() } else { release() }
    }

    /// Lanes may be as many as writes: some thousand in one turn.
    private func release() {
        guard !comesAfter, recoveries == 0, !isStopped else { return }
        let isMore = index.release(lanes: DeliveryLoop.releasedAtOnce)
        pump()
        guard isMore else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.release() }
    }

    // MARK: What is held

    func hold(_ write: HeldWrite, _ sequence: UInt64) {
        let bytes = write.exchange.heldBytes
        // Half of what the loop may hold is the reads'.
        guard heldBytes + bytes <= settings.maximumBytes / 2 else { return }
        held[sequence] = write
        heldBytes += bytes
    }

    func letGo(_ sequence: UInt64) {
        if let write = held.removeValue(forKey: sequence) { heldBytes -= write.exchange.heldBytes }
        if let waiter = holds.removeValue(forKey: sequence)?.waiter { sender.identities.cancel(waiter) }
    }

    func count(_ extraction: UInt16, _ change: (inout LedgerCounts) -> Void) {
        change(&counts[extraction, default: LedgerCounts()])
    }

    // MARK: How it stands

    func standing() -> [LedgerStanding] {
        settings.extractions.map { extraction in
            extraction.map { index.standing(index.extraction($0.name)) } ?? LedgerStanding()
        }
    }

    func standingByName() -> [String: LedgerStanding] {
        var named: [String: LedgerStanding] = [:]
        for extraction in settings.extractions {
            if let name = extraction?.name { named[name] = index.standing(index.extraction(name)) }
        }
        return named
    }

    func lateWrites() -> [Int] {
        let now = NIODeadline.now().nanoseconds
        return settings.extractions.map { extraction in
            guard let extraction else { return 0 }
            return index.late(index.extraction(extraction.name), by: DeliveryLoop.deliveryTime.nanoseconds, now: now)
        }
    }

    func countsByName() -> [String: LedgerCounts] {
        var named: [String: LedgerCounts] = [:]
        for (number, counts) in counts { named[index.name(ofExtraction: number)] = counts }
        return named
    }

    /// What is open stays in the log, for the next process. Records that are on their way are waited for.
    func stop(_ whenQuiet: @escaping () -> Void) {
        isStopped = true
        for sequence in Array(holds.keys) { letGo(sequence) }
        held = [:]
        heldBytes = 0
        index = LedgerIndex(callsPerTarget: 1)
        guard underWay > 0 else { return whenQuiet() }
        self.whenQuiet = whenQuiet
    }
}

extension NIODeadline {
    var nanoseconds: Int64 { Int64(clamping: uptimeNanoseconds) }
}
