/// What one extraction's rule file says about comparing its two answers.
package struct ComparisonRules: Sendable, Equatable {
    package var ignore: [IgnoreRule]
    package var unordered: [UnorderedRule]
    package var tolerance: [ToleranceRule]
    package var equivalence: [EquivalenceRule]
    package var matches: [MatchRule]
    /// Places whose values never leave memory readable. `header.NAME` and `body` are possible. Hides no difference.
    package var redact: [PathPattern]
    /// Names of the header fields that are compared, lower-case.
    package var headers: [String]
    package var identity: [IdentityRule]
    /// Two statuses of one class (the first digit, RFC 9110 §15) are equal.
    package var statusByClass: Bool

    package init(
        ignore: [IgnoreRule] = [], unordered: [UnorderedRule] = [], tolerance: [ToleranceRule] = [],
        equivalence: [EquivalenceRule] = [], matches: [MatchRule] = [], redact: [PathPattern] = [],
        headers: [String] = ComparisonRules.defaultHeaders, identity: [IdentityRule] = [],
        statusByClass: Bool = false
    ) {
        self.ignore = ignore
        self.unordered = unordered
        self.tolerance = tolerance
        self.equivalence = equivalence
        self.matches = matches
        self.redact = redact
        self.headers = headers.map { $0.lowercased() }
        self.identity = identity
        self.statusByClass = statusByClass
    }

    /// What a client acts on and what does not change from request to request by itself, unlike `date`,
    /// `etag` or `set-cookie`.
    package static let defaultHeaders = [
        "content-type", "location", "content-language", "content-disposition", "cache-control", "allow",
    ]

    package static let none = ComparisonRules()

    /// Every rule that can hide a difference, by what it says: `ignore $.requestId`. ``ComparisonResult/hiddenByRule``
    /// is parallel to this.
    package var names: [String] {
        ignore.map { "ignore \($0.path)" } + unordered.map { "unordered \($0.path)" }
            + tolerance.map { "tolerance \($0.path)" } + equivalence.map { "equivalence \($0.path)" }
            + matches.map { "matches \($0.path)" }
    }
}
