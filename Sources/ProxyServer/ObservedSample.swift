internal import HTTPWire
internal import NIOCore
internal import Resilience
internal import Routing

/// A bounded, unbiased sample of the requests that no route takes, on one loop, since the last harvest.
///
/// All of them at first. When the room is full, of every two neighbours one is kept, drawn by lot, and from then on one of
/// every block of two, four, eight requests. Each stands for its block (its weight), so that the weights always add up to
/// how many there were.
struct ObservedSample {
    /// Of requests in one harvest.
    static let capacity = 256
    /// Bytes of a path that are kept.
    static let longestPath = 256

    struct Entry {
        let method: Method
        let status: Int16
        let pathLength: Int16
        let bytes: Int
        let nanoseconds: Int64
    }

    private var entries: [Entry] = []
    /// `longestPath` bytes for each entry.
    private var paths: [UInt8] = []
    /// Requests that one entry stands for: a power of two.
    private var block = 1
    /// Of the present block: how many requests are behind, and which one is to be taken.
    private var position = 0
    private var chosen = 0
    /// All that there were, exactly.
    private(set) var total = 0

    /// - Returns: whether the next request is to be looked at. To be followed by `append` then.
    mutating func admits(_ chance: inout Chance) -> Bool {
        total &+= 1
        if position == block {
            position = 0
            chosen = block == 1 ? 0 : chance.next(below: block)
        }
        defer { position &+= 1 }
        return position == chosen
    }

    /// - Parameter head: as it was sent on: the path is normalised and a space or query ends it.
    mutating func append(
        _ head: ByteBuffer, method: Method, status: Int, nanoseconds: Int64, bytes: Int, _ chance: inout Chance
    ) {
        if entries.isEmpty {
            entries.reserveCapacity(ObservedSample.capacity)
            paths.reserveCapacity(ObservedSample.capacity * ObservedSample.longestPath)
        }
        let start = paths.count
        var length = 0
        head.withUnsafeReadableBytes { head in
            guard let space = head.firstIndex(of: 0x20) else { return }
            let limit = min(head.count, space &+ 1 &+ ObservedSample.longestPath)
            var end = space &+ 1
            while end < limit, head[end] != 0x20, head[end] != 0x3F { end &+= 1 }
            length = end &- space &- 1
            paths.append(contentsOf: head[(space &+ 1)..<end])
        }
        paths.append(contentsOf: repeatElement(0, count: start &+ ObservedSample.longestPath &- paths.count))
        entries.append(
            Entry(
                method: method, status: Int16(truncatingIfNeeded: status),
                pathLength: Int16(truncatingIfNeeded: length), bytes: bytes, nanoseconds: nanoseconds))
        if entries.count == ObservedSample.capacity { thin(&chance) }
    }

    /// Half of the entries, each for twice as many.
    private mutating func thin(_ chance: inout Chance) {
        let width = ObservedSample.longestPath
        for pair in 0..<(ObservedSample.capacity / 2) {
            let kept = 2 &* pair &+ chance.next(below: 2)
            entries[pair] = entries[kept]
            if kept != pair {
                for byte in 0..<Int(entries[pair].pathLength) {
                    paths[pair &* width &+ byte] = paths[kept &* width &+ byte]
                }
            }
        }
        entries.removeLast(ObservedSample.capacity / 2)
        paths.removeLast(ObservedSample.capacity / 2 * width)
        // The block that has just been completed by its choice may have requests to come: they belong to the last entry,
        // whose new block is the old one and its neighbour.
        position &+= block
        block &*= 2
        chosen = -1
    }

    /// Off the loops: this makes texts. The last entry stands for what is left of its block, too.
    func requests() -> [ObservedRequest] {
        entries.enumerated().map { number, entry in
            let start = number * ObservedSample.longestPath
            let isLast = number == entries.count - 1
            return ObservedRequest(
                method: entry.method == .other ? "other" : entry.method.name,
                path: String(decoding: paths[start..<(start + Int(entry.pathLength))], as: UTF8.self),
                status: Int(entry.status), nanoseconds: entry.nanoseconds, bytes: entry.bytes,
                weight: isLast ? total - number * block : block)
        }
    }
}
