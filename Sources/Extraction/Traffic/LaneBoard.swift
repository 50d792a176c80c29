internal import Synchronization

/// Which side of which lane is behind: writes that the other side has and it has not got yet. A request whose primary is
/// behind is answered by the side that is not, so that a lane changes sides only when nothing is owed to the new one
/// (DESIGN §3).
///
/// Shared by all loops: a field of counters, lanes by their hash. Two lanes that share a counter wait for each other at
/// worst. The first look is one load of a sum that is zero nearly always.
///
/// Unchecked because of the pointer: it points to atomics, and never changes.
package final class LaneBoard: @unchecked Sendable {
    /// Cells of one side.
    package static let cells = 16_384

    /// Of each side first the cells, then their sum.
    private let counts: UnsafeMutablePointer<Atomic<Int>>
    private static let perSide = cells + 1

    package init() {
        counts = .allocate(capacity: LaneBoard.perSide * 2)
        for index in 0..<LaneBoard.perSide * 2 { (counts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize(count: LaneBoard.perSide * 2)
        counts.deallocate()
    }

    private func sum(_ side: Side) -> UnsafeMutablePointer<Atomic<Int>> {
        counts + (side == .monolith ? LaneBoard.cells : LaneBoard.perSide + LaneBoard.cells)
    }

    private func cell(_ side: Side, at index: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        counts + (side == .monolith ? index : LaneBoard.perSide + index)
    }

    private func cell(_ side: Side, _ lane: UInt64) -> UnsafeMutablePointer<Atomic<Int>> {
        let mixed = (lane ^ (lane >> 32)) &* 0x9E37_79B9_7F4A_7C15
        let index = Int(truncatingIfNeeded: (mixed >> 40) % UInt64(LaneBoard.cells))
        return cell(side, at: index)
    }

    /// A write is under way that `side` is owed, or will be.
    package func owe(_ side: Side, lane: UInt64) {
        sum(side).pointee.add(1, ordering: .relaxed)
        cell(side, lane).pointee.add(1, ordering: .releasing)
    }

    /// It has got the write, or will not get it any more.
    package func paid(_ side: Side, lane: UInt64) {
        cell(side, lane).pointee.subtract(1, ordering: .releasing)
        sum(side).pointee.subtract(1, ordering: .relaxed)
    }

    package func isBehind(_ side: Side, lane: UInt64) -> Bool {
        sum(side).pointee.load(ordering: .relaxed) != 0 && cell(side, lane).pointee.load(ordering: .acquiring) != 0
    }

    /// Writes that a side is owed, over all lanes.
    package func owed(_ side: Side) -> Int { sum(side).pointee.load(ordering: .relaxed) }

    // MARK: From one process to the next

    /// Owes a side one more in each cell that it is owed something in: they stay so until `paid(_:cells:)`. None of them is
    /// seen as paid in between.
    /// - Returns: the cells, each 0 ..< `cells`.
    package func keepOwed(_ side: Side) -> [Int] {
        (0..<LaneBoard.cells).filter { index in
            let cell = cell(side, at: index)
            var count = cell.pointee.load(ordering: .relaxed)
            guard count != 0 else { return false }
            sum(side).pointee.add(1, ordering: .relaxed)
            while count != 0 {
                let (isChanged, found) = cell.pointee.compareExchange(
                    expected: count, desired: count &+ 1, ordering: .acquiringAndReleasing)
                if isChanged { return true }
                count = found
            }
            sum(side).pointee.subtract(1, ordering: .relaxed)
            return false
        }
    }

    /// - Parameter indices: as another process's board has returned them; others are none, and are passed over.
    package func owe(_ side: Side, cells indices: [Int]) {
        for index in indices where (0..<LaneBoard.cells).contains(index) {
            sum(side).pointee.add(1, ordering: .relaxed)
            cell(side, at: index).pointee.add(1, ordering: .releasing)
        }
    }

    /// - Parameter indices: as they were owed.
    package func paid(_ side: Side, cells indices: [Int]) {
        for index in indices where (0..<LaneBoard.cells).contains(index) {
            cell(side, at: index).pointee.subtract(1, ordering: .releasing)
            sum(side).pointee.subtract(1, ordering: .relaxed)
        }
    }
}
