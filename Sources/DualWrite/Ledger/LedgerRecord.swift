package import Extraction

/// What the ledger writes down of one write. Each record says of which write it is in full, so that whoever reads the log
/// needs to have kept nothing of what stood before.
package enum LedgerRecord: Sendable, Equatable {
    /// Durable before the primary sees the write.
    case intent(WriteIntent)
    /// What the primary made of it: it has taken it, and the other side is owed it.
    case outcome(WriteFacts, WriteOutcome)
    /// A delivery that failed and counts against the limit.
    case attempted(WriteFacts, attempts: Int, reason: String)
    /// Nothing is left to do. That the other side has carried it out and that this is on record are one: two records would
    /// be two commits, and nothing happens between them.
    case settled(WriteFacts, how: WriteSettled)
    /// Given up; waits for a person. Whole, for it outlives the segment that has the rest.
    case dead(OpenWrite, reason: String)
    /// Nobody knows whether the primary has carried it out; waits for a person.
    case uncertain(OpenWrite, reason: String)
    /// An open write written down anew as it stands, so that the segment that held it can go, or because a person has it
    /// delivered again. Replaces everything before it of the same sequence.
    case carried(OpenWrite)

    package var facts: WriteFacts {
        switch self {
        case .intent(let intent): intent.facts
        case .outcome(let facts, _), .attempted(let facts, _, _), .settled(let facts, _): facts
        case .dead(let write, _), .uncertain(let write, _), .carried(let write): write.intent.facts
        }
    }
}

/// Which write a record is of, and what does not change about it.
package struct WriteFacts: Sendable, Hashable {
    package var id: WriteID
    /// Its place within the spools of one machine: later intents have higher ones, over restarts too, and a lane is
    /// delivered in their order.
    package var sequence: UInt64
    /// Milliseconds since 1970, by Postgres's clock as far as it is known.
    package var at: Int64
    package var extraction: String
    /// By name: `POST /api/v1/orders`.
    package var endpoint: String
    package var lane: UInt64
    /// Who was to answer. Who did is in the outcome.
    package var primary: Side

    package init(
        id: WriteID, sequence: UInt64, at: Int64, extraction: String, endpoint: String, lane: UInt64, primary: Side
    ) {
        self.id = id
        self.sequence = sequence
        self.at = at
        self.extraction = extraction
        self.endpoint = endpoint
        self.lane = lane
        self.primary = primary
    }
}

/// A write as the client sent it.
package struct WriteIntent: Sendable, Equatable {
    package var facts: WriteFacts
    /// Which answers mean that a side has taken it: of its route, when it came.
    package var success: StatusSet
    /// The head as the primary got it, and the whole body.
    package var requestHead: [UInt8]
    package var requestBody: [UInt8]

    package init(
        facts: WriteFacts, success: StatusSet = .successes, requestHead: [UInt8], requestBody: [UInt8]
    ) {
        self.facts = facts
        self.success = success
        self.requestHead = requestHead
        self.requestBody = requestBody
    }
}

/// What the primary made of a write.
package struct WriteOutcome: Sendable, Equatable {
    /// Who answered: the monolith may have stood in for the service.
    package var answeredBy: Side
    package var status: Int
    /// Nanoseconds from the request's head to the answer's last byte.
    package var nanoseconds: Int64
    package var answerHead: [UInt8]
    /// Nil: it was larger than what is kept, or never came to its end; `answerDigest` may be there instead.
    package var answerBody: [UInt8]?
    package var answerDigest: BodyDigest?

    package init(
        answeredBy: Side, status: Int, nanoseconds: Int64, answerHead: [UInt8], answerBody: [UInt8]?,
        answerDigest: BodyDigest? = nil
    ) {
        self.answeredBy = answeredBy
        self.status = status
        self.nanoseconds = nanoseconds
        self.answerHead = answerHead
        self.answerBody = answerBody
        self.answerDigest = answerDigest
    }
}

/// Everything of a write that has not come to its end: what delivering it takes.
package struct OpenWrite: Sendable, Equatable {
    package var intent: WriteIntent
    /// Nil: not known (yet).
    package var outcome: WriteOutcome?
    /// Deliveries that failed and count.
    package var attempts: Int
    /// A person has it delivered although it was dead or uncertain. Without an outcome, the side that was to answer is
    /// taken to have carried it out.
    package var isRetried: Bool

    package init(intent: WriteIntent, outcome: WriteOutcome? = nil, attempts: Int = 0, isRetried: Bool = false) {
        self.intent = intent
        self.outcome = outcome
        self.attempts = attempts
        self.isRetried = isRetried
    }

    package var answeredBy: Side { outcome?.answeredBy ?? intent.facts.primary }
}

/// What the other side answered, as far as it matters afterwards.
package struct WriteDelivered: Sendable, Equatable {
    package var status: Int
    /// Deliveries that were made, this one included.
    package var attempts: Int
    /// What the two answers said of one thing's two names.
    package var pairs: [IdentityPair]
    /// Path on the primary's side at which what was written can be read, for reconciling; nil: none is known.
    package var entity: String?

    package init(status: Int, attempts: Int, pairs: [IdentityPair] = [], entity: String? = nil) {
        self.status = status
        self.attempts = attempts
        self.pairs = pairs
        self.entity = entity
    }
}

/// Why nothing is left to do.
package enum WriteSettled: Sendable, Equatable {
    /// Both sides have carried it out.
    case delivered(WriteDelivered)
    /// The primary did not take it, so the other side must not have it.
    case refusedByPrimary
    /// It certainly never reached the primary.
    case neverSent
}
