package import Comparison
package import DualWrite
package import FoundationEssentials

/// Walks over what was written in a period: both sides are asked for every entity, what differs is told, and repaired if that
/// was asked for.
package protocol ReconcileBackend: Sendable {
    /// A new walk, of which nothing is done yet.
    /// - Throws: `.refused` at stages where nothing is dual-written, and for a repair without a reason.
    func beginReconcile(
        name: String, _ request: ReconcileRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport

    /// Goes on with a walk for a second or so; where it stands is stored before this returns.
    /// - Throws: `.conflict` if somebody else has taken the same step, `.notFound` for an unknown run.
    func stepReconcile(
        name: String, run: Int, _ request: ReconcileStepRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport

    /// The newest first.
    func reconcileRuns(name: String, limit: Int) async throws(AdminError) -> [ReconcileReport]
}

/// What a new walk looks at.
package struct ReconcileRequest: Sendable, Codable, Equatable {
    /// Writes received from … until before; nil: a day ago, now.
    package var from: Date?
    package var to: Date?
    package var repair: Bool
    package var reason: String?

    package init(from: Date? = nil, to: Date? = nil, repair: Bool = false, reason: String? = nil) {
        self.from = from
        self.to = to
        self.repair = repair
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case from, to, repair, reason }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        from = try fields.decodeIfPresent(Date.self, forKey: .from)
        to = try fields.decodeIfPresent(Date.self, forKey: .to)
        repair = try fields.decodeIfPresent(Bool.self, forKey: .repair) ?? false
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
    }
}

/// How the next step is taken.
package struct ReconcileStepRequest: Sendable, Codable, Equatable {
    /// Sent with every request to both sides; they are not stored with the run.
    package var headers: [HeaderField]
    /// Entities a second, 1 to 1000.
    package var rate: Int

    package static let standardRate = 50

    package init(headers: [HeaderField] = [], rate: Int = Self.standardRate) {
        self.headers = headers
        self.rate = rate
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case headers, rate }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        headers = try fields.decodeIfPresent([HeaderField].self, forKey: .headers) ?? []
        rate = try fields.decodeIfPresent(Int.self, forKey: .rate) ?? Self.standardRate
    }

    var isSensible: Bool { 1...1_000 ~= rate && headers.allSatisfy(ReplayRequest.isSendable) }
}

/// Where a walk stands.
package struct ReconcileReport: Sendable, Codable, Equatable {
    package var run: Int
    package var extraction: String
    package var beganAt: Date
    /// Missing: it can go on.
    package var endedAt: Date?
    package var actor: String
    package var reason: String?
    package var from: Date
    package var to: Date
    package var repair: Bool
    package var counts: ReconcileCounts
    /// What is not the same on both sides, or was not; the first of many.
    package var found: [ReconcileFinding]
    /// Why this step went no further: a side does not answer.
    package var halted: String?

    package init(
        run: Int, extraction: String, beganAt: Date, endedAt: Date? = nil, actor: String, reason: String? = nil,
        from: Date, to: Date, repair: Bool, counts: ReconcileCounts, found: [ReconcileFinding] = [],
        halted: String? = nil
    ) {
        self.run = run
        self.extraction = extraction
        self.beganAt = beganAt
        self.endedAt = endedAt
        self.actor = actor
        self.reason = reason
        self.from = from
        self.to = to
        self.repair = repair
        self.counts = counts
        self.found = found
        self.halted = halted
    }
}
