package import Extraction

/// What the ledger writes down of one write. `sequence` names the write within the spools of one machine: later intents
/// have higher ones, over restarts too, and a lane is delivered in their order.
package enum LedgerRecord: Sendable, Equatable {
    /// Durable before the primary sees the write.
    case intent(WriteIntent)
    /// What the primary made of it.
    case outcome(sequence: UInt64, WriteOutcome)
    /// A delivery that failed and counts against the limit.
    case attempted(sequence: UInt64, attempts: Int, reason: String)
    /// The other side has carried it out.
    case delivered(sequence: UInt64, WriteDelivered)
    /// Nothing is left to do.
    case settled(sequence: UInt64, how: WriteSettled)
    /// Given up; waits for a person.
    case dead(sequence: UInt64, reason: String)
    /// Nobody knows whether the primary has carried it out; waits for a person.
    case uncertain(sequence: UInt64, reason: String)
    /// An open write written down anew as it stands, so that the segment that held it can go, or because a person has it
    /// delivered again. Replaces everything before it of the same sequence.
    case carried(WriteIntent, WriteOutcome?, attempts: Int)
}

/// A write as the client sent it.
package struct WriteIntent: Sendable, Equatable {
    package var id: WriteID
    package var sequence: UInt64
    /// Milliseconds since 1970, by Postgres's clock as far as it is known.
    package var at: Int64
    package var extraction: String
    /// By name: `POST /api/v1/orders`.
    package var endpoint: String
    package var lane: UInt64
    /// Who was to answer. Who did is in the outcome.
    package var primary: Side
    /// The head as the primary got it, and the whole body.
    package var requestHead: [UInt8]
    package var requestBody: [UInt8]

    package init(
        id: WriteID, sequence: UInt64, at: Int64, extraction: String, endpoint: String, lane: UInt64, primary: Side,
        requestHead: [UInt8], requestBody: [UInt8]
    ) {
        self.id = id
        self.sequence = sequence
        self.at = at
        self.extraction = extraction
        self.endpoint = endpoint
        self.lane = lane
        self.primary = primary
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
    /// Nil: it was larger than what is kept; `answerDigest` is there instead.
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
package enum WriteSettled: String, Sendable, Codable, CaseIterable {
    /// Both sides have carried it out.
    case delivered
    /// The primary did not take it, so the other side must not have it.
    case refusedByPrimary = "refused-by-primary"
    /// It certainly never reached the primary.
    case neverSent = "never-sent"
}

/// One thing's names in the two systems.
package struct IdentityPair: Sendable, Hashable, Codable {
    /// Of the identity rule that it was learned by: its field, as the rules name it.
    package var kind: String
    package var monolith: String
    package var service: String

    package init(kind: String, monolith: String, service: String) {
        self.kind = kind
        self.monolith = monolith
        self.service = service
    }

    package func value(at side: Side) -> String { side == .monolith ? monolith : service }
}
