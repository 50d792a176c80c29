/// Arrays: by position, unless a rule makes them bags; and the same elements in another order are one
/// difference, not one per position.
extension DocumentComparison {
    mutating func compareArrays(_ left: Value, _ right: Value) {
        let (first, second) = (primary.elements(of: left), shadow.elements(of: right))
        if rules.hasUnordered, let rule = rules.unorderedRule(at: segments) {
            compareBags(first, second, key: rule.key)
            return
        }
        let before = findings
        if first.count != second.count { reportLength(left, right) }
        for (index, pair) in zip(first, second).enumerated() {
            guard !isDone else { break }
            compare(pair.0, pair.1, at: .element(index))
        }
        let foundAny = findings.differences.count > before.differences.count || findings.truncated != before.truncated
        guard !isQuiet, foundAny, first.count == second.count, first.count > 1 else { return }
        let byPosition = findings
        findings = before
        if let pairs = alignment(of: first, with: second), pairs.isComplete {
            report(.order, left, right)
        } else {
            findings = byPosition
        }
    }

    /// The length is printed in place of the arrays; their common elements are compared anyway.
    private mutating func reportLength(_ left: Value, _ right: Value) {
        let before = findings.differences.count
        report(.length, left, right)
        guard findings.differences.count > before, findings.differences[before].kind == .length else { return }
        findings.differences[before].primary = "\(primary.count(of: left)) elements"
        findings.differences[before].shadow = "\(shadow.count(of: right)) elements"
    }

    /// Arrays whose order means nothing: paired by key, then by equality, then the rest in order, so that one
    /// changed element is reported by its changed field; what is left over is missing or extra.
    private mutating func compareBags(_ left: [Value], _ right: [Value], key: PathPattern?) {
        let keyed = KeyedPairing(primary, left, shadow, right, key: key)
        for pair in keyed.both { compare(left[pair.primary], right[pair.shadow], at: .element(pair.primary)) }
        guard !isDone else { return }
        guard
            let rest = alignment(
                of: keyed.keylessPrimary.map { left[$0] }, with: keyed.keylessShadow.map { right[$0] },
                positions: keyed.keylessPrimary)
        else {
            findings.isAlignmentAbandoned = true
            return
        }
        let missing = rest.missing.map { keyed.keylessPrimary[$0] }
        let extra = rest.extra.map { keyed.keylessShadow[$0] }
        for (one, other) in zip(missing, extra) { compare(left[one], right[other], at: .element(one)) }
        let alone = missing.dropFirst(extra.count) + keyed.missing
        for index in alone.sorted() { report(.missing, left[index], nil, at: .element(index)) }
        let added = extra.dropFirst(missing.count) + keyed.extra
        for index in added.sorted() { report(.extra, nil, right[index], at: .element(index)) }
    }
}

/// Which elements of two arrays carry the same key. Elements that share a key pair in their order.
private struct KeyedPairing {
    private(set) var both: [(primary: Int, shadow: Int)] = []
    private(set) var missing: [Int] = []
    private(set) var extra: [Int] = []
    /// Elements without a key, or all if there is no key rule.
    private(set) var keylessPrimary: [Int] = []
    private(set) var keylessShadow: [Int] = []

    init(
        _ primary: Document, _ left: [Document.Value], _ shadow: Document, _ right: [Document.Value],
        key: PathPattern?
    ) {
        guard let key else {
            keylessPrimary = Array(left.indices)
            keylessShadow = Array(right.indices)
            return
        }
        var waiting: [[UInt8]: [Int]] = [:]
        for index in right.indices.reversed() {
            if let text = key.firstMatch(in: shadow, below: right[index]).map(shadow.text) {
                waiting[text, default: []].append(index)
            } else {
                keylessShadow.append(index)
            }
        }
        keylessShadow.reverse()
        for index in left.indices {
            guard let text = key.firstMatch(in: primary, below: left[index]).map(primary.text) else {
                keylessPrimary.append(index)
                continue
            }
            if let other = waiting[text]?.popLast() { both.append((index, other)) } else { missing.append(index) }
        }
        extra = waiting.values.flatMap { $0 }.sorted()
    }
}
