internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Routing
internal import Upstreams

/// The shadow's part on one event loop: queues, orders, sends. It owns the lanes whose hash falls to this loop.
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

    private struct Job {
        let exchange: CapturedExchange
        let settings: ShadowSettings
        let bytes: Int
        let isWrite: Bool
        let arrived = NIODeadline.now()
        var hasTwin = false
        /// What differed at first, when this is the second look at it.
        var first: FinishedPair?
        /// The second look's answers, as they arrive.
        var primaryAgain: ShadowCall.Result?
        var shadowAgain: ShadowCall.Result?
    }

    /// A read that differed, until both sides are asked again.
    private struct Settling {
        let pair: FinishedPair
        let timer: Scheduled<Void>
    }

    /// A write that is not delivered after this time counts as backlog.
    static let deliveryTime = TimeAmount.seconds(1)

    private let loop: any EventLoop
    /// The present ones. Work that was accepted under others goes by those.
    private var settings: ShadowSettings
    private let judge: Judge
    private let countSkipped: CountSkipped
    private let isConfirmed: IsConfirmed
    private let identities: IdentityDirectory
    private var gate = ShadowGate()
    /// Pairs on their way to the workers: all of one turn of the loop go together, for each hand-over wakes two threads.
    private var outbox: [FinishedPair] = []
    private var ready = CircularBuffer<UInt64>()
    private var isStarting = false
    private var contractChecks = ContractChecks()
    private var secondLooks = SecondLooks()
    private var twins = Twins()
    private let upstreams: ShadowUpstreams
    private var lanes = LaneScheduler()
    private var jobs: [UInt64: Job] = [:]
    private var calls: [ObjectIdentifier: ShadowCall] = [:]
    private var settling: [UInt64: Settling] = [:]
    /// Pairs at the workers, and how many of them hold two answers.
    private var unjudged = 0
    private var compared = 0
    /// Held by jobs, by twins, by pairs that are compared, and by those that settle.
    private var bytes = 0
    private var twinBytes = 0
    private var nextID: UInt64 = 0
    private var ticker: RepeatedTask?
    /// Set when stopping; succeeds when the last pair has been judged.
    private var stopped: EventLoopPromise<Void>?

    init(
        loop: any EventLoop, settings: ShadowSettings, directory: UpstreamDirectory, judge: @escaping Judge,
        countSkipped: @escaping CountSkipped, isConfirmed: @escaping IsConfirmed,
        identities: IdentityDirectory
    ) {
        self.loop = loop
        self.settings = settings
        self.judge = judge
        self.countSkipped = countSkipped
        self.isConfirmed = isConfirmed
        self.identities = identities
        upstreams = ShadowUpstreams(loop: loop, settings: settings, directory: directory)
    }

    func update(_ settings: ShadowSettings) {
        flushSkipped()
        self.settings = settings
        upstreams.update(settings)
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
        for call in calls.values { call.abandon() }
        calls.removeAll()
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
        lanes = LaneScheduler()
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
        upstreams.close()
        flushSkipped()
        sendOutbox()
        if unjudged == 0 { promise.succeed() }
        return promise.futureResult
    }

    var load: ShadowLoad {
        ShadowLoad(
            jobs: jobs.count, calls: calls.count, lanes: lanes.laneCount, unjudged: unjudged, compared: compared,
            settling: settling.count + secondLooks.waitingCount, secondLooks: secondLooks.underWay,
            twins: twins.underWay, bytes: bytes)
    }

    var twinCounts: TwinCounts { twins.counts }

    private func ticked() {
        let now = NIODeadline.now()
        for call in Array(calls.values) { call.tick(now: now) }
        upstreams.sweep(now: now)
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
        if gate.isOpen(slot: slot, isService: isService) {
            reason = .shadowCircuitOpen
        } else if held >= settings.maximumJobs || bytes >= settings.maximumBytes {
            reason = .shed
        } else {
            return true
        }
        // Indices mean something under their own settings only.
        guard decided === settings else { return true }
        gate.skip(.init(slot, route, method, reason, path, settings.templates), path: path)
        return false
    }

    /// A read that `sample` has left out. As cheap as being refused.
    func leftOut(
        slot: Int, route: Int, method: Method, path: UnsafeRawBufferPointer, _ decided: ShadowSettings
    ) {
        let skip = ShadowGate.Skip(slot, route, method, .notSampled, path, decided.templates)
        guard decided !== settings || stopped != nil else { return gate.skip(skip, path: path) }
        var skipped = ShadowGate.Skipped()
        skipped.add(skip, path: path)
        countSkipped(skipped, decided)
    }

    /// Exchanges whose bytes are kept.
    private var held: Int { jobs.count + compared + settling.count + secondLooks.waitingCount }

    private func flushSkipped() {
        if !gate.skipped.counts.isEmpty { countSkipped(gate.takeSkipped(), settings) }
    }

    /// Writes that the shadow is behind by. One that is on its way for milliseconds is not: under traffic there always
    /// is one, and no gate would ever open.
    func undeliveredWrites() -> [Int] {
        let now = NIODeadline.now()
        var counts = [Int](repeating: 0, count: settings.extractions.count)
        for job in jobs.values where job.isWrite && now - job.arrived > ShadowLoop.deliveryTime {
            counts[job.exchange.extraction] += 1
        }
        return counts
    }

    // MARK: Jobs

    func accept(_ exchange: CapturedExchange, under decided: ShadowSettings?) {
        let decided = decided ?? settings
        let isWrite = !exchange.method.isSafe
        if exchange.isForContract {
            return compare(
                FinishedPair(exchange: exchange, settings: decided, shadow: .contract, isWrite: isWrite, look: .only))
        }
        if let skipped = reasonNotToSend(exchange, isWrite: isWrite) {
            drop(exchange, decided, skipped)
            return
        }
        guard stopped == nil else {
            drop(exchange, decided, .notSent(.shuttingDown))
            return
        }
        let size = exchange.heldBytes
        guard held < settings.maximumJobs, bytes + size <= settings.maximumBytes else {
            drop(exchange, decided, .notSent(.shed))
            return
        }
        let job = Job(exchange: exchange, settings: decided, bytes: size, isWrite: isWrite)
        let isDrawn = !isWrite && twins.draws(decided.extractions[exchange.extraction]?.noise ?? 0)
        enqueue(job, hasTwin: isDrawn && askTwin(job, learning: false))
    }

    private func enqueue(_ job: Job, hasTwin: Bool = false) {
        nextID += 1
        jobs[nextID] = job
        jobs[nextID]?.hasTwin = hasTwin
        bytes += job.bytes
        var started: [UInt64] = []
        lanes.enqueue(id: nextID, lane: job.exchange.lane, isWrite: job.isWrite, into: &started)
        start(started)
    }

    /// Has it counted without a comparison. It may wait long for that when much is compared, so it holds little.
    private func drop(_ exchange: CapturedExchange, _ settings: ShadowSettings, _ reason: FinishedPair.Shadow) {
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
    private func start(_ ids: [UInt64]) {
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
        let began = gate.admit(slot: slot, isService: isService)
        guard began != nil || job.isWrite else {
            drop(job.exchange, job.settings, .notSent(.shadowCircuitOpen))
            finished(id)
            return
        }
        ask(job, shadow: true) { [unowned self] result, nanoseconds in
            if let began { gate.ended(slot: slot, isService: isService, began: began, result) }
            if job.isWrite { learn(job, result) }
            let shadow = FinishedPair.Shadow(result)
            let pair = FinishedPair(
                exchange: job.exchange, settings: job.settings, shadow: shadow, isWrite: job.isWrite,
                shadowNanoseconds: nanoseconds, hasTwin: job.hasTwin)
            if pair.isAnswered { compare(pair) } else { drop(job.exchange, job.settings, shadow) }
            finished(id)
        }
    }

    /// Before the pair is compared, and before the lane goes on.
    private func learn(_ job: Job, _ result: ShadowCall.Result) {
        guard let extraction = job.settings.extractions[job.exchange.extraction], extraction.identity != nil,
            case .answered(let head, let body) = result, let other = Answer(head: head, body: body),
            let answer = Answer(head: job.exchange.answerHead, body: job.exchange.answerBody)
        else { return }
        let pairs = extraction.identityPairs(
            requestHead: Array(job.exchange.requestHead.readableBytesView), answer: answer,
            from: job.exchange.shadowSide.other, other: other)
        identities.learn(pairs, extraction: extraction.name)
    }

    /// Sends a job's request to the shadow, or once more to the side that was primary.
    /// - Parameter onEnd: gets nanoseconds from sending to the answer's last byte, too.
    private func ask(_ job: Job, shadow: Bool, _ onEnd: @escaping (ShadowCall.Result, Int64) -> Void) {
        let exchange = job.exchange
        let slot = exchange.extraction
        guard let extraction = job.settings.extractions[slot] else {
            onEnd(.notAsked(.shuttingDown), 0)
            return
        }
        let request: ShadowRequest
        let side = exchange.shadowSide.other
        switch ShadowRequest.make(
            ShadowRequest.Original(exchange, isWrite: job.isWrite), from: side, to: shadow ? side.other : side,
            in: extraction, identities: identities)
        {
        case .ready(let made): request = made
        case .unmapped: return onEnd(.notAsked(.identityUnmapped), 0)
        case .impossible(let reason): return onEnd(.notAsked(reason), 0)
        }
        let call = ShadowCall(
            method: exchange.method, head: request.head, body: request.body,
            upstream: exchange.shadowIsService == shadow
                ? upstreams.service(slot, extraction.service) : upstreams.monolith(job.settings.monolith),
            deadline: .now() + .nanoseconds(extraction.timeout),
            answer: BodyCollector(cap: job.settings.answerLimit, ceiling: job.settings.answerCeiling)
        ) { [unowned self] call, result in
            calls[ObjectIdentifier(call)] = nil
            onEnd(result, call.nanoseconds)
        }
        calls[ObjectIdentifier(call)] = call
        call.start()
    }

    private func finished(_ id: UInt64) {
        guard let job = jobs.removeValue(forKey: id) else { return }
        bytes -= job.bytes
        var started: [UInt64] = []
        lanes.finished(id: id, into: &started)
        start(started)
    }

    // MARK: The comparison

    private func compare(_ pair: FinishedPair) {
        unjudged += 1
        if pair.isAnswered {
            compared += 1
            bytes += pair.heldBytes
        }
        outbox.append(pair)
        guard outbox.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.sendOutbox() }
    }

    private func sendOutbox() {
        guard !outbox.isEmpty else { return }
        let pairs = outbox
        outbox.removeAll(keepingCapacity: true)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        judge(pairs) { judgements in
            loop.execute {
                for (pair, judgement) in zip(pairs, judgements) { bound.value.judged(pair, judgement) }
            }
        }
    }

    private func judged(_ pair: FinishedPair, _ judgement: PairComparison.Judgement) {
        unjudged -= 1
        if pair.isAnswered {
            compared -= 1
            bytes -= pair.heldBytes
        }
        if judgement.wantsTwin {
            let job = Job(
                exchange: pair.exchange, settings: pair.settings, bytes: pair.exchange.heldBytes, isWrite: false)
            _ = askTwin(job, learning: true)
        }
        if let suspicion = judgement.askAgain {
            var pair = pair
            pair.suspicion = suspicion
            if stopped == nil { settle(pair) } else { compare(pair.final) }
        }
        if pair.look == .second { secondLookEnded() }
        if unjudged == 0 { stopped?.succeed() }
    }

    // MARK: Twins

    /// Asks the primary the same once more, to learn how far it agrees with itself. At once and beside the lanes: it has
    /// carried the lane's writes out already.
    /// - Returns: whether it is asked.
    private func askTwin(_ job: Job, learning: Bool) -> Bool {
        guard stopped == nil,
            twins.begin(learning: learning, hasRoom: bytes + job.bytes <= settings.maximumBytes)
        else { return false }
        bytes += job.bytes
        twinBytes += job.bytes
        ask(job, shadow: false) { [unowned self] result, _ in
            twins.ended(result)
            bytes -= job.bytes
            twinBytes -= job.bytes
            guard case .answered = result else { return }
            compare(
                FinishedPair(
                    exchange: job.exchange, settings: job.settings, shadow: .init(result), isWrite: false, look: .twin))
        }
        return true
    }

    // MARK: The second look

    private func settle(_ pair: FinishedPair) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        nextID += 1
        let id = nextID
        let timer = loop.scheduleTask(in: TimeAmount(pair.settings.settleDelay)) { bound.value.lookAgain(id) }
        settling[id] = Settling(pair: pair, timer: timer)
        bytes += pair.heldBytes
    }

    /// Behind the lane's writes, as the first look was.
    private func lookAgain(_ id: UInt64) {
        guard let first = settling.removeValue(forKey: id)?.pair else { return }
        if secondLooks.hasTurn {
            askAgain(first)
        } else if !secondLooks.wait(first, bytes: first.heldBytes, under: settings) {
            giveUp(first)
        }
    }

    /// In a storm of one difference, the first ones confirm it for all of them.
    private func askAgain(_ first: FinishedPair) {
        if let signature = first.suspicion?.signature, isConfirmed(signature) { return giveUp(first) }
        secondLooks.begin()
        let size = first.heldBytes
        bytes -= size
        enqueue(Job(exchange: first.exchange, settings: first.settings, bytes: size, isWrite: false, first: first))
    }

    /// It is not asked again, so what differs counts only if it is confirmed.
    private func giveUp(_ first: FinishedPair) {
        bytes -= first.heldBytes
        compare(first.final)
    }

    /// Next come those that have waited.
    private func secondLookEnded() {
        secondLooks.ended()
        while secondLooks.hasTurn, let first = secondLooks.next() { askAgain(first) }
    }

    private func sendAgain(_ id: UInt64) {
        guard let job = jobs[id] else { return }
        ask(job, shadow: false) { [unowned self] result, _ in
            jobs[id]?.primaryAgain = result
            finishSecondLook(id)
        }
        ask(job, shadow: true) { [unowned self] result, _ in
            jobs[id]?.shadowAgain = result
            finishSecondLook(id)
        }
    }

    private func finishSecondLook(_ id: UInt64) {
        guard let job = jobs[id], let first = job.first, let primary = job.primaryAgain, let shadow = job.shadowAgain
        else { return }
        if case .answered(let head, let body) = primary, case .answered = shadow {
            var exchange = job.exchange
            let earlier = FinishedPair.Earlier(head: exchange.answerHead, body: exchange.answerBody)
            exchange.answerHead = head
            exchange.answerBody = body
            let learnsNoise = job.settings.extractions[exchange.extraction]?.learnsNoise ?? false
            compare(
                FinishedPair(
                    exchange: exchange, settings: job.settings, shadow: .init(shadow), isWrite: false, look: .second,
                    suspicion: first.suspicion, earlier: learnsNoise ? earlier : nil))
        } else {
            compare(first.final)
            secondLookEnded()
        }
        finished(id)
    }
}
