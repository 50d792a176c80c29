import FoundationEssentials

/// One extraction's rules as they hold at one moment, in the form in which a walk over documents asks them.
struct CompiledRules {
    private let rules: ComparisonRules
    /// Parallel to `rules.ignore`; false once `until` has come.
    private let isLive: [Bool]
    /// Ignore, tolerance and unordered patterns in one list, so that a walk carries one list of states.
    private let patterns: [PathPattern]

    init(_ rules: ComparisonRules, now: Date) {
        self.rules = rules
        isLive = rules.ignore.map { rule in rule.until.map { now < $0 } ?? true }
        patterns = rules.ignore.map(\.path) + rules.tolerance.map(\.path) + rules.unordered.map(\.path)
    }

    /// Whether two different JSON values may count as equal at all.
    var mayEquateDifferentValues: Bool { !patterns.isEmpty }
    var hasUnordered: Bool { !rules.unordered.isEmpty }

    /// The first live rule that names the place or one around it.
    func ignoreRule(covering path: [PathSegment]) -> Int? {
        rules.ignore.indices.first { isLive[$0] && rules.ignore[$0].path.firstCover(of: path) != nil }
    }

    /// The first live rule for a place outside JSON; `body` names everything in the body.
    func ignoreRule(covering root: PathPattern.Root) -> Int? {
        rules.ignore.indices.first { isLive[$0] && rules.ignore[$0].path.root == root }
    }

    /// Whether a rule may make two different bodies count as equal. (One that ignores the whole body hides what is said
    /// of it as any other.)
    var mayHideInBody: Bool {
        rules.ignore.indices.contains { isLive[$0] && rules.ignore[$0].path.root == .document }
            || rules.tolerance.contains { $0.path.root == .document || $0.path.root == .body }
            || rules.unordered.contains { $0.path.root == .document || $0.path.root == .body }
    }

    func tolerances(at path: [PathSegment]) -> [ToleranceRule.Kind] {
        rules.tolerance.filter { $0.path.matches(path) }.map(\.kind)
    }

    func unorderedRule(at path: [PathSegment]) -> UnorderedRule? {
        rules.unordered.first { $0.path.matches(path) }
    }

    // MARK: - Walking all patterns at once

    func states(at path: [PathSegment]) -> [PathPattern.States] {
        path.reduce(patterns.map(\.initialStates)) { advanced($0, by: $1) }
    }

    func advanced(_ states: [PathPattern.States], by segment: PathSegment) -> [PathPattern.States] {
        patterns.indices.map { patterns[$0].advanced(states[$0], by: segment) }
    }

    func isIgnored(_ states: [PathPattern.States]) -> Bool {
        rules.ignore.indices.contains { isLive[$0] && patterns[$0].accepts(states[$0]) }
    }

    func isTolerated(_ states: [PathPattern.States]) -> Bool {
        rules.tolerance.indices.contains { accepts(states, rules.ignore.count + $0) }
    }

    func isUnordered(_ states: [PathPattern.States]) -> Bool {
        rules.unordered.indices.contains { accepts(states, rules.ignore.count + rules.tolerance.count + $0) }
    }

    private func accepts(_ states: [PathPattern.States], _ index: Int) -> Bool {
        patterns[index].accepts(states[index])
    }
}
