package import Comparison
package import FoundationEssentials

/// One group of mismatches: an element of `strangler diffs --json`.
package struct GroupReport: Sendable, Codable, Equatable {
    /// What reviewers may set; `regressed` only the proxy itself finds.
    package static let settableStates = ["acknowledged", "accepted", "fixed", "new"]
    package static let states = settableStates + ["regressed"]

    package var signature: String
    package var extraction: String
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var state: String
    package var count: Int
    package var differences: [ReportedDifference]
    package var firstSeen: Date
    package var lastSeen: Date
    package var stateAt: Date?
    package var stateBy: String?
    package var stateReason: String?
    /// Pairs of answers of this endpoint that were compared while the group's counter ran; nil if that is not known.
    package var endpointCompared: Int?
    /// `count` as a part of `endpointCompared`, 0…1.
    package var share: Double?
    /// Every one of its differences is noise that has been learned; nil while nothing is known about noise.
    package var noise: Bool?
    /// Decisions and relapses, the newest first; only where one group is asked for.
    package var history: [GroupEvent]?

    package var isNoise: Bool { noise ?? false }

    /// - Parameter noisy: those of the differences that are noise; nil if nothing is known about noise.
    package init(
        signature: String, extraction: String, endpoint: String, state: String, count: Int,
        differences: [GroupedDifference], firstSeen: Date, lastSeen: Date, stateAt: Date? = nil,
        stateBy: String? = nil, stateReason: String? = nil, endpointCompared: Int? = nil,
        noisy: Set<GroupedDifference>? = nil, history: [GroupEvent]? = nil
    ) {
        self.signature = signature
        self.extraction = extraction
        self.endpoint = endpoint
        self.state = state
        self.count = count
        self.differences = differences.map { difference in
            ReportedDifference(difference, noise: noisy.map { $0.contains(difference) })
        }
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.stateAt = stateAt
        self.stateBy = stateBy
        self.stateReason = stateReason
        self.endpointCompared = endpointCompared
        share = endpointCompared.flatMap { $0 > 0 ? min(1, Double(count) / Double($0)) : nil }
        noise = noisy.map { noisy in !differences.isEmpty && differences.allSatisfy(noisy.contains) }
        self.history = history
    }
}

/// One place and kind of a group.
package struct ReportedDifference: Sendable, Codable, Hashable {
    package var path: String
    package var kind: DifferenceKind
    /// The primary disagrees with itself there about as often; nil while nothing is known about noise.
    package var noise: Bool?

    package init(_ difference: GroupedDifference, noise: Bool? = nil) {
        path = difference.path
        kind = difference.kind
        self.noise = noise
    }

    package var grouped: GroupedDifference { GroupedDifference(path: path, kind: kind) }
}

/// One entry of a group's history.
package struct GroupEvent: Sendable, Codable, Equatable {
    package var at: Date
    package var state: String
    /// Nil for what the proxy found by itself.
    package var actor: String?
    package var reason: String?

    package init(at: Date, state: String, actor: String?, reason: String?) {
        self.at = at
        self.state = state
        self.actor = actor
        self.reason = reason
    }
}

/// A group and its recorded pairs; in JSON, the group's fields with `examples` beside them.
package struct GroupDetail: Sendable, Codable, Equatable {
    package var group: GroupReport
    package var examples: [ExampleReport]

    package init(group: GroupReport, examples: [ExampleReport]) {
        self.group = group
        self.examples = examples
    }

    private enum CodingKeys: String, CodingKey { case examples }

    package init(from decoder: any Decoder) throws {
        group = try GroupReport(from: decoder)
        examples = try decoder.container(keyedBy: CodingKeys.self).decode([ExampleReport].self, forKey: .examples)
    }

    package func encode(to encoder: any Encoder) throws {
        try group.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(examples, forKey: .examples)
    }
}

/// A request and what both sides said to it, redacted.
package struct ExampleReport: Sendable, Codable, Equatable {
    package var at: Date
    package var request: RecordedRequest
    package var primary: RecordedAnswer
    package var shadow: RecordedAnswer
    package var differences: [Difference]

    package init(
        at: Date, request: RecordedRequest, primary: RecordedAnswer, shadow: RecordedAnswer,
        differences: [Difference]
    ) {
        self.at = at
        self.request = request
        self.primary = primary
        self.shadow = shadow
        self.differences = differences
    }
}
