import FoundationEssentials

/// One extraction's rules in the form in which a walk over documents asks them. Made once per configuration; only
/// `until` depends on the moment.
struct CompiledRules: Sendable {
    enum Action: Sendable {
        case ignore
        case unordered(key: PathPattern?)
        /// nil never tolerates: the limit is no number.
        case number(ExactDecimal?)
        case time(seconds: Double)
        case equivalence(EquivalenceRule.Kind)
        case matches(LinearRegex)
    }

    struct Rule: Sendable {
        let pattern: PathPattern
        let action: Action
        let until: Date?
        /// Parallel to the pattern's steps: what a name must hash to, 0 for steps that are no names.
        let nameHashes: [Int32]

        init(_ pattern: PathPattern, _ action: Action, until: Date?) {
            self.pattern = pattern
            self.action = action
            self.until = until
            nameHashes = pattern.steps.map { step in
                if case .name(let name) = step.selector { Document.nameHash(of: name) } else { 0 }
            }
        }
    }

    /// In the order of ``ComparisonRules/names``.
    let rules: [Rule]
    let ignoreCount: Int
    /// The rules that are about documents, at the root.
    let documentRules: [RuleStates.Entry]
    private let hasExpiry: Bool

    init(_ rules: ComparisonRules) {
        self.rules =
            rules.ignore.map { Rule($0.path, .ignore, until: $0.until) }
            + rules.unordered.map { Rule($0.path, .unordered(key: $0.key), until: $0.until) }
            + rules.tolerance.map { Rule($0.path, Self.action($0.kind), until: $0.until) }
            + rules.equivalence.map { Rule($0.path, .equivalence($0.kind), until: $0.until) }
            + rules.matches.map { Rule($0.path, .matches($0.pattern), until: $0.until) }
        ignoreCount = rules.ignore.count
        documentRules = self.rules.enumerated().filter { $1.pattern.root == .document }
            .map { RuleStates.Entry(rule: Int32(truncatingIfNeeded: $0), states: $1.pattern.initialStates) }
        hasExpiry = self.rules.contains { $0.until != nil }
    }

    private static func action(_ kind: ToleranceRule.Kind) -> Action {
        switch kind {
        case .number(let limit): .number(ExactDecimal(limit: limit))
        case .time(let seconds): .time(seconds: seconds)
        }
    }

    /// The rules as they hold at one moment.
    func live(at now: Date) -> LiveRules {
        let over = hasExpiry ? rules.indices.filter { rules[$0].until.map { $0 <= now } ?? false } : []
        return LiveRules(rules: self, over: over)
    }
}

/// Rules without those that have run out.
struct LiveRules: Sendable {
    let rules: CompiledRules
    /// Rules that have run out; rarely any.
    private let over: [Int]
    /// Rules about documents that hold.
    let documentRules: [RuleStates.Entry]

    init(rules: CompiledRules, over: [Int]) {
        self.rules = rules
        self.over = over
        documentRules = over.isEmpty ? rules.documentRules : rules.documentRules.filter { !over.contains(Int($0.rule)) }
    }

    /// The first ignore rule for a place outside documents or one around it; `body` names everything in the body.
    func ignoreRule(covering root: PathPattern.Root, _ path: [PathSegment] = []) -> Int? {
        (0..<rules.ignoreCount).first { rules.rules[$0].pattern.covers(root, path) && isLive($0) }
    }

    /// The first rule that hides a difference at a place outside documents: an ignore rule, or one whose expression
    /// both values match.
    func rule(hiding root: PathPattern.Root, _ path: [PathSegment] = [], primary: String?, shadow: String?) -> Int? {
        if let rule = ignoreRule(covering: root, path) { return rule }
        // Of a body only a summary is at hand.
        guard let primary, let shadow, root != .body else { return nil }
        return rules.rules.indices.first { index in
            guard case .matches(let regex) = rules.rules[index].action,
                rules.rules[index].pattern.names(root, path), isLive(index)
            else { return false }
            return regex.matches(Array(primary.utf8)) && regex.matches(Array(shadow.utf8))
        }
    }

    /// Whether a rule may make two different bodies count as equal. (One that ignores the whole body hides what is said
    /// of it as any other.)
    var mayHideInBody: Bool { !documentRules.isEmpty }

    private func isLive(_ rule: Int) -> Bool { !over.contains(rule) }
}
