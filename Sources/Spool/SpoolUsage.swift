/// How a spool stands, for status, readiness and metrics.
package struct SpoolUsage: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case ok
        /// Ordinary records are refused: the quota is used up.
        case full
        /// Ordinary records are refused: too little is free on the disk.
        case noSpace
        /// Nothing is taken until a restart, and why.
        case failed(String)
    }

    package var state: State
    /// Of all segments.
    package var bytes: Int
    package var quota: Int
    package var segments: Int
    /// 0 while there is none.
    package var oldestSegment: UInt32
    /// On the file system; nil: not looked yet.
    package var free: Int?
    /// Of records that wait for their commit, the one under way included.
    package var waitingBytes: Int
    package var waitingRecords: Int
    /// Bytes that have not been drained.
    package var undrainedBytes: Int
    package var figures: SpoolFigures

    /// True if the next intent would most likely be refused.
    package var isFull: Bool { state != .ok }
}

/// Sums since the spool was opened.
package struct SpoolFigures: Sendable, Equatable {
    package var appendedRecords = 0
    /// Of their frames.
    package var appendedBytes = 0
    package var refusedRecords = 0
    package var commits = 0
    /// Of `fdatasync` of segments: sum, longest, and how many took at most as long as each bound (cumulated when shown).
    package var syncNanoseconds: Int64 = 0
    package var longestSyncNanoseconds: Int64 = 0
    package var syncsWithin = [Int](repeating: 0, count: bounds.count + 1)

    /// In nanoseconds; what took longer is counted behind the last.
    package static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 1_000_000_000,
    ]

    mutating func committed(records: Int, bytes: Int, _ sync: Int64) {
        appendedRecords += records
        appendedBytes += bytes
        commits += 1
        syncNanoseconds += sync
        longestSyncNanoseconds = max(longestSyncNanoseconds, sync)
        syncsWithin[Self.bounds.firstIndex { sync <= $0 } ?? Self.bounds.count] += 1
    }
}
