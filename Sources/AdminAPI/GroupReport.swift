package import Comparison
package import FoundationEssentials

/// One group of mismatches: an element of `strangler diffs --json`.
package struct GroupReport: Sendable, Codable, Equatable {
    /// What reviewers may set; `regressed` only the proxy itself finds.
    package static let settableStates = ["acknowledged", "accepted", "fixed", "new"]

    package var signature: String
    package var extraction: String
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var state: String
    package var count: Int
    package var differences: [GroupedDifference]
    package var firstSeen: Date
    package var lastSeen: Date
    package var stateAt: Date?
    package var stateBy: String?
    package var stateReason: String?

    package init(
        signature: String, extraction: String, endpoint: String, state: String, count: Int,
        differences: [GroupedDifference], firstSeen: Date, lastSeen: Date, stateAt: Date? = nil,
        stateBy: String? = nil, stateReason: String? = nil
    ) {
        self.signature = signature
        self.extraction = extraction
        self.endpoint = endpoint
        self.state = state
        self.count = count
        self.differences = differences
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.stateAt = stateAt
        self.stateBy = stateBy
        self.stateReason = stateReason
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
