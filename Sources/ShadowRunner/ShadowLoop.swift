internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Routing
internal import Upstreams

/// The reads' part on one event loop: queues them behind their lanes' writes, sends them, looks at them again.
///
/// Everything here is bounded and droppable: what does not fit is shed and counted. Nothing here can delay an answer,
/// because an exchange arrives only after its answer has been written.
final class ShadowLoop {
    /// Compares off the loop. `judged` is called once, on any thread, with a judgement for each pair.
    typealias Judge =
        @Sendable (
            _ pairs: [FinishedPair], _ judged: @escaping @Sendable ([PairComparison.Judgement]) -> Void
        ) -> Void
    /// Counts what was not captured.
    typealias CountSkipped = @Sendable (_ skipped: ShadowGate.Skipped, _ settings: ShadowSettings) -> Void
    /// Whether a difference stood when both sides were asked again, within the last minute.
    typealias IsConfirmed = @Sendable (_ signature: MismatchSignature) -> Bool

    struct Job {
        let exchange: CapturedExchange
        let settings: ShadowSettings
        let bytes: Int
        /// Of its lane's extraction, in the ledger.
        let number: UInt16
        var hasTwin = false
        /// What differed at first, when this is the second look at it.
        var first: FinishedPair?
        /// The second look's answers, as they arrive.
        var primaryAgain: ShadowCall.Result?
        var shadowAgain: ShadowCall.Result?
    }

    /// A read that differed, until both sides are asked again.
    struct Settling {
        let pair: FinishedPair
        let timer: Scheduled<Void>
    }

    let loop: any EventLoop
    /// The present ones. Work that was accepted under others goes by those.
    var settings: ShadowSettings
    let judge: Judge
    let countSkipped: CountSkipped
    let isConfirmed: IsConfirmed
    let sender: ShadowSender
    let delivery: DeliveryLoop
    /// Pairs on their way to the workers: all of one turn of the loop go together, for each hand-over wakes two threads.
    var outbox: [FinishedPair] = []
    var ready = CircularBuffer<UInt64>()
    var isStarting = false
    var contractChecks = ContractChecks()
    var secondLooks = SecondLooks()
    var twins = Twins()
    var jobs: [UInt64: Job] = [:]
    var settling: [UInt64: Settling] = [:]
    /// Reads that wait for an identity's partner.
    var identityHolds: [UInt64: IdentityHold] = [:]
    /// Pairs at the workers, and how many of them hold two answers.
    var unjudged = 0
    var compared = 0
    /// Held by jobs, by twins, by pairs that are compared, and by those that settle.
    var bytes = 0
    var twinBytes = 0
    var nextID: UInt64 = 0
    var ticker: RepeatedTask?
    /// Set when stopping; succeeds when the last pair has been judged.
    private(set) var stopped: EventLoopPromise<Void>?
    var recordsAreWritten = false
    private static let stopLimit = TimeAmount.seconds(5)

    /// - Parameter now: milliseconds since 1970.
    init(
        loop: any EventLoop, settings: ShadowSettings, directory: UpstreamDirectory, log: any LedgerLog,
        sequence: WriteSequence, identities: IdentityDirectory, judge: @escaping Judge,
        countSkipped: @escaping CountSkipped, isConfirmed: @escaping IsConfirmed,
        now: @escaping @Sendable () -> Int64
    ) {
        self.loop = loop
        self.settings = settings
        self.judge = judge
        self.countSkipped = countSkipped
        self.isConfirmed = isConfirmed
        let sender = ShadowSender(loop: loop, settings: settings, directory: directory, identities: identities)
        self.sender = sender
        let outlet = Outlet()
        delivery = DeliveryLoop(loop: loop, sender: sender, sequence: sequence, log: log, now: now) { pair in
            outlet.loop?.compare(pair)
        }
        outlet.loop = self
        delivery.reads = DeliveryLoop.Reads(
            start: { outlet.loop?.start($0) }, giveUp: { outlet.loop?.giveUpWaiting($0) })
        sender.news.heard = { outlet.loop?.delivery.heardOfAnswer(slot: $0, $1) }
    }

    /// What delivery calls back by.
    private final class Outlet {
        weak var loop: ShadowLoop?
    }

    func update(_ settings: ShadowSettings) {
        flushSkipped()
        self.settings = settings
        sender.update(settings)
        delivery.settingsChanged()
    }

    func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { _ in
            bound.value.ticked()
        }
    }

    /// - Returns: succeeds when everything has been counted.
    func stop() -> EventLoopFuture<Void> {
        if let stopped { return stopped.futureResult }
        let promise = loop.makePromise(of: Void.self)
        stopped = promise
        ticker?.cancel()
        sender.close()
        stopHolding()
        for job in jobs.values {
            if let first = job.first {
                secondLooks.ended()
                compare(first.final)
            } else {
                drop(job.exchange, job.settings, .notSent(.shuttingDown))
            }
            bytes -= job.bytes
        }
        jobs.removeAll()
        twins.abandoned()
        bytes -= twinBytes
        twinBytes = 0
        for settled in settling.values {
            settled.timer.cancel()
            compare(settled.pair.final)
            bytes -= settled.pair.heldBytes
        }
        settling.removeAll()
        while let first = secondLooks.next() { giveUp(first) }
        flushSkipped()
        let bound = NIOLoopBound(self, eventLoop: loop)
        delivery.stop {
            bound.value.recordsAreWritten = true
            bound.value.succeedWhenDone()
        }
        // A disk that does not come back shall not keep the process.
        loop.scheduleTask(in: ShadowLoop.stopLimit) {
            bound.value.recordsAreWritten = true
            bound.value.succeedWhenDone()
        }
        sendOutbox()
        succeedWhenDone()
        return promise.futureResult
    }

    var load: ShadowLoad {
        ShadowLoad(
            jobs: jobs.count, writes: delivery.index.count, records: delivery.underWay, calls: sender.callCount,
            lanes: delivery.index.laneCount, unjudged: unjudged, compared: compared,
            settling: settling.count + secondLooks.waitingCount, secondLooks: secondLooks.underWay,
            twins: twins.underWay, bytes: bytes + delivery.heldBytes)
    }

    /// Nothing is left that could go on at present: what stays are writes whose other side is away.
    var isAtRest: Bool {
        jobs.isEmpty && sender.callCount == 0 && unjudged == 0 && delivery.underWay == 0
            && settling.isEmpty && secondLooks.underWay == 0 && delivery.index.deliverable == 0
    }

    var twinCounts: TwinCounts { twins.counts }

    private func ticked() {
        let now = NIODeadline.now()
        sender.tick(now: now)
        delivery.ticked(now: now)
        flushSkipped()
        contractChecks.refill()
    }

    // MARK: The gate

    /// Whether one more answer is to be held against the contract. As cheap as `admits`.
    func checks(slot: Int) -> Bool {
        stopped == nil && held < settings.maximumJobs && bytes < settings.maximumBytes && contractChecks.draw(slot)
    }

    /// Whether a request is to be captured for its shadow. If not, it has been counted. Called before the primary is
    /// asked, so it takes no time: a few comparisons, and a look at the route's template where it says no.
    func admits(
        slot: Int, route: Int, method: Method, path: UnsafeRawBufferPointer, isService: Bool, _ decided: ShadowSettings
    ) -> Bool {
        guard method.isSafe, stopped == nil else { return true }
        let reason: NotComparedReason
        if sender.gate.isOpen(slot: slot, isService: isService) {
            reason = .shadowCircuitOpen
        } else if held >= settings.maximumJobs || bytes >= settings.maximumBytes {
            reason = .shed
        } else {
            return true
        }
        // Indices mean something under their own settings only.
        guard decided === settings else { return true }
        sender.gate.skip(.init(slot, route, method, reason, path, settings.templates), path: path)
        return false
    }

    /// A read that `sample` has left out. As cheap as being refused.
    func leftOut(
        slot: Int, route: Int, method: Method, path: UnsafeRawBufferPointer, _ decided: ShadowSettings
    ) {
        let skip = ShadowGate.Skip(slot, route, method, .notSampled, path, decided.templates)
        guard decided !== settings || stopped != nil else { return sender.gate.skip(skip, path: path) }
        var skipped = ShadowGate.Skipped()
        skipped.add(skip, path: path)
        countSkipped(skipped, decided)
    }

    /// Exchanges whose bytes are kept.
    var held: Int { jobs.count + compared + settling.count + secondLooks.waitingCount }

    private func flushSkipped() {
        if !sender.gate.skipped.counts.isEmpty { countSkipped(sender.gate.takeSkipped(), settings) }
    }

    // MARK: Jobs

    func accept(_ exchange: CapturedExchange, under decided: ShadowSettings?) {
        let decided = decided ?? settings
        let isWrite = !exchange.method.isSafe
        if exchange.isForContract {
            return compare(
                FinishedPair(exchange: exchange, settings: decided, shadow: .contract, isWrite: isWrite, look: .only))
        }
        if isWrite {
            if let ticket = exchange.ticket { return delivery.ended(exchange, ticket: ticket, under: decided) }
            return drop(exchange, decided, reasonNotToSend(exchange, isWrite: true) ?? .notSent(.notRecorded))
        }
        if let skipped = reasonNotToSend(exchange, isWrite: false) {
            drop(exchange, decided, skipped)
            return
        }
        guard stopped == nil, decided.extractions.indices.contains(exchange.extraction),
            let extraction = decided.extractions[exchange.extraction]
        else {
            drop(exchange, decided, .notSent(.shuttingDown))
            return
        }
        let size = exchange.heldBytes
        guard held < settings.maximumJobs, bytes + size <= settings.maximumBytes else {
            drop(exchange, decided, .notSent(.shed))
            return
        }
        let job = Job(
            exchange: exchange, settings: decided, bytes: size, number: delivery.number(of: extraction))
        let isDrawn = twins.draws(extraction.noise)
        enqueue(job, hasTwin: isDrawn && askTwin(job, learning: false))
    }

    func enqueue(_ job: Job, hasTwin: Bool = false) {
        nextID += 1
        jobs[nextID] = job
        jobs[nextID]?.hasTwin = hasTwin
        bytes += job.bytes
        let admission = delivery.index.readArrived(
            nextID, lane: job.exchange.lane, extraction: job.number, now: NIODeadline.now().nanoseconds)
        switch admission {
        case .start: start([nextID])
        case .wait: break
        case .behind: giveUpWaiting([nextID])
        }
    }

    /// Reads whose lane is too far behind for them to wait.
    private func giveUpWaiting(_ ids: [UInt64]) {
        for id in ids {
            guard let job = jobs.removeValue(forKey: id) else { continue }
            bytes -= job.bytes
            if let first = job.first {
                compare(first.final)
                secondLookEnded()
            } else {
                drop(job.exchange, job.settings, .notSent(.behindWrites))
            }
        }
    }

    /// Has it counted without a comparison. It may wait long for that when much is compared, so it holds little.
    func drop(_ exchange: CapturedExchange, _ settings: ShadowSettings, _ reason: FinishedPair.Shadow) {
        compare(
            FinishedPair(
                exchange: exchange.withoutBodies, settings: settings, shadow: reason,
                isWrite: !exchange.method.isSafe))
    }

    /// What the shadow is not asked, because there would be nothing to compare, or because a write that the primary
    /// did not take must not reach the other side.
    private func reasonNotToSend(_ exchange: CapturedExchange, isWrite: Bool) -> FinishedPair.Shadow? {
        switch exchange.outcome {
        case .failed, .neverSent: return .primaryFailed("no-answer")
        case .abandoned: return .notSent(.primaryIncomplete)
        case .upgrade: return .notSent(.upgrade)
        case .answered(let status):
            if status >= 500 { return .primaryFailed("status-\(status)") }
            if isWrite, status >= 400 { return .notSent(.writeRejected) }
        }
        return exchange.isTruncated ? .notSent(.bodyTooLarge) : nil
    }

    /// Work that ends at once makes room for the next of its lane, which may end at once too: one after the other from a
    /// list, or a lane of thousands would nest as deep.
    func start(_ ids: [UInt64]) {
        ready.append(contentsOf: ids)
        guard !isStarting else { return }
        isStarting = true
        while let id = ready.popFirst() {
            if jobs[id]?.first == nil { send(id) } else { sendAgain(id) }
        }
        isStarting = false
    }

    private func send(_ id: UInt64) {
        guard let job = jobs[id] else { return }
        let (slot, isService) = (job.exchange.extraction, job.exchange.shadowIsService)
        guard let began = sender.gate.admit(slot: slot, isService: isService) else {
            drop(job.exchange, job.settings, .notSent(.shadowCircuitOpen))
            finished(id)
            return
        }
        ask(job, shadow: true) { [unowned self] result, nanoseconds in
            let side: Side = isService ? .service : .monolith
            sender.ended(slot: slot, side: side, began: began, result)
            if case .answered(let head, _) = result, !head.isOfAGateway {
                delivery.answered(LedgerIndex.Target(extraction: job.number, side: side))
            }
            let shadow = FinishedPair.Shadow(result)
            let pair = FinishedPair(
                exchange: job.exchange, settings: job.settings, shadow: shadow, isWrite: false,
                shadowNanoseconds: nanoseconds, hasTwin: job.hasTwin)
            if pair.isAnswered { compare(pair) } else { drop(job.exchange, job.settings, shadow) }
            finished(id)
        }
    }

    /// Sends a job's request to the shadow, or once more to the side that was primary.
    /// - Parameters:
    ///   - heldUntil: it has waited for an identity, and may until then.
    ///   - onEnd: gets nanoseconds from sending to the answer's last byte, too.
    func ask(
        _ job: Job, shadow: Bool, heldUntil: NIODeadline? = nil, _ onEnd: @escaping (ShadowCall.Result, Int64) -> Void
    ) {
        let exchange = job.exchange
        let slot = exchange.extraction
        guard let extraction = job.settings.extractions[slot] else {
            onEnd(.notAsked(.shuttingDown), 0)
            return
        }
        let request: ShadowRequest
        let side = exchange.shadowSide.other
        switch ShadowRequest.make(
            ShadowRequest.Original(exchange, isWrite: false), from: side, to: shadow ? side.other : side,
            in: extraction, identities: sender.identities)
        {
        case .ready(let made): request = made
        case .unmapped(let questions): return hold(job, for: questions, until: heldUntil, onEnd)
        case .impossible(let reason): return onEnd(.notAsked(reason), 0)
        }
        let asked = shadow ? side.other : side
        sender.send(
            request, exchange.method,
            to: sender.upstream(asked, slot: slot, of: extraction, under: job.settings), within: extraction.timeout,
            under: job.settings
        ) { result, call in
            onEnd(result, call.nanoseconds)
        }
    }

    func finished(_ id: UInt64) {
        guard let job = jobs.removeValue(forKey: id) else { return }
        bytes -= job.bytes
        delivery.index.readFinished(lane: job.exchange.lane, extraction: job.number)
        delivery.pump()
    }
}

extension ByteBuffer {
    /// An answer's head with 502, 503 or 504: who answers for somebody who is not there is not there either.
    fileprivate var isOfAGateway: Bool {
        // Behind `HTTP/1.1 `.
        guard let status = getBytes(at: readerIndex + 9, length: 3) else { return false }
        return status.starts(with: [0x35, 0x30]) && (0x32...0x34).contains(status[2])
    }
}
