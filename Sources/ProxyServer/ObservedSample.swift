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
    /// Bytes of a path that are kept, and that there is room for before the memory of a harvest's grows.
    static let longestPath = 256
    private static let usualPath = 32

    struct Entry {
        let method: Method
        let status: Int16
        /// Within `paths`.
        var path: Range<Int>
        let bytes: Int
        let nanoseconds: Int64
    }

    private var entries: [Entry] = []
    /// Of all entries, one after the other.
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
            paths.reserveCapacity(ObservedSample.capacity * ObservedSample.usualPath)
        }
        let start = paths.count
        head.withUnsafeReadableBytes { head in
            guard let space = head.firstIndex(of: 0x20) else { return }
            let limit = min(head.count, space &+ 1 &+ ObservedSample.longestPath)
            var end = space &+ 1
            while end < limit, head[end] != 0x20, head[end] != 0x3F { end &+= 1 }
            paths.append(contentsOf: head[(space &+ 1)..<end])
        }
        entries.append(
            Entry(
                method: method, status: Int16(truncatingIfNeeded: status),
                path: start..<paths.count, bytes: bytes, nanoseconds: nanoseconds))
        if entries.count == ObservedSample.capacity { thin(&chance) }
    }

    /// Half of the entries, each for twice as many.
    private mutating func thin(_ chance: inout Chance) {
        var end = 0
        for pair in 0..<(ObservedSample.capacity / 2) {
            var kept = entries[2 &* pair &+ chance.next(below: 2)]
            let start = end
            for byte in kept.path {
                paths[end] = paths[byte]
                end &+= 1
            }
            kept.path = start..<end
            entries[pair] = kept
        }
        entries.removeLast(ObservedSample.capacity / 2)
        paths.removeLast(paths.count &- end)
        // The block that has just been completed by its choice may have requests to come: they belong to the last entry,
        // whose new block is the old one and its neighbour.
        position &+= block
        block &*= 2
        chosen = -1
    }

    /// Off the loops: this makes texts. The last entry stands for what is left of its block, too.
    func requests() -> [ObservedRequest] {
        entries.enumerated().map { number, entry in
            let isLast = number == entries.count - 1
            return ObservedRequest(
                method: entry.method == .other ? "other" : entry.method.name,
                path: String(decoding: paths[entry.path], as: UTF8.self),
                status: Int(entry.status), nanoseconds: entry.nanoseconds, bytes: entry.bytes,
                weight: isLast ? total - number * block : block)
        }
    }
}
