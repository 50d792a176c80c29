package import Extraction

/// One write as `strangler.writes` has it: what was folded from the log's records of it so far. Fields that those records do
/// not say are nil, and what the store has of them stays.
package struct LedgerRow: Sendable, Equatable {
    /// In the order in which a row may move on; a row never goes back. `retry` begins it anew at `accepted`.
    package enum State: String, Sendable, Codable, CaseIterable {
        case intent, accepted, delivered, settled, refused, dead, uncertain
    }

    package var id: WriteID
    package var extraction: String
    package var endpoint: String
    package var lane: UInt64
    package var sequence: UInt64
    package var primary: Side
    package var answeredBy: Side?
    package var state: State
    /// A person has it delivered again: it leaves `dead` or `uncertain`.
    package var isRetried: Bool
    package var attempts: Int
    package var primaryStatus: Int?
    package var otherStatus: Int?
    package var reason: String?
    package var entity: String?
    /// Milliseconds since 1970.
    package var receivedAt: Int64
    package var pairs: [IdentityPair]
    /// Of dead and uncertain ones: a `carried` record, as the log would have it.
    package var payload: [UInt8]?

    package init(
        id: WriteID, extraction: String, endpoint: String, lane: UInt64, sequence: UInt64, primary: Side,
        state: State, receivedAt: Int64
    ) {
        self.id = id
        self.extraction = extraction
        self.endpoint = endpoint
        self.lane = lane
        self.sequence = sequence
        self.primary = primary
        self.state = state
        self.receivedAt = receivedAt
        isRetried = false
        attempts = 0
        pairs = []
    }
}

/// How one process stands with the writes of one extraction.
package struct LedgerStanding: Sendable, Equatable {
    /// Writes that one side has taken and the other has not got yet, and the oldest of them, in milliseconds since 1970.
    package struct Owed: Sendable, Equatable {
        package var writes: Int
        package var oldest: Int64?

        package init(writes: Int = 0, oldest: Int64? = nil) {
            self.writes = writes
            self.oldest = oldest
        }
    }

    package var toMonolith = Owed()
    package var toService = Owed()
    /// Intents whose primary has not answered yet.
    package var underWay = 0
    /// Writes that wait because the other side's circuit is open, or an identity is not known yet.
    package var paused = 0

    package init() {}

    package subscript(side: Side) -> Owed {
        get { side == .monolith ? toMonolith : toService }
        set { if side == .monolith { toMonolith = newValue } else { toService = newValue } }
    }
}
