/// Which elements of two sequences are the same, given a hash of each: those that follow each other alike on both sides,
/// and those that have only moved.
///
/// Sequences without repetitions take O(n log n): the longest increasing run of the places where each one's partner
/// stands. Those with repetitions take Myers' O(ND) (E. Myers, Algorithmica 1, 1986) within a budget, and the former
/// on what pairs up in order when it ends. Swapping the two sides gives the mirrored answer.
struct SequenceAlignment {
    /// Positions from 0.
    struct Pair: Equatable {
        var left: Int32
        var right: Int32

        init(_ left: Int, _ right: Int) {
            self.left = Int32(truncatingIfNeeded: left)
            self.right = Int32(truncatingIfNeeded: right)
        }
    }

    /// Ascending on both sides.
    private(set) var anchors: [Pair] = []
    /// The same on both sides, but elsewhere. Ascending on the left.
    private(set) var moved: [Pair] = []
    /// The budget ended: there may be a longer common sequence.
    private(set) var isAbandoned = false

    /// - Parameter budget: steps that may be taken; those that were are subtracted.
    init(_ left: [UInt64], _ right: [UInt64], budget: inout Int) {
        let common = Common(left, right)
        let pairs = common.pairs
        if Self.ascends(pairs) {
            anchors = pairs
            return
        }
        if pairs.count == left.count, pairs.count == right.count {
            moved = pairs
            return
        }
        // One way to break ties for both directions.
        let isSwapped = right.lexicographicallyPrecedes(left)
        let turned = isSwapped ? pairs.map(\.swapped).sorted { $0.left < $1.left } : pairs
        var found: [Pair]?
        if common.repeats {
            found = isSwapped ? Self.myers(right, left, &budget) : Self.myers(left, right, &budget)
            isAbandoned = found == nil
        }
        let ascending = found ?? Self.longestAscending(turned)
        anchors = isSwapped ? ascending.map(\.swapped) : ascending
        moved = leftOver(left, right)
    }

    private static func ascends(_ pairs: [Pair]) -> Bool {
        zip(pairs, pairs.dropFirst()).allSatisfy { $0.right < $1.right }
    }

    /// Pairs of the same hash among what is not anchored.
    private func leftOver(_ left: [UInt64], _ right: [UInt64]) -> [Pair] {
        var (isLeft, isRight) = (
            [Bool](repeating: true, count: left.count), [Bool](repeating: true, count: right.count)
        )
        for pair in anchors {
            isLeft[Int(pair.left)] = false
            isRight[Int(pair.right)] = false
        }
        let (lefts, rights) = (left.indices.filter { isLeft[$0] }, right.indices.filter { isRight[$0] })
        let common = Common(lefts.map { left[$0] }, rights.map { right[$0] })
        return common.pairs.map { Pair(lefts[Int($0.left)], rights[Int($0.right)]) }
    }

    /// Patience sorting: the last pair of the best run of each length so far.
    private static func longestAscending(_ pairs: [Pair]) -> [Pair] {
        var ends: [Int] = []
        var before = [Int](repeating: -1, count: pairs.count)
        for index in pairs.indices {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if pairs[ends[middle]].right < pairs[index].right { low = middle + 1 } else { high = middle }
            }
            if low > 0 { before[index] = ends[low - 1] }
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var result: [Pair] = []
        var index = ends.last ?? -1
        while index >= 0 {
            result.append(pairs[index])
            index = before[index]
        }
        return result.reversed()
    }

    /// - Returns: nil if the budget ended. The trace takes no more memory than some words per element.
    private static func myers(_ left: [UInt64], _ right: [UInt64], _ budget: inout Int) -> [Pair]? {
        let (width, height) = (left.count, right.count)
        let room = min(budget, 8 * (width + height) + 65_536)
        /// Furthest x on each diagonal -d, -d + 2, … d, for every d one after another.
        var trace: [Int32] = []
        var edits = 0
        search: while true {
            let previous = edits * (edits - 1) / 2
            for step in 0...edits {
                let diagonal = 2 * step - edits
                var x = 0
                if edits > 0 {
                    // One insertion from the diagonal above, or one deletion from the one below.
                    let down = step < edits ? Int(trace[previous + step]) : -1
                    let along = step > 0 ? Int(trace[previous + step - 1]) + 1 : -1
                    x = max(down, along)
                }
                while x < width, x - diagonal >= 0, x - diagonal < height, left[x] == right[x - diagonal] {
                    x += 1
                    budget &-= 1
                }
                trace.append(Int32(truncatingIfNeeded: x))
                if x >= width, x - diagonal >= height { break search }
            }
            budget &-= edits + 1
            edits += 1
            guard budget > 0, trace.count + edits < room else { return nil }
        }
        return path(trace, edits, width, height)
    }

    private static func path(_ trace: [Int32], _ edits: Int, _ width: Int, _ height: Int) -> [Pair] {
        var result: [Pair] = []
        var (x, y) = (width, height)
        for edit in stride(from: edits, through: 0, by: -1) {
            let diagonal = x - y
            let (step, previous) = ((diagonal + edit) / 2, edit * (edit - 1) / 2)
            let down = edit > 0 && step < edit ? Int(trace[previous + step]) : -1
            let along = edit > 0 && step > 0 ? Int(trace[previous + step - 1]) + 1 : -1
            while x > max(0, down, along) {
                x -= 1
                y -= 1
                result.append(Pair(x, y))
            }
            (x, y) = down >= along ? (down, down - diagonal - 1) : (along - 1, along - diagonal)
        }
        return result.reversed()
    }
}

extension SequenceAlignment.Pair {
    fileprivate var swapped: Self { Self(Int(right), Int(left)) }
}

/// Which elements have the same hash: the first with the first, the second with the second.
private struct Common {
    /// Ascending on the left.
    private(set) var pairs: [SequenceAlignment.Pair] = []
    /// A hash that both sides have is there more than once on one of them.
    private(set) var repeats = false

    init(_ left: [UInt64], _ right: [UInt64]) {
        let (lefts, rights) = (Common.sorted(left), Common.sorted(right))
        var partners = [Int32](repeating: -1, count: left.count)
        var (one, other) = (0, 0)
        while one < lefts.count, other < rights.count {
            let (first, second) = (lefts[one].hash, rights[other].hash)
            if first < second {
                one += 1
            } else if second < first {
                other += 1
            } else {
                partners[Int(lefts[one].place)] = rights[other].place
                one += 1
                other += 1
                repeats =
                    repeats || (one < lefts.count && lefts[one].hash == first)
                    || (other < rights.count && rights[other].hash == first)
            }
        }
        pairs.reserveCapacity(left.count)
        for (place, partner) in partners.enumerated() where partner >= 0 {
            pairs.append(SequenceAlignment.Pair(place, Int(partner)))
        }
    }

    private static func sorted(_ hashes: [UInt64]) -> [(hash: UInt64, place: Int32)] {
        hashes.enumerated().map { (hash: $1, place: Int32(truncatingIfNeeded: $0)) }
            .sorted { $0.hash < $1.hash || ($0.hash == $1.hash && $0.place < $1.place) }
    }
}
