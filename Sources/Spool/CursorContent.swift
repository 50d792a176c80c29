import DualWrite

/// What the file `cursor` says.
struct CursorContent: Sendable, Equatable {
    /// Everything before has been drained.
    var drained: LogPosition
    /// The oldest segment that is still needed; those before are deleted after this is on disk.
    var first: UInt32
    /// Everything before was on disk when this was written. What is missing there is damage, not a torn tail.
    var durable: LogPosition

    init(drained: LogPosition, first: UInt32, durable: LogPosition) {
        self.drained = drained
        self.first = first
        self.durable = durable
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 20 else { return nil }
        let numbers = bytes.withUnsafeBytes { bytes in (0..<5).map { bytes.lowestFirst(4 * $0, UInt32.self) } }
        drained = LogPosition(segment: numbers[0], offset: numbers[1])
        first = numbers[2]
        durable = LogPosition(segment: numbers[3], offset: numbers[4])
        guard first > 0, first <= drained.segment, drained <= durable else { return nil }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for number in [drained.segment, drained.offset, first, durable.segment, durable.offset] {
            bytes.append(lowestFirst: number)
        }
        return bytes
    }
}
