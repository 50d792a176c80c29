internal import NIOCore

/// Which reads that differed are asked again, on one loop. Each costs the primary a request that no client waits for: few
/// at one time, and those of a burst wait for their turn.
struct SecondLooks {
    /// At one time.
    static let maximum = 16
    /// Of the loop's places and bytes, the share that may wait: when the primary is slow to answer again, there shall be
    /// room for what comes after.
    static let share = 4

    /// Asked again and not judged yet, for what is found spares others the question.
    private(set) var underWay = 0
    private(set) var waitingBytes = 0
    private var waiting = CircularBuffer<FinishedPair>()

    var waitingCount: Int { waiting.count }
    var hasTurn: Bool { underWay < SecondLooks.maximum }

    /// To be followed by `ended`.
    mutating func begin() { underWay += 1 }

    mutating func ended() { underWay -= 1 }

    /// - Returns: whether there is room for it.
    mutating func wait(_ pair: FinishedPair, bytes: Int, under settings: ShadowSettings) -> Bool {
        guard waiting.count < settings.maximumJobs / SecondLooks.share,
            waitingBytes + bytes <= settings.maximumBytes / SecondLooks.share
        else { return false }
        waiting.append(pair)
        waitingBytes += bytes
        return true
    }

    /// The one that has waited longest.
    mutating func next() -> FinishedPair? {
        guard let pair = waiting.popFirst() else { return nil }
        waitingBytes -= pair.heldBytes
        return pair
    }
}
