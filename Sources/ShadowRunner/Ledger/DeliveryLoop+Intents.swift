internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Routing
internal import Upstreams

/// From a write's arrival until its outcome is on disk.
extension DeliveryLoop {
    /// - Parameter done: called on this loop.
    func intend(
        _ write: IntendedWrite, under decided: ShadowSettings, _ done: @escaping @Sendable (IntentAnswer) -> Void
    ) {
        guard !isStopped, decided.extractions.indices.contains(write.extraction),
            let extraction = decided.extractions[write.extraction]
        else { return done(.refused(reason: LogRefusal.closed.rawValue)) }
        let number = number(of: extraction)
        let at = now()
        let head = Array(write.requestHead.readableBytesView)
        let facts = WriteFacts(
            id: WriteID(write.requestID)
                ?? WriteID(high: .random(in: 0...UInt64.max), low: .random(in: 0...UInt64.max)),
            sequence: sequence.next(at: at), at: at, extraction: extraction.name,
            endpoint: decided.templates.endpoint(
                route: write.route, method: write.method.name, path: ReadableHead.path(ofRequest: head)),
            lane: write.lane, primary: write.primary)
        let intent = WriteIntent(
            facts: facts, success: decided.success(ofRoute: write.route), requestHead: head,
            requestBody: write.requestBody.joinedBytes)
        let handle = index.intended(facts)
        boards[number]?.owe(write.primary.other, lane: write.lane)
        append(.intent(intent), essential: false, retained: true) { delivery, result in
            delivery.intentWritten(handle, number, result, done)
        }
    }

    private func intentWritten(
        _ handle: LedgerIndex.Handle, _ number: UInt16, _ result: Result<LogPosition, LogRefusal>,
        _ done: (IntentAnswer) -> Void
    ) {
        switch result {
        case .success(let position):
            index.intentDurable(handle, at: position)
            count(number) { $0.recorded += 1 }
            let lane = index[handle]?.facts.lane ?? 0
            done(.durable(WriteTicket(sequence: handle.sequence, lane: lane, index: handle.index)))
        case .failure(let refusal):
            count(number) { $0.refused[refusal.rawValue, default: 0] += 1 }
            close(handle)
            done(.refused(reason: refusal.rawValue))
        }
    }

    /// It certainly never reached a primary, or went on without being on record.
    func withdraw(_ ticket: WriteTicket) {
        let handle = LedgerIndex.Handle(index: ticket.index, sequence: ticket.sequence)
        guard let write = index[handle] else { return }
        count(write.extraction) { $0.neverSent += 1 }
        finish(handle, .settled(write.facts, how: .neverSent))
    }

    /// The exchange of a write has ended, one way or another.
    func ended(_ exchange: CapturedExchange, ticket: WriteTicket, under decided: ShadowSettings) {
        let handle = LedgerIndex.Handle(index: ticket.index, sequence: ticket.sequence)
        guard let write = index[handle] else { return }
        // What follows says it for itself.
        defer { if exchange.hasTurned { boards[write.extraction]?.paid(.service, lane: write.facts.lane) } }
        let success = decided.success(ofRoute: exchange.route)
        switch exchange.outcome {
        case .neverSent: return withdraw(ticket)
        case .upgrade:
            // One conversation with one side: nothing of it is to be delivered.
            drop(exchange, decided, .notSent(.upgrade))
            return refused(handle, write)
        case .answered, .failed, .abandoned: break
        }
        guard let status = exchange.knownStatus else {
            let reason = exchange.outcome == .abandoned ? "client-left" : "no-answer"
            drop(
                exchange, decided,
                exchange.outcome == .abandoned ? .notSent(.primaryIncomplete) : .primaryFailed(reason))
            return uncertain(handle, write, HeldWrite(exchange, success: success), reason)
        }
        guard success.contains(status) else {
            drop(exchange, decided, status >= 500 ? .primaryFailed("status-\(status)") : .notSent(.writeRejected))
            return refused(handle, write)
        }
        accepted(handle, write, HeldWrite(exchange, success: success))
    }

    private func refused(_ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write) {
        count(write.extraction) { $0.refusedByPrimary += 1 }
        finish(handle, .settled(write.facts, how: .refusedByPrimary))
    }

    private func uncertain(
        _ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ held: HeldWrite, _ reason: String
    ) {
        count(write.extraction) { $0.uncertain += 1 }
        var open = held.open(write)
        // Delivered again by a person, it goes to the side that was not asked last.
        open.intent.facts.primary = held.exchange.answeredBy
        finish(handle, .uncertain(open, reason: reason))
    }

    private func accepted(_ handle: LedgerIndex.Handle, _ write: LedgerIndex.Write, _ held: HeldWrite) {
        let side = held.exchange.answeredBy
        guard let outcome = held.outcome, index.accepted(handle, by: side) else { return }
        if side != write.answeredBy, let board = boards[write.extraction] {
            // The other side stood in: now the one that was to answer is owed it.
            board.owe(side.other, lane: write.facts.lane)
            board.paid(write.answeredBy.other, lane: write.facts.lane)
        }
        hold(held, handle.sequence)
        let record = LedgerRecord.outcome(write.facts, outcome)
        // Nothing else has it then.
        let only = self.held[handle.sequence] == nil ? record : nil
        append(record, essential: true, retained: false) { delivery, result in
            delivery.outcomeWritten(handle, only: only, result)
        }
    }

    private func outcomeWritten(
        _ handle: LedgerIndex.Handle, only record: LedgerRecord?, _ result: Result<LogPosition, LogRefusal>
    ) {
        guard let write = index[handle] else { return }
        switch (result, record) {
        case (.success(let position), _): index.owed(handle, at: position, now: NIODeadline.now().nanoseconds)
        case (.failure, nil):
            // Known here, and delivered while this process lives; the next one will call it uncertain.
            index.owed(handle, at: write.intent, now: NIODeadline.now().nanoseconds)
        case (.failure(.full), let record?), (.failure(.noSpace), let record?):
            // Its client has its answer, so it is to be in one list or another: its lane waits for the disk.
            let word = LastWord(
                record: record, about: nil,
                written: { $0.index.owed(handle, at: $1, now: NIODeadline.now().nanoseconds) },
                lost: { $0.lost(handle) })
            unwrittenBytes += word.bytes
            unwritten.append(word)
        case (.failure, _): lost(handle)
        }
    }

    /// The disk has failed, and nobody knows the outcome any more.
    private func lost(_ handle: LedgerIndex.Handle) {
        guard let write = index[handle] else { return }
        count(write.extraction) { $0.uncertain += 1 }
        close(handle)
    }

    // MARK: Records

    /// - Parameter retained: its place in the log is kept until `release`.
    func append(
        _ record: LedgerRecord, essential: Bool, about intent: LogPosition? = nil, retained: Bool,
        _ done: @escaping @Sendable (DeliveryLoop, Result<LogPosition, LogRefusal>) -> Void = { _, _ in }
    ) {
        underWay += 1
        let (log, mailbox) = (logs[0], mailbox)
        let answer: @Sendable (Result<LogPosition, LogRefusal>) -> Void = { result in
            if retained, case .success(let position) = result { log.retain(position) }
            mailbox.put { delivery in
                delivery.underWay -= 1
                done(delivery, result)
            }
        }
        if let intent {
            log.append(record.encoded, about: intent, answer)
        } else {
            log.append(record.encoded, essential: essential, answer)
        }
    }

    /// Writes down how it ended, and lets its lane go on. Its place in the log is released when that is on disk: the segment
    /// with the last word must not outlive the one without it.
    func finish(_ handle: LedgerIndex.Handle, _ record: LedgerRecord) {
        guard let write = index[handle] else { return }
        let log = logs[Int(write.origin)]
        let (intent, isDurable) = (write.intent, write.isDurable)
        // The reserve is this process's own log's.
        let about = isDurable && write.origin == 0 ? intent : nil
        say(LastWord(record: record, about: about, written: { _, _ in if isDurable { log.release(intent) } }))
        close(handle)
    }

    /// How a write ended, or else what nothing but this process knows of it, on its way to the disk.
    struct LastWord {
        let record: LedgerRecord
        /// Where this process's log has the write's intent.
        let about: LogPosition?
        /// It is on disk.
        let written: @Sendable (DeliveryLoop, LogPosition) -> Void
        /// It never will be.
        var lost: @Sendable (DeliveryLoop) -> Void = { _ in }
        /// There is no room for it now.
        var waits: @Sendable (DeliveryLoop) -> Void = { _ in }

        /// Bytes that it keeps in memory, roughly.
        var bytes: Int {
            switch record {
            case .dead(let write, _), .uncertain(let write, _), .carried(let write):
                write.intent.requestBody.count + (write.outcome?.answerBody?.count ?? 0) + 1_024
            default: 1_024
            }
        }
    }

    /// Where there is no room now, it is written when there is. Until then the log keeps the write as it stood, and the next
    /// process would deliver it once more, with the same key.
    func say(_ word: LastWord) {
        append(word.record, essential: true, about: word.about, retained: false) { delivery, result in
            switch result {
            case .success(let position): word.written(delivery, position)
            case .failure(.full), .failure(.noSpace):
                delivery.unwritten.append(word)
                // Those that wait are in memory: beyond a part of what the loop may hold they keep their calls.
                delivery.unwrittenBytes += word.bytes
                if delivery.unwrittenBytes <= delivery.settings.maximumBytes / 4 { word.waits(delivery) }
            case .failure: word.lost(delivery)
            }
        }
    }

    /// Tries again what had no room.
    func writeUnwritten() {
        guard !unwritten.isEmpty, !isStopped else { return }
        let words = unwritten.prefix(DeliveryLoop.unwrittenAtOnce)
        unwritten.removeFirst(words.count)
        for word in words {
            unwrittenBytes -= word.bytes
            say(word)
        }
    }

    /// Forgets it. What the log has of it stays.
    func close(_ handle: LedgerIndex.Handle) {
        guard let write = index[handle] else { return }
        boards[write.extraction]?.paid(write.answeredBy.other, lane: write.facts.lane)
        letGo(handle.sequence)
        var started: [UInt64] = []
        index.closed(handle, startingReads: &started)
        if !started.isEmpty { reads.start(started) }
        pump()
    }

    /// Has it counted without a comparison.
    func drop(_ exchange: CapturedExchange, _ settings: ShadowSettings, _ reason: FinishedPair.Shadow) {
        compare(
            FinishedPair(exchange: exchange.withoutBodies, settings: settings, shadow: reason, isWrite: true))
    }
}
