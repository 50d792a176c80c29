import Dispatch
package import DualWrite
import Logging
import Synchronization

extension Spool {
    package func read(_ position: LogPosition, _ done: @escaping @Sendable (Result<[UInt8], LogRefusal>) -> Void) {
        reading.async {
            guard !self.state.withLock({ $0.isClosed }) else { return done(.failure(.closed)) }
            done(self.record(at: position).map(Result.success) ?? .failure(.damaged))
        }
    }

    /// Nil: there is no intact record at `position` (any more).
    private func record(at position: LogPosition) -> [UInt8]? {
        guard position.offset >= SegmentHeader.size else { return nil }
        do throws(SpoolError) {
            return try readers.withLock { readers in
                Result { () throws(SpoolError) in try Self.record(at: position, &readers) }
            }.get()
        } catch {
            logger.error(
                "a record cannot be read",
                metadata: ["spool": "\(directory)", "position": "\(position)", "failure": "\(error)"])
            return nil
        }
    }

    private static func record(at position: LogPosition, _ readers: inout SegmentReaders) throws(SpoolError) -> [UInt8]?
    {
        let segment = try readers.segment(position.segment)
        let files = readers.files
        // Most records come with the first read.
        var bytes = try system { () throws(SystemFailure) in
            try files.readAll(segment.file, at: Int(position.offset), count: 4096)
        }
        guard bytes.count >= FrameHeader.size,
            let header = bytes.withUnsafeBytes({ segment.seal.header($0, at: position.offset) }),
            !header.flags.contains(.void)
        else { return nil }
        let size = FrameHeader.size + Int(header.length)
        if bytes.count < size {
            bytes += try system { () throws(SystemFailure) in
                // An intact header's length was written by us.
                try files.readAll(segment.file, at: Int(position.offset) + bytes.count, count: size - bytes.count)
            }
        }
        guard bytes.count >= size else { return nil }
        let isIntact = bytes.withUnsafeBytes {
            segment.seal.matches(.init(rebasing: $0[0..<size]), header, at: position.offset)
        }
        guard isIntact else { return nil }
        return SpoolOpening.record(Array(bytes[FrameHeader.size..<size]), header, segment.cipher, position)
    }

    /// Records from `start` on, in order, as far as they are on disk: for the drain. Blocks; not for an event loop.
    ///
    /// - Parameters:
    ///   - start: where a record begins, from `next` of the call before, ``drained``, or the beginning of a segment.
    ///   - bytes: no further record is read after so many; at least one is.
    /// - Returns: the records, none if there are no more yet, and where to go on.
    package func records(
        from start: LogPosition, bytes: Int = 4 << 20, records limit: Int = .max
    ) throws(SpoolError) -> (records: [(position: LogPosition, record: [UInt8])], next: LogPosition) {
        let (isClosed, durable, first, sizes) = state.withLock { ($0.isClosed, $0.durable, $0.first, $0.sizes) }
        guard !isClosed else { throw SpoolError(.closed, "the spool \(directory) is closed") }
        var reading = DrainReading(next: start, bytes: bytes, records: limit)
        while reading.next < durable, !reading.isEnough {
            let number = reading.next.segment
            guard number >= first, Int(number - first) < sizes.count else {
                throw SpoolError(.damaged, "segment \(number) of the spool \(directory) is not there")
            }
            let isLast = number == durable.segment
            let end = isLast ? Int(durable.offset) : sizes[Int(number - first)]
            let error: SpoolError? = drainReaders.withLock { readers in
                do throws(SpoolError) {
                    try reading.read(&readers, to: end)
                    return nil
                } catch {
                    return error
                }
            }
            if let error { throw error }
            if !isLast, reading.next.offset >= end {
                reading.next = LogPosition(segment: number + 1, offset: UInt32(SegmentHeader.size))
            }
        }
        return (reading.found, reading.next)
    }
}

/// A run of records on its way to the drain.
private struct DrainReading {
    var next: LogPosition
    /// What may still be read.
    private var bytes: Int
    private var records: Int
    private(set) var found: [(position: LogPosition, record: [UInt8])] = []

    init(next: LogPosition, bytes: Int, records: Int) {
        self.next = next
        self.bytes = bytes
        self.records = records
    }

    var isEnough: Bool { bytes <= 0 || records <= 0 }

    mutating func read(_ readers: inout SegmentReaders, to end: Int) throws(SpoolError) {
        let number = next.segment
        let segment = try readers.segment(number)
        let path = readers.paths.segment(number)
        var scanner = SegmentScanner(
            SegmentFile(files: readers.files, file: segment.file), segment.seal,
            from: max(Int(next.offset), SegmentHeader.size), end: end, window: max(4096, min(bytes, 1 << 20)))
        while !isEnough {
            switch try system({ () throws(SystemFailure) in try scanner.next() }) {
            case .end:
                next = LogPosition(segment: number, offset: UInt32(clamping: end))
                return
            case .broken(let broken):
                // What is intact before the place is given out first.
                guard found.isEmpty else {
                    bytes = 0
                    return
                }
                throw SpoolError(
                    .damaged, "\(path) is damaged at byte \(broken.offset): expected a record, found \(broken.words)")
            case .frame(let header, let offset):
                let position = LogPosition(segment: number, offset: UInt32(clamping: offset))
                if !header.flags.contains(.void) {
                    guard let record = SpoolOpening.record(scanner.payload, header, segment.cipher, position) else {
                        throw SpoolError(
                            .damaged, "\(path) is damaged at byte \(offset): its key does not decrypt the record")
                    }
                    found.append((position, record))
                    records -= 1
                }
                bytes -= FrameHeader.size + Int(header.length)
                next = LogPosition(segment: number, offset: UInt32(clamping: scanner.offset))
            }
        }
    }
}
