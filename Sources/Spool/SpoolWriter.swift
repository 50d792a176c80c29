/// What belongs to the writing thread.
struct SpoolWriter {
    var active: ActiveSegment?
    /// Of the next commit.
    var commit: UInt32
    /// Of the next segment.
    var nextNumber: UInt32
    /// The frames of a commit. Kept, unless a large one has blown it up.
    var buffer: [UInt8] = []

    static let keptBuffer = 8 << 20
}
