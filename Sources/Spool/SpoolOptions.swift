/// How large a spool may be and how it writes.
package struct SpoolOptions: Sendable {
    /// A segment that would be larger is followed by a new one; at most an eighth of the quota, so that space comes back
    /// in steps, and a gigabyte. A record that is larger gets a segment of its own.
    package var segmentSize = 64 << 20
    /// Bytes of the largest record, at most a gigabyte.
    package var recordLimit = 16 << 20
    /// Bytes of all segments. Essential records may use as much again: they are few for each that was taken, and without the
    /// last of them nothing could ever be deleted.
    package var quota = 1 << 30
    /// Bytes that are left free on the file system. Essential records may use them.
    package var freeFloor = 256 << 20
    /// Bytes of a file that keeps room for essential records when the disk is full; nil: two segments' worth, where so little is
    /// left free that there might be none else.
    package var reserve: Int?
    /// Bytes that wait in memory for their commit. Essential records may use as much again.
    package var queueLimit = 64 << 20
    /// How long a commit waits for more intents while many come, at most 5 ms; see ``GroupCommit``.
    package var commitInterval = Duration.milliseconds(1)
    /// New records are encrypted with it. Older ones need the key that they were written with.
    package var key: SpoolKey?

    package init() {}

    var effectiveSegmentSize: Int { max(1024, min(segmentSize, quota / 8, 1 << 30)) }
    /// What ends the writes of the oldest segment has room in one half of it.
    var effectiveReserve: Int { max(0, reserve ?? effectiveSegmentSize * 2 - freeFloor) }
    var effectiveRecordLimit: Int { min(recordLimit, 1 << 30) }
    var effectiveInterval: Duration { min(max(commitInterval, .zero), .milliseconds(5)) }

    /// Twice as much, without overflow.
    static func withReserve(_ bytes: Int) -> Int {
        let (doubled, overflows) = bytes.multipliedReportingOverflow(by: 2)
        return overflows ? .max : doubled
    }
}
