internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// One write on its way to the other side.
extension DeliveryLoop {
    /// How long the name of something is waited for before it is looked for again, although nobody has learned it here.
    private static let lookAgain = TimeAmount.seconds(1)

    func deliver(_ handle: LedgerIndex.Handle) {
        guard let write = index[handle] else { return }
        if let known = held[handle.sequence] { return send(handle, write, known) }
        underWay += 1
        let mailbox = mailbox
        logs[Int(write.origin)].read(write.intent) { result in
            mailbox.put { delivery in
                delivery.underWay -= 1
                delivery.intentRead(handle, result)
            }
        }
    }

    private func intentRead(_ handle: LedgerIndex.Handle, _ result: Result<[UInt8], LogRefusal>) {
        guard let write = index[handle] else { return }
        switch result.flatMap({ LedgerRecord($0).map { .success($0) } ?? .failure(.damaged) }) {
        case .success(.intent(let intent)):
            let open = OpenWrite(intent: intent, attempts: write.attempts, isRetried: write.isRetried)
            if write.outcome == write.intent { return send(handle, write, open) }
            underWay += 1
            let mailbox = mailbox
            logs[Int(write.origin)].read(write.outcome) { result in
                mailbox.put { delivery in
                    delivery.underWay -= 1
                    delivery.outcomeRead(handle, open, result)
                }
            }
        case .success(.carried(let open)): send(handle, write, open)
        case .success: unreadable(handle, write, .damaged)
        case .failure(let refusal): unreadable(handle, write, refusal)
        }
    }

    private func outcomeRead(
        _ handle: LedgerIndex.Handle, _ open: OpenWrite, _ result: Result<[UInt8], LogRefusal>
    ) {
        guard let write = index[handle] else { return }
        guard case .success(let bytes) = result, case .outcome(_, let outcome) = LedgerRecord(bytes) else {
            return unreadable(handle, write, .damaged)
        }
        var open = open
        open.outcome = outcome
        send(handle, write, open)
    }

    private func send(_ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ open: OpenWrite) {
        guard let held = HeldWrite(open) else { return unreadable(handle, write, .damaged) }
        send(handle, write, held)
    }

    /// What cannot be read cannot be delivered; where the log is closing, the next process will try.
    private func unreadable(_ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ refusal: LogRefusal) {
        guard refusal == .damaged else {
            return index.failed(
                handle, burned: false, wasSent: false, isSilent: false,
                until: NIODeadline.now().nanoseconds + DeliveryPolicy.longest)
        }
        let nothing = WriteIntent(facts: write.facts, requestHead: [], requestBody: [])
        dead(handle, write, OpenWrite(intent: nothing, attempts: write.attempts), refusal.rawValue)
    }

    // MARK: The request

    private func send(_ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ held: HeldWrite) {
        guard let (slot, extraction) = extraction(write.extraction) else { return index.putBack(handle) }
        let side = write.answeredBy.other
        var held = held
        held.exchange.extraction = slot
        held.exchange.shadowIsService = side == .service
        held.exchange.answeredBy = write.answeredBy
        var original = ShadowRequest.Original(held.exchange, isWrite: true)
        if !held.hasOutcome { original.answer = nil }
        switch ShadowRequest.make(
            original, from: write.answeredBy, to: side, in: extraction, identities: sender.identities)
        {
        case .ready(let request): send(handle, held, request, slot, extraction, side)
        case .unmapped(let questions): hold(handle, write, held, questions, extraction)
        case .impossible(let reason):
            drop(held.exchange, settings, .notSent(reason))
            dead(handle, write, held.open(write), reason.rawValue)
        }
    }

    private func send(
        _ handle: LedgerIndex.Handle, _ held: HeldWrite, _ request: ShadowRequest, _ slot: Int,
        _ extraction: ShadowedExtraction, _ side: Side
    ) {
        let settings = settings
        guard let began = sender.gate.admit(slot: slot, isService: side == .service) else {
            return index.putBack(handle)
        }
        let upstream = sender.upstream(side, slot: slot, of: extraction, under: settings)
        sender.send(request, held.exchange.method, to: upstream, within: extraction.timeout, under: settings) {
            [unowned self] result, call in
            sender.ended(slot: slot, side: side, began: began, result)
            let attempt = Attempt(
                handle: handle, held: held, settings: settings, extraction: extraction, result: result,
                status: call.status, wasSent: call.wasSent, nanoseconds: call.nanoseconds)
            ended(attempt)
            pump()
        }
    }

    /// An identity in it has no partner yet: the lane waits for it, for so long and no longer.
    private func hold(
        _ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ held: HeldWrite, _ questions: [IdentityQuestion],
        _ extraction: ShadowedExtraction
    ) {
        let now = NIODeadline.now()
        let wait = TimeAmount(extraction.identityWait)
        // What would tell the name may itself still be waiting, as long as the other side is away: that time does not count.
        let deadline = index.mayLearnMore(handle) ? now + wait : holds[handle.sequence]?.deadline ?? now + wait
        if let waiter = holds[handle.sequence]?.waiter { sender.identities.cancel(waiter) }
        guard now < deadline else {
            let reason = NotComparedReason.identityUnmapped
            drop(held.exchange, settings, .notSent(reason))
            return dead(handle, write, held.open(write), reason.rawValue)
        }
        index.held(handle, until: min(deadline, now + DeliveryLoop.lookAgain).nanoseconds)
        let mailbox = mailbox
        let waiter = sender.identities.wait(for: questions) {
            mailbox.put { $0.index.mayGoOn(handle) }
        }
        holds[handle.sequence] = Hold(deadline: deadline, waiter: waiter)
    }

    // MARK: The answer

    struct Attempt {
        let handle: LedgerIndex.Handle
        let held: HeldWrite
        let settings: ShadowSettings
        let extraction: ShadowedExtraction
        let result: ShadowCall.Result
        /// Of the answer's head, if one came.
        let status: Int?
        let wasSent: Bool
        let nanoseconds: Int64

        /// An answer that broke off behind its head is one all the same: the other side had decided by then.
        var ending: DeliveryPolicy.Ending {
            if let status { return .answered(status: status) }
            guard case .failed(let failure) = result else { return .unreachable("not-asked") }
            return wasSent ? .silent(failure.reason) : .unreachable(failure.reason)
        }
    }

    private func ended(_ attempt: Attempt) {
        guard let write = index[attempt.handle] else { return }
        let target = LedgerIndex.Target(extraction: write.extraction, side: write.answeredBy.other)
        let hadAnswered = index.hasAnsweredSince(attempt.handle)
        // Who answers for somebody who is not there is not there either.
        if let status = attempt.status, !(502...504).contains(status) { answered(target) }
        let verdict = DeliveryPolicy(attempts: attempt.extraction.attempts).judge(
            attempt.ending, success: attempt.held.success, burned: write.attempts,
            isAlive: hadAnswered)
        switch verdict {
        case .delivered: delivered(attempt, write)
        case .retry(let burned, let reason): retry(attempt, write, burned: burned, reason)
        case .dead(let reason):
            compared(attempt, write)
            dead(attempt.handle, write, attempt.held.open(write), reason, attempts: write.attempts + 1)
        }
    }

    private func delivered(_ attempt: Attempt, _ write: LedgerIndex.Write) {
        count(write.extraction) { counts in
            counts.delivered += 1
            if write.wasSent { counts.possiblyTwice += 1 }
        }
        var delivered = WriteDelivered(status: attempt.status ?? 0, attempts: write.attempts + 1)
        delivered.pairs = learnedPairs(attempt, from: write.answeredBy)
        // Before the lane goes on: what comes next may speak of it.
        sender.identities.learn(delivered.pairs, extraction: attempt.extraction.name)
        delivered.entity = attempt.held.entity(write.facts.endpoint, in: attempt.extraction)
        compared(attempt, write)
        finish(attempt.handle, .settled(write.facts, how: .delivered(delivered)))
    }

    private func learnedPairs(_ attempt: Attempt, from side: Side) -> [IdentityPair] {
        let exchange = attempt.held.exchange
        guard attempt.extraction.identity != nil, attempt.held.hasOutcome,
            case .answered(let head, let body) = attempt.result, let other = Answer(head: head, body: body),
            let answer = Answer(head: exchange.answerHead, body: exchange.answerBody)
        else { return [] }
        return attempt.extraction.identityPairs(
            requestHead: Array(exchange.requestHead.readableBytesView), answer: answer, from: side, other: other)
    }

    private func retry(_ attempt: Attempt, _ write: LedgerIndex.Write, burned: Bool, _ reason: String) {
        count(write.extraction) { counts in
            if burned { counts.retried += 1 } else { counts.postponed += 1 }
        }
        // A side that comes back after long has not refused this write often.
        let failures = (burned ? write.attempts : write.failures) + 1
        let pause = DeliveryPolicy.pause(afterFailures: failures, chance: .random(in: 0..<1))
        index.failed(
            attempt.handle, burned: burned, wasSent: attempt.wasSent, isSilent: !burned,
            until: NIODeadline.now().nanoseconds + pause)
        guard burned else {
            if let slot = extraction(write.extraction)?.slot { sender.news.isAway(slot: slot, write.answeredBy.other) }
            return
        }
        append(
            .attempted(write.facts, attempts: write.attempts + 1, reason: reason), essential: true,
            about: write.isDurable && write.origin == 0 ? write.intent : nil, retained: false)
    }

    private func dead(
        _ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ open: OpenWrite, _ reason: String,
        attempts: Int? = nil
    ) {
        count(write.extraction) { $0.dead[reason, default: 0] += 1 }
        var open = open
        open.attempts = attempts ?? write.attempts
        // Its lane waits for the disk: if this were forgotten, the write would be delivered behind those that came after it.
        let written: @Sendable (DeliveryLoop, LogPosition) -> Void = { delivery, _ in
            // It may have been carried forward meanwhile.
            if let last = delivery.index[handle], last.isDurable {
                delivery.logs[Int(last.origin)].release(last.intent)
            }
            delivery.close(handle)
        }
        // The reserve is this process's own log's.
        let about = write.isDurable && write.origin == 0 ? write.intent : nil
        say(
            LastWord(
                record: .dead(open, reason: reason), about: about, written: written, lost: { $0.close(handle) },
                waits: { $0.index.ending(handle) }))
    }

    /// The two answers, if there are two, are held against each other like a read's.
    private func compared(_ attempt: Attempt, _ write: LedgerIndex.Write) {
        let exchange = attempt.held.exchange
        guard attempt.held.hasOutcome, exchange.knownStatus != nil else {
            return drop(exchange, attempt.settings, .notSent(.primaryIncomplete))
        }
        guard exchange.hasWholeAnswer else {
            return drop(
                exchange, attempt.settings, .notSent(exchange.isTruncated ? .bodyTooLarge : .primaryIncomplete))
        }
        let shadow = FinishedPair.Shadow(attempt.result)
        let pair = FinishedPair(
            exchange: exchange, settings: attempt.settings, shadow: shadow, isWrite: true,
            shadowNanoseconds: attempt.nanoseconds, endpoint: write.facts.endpoint)
        if pair.isAnswered { compare(pair) } else { drop(exchange, attempt.settings, shadow) }
    }
}
