/// Pairing elements that are equal under the rules, wherever they stand.
///
/// Every element gets a hash that is blind to what the rules are blind to, so that elements with different
/// hashes cannot be equal; within one hash they are compared. That is linear unless a tolerance rule covers
/// the elements themselves; a budget ends it then.
extension DocumentComparison {
    struct Alignment {
        /// Positions that found no partner.
        var missing: [Int] = []
        var extra: [Int] = []
        var isComplete: Bool { missing.isEmpty && extra.isEmpty }
    }

    /// - Parameter positions: where the primary's elements stand in their array, if not at their own index.
    /// - Returns: nil if the budget ended before the answer was known.
    mutating func alignment(of left: [Value], with right: [Value], positions: [Int]? = nil) -> Alignment? {
        let states = rules.states(at: segments)
        var waiting: [Int: [Int]] = [:]
        for index in right.indices.reversed() {
            let hash = hash(of: right[index], in: shadow, rules.advanced(states, by: .index(index)))
            waiting[hash, default: []].append(index)
        }
        var result = Alignment()
        for index in left.indices {
            let position = positions?[index] ?? index
            let own = rules.advanced(states, by: .index(position))
            let hash = hash(of: left[index], in: primary, own)
            if let partner = takePartner(of: left[index], at: position, from: &waiting[hash, default: []], right) {
                result.extra.append(partner)
            } else {
                result.missing.append(index)
            }
            guard alignmentBudget > 0 else { return nil }
        }
        let paired = Set(result.extra)
        result.extra = right.indices.filter { !paired.contains($0) }
        return result
    }

    /// Takes the first candidate that equals the element. Candidates are kept last first.
    private mutating func takePartner(
        of element: Value, at position: Int, from candidates: inout [Int], _ right: [Value]
    ) -> Int? {
        for place in candidates.indices.reversed() where alignmentBudget > 0 {
            if isEqual(element, right[candidates[place]], at: position) { return candidates.remove(at: place) }
        }
        return nil
    }

    /// Compares under the rules without reporting; what rules hide counts only if the two are equal.
    private mutating func isEqual(_ left: Value, _ right: Value, at position: Int) -> Bool {
        let (hidden, outer, found) = (findings.hiddenByRule, isQuiet, hasQuietDifference)
        isQuiet = true
        hasQuietDifference = false
        compare(left, right, at: .element(position))
        let isEqual = !hasQuietDifference
        isQuiet = outer
        hasQuietDifference = found
        if !isEqual { findings.hiddenByRule = hidden }
        return isEqual
    }

    /// A hash that is the same for all values that the rules call equal. Rules that name one index apply to
    /// the element that stands there, on each side.
    private mutating func hash(
        of value: Value, in document: Document, _ states: [PathPattern.States]
    ) -> Int {
        var hasher = Hasher()
        feed(value, of: document, states, to: &hasher)
        return hasher.finalize()
    }

    private mutating func feed(
        _ value: Value, of document: Document, _ states: [PathPattern.States], to hasher: inout Hasher
    ) {
        alignmentBudget -= 1
        guard alignmentBudget > 0, !rules.isIgnored(states) else { return }
        let kind = document.kind(of: value)
        hasher.combine(kind)
        switch kind {
        case .null, .true, .false: break
        case .number: if !rules.isTolerated(states) { hasher.combine(document.lexeme(of: value)) }
        case .string: if !rules.isTolerated(states) { hasher.combine(document.text(of: value)) }
        case .array: feedElements(of: value, document, states, to: &hasher)
        case .object: hasher.combine(sumOfMembers(of: value, document, states))
        }
    }

    private mutating func feedElements(
        of array: Value, _ document: Document, _ states: [PathPattern.States], to hasher: inout Hasher
    ) {
        hasher.combine(document.count(of: array))
        let isUnordered = rules.isUnordered(states)
        var sum = 0
        for (index, element) in document.elements(of: array).enumerated() {
            guard alignmentBudget > 0 else { return }
            let next = rules.advanced(states, by: .index(index))
            if isUnordered {
                sum &+= hash(of: element, in: document, next)
            } else {
                feed(element, of: document, next, to: &hasher)
            }
        }
        hasher.combine(sum)
    }

    /// A sum is blind to the order of members. Ignored members add nothing, present or not.
    private mutating func sumOfMembers(
        of object: Value, _ document: Document, _ states: [PathPattern.States]
    ) -> Int {
        var sum = 0
        for (name, value) in document.members(of: object) {
            guard alignmentBudget > 0 else { break }
            let text = document.text(of: name)
            let next = rules.advanced(states, by: .name(text))
            if rules.isIgnored(next) { continue }
            var hasher = Hasher()
            hasher.combine(text)
            feed(value, of: document, next, to: &hasher)
            sum &+= hasher.finalize()
        }
        return sum
    }
}
