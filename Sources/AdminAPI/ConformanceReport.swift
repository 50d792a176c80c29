/// How far the monolith's own answers keep the contract at one endpoint.
package struct ConformanceReport: Sendable, Codable, Equatable {
    /// Of the contract: `GET /api/v1/orders/{id}`.
    package var endpoint: String
    /// Answers that were held against the contract, and how many of them broke it.
    package var checked: Int
    package var violating: Int
    /// Answers that could not be, by reason: `not-in-contract`, `body-too-large`, …
    package var unchecked: [String: Int]
    /// The most frequent first, at most 50.
    package var violations: [ViolationReport]

    package init(
        endpoint: String, checked: Int, violating: Int, unchecked: [String: Int], violations: [ViolationReport]
    ) {
        self.endpoint = endpoint
        self.checked = checked
        self.violating = violating
        self.unchecked = unchecked
        self.violations = violations
    }
}

/// One way in which answers broke the contract.
package struct ViolationReport: Sendable, Codable, Equatable {
    /// With its place: `GET /orders/{id} 200 application/json $.total is a string, the contract says number`.
    package var violation: String
    package var count: Int

    package init(violation: String, count: Int) {
        self.violation = violation
        self.count = count
    }
}
