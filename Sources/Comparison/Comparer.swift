package import FoundationEssentials

/// Compares two answers under one extraction's rules. A value without state: use one from many threads.
package struct Comparer: Sendable {
    private let rules: ComparisonRules
    private let compiled: CompiledRules
    private let headers: [ComparedHeader]
    private let redaction: Redaction
    private let limits: ComparisonLimits

    package init(rules: ComparisonRules, redactor: Redactor, limits: ComparisonLimits = ComparisonLimits()) {
        self.rules = rules
        compiled = CompiledRules(rules)
        headers = rules.headers.map(ComparedHeader.init)
        self.redaction = Redaction(redactor, rules)
        self.limits = limits
    }

    /// Status, the chosen headers, then the bodies by media type. Cost: linear in the bodies' size, and a
    /// comparison of memory when they are identical.
    /// - Parameter now: decides which rules have run out.
    package func compare(primary: Answer, shadow: Answer, now: Date) -> ComparisonResult {
        var pair = PairComparison(
            primary: primary, shadow: shadow, rules: compiled.live(at: now), redaction: redaction, limits: limits,
            result: ComparisonResult(
                differences: [], hiddenByRule: [Int](repeating: 0, count: compiled.rules.count)))
        pair.compareStatus(byClass: rules.statusByClass)
        for header in headers { pair.compareHeader(header) }
        pair.compareBodies()
        return pair.result
    }
}

/// One comparison under way. Headers are in HeaderComparison.swift, bodies in BodyComparison.swift.
struct PairComparison {
    let primary: Answer
    let shadow: Answer
    let rules: LiveRules
    let redaction: Redaction
    let limits: ComparisonLimits
    var result: ComparisonResult

    /// - Parameter byClass: only the first digit counts (RFC 9110 §15).
    mutating func compareStatus(byClass: Bool) {
        guard primary.status != shadow.status else { return }
        if byClass, primary.status / 100 == shadow.status / 100 { return }
        report(.value, at: .status, (String(primary.status), String(shadow.status)))
    }

    /// Reports a difference of the whole status or body, unless a rule hides it.
    mutating func report(_ kind: DifferenceKind, at root: PathPattern.Root, _ texts: (String, String)) {
        if let rule = rules.rule(hiding: root, primary: texts.0, shadow: texts.1) {
            result.hiddenByRule[rule] += 1
        } else {
            append(kind, at: PathPattern(root: root), texts)
        }
    }

    /// Adds a difference that no rule hides. The values are redacted already.
    mutating func append(_ kind: DifferenceKind, at place: PathPattern, _ texts: (String, String)) {
        guard result.differences.count < limits.differences else {
            result.truncated = true
            return
        }
        result.differences.append(
            Difference(
                path: place.description, kind: kind, primary: Printing.shortened(texts.0, to: limits.renderedBytes),
                shadow: Printing.shortened(texts.1, to: limits.renderedBytes)))
    }
}
