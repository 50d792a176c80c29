internal import Comparison

/// JSON texts that mean the same, or differ in exactly one known way, so that it is known what has to be found.
///
/// - Parameter bytes: choices, of which a value and its variants are made.
func checkJSONVariants(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    var choices = Choices(bytes)
    let which = choices.pick(7)
    let tree = VariantTree.random(depth: 6, &choices)
    switch which {
    case 0: try checkRewritten(tree, &choices)
    case 1: try checkEdited(tree, &choices)
    case 2: try checkInserted(tree, &choices)
    case 3: try checkShuffled(tree, &choices)
    case 4: try checkKeyed(&choices)
    case 5: try checkStringNumbers(tree, &choices)
    default: try checkNullMissing(tree, &choices)
    }
    return tree.isContainer ? .accepted : .refused
}

// MARK: - Written otherwise

private func checkRewritten(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    try demandEqual(tree.written(&choices), tree.written(&choices), .none)
    // Rules that are about nothing there change nothing.
    let rules = ComparisonRules(
        ignore: [IgnoreRule(path: try pattern("$..nowhere"))],
        unordered: [UnorderedRule(path: try pattern("$.no[*].where"))],
        equivalence: [EquivalenceRule(path: try pattern("$..nobody"), as: .nullMissing)])
    try demandEqual(tree.written(&choices), tree.written(&choices), rules)
}

/// Another value at one place is one difference, at that place.
private func checkEdited(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    let edit = tree.edited(&choices) { before, choices in
        let after = VariantTree.random(depth: 0, &choices)
        return before.isContainer && choices.isChosen() ? .array([before]) : after
    }
    let one = tree.written(&choices)
    let other = edit.tree.written(&choices)
    guard edit.before != edit.after else { return try demandEqual(one, other, .none) }
    // Two containers of one type are compared by what is in them.
    if edit.before.isContainer, edit.before.typeName == edit.after.typeName { return }
    let kind: DifferenceKind = edit.before.typeName == edit.after.typeName ? .value : .type
    for rules in [ComparisonRules.none, try farRules()] {
        for (left, right) in [(one, other), (other, one)] {
            let found = comparedJSON(left, right, rules).differences
            try demand(found.map(\.kind) == [kind], "\(left) and \(right): \(found), not one \(kind)")
            for difference in found {
                let isThere = try pattern(difference.path) == pattern(edit.path)
                try demand(isThere, "\(left) and \(right): \(difference.path), not \(edit.path)")
            }
        }
    }
}

/// Some elements more in one array, or one member more in an object, are that many differences.
private func checkInserted(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    var count = 0
    let edit = tree.edited(&choices) { before, choices in
        switch before {
        case .array(var elements):
            count = 1 + choices.pick(3)
            for _ in 0..<count {
                let value = VariantTree.random(depth: 2, &choices)
                elements.insert(value, at: choices.pick(elements.count + 1))
            }
            return .array(elements)
        case .object(let members):
            count = 1
            let value = VariantTree.random(depth: 2, &choices)
            return .object(members + [VariantTree.Member(name: "a new name", value: value)])
        default: return before
        }
    }
    let (one, other) = (tree.written(&choices), edit.tree.written(&choices))
    for rules in [ComparisonRules.none, try farRules()] {
        let extra = comparedJSON(one, other, rules).differences
        try demand(
            extra.map(\.kind) == Array(repeating: .extra, count: count),
            "\(one) and \(other): \(extra), not \(count) extra")
        let missing = comparedJSON(other, one, rules).differences
        try demand(
            missing.map(\.kind) == Array(repeating: .missing, count: count),
            "\(other) and \(one): \(missing), not \(count) missing")
    }
}

// MARK: - Equal under rules

private func checkShuffled(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    let rules = ComparisonRules(unordered: [
        UnorderedRule(path: try pattern("$")), UnorderedRule(path: try pattern("$..*")),
    ])
    var other = choices
    let shuffled = tree.mapped { value in
        if case .array(let elements) = value { .array(other.shuffled(elements)) } else { value }
    }
    try demandEqual(tree.written(&choices), shuffled.written(&other), rules)
    guard tree != shuffled else { return }
    let plain = comparedJSON(tree.written(&choices), shuffled.written(&choices), .none)
    try demand(!plain.differences.isEmpty, "\(tree) and \(shuffled) are equal without a rule")
}

/// Elements that a key names, in another order, of which one has a field more than before.
private func checkKeyed(_ choices: inout Choices) throws(Violation) {
    let elements = (0..<choices.pick(20)).map { key in
        VariantTree.object([
            VariantTree.Member(name: "id", value: choices.isChosen() ? .number(key) : .string("\(key)")),
            VariantTree.Member(name: "value", value: VariantTree.random(depth: 2, &choices)),
        ])
    }
    let rules = ComparisonRules(unordered: [
        UnorderedRule(path: try pattern("$.items"), key: try pattern("$.id"))
    ])
    let tree = { (elements: [VariantTree]) in
        VariantTree.object([VariantTree.Member(name: "items", value: .array(elements))])
    }
    let one = tree(elements).written(&choices)
    try demandEqual(one, tree(choices.shuffled(elements)).written(&choices), rules)
    guard !elements.isEmpty else { return }
    var changed = elements
    let place = choices.pick(elements.count)
    if case .object(let members) = changed[place] {
        changed[place] = .object(members + [VariantTree.Member(name: "note", value: .yes)])
    }
    let other = tree(choices.shuffled(changed)).written(&choices)
    let found = comparedJSON(one, other, rules).differences
    try demand(
        found.map(\.path) == ["$.items[\(place)].note"] && found.map(\.kind) == [.extra],
        "\(one) and \(other): \(found), not one note more at \(place)")
}

/// Any number as a string, or with zeros that say nothing.
private func checkStringNumbers(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    let rules = ComparisonRules(equivalence: [
        EquivalenceRule(path: try pattern("$"), as: .stringNumber),
        EquivalenceRule(path: try pattern("$..*"), as: .stringNumber),
    ])
    var other = choices
    let quoted = tree.mapped { value in
        // A number does not begin with two zeros.
        if case .number(let number) = value, number > 0, other.isChosen() {
            .string(other.pick(from: ["\(number)", "\(number).0", "\(number).00e0", "\(number)0.0E-1"]))
        } else {
            value
        }
    }
    try demandEqual(tree.written(&choices), quoted.written(&choices), rules)
}

/// Members that are null, there or not.
private func checkNullMissing(_ tree: VariantTree, _ choices: inout Choices) throws(Violation) {
    let kind = choices.isChosen() ? EquivalenceRule.Kind.nullMissing : .emptyMissing
    let rules = ComparisonRules(equivalence: [EquivalenceRule(path: try pattern("$..*"), as: kind)])
    var other = choices
    let thinned = tree.mapped { value in
        guard case .object(let members) = value else { return value }
        return .object(members.filter { $0.value != .null || other.isChosen() })
    }
    try demandEqual(tree.written(&choices), thinned.written(&choices), rules)
}

// MARK: - Help

/// Rules that keep every place in sight and hide nothing.
private func farRules() throws(Violation) -> ComparisonRules {
    ComparisonRules(
        ignore: [IgnoreRule(path: try pattern("$..nowhere"))],
        equivalence: [EquivalenceRule(path: try pattern("$..nobody"), as: .emptyMissing)])
}

func pattern(_ text: String) throws(Violation) -> PathPattern {
    guard let pattern = try? PathPattern(text) else { throw Violation("the path \(text) cannot be read") }
    return pattern
}

private func comparedJSON(_ one: String, _ other: String, _ rules: ComparisonRules) -> ComparisonResult {
    comparedBodies("application/json", one.utf8, as: "application/json", other.utf8, rules)
}

private func demandEqual(_ one: String, _ other: String, _ rules: ComparisonRules) throws(Violation) {
    for (left, right) in [(one, other), (other, one)] {
        let result = comparedJSON(left, right, rules)
        try demand(result.verdict == .match, "\(left) and \(right): \(result.verdict), \(result.differences)")
    }
}
