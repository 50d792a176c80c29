internal import DualWrite
internal import Extraction
internal import NIOCore

/// What processes before this one, and people, bring back.
extension DeliveryLoop {
    /// Of one turn, whatever it takes to find a write's place among those that came meanwhile.
    private static let recoveredAtOnce = 2_000
    private static let turn = TimeAmount.milliseconds(5)
    private static let betweenLooks = 64

    /// - Parameter others: the logs of a recovery; the first is this process's own.
    /// - Returns: what they are called here.
    func adoptLogs(_ others: [any LedgerLog]) -> [UInt8] {
        others.indices.map { place in
            guard place > 0 else { return 0 }
            logs.append(others[place])
            return UInt8(clamping: logs.count - 1)
        }
    }

    /// One turn's share of what was left: clients wait for no more than that. Between `recovers(true)` and `recovers(false)`.
    ///
    /// - Parameters:
    ///   - share: of this loop's lanes. What is to be read again is retained already.
    ///   - start: where the turn before has ended.
    ///   - origins: from `adoptLogs`.
    /// - Returns: where to go on; `share.count`: nothing is left.
    func recover(_ share: RecoveredShare, from start: Int, origins: [UInt8]) -> Int {
        guard !isStopped else { return share.count }
        let begin = NIODeadline.now()
        var place = start
        while place < min(start + Self.recoveredAtOnce, share.count) {
            for place in place..<min(place + Self.betweenLooks, share.count) { recover(share[place], share, origins) }
            place = min(place + Self.betweenLooks, share.count)
            if NIODeadline.now() - begin > Self.turn { break }
        }
        return place
    }

    private func recover(_ found: RecoveredShare.Found, _ share: RecoveredShare, _ origins: [UInt8]) {
        switch found {
        case .owed(let write, let isFirst):
            guard Int(write.origin) < origins.count else { return }
            let facts = share.names.facts(of: write)
            let side = write.answeredBy ?? write.primary
            _ = index.recovered(
                facts, intent: write.intent, outcome: write.outcome, origin: origins[Int(write.origin)],
                answeredBy: side, attempts: write.attempts, isRetried: write.isRetried, wasSent: isFirst,
                since: NIODeadline.now().nanoseconds)
            board(of: facts)?.owe(side.other, lane: facts.lane)
        case .uncertain(let write):
            guard Int(write.origin) < origins.count else { return }
            becomesUncertain(write, share.names.facts(of: write), origins[Int(write.origin)])
        }
    }

    private func board(of facts: WriteFacts) -> LaneBoard? {
        let number = index.extraction(facts.extraction)
        while slots.count <= Int(number) { slots.append(nil) }
        return boards[number]
    }

    /// Its primary may have carried it out or not: it is shown, never guessed.
    private func becomesUncertain(_ write: LedgerRecovery.Write, _ facts: WriteFacts, _ origin: UInt8) {
        let number = index.extraction(facts.extraction)
        while slots.count <= Int(number) { slots.append(nil) }
        count(number) { $0.uncertain += 1 }
        underWay += 1
        let (log, mailbox) = (logs[Int(origin)], mailbox)
        log.read(write.intent) { result in
            mailbox.put { delivery in
                delivery.underWay -= 1
                let open: OpenWrite =
                    switch result.map({ LedgerRecord($0) }) {
                    case .success(.intent(let intent)): OpenWrite(intent: intent, attempts: write.attempts)
                    case .success(.carried(let carried)): carried
                    // The log says that there was one, and not any more what it was.
                    default: OpenWrite(intent: WriteIntent(facts: facts, requestHead: [], requestBody: []))
                    }
                delivery.say(
                    LastWord(
                        record: .uncertain(open, reason: "restart"), about: origin == 0 ? write.intent : nil,
                        written: { _, _ in log.release(write.intent) }))
            }
        }
    }

    /// Has writes that hold an old segment written down anew, so that it can go.
    /// - Parameter done: gets how many there are, when all of them are on disk, or are not going to be.
    func carryForward(upTo segment: UInt32, limit: Int, _ done: @escaping @Sendable (Int) -> Void) {
        let handles = index.waiting(upTo: segment, origin: 0, limit: limit)
        let left = NIOLoopBoundBox(handles.count, eventLoop: loop)
        guard !handles.isEmpty, !isStopped else { return done(0) }
        for handle in handles {
            readWhole(handle) { delivery, open in
                // One that is on its way by now may end before this is on disk; its end must be the last that is said of it.
                guard let open, delivery.index.isWaiting(handle), let old = delivery.index[handle]?.intent else {
                    left.value -= 1
                    if left.value == 0 { done(handles.count) }
                    return
                }
                delivery.append(.carried(open), essential: true, retained: true) { delivery, result in
                    if case .success(let position) = result {
                        // What has ended meanwhile has released its old place itself.
                        let isOpen = delivery.index[handle] != nil
                        delivery.index.moved(handle, to: position, origin: 0)
                        delivery.logs[0].release(isOpen ? old : position)
                    }
                    left.value -= 1
                    if left.value == 0 { done(handles.count) }
                }
            }
        }
    }

    /// - Parameter done: called on the loop; with nil for what is gone or cannot be read.
    private func readWhole(
        _ handle: LedgerIndex.Handle, _ done: @escaping @Sendable (DeliveryLoop, OpenWrite?) -> Void
    ) {
        guard let write = index[handle] else { return done(self, nil) }
        underWay += 1
        let (log, mailbox) = (logs[Int(write.origin)], mailbox)
        let (intent, outcome) = (write.intent, write.outcome)
        log.read(intent) { first in
            // One record has both where they stand at one place.
            log.read(outcome) { second in
                mailbox.put { delivery in
                    delivery.underWay -= 1
                    guard let write = delivery.index[handle], let first = try? first.get() else {
                        return done(delivery, nil)
                    }
                    var open: OpenWrite?
                    switch LedgerRecord(first) {
                    case .carried(let carried): open = carried
                    case .intent(let intent):
                        if case .outcome(_, let known)? = (try? second.get()).flatMap({ LedgerRecord($0) }) {
                            open = OpenWrite(intent: intent, outcome: known)
                        }
                    default: break
                    }
                    open?.attempts = write.attempts
                    done(delivery, open)
                }
            }
        }
    }

    /// - Parameter done: called on the loop when it is on disk, or is not going to be.
    func readmit(
        _ write: OpenWrite, _ done: @escaping @Sendable (Result<UInt64, ShadowRunner.ReadmissionFailure>) -> Void
    ) {
        let name = write.intent.facts.extraction
        guard !isStopped else { return done(.failure(.refused(.closed))) }
        guard settings.extractions.contains(where: { $0?.name == name }) else {
            return done(.failure(.unknownExtraction(name)))
        }
        var write = write
        // Above what it had, perhaps on a machine whose clock is ahead.
        sequence.begin(above: write.intent.facts.sequence)
        write.intent.facts.sequence = sequence.next(at: now())
        write.attempts = 0
        write.isRetried = true
        let (facts, side) = (write.intent.facts, write.answeredBy)
        append(.carried(write), essential: true, retained: true) { delivery, result in
            switch result {
            case .failure(let refusal): done(.failure(.refused(refusal)))
            case .success(let position):
                _ = delivery.index.recovered(
                    facts, intent: position, outcome: position, origin: 0, answeredBy: side, attempts: 0,
                    isRetried: true, wasSent: true, since: NIODeadline.now().nanoseconds)
                delivery.board(of: facts)?.owe(side.other, lane: facts.lane)
                done(.success(facts.sequence))
            }
        }
    }
}
