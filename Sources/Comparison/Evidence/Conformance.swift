package import FoundationEssentials

/// One operation of one version of an extraction's contract: a contract that was changed counts anew.
package struct ConformanceKey: Hashable, Sendable {
    package var extraction: String
    /// The contract's fingerprint.
    package var contract: String
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String

    package init(extraction: String, contract: String, endpoint: String) {
        self.extraction = extraction
        self.contract = contract
        self.endpoint = endpoint
    }
}

/// How far the monolith's answers keep the contract.
package struct ConformanceTally: Sendable, Equatable {
    /// Distinct sentences that are kept; what comes beyond is counted in `violating` only.
    package static let maximumViolations = 50

    /// Answers that were held against the contract, and how many of them broke it.
    package var checked: Int
    package var violating: Int
    /// Answers that could not be, by reason.
    package var unchecked: [String: Int]
    /// By sentence, each with its place: in how many answers it was seen.
    package var violations: [String: Int]
    package var last: Date

    package init(
        checked: Int = 0, violating: Int = 0, unchecked: [String: Int] = [:], violations: [String: Int] = [:],
        last: Date = .distantPast
    ) {
        self.checked = checked
        self.violating = violating
        self.unchecked = unchecked
        self.violations = violations
        self.last = last
    }

    /// One answer.
    package init(checked: Int, violations: [String], unchecked: String?) {
        self.init(
            checked: checked, violating: violations.isEmpty ? 0 : 1,
            unchecked: unchecked.map { [$0: 1] } ?? [:],
            violations: Dictionary(violations.map { ($0, 1) }) { first, _ in first })
    }

    package mutating func merge(_ other: ConformanceTally) {
        checked += other.checked
        violating += other.violating
        unchecked.merge(other.unchecked, uniquingKeysWith: +)
        for (sentence, count) in other.violations {
            guard violations[sentence] != nil || violations.count < Self.maximumViolations else { continue }
            violations[sentence, default: 0] += count
        }
        last = max(last, other.last)
    }
}
