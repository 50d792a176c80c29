package import FoundationEssentials

/// Compares two answers under one extraction's rules. A value without state: use one from many threads.
package struct Comparer: Sendable {
    private let rules: ComparisonRules
    private let compiled: CompiledRules
    private let redaction: Redaction
    private let limits: ComparisonLimits

    package init(rules: ComparisonRules, redactor: Redactor, limits: ComparisonLimits = ComparisonLimits()) {
        self.rules = rules
        compiled = CompiledRules(rules)
        self.redaction = Redaction(redactor, rules)
        self.limits = limits
    }

    /// Status exactly, the chosen headers, then the bodies by media type. Cost: linear in the bodies' size,
    /// and a comparison of memory when they are identical.
    /// - Parameter now: decides which rules have run out.
    package func compare(primary: Answer, shadow: Answer, now: Date) -> ComparisonResult {
        var pair = PairComparison(
            primary: primary, shadow: shadow, rules: compiled.live(at: now), redaction: redaction, limits: limits,
            result: ComparisonResult(
                differences: [], hiddenByRule: [Int](repeating: 0, count: compiled.rules.count)))
        pair.compareStatus()
        for name in rules.headers { pair.compareHeader(name) }
        pair.compareBodies()
        return pair.result
    }
}

/// One comparison under way.
private struct PairComparison {
    var primary: Answer
    var shadow: Answer
    let rules: LiveRules
    let redaction: Redaction
    let limits: ComparisonLimits
    var result: ComparisonResult

    mutating func compareStatus() {
        guard primary.status != shadow.status else { return }
        report(.value, at: .status, String(primary.status), String(shadow.status))
    }

    /// Fields of one name as an ordered list; content-type by its parts.
    mutating func compareHeader(_ name: String) {
        let (left, right) = (primary.values(of: name), shadow.values(of: name))
        guard left != right, let kind = kind(of: name, left, right) else { return }
        let print = { [redaction] (values: [String]) in
            values.isEmpty
                ? Printing.absent
                : values.map { redaction.value(of: HeaderField(name: name, value: $0)) }.joined(separator: ", ")
        }
        report(kind, at: .header(name), print(left), print(right))
    }

    private func kind(of name: String, _ left: [String], _ right: [String]) -> DifferenceKind? {
        if right.isEmpty { return .missing }
        if left.isEmpty { return .extra }
        if name == "content-type", left.count == 1, right.count == 1 {
            let (one, other) = (MediaType(left[0]), MediaType(right[0]))
            if let one, one == other { return nil }
            return one?.type == other?.type ? .value : .format
        }
        if left.count != right.count { return .length }
        return left.sorted() == right.sorted() ? .order : .value
    }

    mutating func compareBodies() {
        switch BodyReading(primary, shadow, rules: rules, limits: limits, summary: summary) {
        case .readable(let left, let right): (primary, shadow) = (left, right)
        case .same: return
        case .bytes: return compareBytes()
        case .different(let kind, let left, let right): return report(kind, at: .body, left, right)
        case .notCompared(let reason):
            result.notCompared = reason
            return
        }
        guard !Bytes.equal(primary.body, shadow.body) else { return }
        if shadow.body.isEmpty { return report(.missing, at: .body, summary(primary.body), Printing.absent) }
        if primary.body.isEmpty { return report(.extra, at: .body, Printing.absent, summary(shadow.body)) }
        let types = (primary.mediaType, shadow.mediaType)
        switch (types.0?.isJSON ?? false, types.1?.isJSON ?? false) {
        case (true, true): compareDocuments()
        case (false, false) where types.0?.type == types.1?.type: compareBytes()
        default:
            let print = { (type: MediaType?, summary: String) in (type?.type ?? "no media type") + ", " + summary }
            report(
                .format, at: .body, print(types.0, summary(primary.body)), print(types.1, summary(shadow.body)))
        }
    }

    private mutating func compareDocuments() {
        let left = parsed(primary.body)
        let right = parsed(shadow.body)
        switch (left, right) {
        case (.success(let left), .success(let right)):
            let findings = DocumentComparison.run(
                primary: left, shadow: right, rules: rules, redaction: redaction, limits: limits,
                findings: DocumentComparison.Findings(
                    differences: result.differences, hiddenByRule: result.hiddenByRule))
            result.differences = findings.differences
            result.truncated = findings.truncated
            result.hiddenByRule = findings.hiddenByRule
            if findings.isAlignmentAbandoned { result.notCompared = .alignmentTooLarge }
        case (.failure(let error), _) where error.code == .tooDeep,
            (_, .failure(let error)) where error.code == .tooDeep:
            result.notCompared = .bodyTooDeep
        case (.failure(let error), _) where error.code == .tooLarge,
            (_, .failure(let error)) where error.code == .tooLarge:
            result.notCompared = .bodyTooLarge
        case (.failure, .failure): compareBytes()
        default: report(.format, at: .body, syntax(left, primary.body), syntax(right, shadow.body))
        }
    }

    private mutating func compareBytes() {
        let kind = primary.body.count == shadow.body.count ? DifferenceKind.value : .length
        report(kind, at: .body, summary(primary.body), summary(shadow.body))
    }

    private func parsed(_ body: [UInt8]) -> Result<Document, DocumentError> {
        do throws(DocumentError) {
            return .success(try Document(json: body, maximumDepth: limits.depth))
        } catch {
            return .failure(error)
        }
    }

    private func syntax(_ parsed: Result<Document, DocumentError>, _ body: [UInt8]) -> String {
        switch parsed {
        case .success: "JSON, " + summary(body)
        case .failure(let error): "invalid JSON (\(error)), " + summary(body)
        }
    }

    /// Size and keyed hash: says whether two bodies are the same without saying what is in them.
    private func summary(_ body: [UInt8]) -> String {
        "\(body.count) bytes, hmac \(redaction.redactor.digest(body))"
    }

    private mutating func report(_ kind: DifferenceKind, at root: PathPattern.Root, _ left: String, _ right: String) {
        if let rule = rules.rule(hiding: root, primary: left, shadow: right) {
            result.hiddenByRule[rule] += 1
            return
        }
        guard result.differences.count < limits.differences else {
            result.truncated = true
            return
        }
        result.differences.append(
            Difference(
                path: PathPattern(root: root).description, kind: kind,
                primary: Printing.shortened(left, to: limits.renderedBytes),
                shadow: Printing.shortened(right, to: limits.renderedBytes)))
    }
}
