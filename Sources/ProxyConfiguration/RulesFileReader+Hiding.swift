import Comparison
import FoundationEssentials
import Yams

/// The rules that can hide a difference: each has a path, may say `because`, and may end at `until`.
extension RulesFileReader {
    func ignoreRule(_ rule: FieldReader, _ node: Node) -> IgnoreRule? {
        let path = path(rule)
        let because = rule.required("because", example: "because: \"why nobody needs to see this\"")
            .flatMap { source.value($0, "because", Values.text) }
        let until = until(rule)
        guard let path, let because else { return nil }
        return IgnoreRule(path: path, because: because, until: until)
    }

    func unorderedRule(_ rule: FieldReader, _ node: Node) -> UnorderedRule? {
        let key = rule.value("key", Self.pattern)
        let (because, until) = (because(rule), until(rule))
        return path(rule).map { UnorderedRule(path: $0, key: key, because: because, until: until) }
    }

    func toleranceRule(_ rule: FieldReader, _ node: Node) -> ToleranceRule? {
        let path = path(rule)
        let kind: ToleranceRule.Kind?
        switch (rule["time"], rule["number"]) {
        case (.some, nil): kind = rule.value("time", Values.duration).map { .time(seconds: $0 / .seconds(1)) }
        case (nil, .some): kind = rule.value("number", Values.decimal).map { .number($0) }
        default:
            source.report(
                "a tolerance is one of a time or a number", fix: "expected `time: 2s` or `number: 0.005`", at: node)
            kind = nil
        }
        let (because, until) = (because(rule), until(rule))
        guard let path, let kind else { return nil }
        return ToleranceRule(path: path, kind: kind, because: because, until: until)
    }

    func equivalenceRule(_ rule: FieldReader, _ node: Node) -> EquivalenceRule? {
        let path = path(rule)
        let kinds = EquivalenceRule.Kind.allCases.map { (name: $0.rawValue, value: $0) }
        let kind = rule.required("as", example: "as: string-number").flatMap {
            source.value($0, "as", Values.oneOf(kinds))
        }
        let (because, until) = (because(rule), until(rule))
        guard let path, let kind else { return nil }
        return EquivalenceRule(path: path, as: kind, because: because, until: until)
    }

    func matchRule(_ rule: FieldReader, _ node: Node) -> MatchRule? {
        let path = path(rule)
        let pattern = rule.required("regex", example: "regex: \"req_[0-9a-f]{16}\"").flatMap {
            source.value($0, "regex", Self.regex)
        }
        let (because, until) = (because(rule), until(rule))
        guard let path, let pattern else { return nil }
        return MatchRule(path: path, pattern: pattern, because: because, until: until)
    }

    private func because(_ rule: FieldReader) -> String? { rule.value("because", Values.text) }
    private func until(_ rule: FieldReader) -> Date? { rule.value("until", Self.endOfDay) }

    static func regex(_ text: String) throws(ValueError) -> LinearRegex {
        do throws(LinearRegexError) {
            return try LinearRegex(text)
        } catch {
            throw ValueError(
                "`\(text)` is no regular expression, at character \(error.position): \(error.message)",
                fix: "expected such as req_[0-9a-f]{16}; the whole value is matched")
        }
    }
}
