package import FoundationEssentials

// Dual-written exchanges: how far one side is behind the other, and which writes wait for a person.

/// How the writes of one extraction stand, on all replicas.
package struct DualWriteReport: Sendable, Codable, Equatable {
    /// Writes that one side has taken and the other has not got yet.
    package struct Owed: Sendable, Codable, Equatable {
        package var writes: Int
        /// Since the oldest of them was received; 0 where there is none.
        package var seconds: Double

        package init(writes: Int = 0, seconds: Double = 0) {
            self.writes = writes
            self.seconds = seconds
        }

        package mutating func add(_ other: Owed) {
            writes &+= other.writes
            seconds = max(seconds, other.seconds)
        }
    }

    package var toMonolith = Owed()
    package var toService = Owed()
    /// Writes whose primary has not answered yet.
    package var underWay = 0
    /// Of the owed ones: deliveries that wait for a circuit breaker, or for an identity.
    package var paused = 0
    /// Of the owed ones: in spools that no running proxy holds.
    package var lost = 0
    /// Bytes of the spools, of all extractions, that Postgres has not got yet; in JSON also as `undrainedBytes`.
    package var undrained = 0
    /// Writes that could not be on record, by reason, since each proxy was started: answered 503 or 413; and sent to their
    /// primary alone. Nil, here and below, where there are none.
    package var refused: [String: Int]?
    package var unrecorded: [String: Int]?
    /// Pairs of identities that contradicted a known one and were not taken, since each proxy was started.
    package var identityConflicts: Int?
    /// Given up; nil here and below where Postgres is away.
    package var dead: Int?
    /// Nobody knows whether the primary has carried them out.
    package var uncertain: Int?
    /// Affinity keys change sides without waiting for their writes, as somebody has asked for with `--now`.
    package var flipsAtOnce = false

    package init() {}

    package var owed: Int { toMonolith.writes &+ toService.writes }

    private enum CodingKeys: String, CodingKey {
        case toMonolith, toService, underWay, paused, lost, undrained, undrainedBytes, refused, unrecorded,
            identityConflicts, dead, uncertain, flipsAtOnce
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        toMonolith = try fields.decode(Owed.self, forKey: .toMonolith)
        toService = try fields.decode(Owed.self, forKey: .toService)
        underWay = try fields.decode(Int.self, forKey: .underWay)
        paused = try fields.decode(Int.self, forKey: .paused)
        lost = try fields.decode(Int.self, forKey: .lost)
        undrained = try fields.decode(Int.self, forKey: .undrained)
        refused = try fields.decodeIfPresent([String: Int].self, forKey: .refused)
        unrecorded = try fields.decodeIfPresent([String: Int].self, forKey: .unrecorded)
        identityConflicts = try fields.decodeIfPresent(Int.self, forKey: .identityConflicts)
        dead = try fields.decodeIfPresent(Int.self, forKey: .dead)
        uncertain = try fields.decodeIfPresent(Int.self, forKey: .uncertain)
        flipsAtOnce = try fields.decode(Bool.self, forKey: .flipsAtOnce)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(toMonolith, forKey: .toMonolith)
        try fields.encode(toService, forKey: .toService)
        try fields.encode(underWay, forKey: .underWay)
        try fields.encode(paused, forKey: .paused)
        try fields.encode(lost, forKey: .lost)
        try fields.encode(undrained, forKey: .undrained)
        try fields.encode(undrained, forKey: .undrainedBytes)
        try fields.encodeIfPresent(refused, forKey: .refused)
        try fields.encodeIfPresent(unrecorded, forKey: .unrecorded)
        try fields.encodeIfPresent(identityConflicts, forKey: .identityConflicts)
        try fields.encodeIfPresent(dead, forKey: .dead)
        try fields.encodeIfPresent(uncertain, forKey: .uncertain)
        try fields.encode(flipsAtOnce, forKey: .flipsAtOnce)
    }
}

/// One write as people see it: never its bodies.
package struct WriteReport: Sendable, Codable, Equatable {
    /// Its `Strangler-Request-Id`: 32 hexadecimal digits.
    package var id: String
    package var extraction: String
    /// `POST /api/v1/orders`.
    package var endpoint: String
    /// `intent`, `accepted`, `delivered`, `settled`, `refused`, `dead` or `uncertain`.
    package var state: String
    /// Who has not got it, or did not: `monolith` or `service`.
    package var to: String
    package var receivedAt: Date
    package var changedAt: Date
    /// Deliveries that failed and count.
    package var attempts: Int
    package var primaryStatus: Int?
    package var otherStatus: Int?
    /// Why it is dead, uncertain, or was not delivered.
    package var reason: String?
    /// A person has had it delivered again.
    package var retried: Bool

    package init(
        id: String, extraction: String, endpoint: String, state: String, to: String, receivedAt: Date, changedAt: Date,
        attempts: Int, primaryStatus: Int? = nil, otherStatus: Int? = nil, reason: String? = nil, retried: Bool = false
    ) {
        self.id = id
        self.extraction = extraction
        self.endpoint = endpoint
        self.state = state
        self.to = to
        self.receivedAt = receivedAt
        self.changedAt = changedAt
        self.attempts = attempts
        self.primaryStatus = primaryStatus
        self.otherStatus = otherStatus
        self.reason = reason
        self.retried = retried
    }
}

/// What `strangler writes NAME` shows.
package struct WritesReport: Sendable, Codable, Equatable {
    package var extraction: String
    package var dualWrite: DualWriteReport
    /// Of those received in the last 24 hours; of very many not all are counted.
    package var settledLastDay: Int
    /// Those that have not come to their end: the oldest first, as they are delivered. Those that have: the newest first.
    package var writes: [WriteReport]
    /// How many there are from the beginning of this page on; nil: more than 100,000.
    package var total: Int?
    /// The last write of this page, to be said as `after`; nil: there is no more.
    package var next: String?

    package init(
        extraction: String, dualWrite: DualWriteReport, settledLastDay: Int, writes: [WriteReport], total: Int? = nil,
        next: String? = nil
    ) {
        self.extraction = extraction
        self.dualWrite = dualWrite
        self.settledLastDay = settledLastDay
        self.writes = writes
        self.total = total
        self.next = next
    }
}

/// Which writes are asked for.
package struct WritesQuery: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Not delivered yet.
        case open
        case dead, uncertain, settled, refused
    }

    /// Nil: all that have not come to their end.
    package var kind: Kind?
    package var endpoint: String?
    /// The last one of the page before.
    package var after: String?
    package var limit: Int

    package init(kind: Kind? = nil, endpoint: String? = nil, after: String? = nil, limit: Int = 100) {
        self.kind = kind
        self.endpoint = endpoint
        self.after = after
        self.limit = limit
    }

    /// What is still to be done in the order in which it is; what is over, as one looks back.
    package var isOldestFirst: Bool { kind != .settled && kind != .refused }
}

/// What a person wants done about a write that nobody delivers any more.
package enum WriteCommand: String, Sendable, CaseIterable {
    case retry, settle
}

/// Writes that go to both sides.
package protocol WritesBackend: Sendable {
    /// - Throws: `.invalid` for a page that does not exist.
    func writes(of name: String, _ query: WritesQuery) async throws(AdminError) -> WritesReport

    /// Has a dead or uncertain write delivered once more, or says that nothing is left to do.
    /// - Throws: `.notFound` for an id that nobody knows, `.refused` for a write that does not wait for a person.
    func decide(
        _ command: WriteCommand, write id: String, reason: String, actor: String
    ) async throws(AdminError) -> WriteReport
}
