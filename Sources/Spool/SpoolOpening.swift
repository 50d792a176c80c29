import DualWrite

/// Goes through the segments of a spool that has been locked: what has to be there, whether it is, and what may be cut off.
struct SpoolOpening {
    let paths: SpoolPaths
    let files: any SpoolFiles
    let id: SpoolID
    let key: SpoolKey?
    var recovery = SpoolRecovery()
    /// Of the segments that are there, from `first` on.
    private(set) var sizes: [Int] = []
    private(set) var first: UInt32 = 1
    private var last: Scanned?
    /// Segments that are not needed any more, and a last one that was never finished making.
    private var leftovers: [UInt32] = []
    private var unfinished: (number: UInt32, size: Int)?

    init(paths: SpoolPaths, files: any SpoolFiles, id: SpoolID, key: SpoolKey?) {
        self.paths = paths
        self.files = files
        self.id = id
        self.key = key
    }

    /// What is known of a segment that has been gone through.
    private struct Scanned {
        let header: SegmentHeader
        let size: Int
        /// Where its intact frames end.
        let end: Int
        let commitStart: Int
        let nextCommit: UInt32
    }

    /// Where the intact records end.
    var end: LogPosition {
        last.map { LogPosition(segment: $0.header.number, offset: UInt32(clamping: $0.end)) }
            ?? LogPosition(segment: first, offset: 0)
    }

    // MARK: Reading

    /// Reads all records from the first segment that is needed on. Changes nothing.
    mutating func read(
        _ numbers: [UInt32], _ cursor: CursorContent, _ visit: (LogPosition, [UInt8]) throws -> Void
    ) throws {
        first = cursor.first
        leftovers = numbers.filter { $0 < first }
        let needed = numbers.filter { $0 >= first }.sorted()
        for (number, expected) in zip(needed, first...) where number != expected { throw missing(expected) }
        for number in needed {
            let isLast = number == needed.last
            let file = try system { () throws(SystemFailure) in try files.open(paths.segment(number), .reading) }
            defer { files.close(file) }
            let size = try system { () throws(SystemFailure) in try files.size(file) }
            guard
                let header = try header(
                    of: number, file, size, isLast: isLast && cursor.durable <= LogPosition(segment: number, offset: 0))
            else {
                unfinished = (number, size)
                break
            }
            try scan(header, file, size, isLast: isLast, visit)
        }
        guard end >= cursor.durable else {
            guard end.segment == cursor.durable.segment, last != nil else {
                throw missing(end.segment + (last == nil ? 0 : 1))
            }
            throw damage(
                end.segment, Int(end.offset),
                expected: "records up to byte \(cursor.durable.offset), which were on disk when the cursor was written",
                found: "none")
        }
        recovery.segments = sizes.count
        recovery.bytes = sizes.reduce(0, +)
    }

    /// The header of a segment; nil: the segment is the last one and was never finished making.
    private func header(of number: UInt32, _ file: Int32, _ size: Int, isLast: Bool) throws(SpoolError)
        -> SegmentHeader?
    {
        let bytes = try system { () throws(SystemFailure) in try files.readAll(file, at: 0, count: SegmentHeader.size) }
        let header: SegmentHeader
        do throws(SegmentHeader.Fault) {
            header = try bytes.withUnsafeBytes { bytes in
                Result { () throws(SegmentHeader.Fault) in try SegmentHeader(bytes) }
            }.get()
        } catch {
            if isLast, try isUnfinished(number, file, size, bytes) { return nil }
            throw damage(number, 0, expected: error.expected, found: error.found)
        }
        guard header.number == number, header.spool == id else {
            throw damage(
                number, 0, expected: "segment \(number) of spool \(id)",
                found: "segment \(header.number) of spool \(header.spool)")
        }
        if let last, header.lengthBefore != 0, Int(header.lengthBefore) != last.end {
            throw damage(
                last.header.number, last.end,
                expected: "records up to byte \(header.lengthBefore), as the next segment says",
                found: last.end < Int(header.lengthBefore) ? "none" : "more")
        }
        if let needed = header.key, needed != key?.id {
            let given = key.map { "the key given is \(SpoolKey.name($0.id))" } ?? "no key is given"
            throw SpoolError(
                .key,
                "\(paths.segment(number)) is encrypted with the key \(SpoolKey.name(needed)), and \(given). To change keys: start with that one, wait until `status` says that nothing is behind or undrained, stop, and move \(paths.directory) away"
            )
        }
        return header
    }

    /// A header that is not there wholly, and nothing behind it.
    private func isUnfinished(_ number: UInt32, _ file: Int32, _ size: Int, _ bytes: [UInt8]) throws(SpoolError) -> Bool
    {
        if size < SegmentHeader.size { return true }
        guard bytes.allSatisfy({ $0 == 0 }) else { return false }
        var scanner = scanner(of: number, file, size)
        return try system { () throws(SystemFailure) in try scanner.firstFrame(from: SegmentHeader.size) == nil }
    }

    private func scanner(of number: UInt32, _ file: Int32, _ size: Int) -> SegmentScanner<SegmentFile> {
        SegmentScanner(SegmentFile(files: files, file: file), FrameSeal(spool: id, segment: number), end: size)
    }

    private mutating func scan(
        _ header: SegmentHeader, _ file: Int32, _ size: Int, isLast: Bool,
        _ visit: (LogPosition, [UInt8]) throws -> Void
    ) throws {
        var scanner = scanner(of: header.number, file, size)
        let cipher = header.key == nil ? nil : key?.cipher(of: header)
        var broken: SegmentScanner<SegmentFile>.Broken?
        frames: while true {
            switch try system({ () throws(SystemFailure) in try scanner.next() }) {
            case .end: break frames
            case .broken(let place):
                broken = place
                break frames
            case .frame(let frame, let offset):
                if frame.flags.contains(.void) {
                    recovery.voids += 1
                    continue
                }
                let place = LogPosition(segment: header.number, offset: UInt32(clamping: offset))
                guard let record = Self.record(scanner.payload, frame, cipher, place) else {
                    throw damage(
                        header.number, offset, expected: "a record that its segment's key decrypts",
                        found: "another one")
                }
                try visit(place, record)
                recovery.records += 1
            }
        }
        let scanned = Scanned(
            header: header, size: size, end: scanner.offset, commitStart: scanner.commitStart,
            nextCommit: scanner.nextCommit)
        if let broken {
            let verdict =
                isLast
                ? try system { () throws(SystemFailure) in try scanner.judge(broken) } : .damaged(found: broken.words)
            if case .damaged(let found) = verdict {
                throw damage(header.number, broken.offset, expected: "a record", found: found)
            }
        }
        if sizes.isEmpty { first = header.number }
        sizes.append(scanned.end)
        last = scanned
    }

    static func record(_ payload: [UInt8], _ frame: FrameHeader, _ cipher: SegmentCipher?, _ place: LogPosition)
        -> [UInt8]?
    {
        guard frame.flags.contains(.encrypted) == (cipher != nil) else { return nil }
        guard let cipher else { return payload }
        return cipher.open(payload, at: place.offset)
    }

    // MARK: Going on

    /// Deletes what is not needed, cuts off the torn tail and brings the last commit to disk, so that whatever was read is
    /// there for good.
    /// - Parameter deletes: the cursor that says so is certainly on disk.
    /// - Returns: the segment to go on with, nil if there is none, and the commit to go on with.
    mutating func activate(_ cursor: CursorContent, deletes: Bool) throws(SpoolError) -> (
        ActiveSegment?, commit: UInt32
    ) {
        if deletes {
            for number in leftovers {
                try system { () throws(SystemFailure) in try files.remove(paths.segment(number)) }
            }
            recovery.leftovers = leftovers.count
        }
        if let unfinished {
            let path = paths.segment(unfinished.number)
            try system { () throws(SystemFailure) in
                try files.remove(path)
                try files.syncDirectory(paths.directory)
            }
            recovery.cut = SpoolRecovery.Cut(file: path, offset: 0, bytes: unfinished.size)
        }
        guard let last else { return (nil, 0) }
        let path = paths.segment(last.header.number)
        let file = try system { () throws(SystemFailure) in try files.open(path, .writing) }
        do throws(SystemFailure) {
            if last.end < last.size {
                try files.truncate(file, to: last.end)
                recovery.cut = SpoolRecovery.Cut(file: path, offset: last.end, bytes: last.size - last.end)
            }
            if last.end < last.size || end != cursor.durable {
                // If the process before has seen a failing `fsync`, what was read now may be in memory only, and marked as
                // written. Written again it is not.
                let commit = try files.readAll(file, at: last.commitStart, count: last.end - last.commitStart)
                try files.writeAll(file, at: last.commitStart, commit)
                try files.sync(file)
                try files.syncDirectory(paths.directory)
            }
        } catch {
            files.close(file)
            throw SpoolError(error)
        }
        let active = ActiveSegment(
            file: file, number: last.header.number, seal: FrameSeal(spool: id, segment: last.header.number),
            key: last.header.key, cipher: last.header.key == nil ? nil : key?.cipher(of: last.header), end: last.end)
        // A commit that was not finished is gone on with: its frames may be neighbours of those that follow now.
        return (active, last.nextCommit)
    }

    // MARK: Reports

    private func missing(_ number: UInt32) -> SpoolError {
        SpoolError(
            SpoolDamage(
                file: paths.segment(number), offset: 0, expected: "the segment", found: "no file",
                recordsBefore: recovery.records, advice: SpoolDamage.repairAdvice))
    }

    private func damage(_ number: UInt32, _ offset: Int, expected: String, found: String) -> SpoolError {
        SpoolError(
            SpoolDamage(
                file: paths.segment(number), offset: offset, expected: expected, found: found,
                recordsBefore: recovery.records, advice: SpoolDamage.repairAdvice))
    }
}

extension SegmentScanner.Broken {
    /// What was found, for reports.
    var words: String {
        switch fault {
        case .short: "the end of the file within one"
        case .header: "bytes that do not match their checksum"
        case .payload: "one that does not match its checksum"
        }
    }
}
