/// Pairing what is left of two arrays between elements that are equal.
extension DocumentComparison {
    /// Elements and members looked at; beyond, position decides.
    private static let similarityCells = 4_096
    private static let similarityMembers = 16

    /// All of the shorter side are paired, in order; which of the longer are left over is decided by what they have in
    /// common, and else it is the last ones.
    mutating func similarPairs(_ lefts: [Int], _ rights: [Int], _ sequences: Sequences) -> (left: [Int], right: [Int]) {
        let (short, long) = (min(lefts.count, rights.count), max(lefts.count, rights.count))
        guard short > 0, short < long, short * long <= Self.similarityCells, alignmentBudget > 0 else {
            return (Array(lefts.prefix(short)), Array(rights.prefix(short)))
        }
        alignmentBudget &-= short * long * Self.similarityMembers
        let isLeftShort = lefts.count == short
        // Best sum for the first `row` of the short side among the first `column` of the long one.
        var best = [Int](repeating: 0, count: (short + 1) * (long + 1))
        let width = long + 1
        for row in 1...short {
            for column in row...(long - short + row) {
                let one = leftElement(isLeftShort ? lefts[row - 1] : lefts[column - 1], sequences)
                let other = rightElement(isLeftShort ? rights[column - 1] : rights[row - 1], sequences)
                let paired = best[(row - 1) * width + column - 1] + similarity(one, other)
                best[row * width + column] = column > row ? max(paired, best[row * width + column - 1]) : paired
            }
        }
        var chosen: [Int] = []
        var (row, column) = (short, long)
        while row > 0 {
            if column > row, best[row * width + column] == best[row * width + column - 1] {
                column -= 1
                continue
            }
            chosen.append(column - 1)
            (row, column) = (row - 1, column - 1)
        }
        chosen.reverse()
        return isLeftShort ? (lefts, chosen.map { rights[$0] }) : (chosen.map { lefts[$0] }, rights)
    }

    /// How many members are the same; one more for values of one type.
    private func similarity(_ left: Int, _ right: Int) -> Int {
        guard primary.kind(left) == shadow.kind(right) else { return 0 }
        guard primary.kind(left) == .object else { return 1 }
        var sum = 1
        var name = left + 1
        for _ in 0..<min(primary.count(left), Self.similarityMembers) {
            var other = right + 1
            for _ in 0..<min(shadow.count(right), Self.similarityMembers) {
                if primary.nodes[name].count == shadow.nodes[other].count, isSame(name + 1, other + 1) { sum += 1 }
                other = shadow.next(other + 1)
            }
            name = primary.next(name + 1)
        }
        return sum
    }

    private func isSame(_ left: Int, _ right: Int) -> Bool {
        guard primary.kind(left) == shadow.kind(right) else { return false }
        return primary.isScalar(left)
            ? primary.sameText(left, as: right, in: shadow) : primary.sameBytes(left, as: right, in: shadow)
    }
}
