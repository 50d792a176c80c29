import DualWrite

extension Spool {
    /// Looks at every byte of a spool without changing any, whether it is in use or not. Needs no key: what is encrypted is
    /// checked by its sums.
    package static func inspect(
        directory: String, files: any SpoolFiles = SystemFiles()
    ) throws(SpoolError) -> SpoolReport {
        let paths = SpoolPaths(directory: directory)
        var report = SpoolReport(directory: directory)
        report.holder = try holder(paths, files)
        report.id = try storedIdentity(paths, files)
        let numbers = try system { () throws(SystemFailure) in try files.names(in: directory) }
            .compactMap(SegmentHeader.number(inFileName:)).sorted()
        let cursor = try storedCursor(paths, files)
        switch cursor {
        case .fresh: break
        case .bytes(let bytes): report.drained = CursorContent(bytes)?.drained
        case .damaged: break
        }
        report.cursorIsDamaged = cursor != .fresh && report.drained == nil
        let start = try? position(cursor, numbers, paths)
        let first = start?.first ?? numbers.first ?? 1
        let last = max(numbers.last ?? 0, start.map { $0.durable.offset > 0 ? $0.durable.segment : 0 } ?? 0)
        guard first <= last else { return report }
        for number in first...last {
            let segment = try examine(number, number == last, report.id, paths, files)
            if let length = segment.header?.lengthBefore, length > 0, !report.segments.isEmpty {
                report.segments[report.segments.count - 1].ends(at: Int(length))
            }
            if report.id == nil { report.id = segment.header?.spool }
            report.segments.append(segment)
        }
        if let durable = start?.durable, let place = report.segments.firstIndex(where: { $0.number == durable.segment })
        {
            report.segments[place].ends(at: Int(durable.offset))
        }
        return report
    }

    private static func holder(_ paths: SpoolPaths, _ files: any SpoolFiles) throws(SpoolError) -> String? {
        guard let lock = try? files.open(paths.lock, .reading) else { return nil }
        defer { files.close(lock) }
        return try system { () throws(SystemFailure) in try files.lock(lock) } ? nil : holder(lock, files)
    }

    private static func storedCursor(_ paths: SpoolPaths, _ files: any SpoolFiles) throws(SpoolError)
        -> SlotFile.Content
    {
        try system { () throws(SystemFailure) in
            do throws(SystemFailure) {
                let file = try files.open(paths.cursor, .reading)
                defer { files.close(file) }
                return SlotFile.content(of: try files.readAll(file, at: 0, count: 8192)).newest
            } catch  where error.isAbsent {
                return .fresh
            }
        }
    }

    private static func examine(
        _ number: UInt32, _ isLast: Bool, _ id: SpoolID?, _ paths: SpoolPaths, _ files: any SpoolFiles
    ) throws(SpoolError) -> SpoolReport.Segment {
        var segment = SpoolReport.Segment(number: number, file: paths.segment(number))
        do throws(SystemFailure) {
            let file = try files.open(segment.file, .reading)
            defer { files.close(file) }
            segment.size = try files.size(file)
            let bytes = try files.readAll(file, at: 0, count: SegmentHeader.size)
            if let header = bytes.withUnsafeBytes({ try? SegmentHeader($0) }), header.number == number,
                header.spool == id ?? header.spool
            {
                (segment.header, segment.key) = (header, header.key)
            } else if segment.size < SegmentHeader.size, isLast {
                segment.add(.tornTail, 0..<segment.size, "a segment that was not finished making")
                return segment
            } else {
                segment.add(.header, 0..<min(SegmentHeader.size, segment.size), "no header of this segment")
            }
            guard let spool = segment.header?.spool ?? id else { return segment }
            let scanner = SegmentScanner(
                SegmentFile(files: files, file: file), FrameSeal(spool: spool, segment: number), end: segment.size)
            try segment.scan(scanner, isLast)
        } catch {
            guard error.isAbsent else { throw SpoolError(error) }
            segment.add(.missing, 0..<0, "no file")
        }
        return segment
    }
}

extension SpoolReport.Segment {
    init(number: UInt32, file: String) {
        self.number = number
        self.file = file
    }

    mutating func add(_ kind: SpoolReport.Problem.Kind, _ range: Range<Int>, _ found: String) {
        problems.append(SpoolReport.Problem(kind: kind, offset: range.lowerBound, bytes: range.count, found: found))
    }

    /// Where the segment is known to have ended at least.
    mutating func ends(at length: Int) {
        if problems.last?.kind == .tornTail, let tail = problems.popLast() {
            // It was on disk once, or is followed by another segment: not torn.
            let kind = tail.offset < length ? SpoolReport.Problem.Kind.bytes : .tornTail
            add(kind, tail.offset..<tail.offset + tail.bytes, tail.found)
        }
        guard size < length, problems.last?.kind != .missing || length > SegmentHeader.size else { return }
        if let last = problems.last, last.kind == .bytes, last.offset + last.bytes == size {
            problems.removeLast()
            add(.bytes, last.offset..<length, last.found)
        } else {
            add(.short, size..<length, "the end of the file")
        }
    }

    mutating func scan(_ scanner: SegmentScanner<SegmentFile>, _ isLast: Bool) throws(SystemFailure) {
        var scanner = scanner
        while true {
            switch try scanner.next() {
            case .end: return
            case .frame(let header, _):
                lastCommit = header.commit
                hasEncrypted = hasEncrypted || header.flags.contains(.encrypted)
                if header.flags.contains(.void) { voids += 1 } else { records += 1 }
            case .broken(let broken):
                // Judging uses the scanner up.
                var judge = scanner
                if isLast, case .torn = try judge.judge(broken) {
                    add(.tornTail, broken.offset..<size, broken.words)
                    return
                }
                guard let later = try scanner.firstFrame(from: broken.offset + FrameHeader.size) else {
                    add(.bytes, broken.offset..<size, broken.words)
                    return
                }
                add(.bytes, broken.offset..<later.offset, broken.words)
                scanner.skip(to: later.offset)
            }
        }
    }
}
