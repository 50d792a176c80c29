package import FoundationEssentials

/// What is known about one endpoint when a gate is asked.
package struct EndpointEvidence: Sendable, Codable, Equatable {
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    /// Pairs of answers that were judged. Differences of groups that were fixed are left out altogether: they tell of
    /// code that is not there any more (seen again, the group is `regressed`, and they count).
    package var compared: Int
    /// Of `compared`, those that differed and that nobody has accepted.
    package var differing: Int
    /// Of `compared`, those that differed as somebody has accepted.
    package var accepted: Int
    /// The primary itself gave no answer, or one of 5xx: nothing to compare with, and not the other side's fault.
    package var primaryFailed: Int
    /// The other side gave no answer in time.
    package var shadowFailed: Int
    /// Left out because the queue of shadow work was full.
    package var shed: Int
    /// Not compared for another reason than `sample` and shedding.
    package var notCompared: [String: Int]
    /// Why somebody lets this endpoint pass without evidence.
    package var waiver: Waiver?

    package init(
        endpoint: String, compared: Int = 0, differing: Int = 0, accepted: Int = 0, shadowFailed: Int = 0,
        shed: Int = 0, notCompared: [String: Int] = [:], waiver: Waiver? = nil, primaryFailed: Int = 0
    ) {
        self.endpoint = endpoint
        self.compared = compared
        self.differing = differing
        self.accepted = accepted
        self.primaryFailed = primaryFailed
        self.shadowFailed = shadowFailed
        self.shed = shed
        self.notCompared = notCompared
        self.waiver = waiver
    }

    /// Reads what older versions wrote too.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        endpoint = try fields.decode(String.self, forKey: .endpoint)
        compared = try fields.decodeIfPresent(Int.self, forKey: .compared) ?? 0
        differing = try fields.decodeIfPresent(Int.self, forKey: .differing) ?? 0
        accepted = try fields.decodeIfPresent(Int.self, forKey: .accepted) ?? 0
        primaryFailed = try fields.decodeIfPresent(Int.self, forKey: .primaryFailed) ?? 0
        shadowFailed = try fields.decodeIfPresent(Int.self, forKey: .shadowFailed) ?? 0
        shed = try fields.decodeIfPresent(Int.self, forKey: .shed) ?? 0
        notCompared = try fields.decodeIfPresent([String: Int].self, forKey: .notCompared) ?? [:]
        waiver = try fields.decodeIfPresent(Waiver.self, forKey: .waiver)
    }

    /// What should have been compared.
    package var wanted: Int { compared &+ shadowFailed &+ shed &+ notCompared.values.reduce(0, &+) }

    package var isWrite: Bool { Self.isWrite(endpoint) }

    /// - Parameter endpoint: `POST /api/v1/orders`.
    static func isWrite(_ endpoint: String) -> Bool {
        !["GET ", "HEAD ", "OPTIONS ", "TRACE "].contains { endpoint.hasPrefix($0) }
    }
}

/// Somebody's word, in place of evidence.
package struct Waiver: Sendable, Codable, Equatable {
    package var actor: String
    package var reason: String
    package var at: Date

    package init(actor: String, reason: String, at: Date) {
        self.actor = actor
        self.reason = reason
        self.at = at
    }
}

/// A time of which evidence is missing.
package struct EvidenceGap: Sendable, Codable, Equatable {
    package var id: Int64
    package var began: Date
    package var ended: Date
    /// The replica whose evidence is missing.
    package var replica: String
    package var reason: String
    /// Nil: everything of that time is missing. Else only this extraction lacks something: writes that went to one side
    /// alone.
    package var extraction: String?
    package var waiver: Waiver?

    package init(
        id: Int64, began: Date, ended: Date, replica: String, reason: String, extraction: String? = nil,
        waiver: Waiver? = nil
    ) {
        self.id = id
        self.began = began
        self.ended = ended
        self.replica = replica
        self.reason = reason
        self.extraction = extraction
        self.waiver = waiver
    }
}

/// What checking the monolith's own answers against the contract has shown.
package struct ConformanceEvidence: Sendable, Codable, Equatable {
    package var endpoint: String
    /// Answers that were checked, and how many of them broke the contract.
    package var checked: Int
    package var violating: Int
    /// The most frequent violations, a sentence each.
    package var violations: [String]

    package init(endpoint: String, checked: Int, violating: Int, violations: [String] = []) {
        self.endpoint = endpoint
        self.checked = checked
        self.violating = violating
        self.violations = violations
    }
}
