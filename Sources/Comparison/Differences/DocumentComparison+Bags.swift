/// Arrays whose order means nothing: paired by key, then by being the same, then by equality under the rules, then the
/// rest in order, so that one changed element is reported by its changed field; what is left over is missing or extra.
extension DocumentComparison {
    mutating func compareBags(_ bags: Sequences, key: PathPattern?, rule: Int) {
        let paired = pairByKey(bags, key)
        guard let found = pairEqual(paired.lefts, paired.rights, bags) else {
            findings.isAlignmentAbandoned = true
            if isQuiet { hasQuietDifference = true }
            return
        }
        let order = (paired.pairs + found.pairs).sorted { $0.left < $1.left }
        // Another order is what the rule hides.
        if !zip(order, order.dropFirst()).allSatisfy({ $0.right < $1.right }) {
            findings.hiddenByRule[rule] += 1
            if isQuiet { quietlyHidden.append(Int32(truncatingIfNeeded: rule)) }
        }
        for pair in paired.pairs { compare(Int(pair.left), Int(pair.right), in: bags) }
        guard !isDone else { return }
        // Quietly, those without a partner are known to equal none: comparing them again would double the work with
        // every level of nesting.
        let changed = isQuiet ? 0 : min(found.lefts.count, found.rights.count)
        for (left, right) in zip(found.lefts.prefix(changed), found.rights) { compare(left, right, in: bags) }
        for left in (Array(found.lefts.dropFirst(changed)) + paired.missing).sorted() {
            missing(left, in: bags)
        }
        for right in (Array(found.rights.dropFirst(changed)) + paired.extra).sorted() {
            extra(right, in: bags)
        }
    }

    private struct Pairing {
        var pairs: [SequenceAlignment.Pair] = []
        /// Elements that are still to be paired.
        var lefts: [Int] = []
        var rights: [Int] = []
        /// Elements whose key only one side has.
        var missing: [Int] = []
        var extra: [Int] = []
    }

    /// Elements that share a key pair in their order.
    private func pairByKey(_ bags: Sequences, _ key: PathPattern?) -> Pairing {
        var result = Pairing()
        guard let key else {
            result.lefts = Array(0..<bags.leftCount)
            result.rights = Array(0..<bags.rightCount)
            return result
        }
        var waiting: [[UInt8]: [Int]] = [:]
        for index in (0..<bags.rightCount).reversed() {
            let element = Value(index: rightElement(index, bags))
            if let value = key.firstMatch(in: shadowDocument, below: element) {
                waiting[shadowDocument.text(of: value), default: []].append(index)
            } else {
                result.rights.append(index)
            }
        }
        result.rights.reverse()
        for index in 0..<bags.leftCount {
            let element = Value(index: leftElement(index, bags))
            guard let text = key.firstMatch(in: primaryDocument, below: element).map(primaryDocument.text) else {
                result.lefts.append(index)
                continue
            }
            if let other = waiting[text]?.popLast() {
                result.pairs.append(SequenceAlignment.Pair(index, other))
            } else {
                result.missing.append(index)
            }
        }
        result.extra = waiting.values.flatMap { $0 }.sorted()
        return result
    }

    /// First those that are the same but for what is ignored, which is linear, then those that other rules make equal:
    /// among elements of one hash each is compared with each, until the budget ends.
    /// - Returns: nil if the budget ended before the answer was known.
    private mutating func pairEqual(_ lefts: [Int], _ rights: [Int], _ bags: Sequences) -> Pairing? {
        var result = Pairing(lefts: lefts, rights: rights)
        for isExact in [true, false] where !result.lefts.isEmpty && !result.rights.isEmpty {
            if !isExact, !hasRules { break }
            var waiting: [UInt64: Candidates] = [:]
            for right in result.rights {
                waiting[hash(ofRight: right, bags, isExact: isExact), default: Candidates()].rights.append(right)
                guard alignmentBudget > 0 else { return nil }
            }
            var alone: [Int] = []
            var taken = Set<Int>()
            for left in result.lefts {
                let hash = hash(ofLeft: left, bags, isExact: isExact)
                let partner = takePartner(of: left, from: &waiting[hash, default: Candidates()], bags)
                guard alignmentBudget > 0 else { return nil }
                if let partner {
                    result.pairs.append(SequenceAlignment.Pair(left, partner))
                    taken.insert(partner)
                } else {
                    alone.append(left)
                }
            }
            result.lefts = alone
            result.rights.removeAll { taken.contains($0) }
        }
        return result
    }

    private struct Candidates {
        var rights: [Int] = []
        /// Those before it are taken.
        var first = 0
    }

    /// Takes the first candidate that equals the element.
    private mutating func takePartner(of left: Int, from candidates: inout Candidates, _ bags: Sequences) -> Int? {
        for place in candidates.first..<max(candidates.first, candidates.rights.count) where alignmentBudget > 0 {
            let right = candidates.rights[place]
            let isPartner = isEqual(
                leftElement(left, bags), rightElement(right, bags), at: primaryStep(left, bags), left)
            guard isPartner else { continue }
            candidates.rights.swapAt(place, candidates.first)
            candidates.first += 1
            return right
        }
        return nil
    }
}
