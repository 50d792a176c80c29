import DualWrite

extension Spool {
    /// Goes on without what is damaged: a copy of the bytes is kept beside the segment, and a void is put over them, so that the
    /// records before and behind keep their places. For a person to decide; nobody may have the spool open.
    /// - Returns: what was found before.
    package static func repair(
        directory: String, files: any SpoolFiles = SystemFiles()
    ) throws(SpoolError) -> SpoolReport {
        let paths = SpoolPaths(directory: directory)
        let lock = try takeLock(paths, files)
        defer { files.close(lock) }
        // The lock is our own.
        var report = try inspect(directory: directory, files: files)
        report.holder = nil
        if report.cursorIsDamaged {
            try system { () throws(SystemFailure) in try files.rename(paths.cursor, to: "\(directory)/damaged-cursor") }
        }
        guard let id = report.id else { return report }
        let key = report.segments.lazy.compactMap(\.key).last
        for segment in report.segments where segment.problems.contains(where: { $0.kind != .tornTail }) {
            try system { () throws(SystemFailure) in try mend(segment, id, key, paths, files) }
        }
        try system { () throws(SystemFailure) in try files.syncDirectory(directory) }
        return report
    }

    private static func mend(
        _ segment: SpoolReport.Segment, _ id: SpoolID, _ key: UInt64?, _ paths: SpoolPaths, _ files: any SpoolFiles
    ) throws(SystemFailure) {
        let file = try files.open(segment.file, .writingOrCreating)
        defer { files.close(file) }
        for problem in segment.problems where problem.kind != .missing && problem.kind != .tornTail {
            try keep(problem, of: segment, file, paths, files)
        }
        var size = segment.size
        for problem in segment.problems {
            switch problem.kind {
            case .tornTail: break
            case .missing, .header:
                let old = try files.readAll(file, at: 0, count: SegmentHeader.size)
                try files.writeAll(file, at: 0, header(of: segment, id, old, key).bytes)
                size = max(size, SegmentHeader.size)
            case .bytes, .short:
                let start = max(problem.offset, SegmentHeader.size)
                let end = problem.offset + problem.bytes
                // Without room for a header there was no record.
                if end - start < FrameHeader.size {
                    try files.truncate(file, to: start)
                    continue
                }
                if end > size { try files.truncate(file, to: end) }
                size = max(size, end)
                try cover(start..<end, segment, id, file, files)
            }
        }
        try files.sync(file)
    }

    /// What can be told of a header that is gone. If its salt is, too, its records cannot be decrypted any more.
    private static func header(
        of segment: SpoolReport.Segment, _ id: SpoolID, _ old: [UInt8], _ otherKey: UInt64?
    ) -> SegmentHeader {
        var header = SegmentHeader(spool: id, number: segment.number, lengthBefore: 0)
        guard segment.hasEncrypted, old.count == SegmentHeader.size else { return header }
        old.withUnsafeBytes { bytes in
            header.key = otherKey ?? bytes.lowestFirst(40, UInt64.self)
            header.salt = Array(bytes[48..<60])
        }
        return header
    }

    private static func keep(
        _ problem: SpoolReport.Problem, of segment: SpoolReport.Segment, _ file: Int32, _ paths: SpoolPaths,
        _ files: any SpoolFiles
    ) throws(SystemFailure) {
        let bytes = try files.readAll(file, at: problem.offset, count: problem.bytes)
        guard !bytes.isEmpty else { return }
        let copy = try files.open(
            "\(paths.directory)/damaged-\(SegmentHeader.fileName(segment.number).dropLast(4))-\(problem.offset)",
            .writingOrCreating)
        defer { files.close(copy) }
        try files.writeAll(copy, at: 0, bytes)
        try files.sync(copy)
        try files.syncDirectory(paths.directory)
    }

    private static func cover(
        _ range: Range<Int>, _ segment: SpoolReport.Segment, _ id: SpoolID, _ file: Int32, _ files: any SpoolFiles
    ) throws(SystemFailure) {
        guard let offset = UInt32(exactly: range.lowerBound) else { return }
        var bytes = try files.readAll(file, at: range.lowerBound, count: range.count)
        let void = FrameHeader(
            length: UInt32(clamping: bytes.count - FrameHeader.size), flags: [.void, .endsCommit],
            commit: segment.lastCommit)
        bytes.withUnsafeMutableBytes { FrameSeal(spool: id, segment: segment.number).seal($0, void, at: offset) }
        try files.writeAll(file, at: range.lowerBound, Array(bytes.prefix(FrameHeader.size)))
    }
}
