internal import Comparison
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// Requests that are made once more: of the primary to learn its noise, of both sides to see whether a difference stands.
extension ShadowLoop {
    // MARK: Twins

    /// Asks the primary the same once more, to learn how far it agrees with itself. At once and beside the lanes: it has
    /// carried the lane's writes out already.
    /// - Returns: whether it is asked.
    func askTwin(_ job: Job, learning: Bool) -> Bool {
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

    func settle(_ pair: FinishedPair) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        nextID += 1
        let id = nextID
        let timer = loop.scheduleTask(in: TimeAmount(pair.settings.settleDelay)) { bound.value.lookAgain(id) }
        settling[id] = Settling(pair: pair, timer: timer)
        bytes += pair.heldBytes
    }

    /// Behind the lane's writes, as the first look was.
    func lookAgain(_ id: UInt64) {
        guard let first = settling.removeValue(forKey: id)?.pair else { return }
        if secondLooks.hasTurn {
            askAgain(first)
        } else if !secondLooks.wait(first, bytes: first.heldBytes, under: settings) {
            giveUp(first)
        }
    }

    /// In a storm of one difference, the first ones confirm it for all of them.
    func askAgain(_ first: FinishedPair) {
        if let signature = first.suspicion?.signature, isConfirmed(signature) { return giveUp(first) }
        secondLooks.begin()
        let size = first.heldBytes
        bytes -= size
        enqueue(
            Job(
                exchange: first.exchange, settings: first.settings, bytes: size, number: number(of: first), first: first
            ))
    }

    /// It is not asked again, so what differs counts only if it is confirmed.
    func giveUp(_ first: FinishedPair) {
        bytes -= first.heldBytes
        compare(first.final)
    }

    /// Next come those that have waited.
    func secondLookEnded() {
        secondLooks.ended()
        while secondLooks.hasTurn, let first = secondLooks.next() { askAgain(first) }
    }

    func sendAgain(_ id: UInt64) {
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

    func finishSecondLook(_ id: UInt64) {
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

    private func number(of pair: FinishedPair) -> UInt16 {
        pair.settings.extractions[pair.exchange.extraction].map { delivery.number(of: $0) } ?? 0
    }
}
