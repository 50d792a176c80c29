/// Places for many small values, in blocks that never move: growing copies nothing, for that would stop the event loop for
/// as long as a hundred megabytes take.
struct Slab<Element: Sendable>: Sendable {
    private static var blockBits: Int { 10 }

    private var blocks: [ContiguousArray<Element>] = []
    private var free: [UInt32] = []
    private var end: UInt32 = 0
    private(set) var count = 0
    private let blank: Element

    /// - Parameter blank: stands in places that nobody uses.
    init(blank: Element) { self.blank = blank }

    var bytes: Int {
        blocks.count << Slab.blockBits &* MemoryLayout<Element>.stride + free.capacity * MemoryLayout<UInt32>.stride
    }

    func contains(_ index: UInt32) -> Bool { index < end }

    subscript(index: UInt32) -> Element {
        get { blocks[Int(index) >> Slab.blockBits][Int(index) & (1 << Slab.blockBits - 1)] }
        _modify { yield &blocks[Int(index) >> Slab.blockBits][Int(index) & (1 << Slab.blockBits - 1)] }
    }

    /// Until `visit` says that it has seen enough.
    func visit(_ visit: (UInt32, Element) -> Bool) {
        for index in 0..<end where !visit(index, self[index]) { return }
    }

    /// Looks at `count` places from `start` on.
    /// - Returns: where to go on; nil: there are no more.
    func visit(from start: UInt32, count: Int, _ visit: (UInt32, Element) -> Void) -> UInt32? {
        guard start < end else { return nil }
        let stop = start + UInt32(min(max(count, 1), Int(end - start)))
        for index in start..<stop { visit(index, self[index]) }
        return stop < end ? stop : nil
    }

    mutating func add(_ element: Element) -> UInt32 {
        count += 1
        if let index = free.popLast() {
            self[index] = element
            return index
        }
        if Int(end) == blocks.count << Slab.blockBits {
            blocks.append(ContiguousArray(repeating: blank, count: 1 << Slab.blockBits))
        }
        defer { end += 1 }
        self[end] = element
        return end
    }

    mutating func remove(_ index: UInt32) {
        self[index] = blank
        count -= 1
        if count > 0 { return free.append(index) }
        // What a burst has grown goes, now that nothing needs to be moved.
        end = 0
        free = []
        if blocks.count > 1 { blocks.removeSubrange(1...) }
    }
}
