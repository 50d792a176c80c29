package import Comparison
package import Extraction

/// What looking at one entity on both sides came to.
package struct ReconcileFinding: Sendable, Equatable, Codable {
    /// The raw value is the public name.
    package enum Result: String, Sendable, Codable, CaseIterable {
        /// Both sides answer alike, as far as the extraction's rules go.
        case same
        /// They did not, and do now.
        case repaired
        case differs
        /// One side knows it and the other does not.
        case missing
        /// They are not alike while writes of it are still on their way: nothing to repair, and nothing proved.
        case behind
        /// One of them could not be read, or both know nothing of it.
        case unreadable
    }

    /// As the side knows it that answers for it.
    package var entity: String
    package var result: Result
    /// Whose representation counts.
    package var primary: Side
    package var differences: [Difference]
    /// Why it was not read or not repaired; or what repaired it.
    package var reason: String?

    package init(
        entity: String, result: Result, primary: Side, differences: [Difference] = [], reason: String? = nil
    ) {
        self.entity = entity
        self.result = result
        self.primary = primary
        self.differences = differences
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey { case entity, result, primary, differences, reason }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        entity = try values.decode(String.self, forKey: .entity)
        result = try values.decode(Result.self, forKey: .result)
        primary = try values.decode(String.self, forKey: .primary) == Side.service.description ? .service : .monolith
        differences = try values.decodeIfPresent([Difference].self, forKey: .differences) ?? []
        reason = try values.decodeIfPresent(String.self, forKey: .reason)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(entity, forKey: .entity)
        try values.encode(result, forKey: .result)
        try values.encode(primary.description, forKey: .primary)
        if !differences.isEmpty { try values.encode(differences, forKey: .differences) }
        try values.encodeIfPresent(reason, forKey: .reason)
    }
}

/// Entities by what was found; what is checked is one of the others.
package struct ReconcileCounts: Sendable, Equatable, Codable {
    /// Entities there are to look at, as far as it is known; what is found beyond makes it grow.
    package var total = 0
    package var checked = 0
    package var same = 0
    package var repaired = 0
    package var differs = 0
    package var missing = 0
    package var behind = 0
    package var unreadable = 0
    /// Writes of the period of which nobody knows where they could be read: not looked at.
    package var nameless = 0

    package init(total: Int = 0, nameless: Int = 0) {
        self.total = total
        self.nameless = nameless
    }

    /// Nothing is known to be apart, or unknown.
    package var isClean: Bool { checked == same + repaired }

    package mutating func add(_ result: ReconcileFinding.Result) {
        checked += 1
        total = max(total, checked)
        switch result {
        case .same: same += 1
        case .repaired: repaired += 1
        case .differs: differs += 1
        case .missing: missing += 1
        case .behind: behind += 1
        case .unreadable: unreadable += 1
        }
    }
}
