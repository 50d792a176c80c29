/// Arrays: elements belong together if they are equal, wherever they stand; what is left in between belongs together in
/// order. So one inserted element is one `extra`, and one changed field of one element only that field.
///
/// What names one index in a rule is not asked while elements are paired: it is about the element that stands there in
/// the end.
extension DocumentComparison {
    /// Two runs of values in `elements`: those of an array, or of members that share a name.
    struct Sequences {
        enum Source { case array, members }

        var of: Source
        /// Where the runs begin in `elements`.
        var left: Int
        var leftCount: Int
        var right: Int
        var rightCount: Int
        /// Those that are still to be paired.
        var start = 0
        var leftEnd: Int { leftCount - tail }
        var rightEnd: Int { rightCount - tail }
        /// Paired from the end.
        var tail = 0

        init(of source: Source, left: Int, leftCount: Int, right: Int, rightCount: Int) {
            self.of = source
            self.left = left
            self.leftCount = leftCount
            self.right = right
            self.rightCount = rightCount
        }
    }

    mutating func compareArrays(_ left: Int, _ right: Int) {
        let base = elements.count
        defer { elements.removeLast(elements.count - base) }
        Self.append(left, of: primary, to: &elements)
        let middle = elements.count
        Self.append(right, of: shadow, to: &elements)
        let sequences = Sequences(
            of: .array, left: base, leftCount: middle - base, right: middle, rightCount: elements.count - middle)
        if let (rule, key) = unorderedRule() {
            compareBags(sequences, key: key, rule: rule)
        } else {
            compareSequences(sequences, left, right)
        }
    }

    private static func append(_ array: Int, of view: DocumentView, to elements: inout [Int32]) {
        var element = array &+ 1
        for _ in 0..<view.count(array) {
            elements.append(Int32(truncatingIfNeeded: element))
            element = view.next(element)
        }
    }

    /// - Parameters:
    ///   - left: the array; none for members that share a name.
    mutating func compareSequences(_ sequences: Sequences, _ left: Int = -1, _ right: Int = -1) {
        // Without rules another number of elements cannot be hidden, and more is not asked.
        if isQuiet, !hasRules, sequences.leftCount != sequences.rightCount {
            hasQuietDifference = true
            return
        }
        var rest = sequences
        trimIdentical(&rest)
        if isQuiet { return compareQuietly(rest) }
        guard !isSettled(rest) else { return compareRest(rest) }
        trimEqual(&rest)
        guard !isSettled(rest) else { return compareRest(rest) }
        align(rest, left, right)
    }

    /// Whether two sequences are equal: in order, but for elements that a rule hides where the other side has none.
    ///
    /// No pair is walked twice. Searching here as `align` does would double the work with every level of nesting.
    private mutating func compareQuietly(_ rest: Sequences) {
        var (left, right) = (rest.start, rest.start)
        while left < rest.leftEnd, right < rest.rightEnd {
            if isEqual(left, right, rest) {
                left += 1
                right += 1
                continue
            }
            // A rule hides only what is empty, which took no walk.
            if hasRules, primary.isEmpty(leftElement(left, rest)) {
                missing(left, in: rest)
                left += 1
            } else if hasRules, shadow.isEmpty(rightElement(right, rest)) {
                extra(right, in: rest)
                right += 1
            } else {
                hasQuietDifference = true
            }
            guard !isDone else { return }
        }
        for index in left..<rest.leftEnd where !isDone { missing(index, in: rest) }
        for index in right..<rest.rightEnd where !isDone { extra(index, in: rest) }
    }

    func leftElement(_ index: Int, _ sequences: Sequences) -> Int { Int(elements[sequences.left + index]) }
    func rightElement(_ index: Int, _ sequences: Sequences) -> Int { Int(elements[sequences.right + index]) }

    func primaryStep(_ index: Int, _ sequences: Sequences) -> Place.Step {
        sequences.of == .array ? .element : .primaryMember(leftElement(index, sequences) - 1)
    }

    mutating func compare(_ left: Int, _ right: Int, in sequences: Sequences) {
        compare(
            leftElement(left, sequences), rightElement(right, sequences), at: primaryStep(left, sequences), left)
    }

    mutating func missing(_ index: Int, in sequences: Sequences) {
        found(.missing, leftElement(index, sequences), -1, at: primaryStep(index, sequences), index)
    }

    mutating func extra(_ index: Int, in sequences: Sequences) {
        let element = rightElement(index, sequences)
        found(.extra, -1, element, at: sequences.of == .array ? .element : .shadowMember(element - 1), index)
    }

    // MARK: - What needs no search

    private func trimIdentical(_ rest: inout Sequences) {
        while rest.start < min(rest.leftEnd, rest.rightEnd), isIdentical(rest.start, rest.start, rest) {
            rest.start += 1
        }
        while rest.start < min(rest.leftEnd, rest.rightEnd), isIdentical(rest.leftEnd - 1, rest.rightEnd - 1, rest) {
            rest.tail += 1
        }
    }

    private func isIdentical(_ left: Int, _ right: Int, _ sequences: Sequences) -> Bool {
        primary.sameBytes(leftElement(left, sequences), as: rightElement(right, sequences), in: shadow)
    }

    /// Pairs from both ends what is equal under the rules.
    private mutating func trimEqual(_ rest: inout Sequences) {
        while rest.start < min(rest.leftEnd, rest.rightEnd), isEqual(rest.start, rest.start, rest) { rest.start += 1 }
        // What is still left at the start differs, on its own there is nothing to find.
        while rest.start < min(rest.leftEnd, rest.rightEnd), !isSettled(rest),
            isEqual(rest.leftEnd - 1, rest.rightEnd - 1, rest)
        {
            rest.tail += 1
        }
    }

    private mutating func isEqual(_ left: Int, _ right: Int, _ sequences: Sequences) -> Bool {
        isEqual(
            leftElement(left, sequences), rightElement(right, sequences), at: primaryStep(left, sequences), left)
    }

    /// There is only one way to pair what is left.
    private func isSettled(_ rest: Sequences) -> Bool {
        let counts = (rest.leftEnd - rest.start, rest.rightEnd - rest.start)
        return counts.0 == 0 || counts.1 == 0 || counts == (1, 1)
    }

    private mutating func compareRest(_ rest: Sequences) {
        compareInOrder(Array(rest.start..<rest.leftEnd), Array(rest.start..<rest.rightEnd), rest)
    }

    /// In the order of the primary's elements, and then what only the shadow has.
    mutating func compareInOrder(_ lefts: [Int], _ rights: [Int], _ sequences: Sequences) {
        let pairs = similarPairs(lefts, rights, sequences)
        var next = 0
        for left in lefts {
            guard !isDone else { return }
            if next < pairs.left.count, pairs.left[next] == left {
                compare(left, pairs.right[next], in: sequences)
                next += 1
            } else {
                missing(left, in: sequences)
            }
        }
        next = 0
        for right in rights {
            if next < pairs.right.count, pairs.right[next] == right { next += 1 } else { extra(right, in: sequences) }
        }
    }

    // MARK: - What does

    private mutating func align(_ rest: Sequences, _ left: Int, _ right: Int) {
        guard let hashes = hashes(of: rest) else { return compareByPosition(rest) }
        let alignment = SequenceAlignment(hashes.left, hashes.right, budget: &alignmentBudget)
        if alignment.isAbandoned { findings.isAlignmentAbandoned = true }
        if !alignment.moved.isEmpty { foundMoved(rest, left, right) }
        var lefts = SortedRun(rest.start..<rest.leftEnd)
        var rights = SortedRun(rest.start..<rest.rightEnd)
        var taken = (Set<Int32>(), Set<Int32>())
        if !alignment.anchors.isEmpty || alignment.moved.count < hashes.left.count {
            taken = (Set(alignment.moved.map(\.left)), Set(alignment.moved.map(\.right)))
        } else {
            lefts.skipAll()
            rights.skipAll()
        }
        for pair in alignment.anchors {
            guard !isDone else { return }
            let (one, other) = (rest.start + Int(pair.left), rest.start + Int(pair.right))
            compareInOrder(
                lefts.take(upTo: one, without: taken.0, from: rest.start),
                rights.take(upTo: other, without: taken.1, from: rest.start), rest)
            compare(one, other, in: rest)
        }
        compareInOrder(
            lefts.take(upTo: rest.leftEnd, without: taken.0, from: rest.start),
            rights.take(upTo: rest.rightEnd, without: taken.1, from: rest.start), rest)
        for pair in alignment.moved {
            guard !isDone else { return }
            compare(rest.start + Int(pair.left), rest.start + Int(pair.right), in: rest)
        }
    }

    private mutating func foundMoved(_ rest: Sequences, _ left: Int, _ right: Int) {
        if left >= 0 { return found(.order, left, right) }
        let (one, other) = (leftElement(0, rest), rightElement(0, rest))
        found(.order, one, other, at: .primaryMember(one - 1))
    }

    /// The budget ended before it was known what belongs together.
    private mutating func compareByPosition(_ rest: Sequences) {
        let before = findings.differences.count
        compareRest(rest)
        if findings.differences.count > before { findings.isAlignmentAbandoned = true }
    }
}

/// Hands out the positions of a run piece by piece.
private struct SortedRun {
    private var next: Int
    private let end: Int

    init(_ range: Range<Int>) {
        next = range.lowerBound
        end = range.upperBound
    }

    mutating func skipAll() { next = end }

    /// Positions before `bound`, which itself is taken and not handed out.
    mutating func take(upTo bound: Int, without taken: Set<Int32>, from start: Int) -> [Int] {
        guard next < bound else {
            next = max(next, min(bound + 1, end))
            return []
        }
        let piece = (next..<bound).filter { taken.isEmpty || !taken.contains(Int32(truncatingIfNeeded: $0 - start)) }
        next = min(bound + 1, end)
        return piece
    }
}
