import TestSupport
import Testing

@testable import Comparison

struct SequenceAlignmentTests {
    private func align(_ left: [UInt64], _ right: [UInt64], budget: Int = 1_000_000) -> SequenceAlignment {
        var budget = budget
        return SequenceAlignment(left, right, budget: &budget)
    }

    /// The textbook's table.
    private func longestCommon(_ left: [UInt64], _ right: [UInt64]) -> Int {
        var row = [Int](repeating: 0, count: right.count + 1)
        for value in left {
            var diagonal = 0
            for (index, other) in right.enumerated() {
                let above = row[index + 1]
                row[index + 1] = value == other ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[right.count]
    }

    @Test func alignmentsAreTheLongestAndTheSameBothWays() {
        var generator = SeededGenerator(seed: 91)
        for _ in 0..<2_000 {
            let range = UInt64(0)...UInt64.random(in: 1...12, using: &generator)
            let left = (0..<Int.random(in: 0..<14, using: &generator)).map { _ in
                UInt64.random(in: range, using: &generator)
            }
            var right = left
            for _ in 0..<Int.random(in: 0..<5, using: &generator) {
                let value = UInt64.random(in: range, using: &generator)
                right.insert(value, at: Int.random(in: 0...right.count, using: &generator))
                right.remove(at: Int.random(in: 0..<right.count, using: &generator))
            }
            let found = align(left, right)
            let pairs = found.anchors + found.moved
            #expect(pairs.allSatisfy { left[Int($0.left)] == right[Int($0.right)] })
            #expect(Set(pairs.map(\.left)).count == pairs.count && Set(pairs.map(\.right)).count == pairs.count)
            #expect(
                zip(found.anchors, found.anchors.dropFirst()).allSatisfy { $0.left < $1.left && $0.right < $1.right })
            let isPermutation = left.sorted() == right.sorted() && left != right
            if !found.anchors.isEmpty || !isPermutation {
                #expect(found.anchors.count == longestCommon(left, right), "\(left) \(right)")
            }
            #expect(!found.isAbandoned)
            let mirrored = align(right, left)
            let swapped = { (pairs: [SequenceAlignment.Pair]) in
                pairs.map { SequenceAlignment.Pair(Int($0.right), Int($0.left)) }.sorted { $0.left < $1.left }
            }
            #expect(swapped(mirrored.anchors) == found.anchors)
            #expect(swapped(mirrored.moved) == found.moved)
        }
    }

    @Test func whenTheBudgetEndsTheAnswerIsStillAnAlignment() {
        var generator = SeededGenerator(seed: 92)
        let left = (0..<500).map { _ in UInt64.random(in: 0..<9, using: &generator) }
        let right = (0..<600).map { _ in UInt64.random(in: 0..<9, using: &generator) }
        let found = align(left, right, budget: 100)
        #expect(found.isAbandoned)
        #expect(!found.anchors.isEmpty)
        #expect(found.anchors.allSatisfy { left[Int($0.left)] == right[Int($0.right)] })
        #expect(zip(found.anchors, found.anchors.dropFirst()).allSatisfy { $0.left < $1.left && $0.right < $1.right })
    }
}
