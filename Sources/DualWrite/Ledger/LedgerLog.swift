/// Where the ledger keeps its records: an append-only log of bytes that survives the process. Declared here so that
/// delivery (ShadowRunner) and the files (Spool) need not know each other.
package protocol LedgerLog: Sendable {
    /// Appends a record and has it brought to disk together with those that arrive meanwhile (group commit). Never waits.
    ///
    /// - Parameters:
    ///   - essential: it says what became of a write that was accepted before (everything but an intent). When space runs out,
    ///     intents are refused first and a reserve is left for these: a write that the primary has seen must not
    ///     become uncertain because there was no room for its outcome.
    ///   - done: called once, for all records of one commit in order of appending: on the log's own thread after `fsync`, or
    ///     with the refusal, which may come within this call. It must return at once.
    func append(
        _ record: [UInt8], essential: Bool, _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void)

    /// The same for an essential record about a write whose intent this log has at `intent`, and keeps until the write is over.
    /// When the last of the reserve is all there is, only those are taken whose intents keep the oldest segment, for
    /// when they are over there is room for the others; these have to be tried again.
    func append(
        _ record: [UInt8], about intent: LogPosition,
        _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void)

    /// Reads a record back. Never waits.
    /// - Parameter done: called once, on a thread of the log's.
    func read(_ position: LogPosition, _ done: @escaping @Sendable (Result<[UInt8], LogRefusal>) -> Void)

    /// A record at `position` is needed until it is released: no segment from its own on is deleted before that. Counted.
    func retain(_ position: LogPosition)
    func release(_ position: LogPosition)
}

extension LedgerLog {
    /// For a log that has no reserve.
    package func append(
        _ record: [UInt8], about intent: LogPosition,
        _ done: @escaping @Sendable (Result<LogPosition, LogRefusal>) -> Void
    ) {
        append(record, essential: true, done)
    }
}

/// Where a record stands. Later records have higher positions.
package struct LogPosition: Sendable, Hashable, Comparable {
    package let segment: UInt32
    /// Of the record's frame, in bytes.
    package let offset: UInt32

    package init(segment: UInt32, offset: UInt32) {
        self.segment = segment
        self.offset = offset
    }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

/// Why the log did not take or give a record. The raw value is the public name: in counters, gaps and messages.
package enum LogRefusal: String, Error, Sendable, Codable, CaseIterable {
    /// The quota is used up.
    case full = "spool-full"
    /// Less is free on the disk than is to be left free, or the disk said that it is full.
    case noSpace = "disk-full"
    /// Writing or `fsync` has failed: what is on disk is not known, so nothing is appended until a restart.
    case failed = "spool-failed"
    /// Larger than a record may be.
    case tooLarge = "record-too-large"
    /// A record that cannot be read any more.
    case damaged = "spool-damaged"
    /// The disk took longer than a client's write waits.
    case slow = "spool-slow"
    /// The log has been closed.
    case closed = "shutting-down"
}
