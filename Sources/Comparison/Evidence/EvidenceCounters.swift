package import FoundationEssentials

// What is counted beside the verdicts: how long both sides took, what rules hid, where the primary disagrees with itself.

/// One of the two systems.
package enum ComparedSide: String, Sendable, Codable, CaseIterable {
    case monolith, service
}

package struct LatencyKey: Hashable, Sendable {
    package var extraction: String
    package var endpoint: String
    package var side: ComparedSide

    package init(extraction: String, endpoint: String, side: ComparedSide) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.side = side
    }
}

/// A rule of one extraction's file, by what it says: `ignore $.requestId`. A rule that was rewritten counts anew.
package struct RuleKey: Hashable, Sendable {
    /// Stands for what was learned of the primary, in the place of a rule.
    package static let noise = "noise"

    package var extraction: String
    /// See ``ComparisonRules/names``.
    package var rule: String

    package init(extraction: String, rule: String) {
        self.extraction = extraction
        self.rule = rule
    }
}

/// What a rule has hidden.
package struct RuleTally: Sendable, Equatable {
    /// Pairs of answers of which it hid something.
    package var pairs: Int
    package var differences: Int
    package var last: Date

    package init(pairs: Int, differences: Int, last: Date) {
        self.pairs = pairs
        self.differences = differences
        self.last = last
    }

    mutating func merge(_ other: RuleTally) {
        pairs += other.pairs
        differences += other.differences
        last = max(last, other.last)
    }
}

/// Where noise is learned apart: after cutover the service is primary, and disagrees with itself in its own way.
package struct NoiseScope: Hashable, Sendable {
    package var extraction: String
    package var endpoint: String
    /// That was asked twice.
    package var side: ComparedSide

    package init(extraction: String, endpoint: String, side: ComparedSide) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.side = side
    }
}

/// How often something was seen between two answers of the primary, and between primary and shadow.
package struct NoiseCount: Sendable, Equatable {
    package var twins: Int
    package var pairs: Int

    package init(twins: Int = 0, pairs: Int = 0) {
        self.twins = twins
        self.pairs = pairs
    }

    package mutating func merge(_ other: NoiseCount) {
        twins += other.twins
        pairs += other.pairs
    }
}

/// One scope's comparisons, and in how many of them each field differed.
package struct NoiseTally: Sendable, Equatable {
    package var compared: NoiseCount
    package var differing: [GroupedDifference: NoiseCount]

    package init(compared: NoiseCount = NoiseCount(), differing: [GroupedDifference: NoiseCount] = [:]) {
        self.compared = compared
        self.differing = differing
    }

    package mutating func merge(_ other: NoiseTally) {
        compared.merge(other.compared)
        for (field, count) in other.differing { differing[field, default: NoiseCount()].merge(count) }
        limitFields()
    }
}
