internal import Extraction

/// Folds records, in the order of the log, to what the store files: one row for each write that a batch speaks of. Needs
/// nothing but the batch, for each record has its write's facts.
package struct LedgerFold: Sendable {
    private var rows: [LedgerRow] = []
    private var places: [WriteID: Int] = [:]

    package init() {}

    package var isEmpty: Bool { rows.isEmpty }
    package var count: Int { rows.count }

    /// In the order in which their writes came up.
    package mutating func take() -> [LedgerRow] {
        defer {
            rows = []
            places = [:]
        }
        return rows
    }

    /// What makes most of the bytes, the requests and the answers, is passed over.
    /// - Returns: false for bytes that are no record: the log is damaged, or of another version.
    package mutating func add(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { add($0) } }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = LedgerReader(bytes)
        guard let kind = reader.kind(), let facts = reader.facts() else { return false }
        switch kind {
        case .intent:
            guard reader.skipIntent(), reader.isAtEnd else { return false }
            _ = place(facts)
        case .outcome:
            guard let (answeredBy, status) = reader.skipOutcome(), reader.isAtEnd else { return false }
            rows[place(facts).place].accept(answeredBy, status)
        case .attempted, .settled, .dead, .uncertain, .carried:
            guard let record = LedgerRecord.read(kind, facts, &reader), reader.isAtEnd else { return false }
            let (place, isAnew) = place(facts)
            rows[place].fold(record, isAnew: isAnew)
        }
        return true
    }

    /// - Returns: also whether it is delivered again, under a higher sequence than it had.
    private mutating func place(_ facts: WriteFacts) -> (place: Int, isAnew: Bool) {
        let place = places[facts.id] ?? rows.count
        if place == rows.count {
            places[facts.id] = place
            rows.append(LedgerRow(facts, state: .intent))
        }
        // A write that a person has delivered again has another sequence.
        let isAnew = facts.sequence > rows[place].sequence
        if isAnew { rows[place].sequence = facts.sequence }
        return (place, isAnew)
    }
}

extension LedgerRow {
    package init(_ facts: WriteFacts, state: State) {
        self.init(
            id: facts.id, extraction: facts.extraction, endpoint: facts.endpoint, lane: facts.lane,
            sequence: facts.sequence, primary: facts.primary, state: state, receivedAt: facts.at)
    }

    /// The log is the truth: a batch may begin in the middle of a write's life, so a record says where it is now, whatever
    /// was known of it.
    fileprivate mutating func fold(_ record: LedgerRecord, isAnew: Bool) {
        switch record {
        case .intent: break
        case .outcome(_, let outcome): accept(outcome.answeredBy, outcome.status)
        case .attempted(_, let attempts, let reason):
            state = .accepted
            self.attempts = attempts
            self.reason = reason
        case .settled(_, let how): fold(how)
        case .dead(let write, let reason): fold(write, .dead, reason)
        case .uncertain(let write, let reason): fold(write, .uncertain, reason)
        case .carried(let write):
            // It may have ended, or begun anew, while it was being carried.
            guard isAnew || !state.isClosed && write.intent.facts.sequence == sequence else { return }
            isRetried = isRetried || write.isRetried
            state = write.outcome != nil || write.isRetried ? .accepted : .intent
            attempts = write.attempts
            payload = nil
            if let outcome = write.outcome { fold(outcome) }
        }
    }

    fileprivate mutating func accept(_ answeredBy: Side, _ status: Int) {
        state = .accepted
        (self.answeredBy, primaryStatus) = (answeredBy, status)
    }

    private mutating func fold(_ how: WriteSettled) {
        payload = nil
        switch how {
        case .delivered(let delivered):
            state = .settled
            attempts = delivered.attempts
            otherStatus = delivered.status
            pairs += delivered.pairs
            entity = delivered.entity ?? entity
            reason = nil
        case .refusedByPrimary: (state, reason) = (.refused, "refused-by-primary")
        case .neverSent: (state, reason) = (.refused, "never-sent")
        }
    }

    private mutating func fold(_ write: OpenWrite, _ state: State, _ reason: String) {
        self.state = state
        self.reason = reason
        attempts = write.attempts
        if let outcome = write.outcome { fold(outcome) }
        payload = LedgerRecord.carried(write).encoded
    }

    private mutating func fold(_ outcome: WriteOutcome) {
        answeredBy = outcome.answeredBy
        primaryStatus = outcome.status
    }
}
