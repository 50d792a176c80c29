/// One rule that would hide a difference, as it is written in a rules' file.
package struct SuggestedRule: Sendable, Equatable {
    /// The list that it goes into.
    package enum List: String, Sendable, CaseIterable {
        case ignore, unordered, tolerance, equivalence, matches
    }

    /// A key beside `path`, its value as YAML writes it.
    package struct Detail: Sendable, Equatable {
        package var key: String
        package var value: String
        /// Otherwise a number, a duration or a word, which needs no quotes.
        package var isText: Bool

        package init(_ key: String, _ value: String, isText: Bool = false) {
            self.key = key
            self.value = value
            self.isText = isText
        }
    }

    package var list: List
    /// A ``PathPattern``.
    package var path: String
    package var details: [Detail]
    /// For the reviewer: what was seen that makes this the narrowest rule.
    package var seen: String
    /// Nil: it may go into the file as it stands.
    package var restraint: Restraint?
    /// The values are redacted, so examples prove nothing about it.
    package var isUntriable = false

    package init(_ list: List, _ path: String, _ details: [Detail] = [], seen: String) {
        self.list = list
        self.path = path
        self.details = details
        self.seen = seen
    }

    /// `{path: "$.total", number: 0.01, because: "…"}`
    package var yaml: String {
        let all = [Detail("path", path, isText: true)] + details + [Detail("because", "…", isText: true)]
        return "{" + all.map { "\($0.key): \($0.isText ? Self.quoted($0.value) : $0.value)" }.joined(separator: ", ")
            + "}"
    }

    /// A double-quoted scalar (YAML 1.2 §7.3.1). Paths and expressions hold no control characters.
    private static func quoted(_ text: String) -> String {
        "\"" + text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) } + "\""
    }
}

/// From the differences of one group of mismatches to the narrowest rules that would accept it. Pure: what it proposes is
/// only as good as the examples, so it is for a reviewer to judge, and for the comparison to confirm.
package enum RuleSuggestion {
    /// A recorded pair of answers.
    package struct Example: Sendable {
        package var differences: [Difference]
        package var primary: String?
        package var shadow: String?

        package init(differences: [Difference], primary: String?, shadow: String?) {
            self.differences = differences
            self.primary = primary
            self.shadow = shadow
        }
    }

    /// One list of rules, none twice; nothing below a place that is ignored as a whole.
    package static func rules(for group: [GroupedDifference], examples: [Example]) -> [SuggestedRule] {
        var rules: [SuggestedRule] = []
        for difference in group {
            let pairs = examples.flatMap(\.differences).filter { GroupedDifference($0) == difference }
                .map { ValuePair(primary: SeenValue($0.primary), shadow: SeenValue($0.shadow)) }
            let rule = rule(for: difference, pairs, examples)
            if !rules.contains(rule) { rules.append(rule) }
        }
        return withoutCovered(rules)
    }

    /// Nothing narrower will do.
    package static func ignoring(_ path: String, _ kind: DifferenceKind, seen: String) -> SuggestedRule {
        var rule = SuggestedRule(.ignore, path, seen: seen)
        rule.restraint = SuggestedRule.Restraint(ignoring: path, kind)
        return rule
    }

    private static func withoutCovered(_ rules: [SuggestedRule]) -> [SuggestedRule] {
        let ignored = Set(rules.filter { $0.list == .ignore && $0.restraint == nil }.map(\.path))
        return rules.filter { rule in
            guard rule.path.hasPrefix("$") else { return true }
            let isBelow = ignored.contains { path in
                path != rule.path && rule.path.hasPrefix(path)
                    && [".", "["].contains(rule.path.dropFirst(path.count).first)
            }
            return !isBelow && (rule.list == .ignore || !ignored.contains(rule.path))
        }
    }

    private static func rule(
        for difference: GroupedDifference, _ pairs: [ValuePair], _ examples: [Example]
    ) -> SuggestedRule {
        let (path, kind) = (difference.path, difference.kind)
        let ignored = { (seen: String) in ignoring(path, kind, seen: seen) }
        if pairs.contains(where: \.isRedacted), kind == .value || kind == .type {
            var rule = ignored("cannot be tried: the values are redacted")
            rule.isUntriable = true
            return rule
        }
        guard path.hasPrefix("$"), path != "$" || kind == .order else {
            return ignored("no narrower rule speaks of \(path)")
        }
        switch kind {
        case .order:
            let key = ArrayKeys.key(at: path, in: examples)
            let details = key.map { [SuggestedRule.Detail("key", $0, isText: true)] } ?? []
            return SuggestedRule(
                .unordered, path, details,
                seen: "the same elements in another order" + (key.map { ", each with a \($0) of its own" } ?? ""))
        case .value: return values(path, pairs) ?? ignored("the values have nothing in common")
        case .type: return types(path, pairs) ?? ignored("the types are not two ways to write one value")
        case .missing, .extra:
            return absences(path, pairs) ?? ignored("one side lacks a value that the other one has")
        case .length: return ignored("another number of elements")
        case .format: return ignored("another format")
        }
    }

    // MARK: - Values

    private static func values(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        guard !pairs.isEmpty else { return nil }
        return numbers(path, pairs) ?? times(path, pairs) ?? spellings(path, pairs)
            ?? ValueShape.expression(for: pairs, at: path).map { expression, words in
                SuggestedRule(.matches, path, [.init("regex", expression, isText: true)], seen: words)
            }
    }

    private static func numbers(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        let numbers = pairs.compactMap(\.numbers)
        guard numbers.count == pairs.count else { return nil }
        if numbers.allSatisfy({ $0 == $1 }) {
            return SuggestedRule(.equivalence, path, [.init("as", "number")], seen: "one number, written in two ways")
        }
        if ValueShape.namesIdentity(path), pairs.allSatisfy({ $0.texts.allSatisfy(ValueShape.isDigits) }) { return nil }
        guard pairs.allSatisfy(\.areNear), let bound = NumberBound.least(numbers) else { return nil }
        return SuggestedRule(.tolerance, path, [.init("number", bound)], seen: "numbers at most \(bound) apart")
    }

    private static func times(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        let distances = pairs.compactMap(\.secondsApart)
        guard distances.count == pairs.count, let longest = distances.max(),
            let bound = [1, 2, 5, 10, 30, 60].first(where: { longest <= Double($0) })
        else { return nil }
        return SuggestedRule(.tolerance, path, [.init("time", "\(bound)s")], seen: "times at most \(bound) s apart")
    }

    private static func spellings(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        let strings = pairs.compactMap(\.strings)
        guard strings.count == pairs.count else { return nil }
        if strings.allSatisfy({ $0.lowercased() == $1.lowercased() }) {
            return SuggestedRule(
                .equivalence, path, [.init("as", "case")], seen: "texts that differ only in upper and lower case")
        }
        let words = { (text: String) in text.split(whereSeparator: \.isWhitespace) }
        guard strings.allSatisfy({ words($0) == words($1) }) else { return nil }
        return SuggestedRule(.equivalence, path, [.init("as", "space")], seen: "texts that differ only in white space")
    }

    private static func types(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        func isOneNumber(_ pair: ValuePair) -> Bool {
            guard let one = pair.primary.numberInDisguise, let other = pair.shadow.numberInDisguise else {
                return false
            }
            return one == other
        }
        guard !pairs.isEmpty, pairs.allSatisfy(isOneNumber) else { return nil }
        return SuggestedRule(
            .equivalence, path, [.init("as", "string-number")],
            seen: "one number, once as a string and once as a number")
    }

    private static func absences(_ path: String, _ pairs: [ValuePair]) -> SuggestedRule? {
        guard !pairs.isEmpty else { return nil }
        let present = pairs.map { $0.primary.isAbsent ? $0.shadow : $0.primary }
        if present.allSatisfy(\.isNull) {
            return SuggestedRule(
                .equivalence, path, [.init("as", "null-missing")], seen: "null on one side, missing on the other")
        }
        guard present.allSatisfy({ $0.isNull || $0.isEmpty }) else { return nil }
        return SuggestedRule(
            .equivalence, path, [.init("as", "empty-missing")], seen: "empty on one side, missing on the other")
    }
}
