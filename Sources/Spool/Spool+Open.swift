package import DualWrite
import Glibc
package import Logging
import Synchronization

extension Spool {
    /// Opens the spool in `directory`, or makes one there, and reads every record that may still be needed. Blocks for as
    /// long as that takes: 10^6 records of a kilobyte are a matter of seconds.
    ///
    /// - Parameter visit: called for each record in order of appending, from the oldest segment that is needed on (so records
    ///   before the cursor come, too); what it throws stops the opening. Nothing is deleted before the first
    ///   ``drained(to:)`` or ``release(_:)``: what was seen can be retained until then.
    /// - Throws: ``SpoolError``, or what `visit` throws. The files are as they were then.
    package static func open(
        directory: String, options: SpoolOptions = SpoolOptions(), files: any SpoolFiles = SystemFiles(),
        logger: Logger = Logger(label: "spool"), visit: (LogPosition, [UInt8]) throws -> Void = { _, _ in }
    ) throws -> Spool {
        let paths = SpoolPaths(directory: directory)
        try makeDirectory(directory, files)
        let lock = try takeLock(paths, files)
        var opened: [Int32] = [lock]
        do {
            let numbers = try system { () throws(SystemFailure) in try files.names(in: directory) }
                .compactMap(SegmentHeader.number(inFileName:)).sorted()
            let id = try identity(paths, files, numbers, logger)
            var (cursor, content) = try system { () throws(SystemFailure) in try SlotFile.open(paths.cursor, files) }
            defer { opened.isEmpty ? () : cursor.close() }
            let (gapFile, gapContent) = try system { () throws(SystemFailure) in try SlotFile.open(paths.gaps, files) }
            defer { opened.isEmpty ? () : gapFile.close() }
            let reserve = try system { () throws(SystemFailure) in
                try SpoolReserve.open(paths.reserve, wanted: options.effectiveReserve, files)
            }
            defer { opened.isEmpty ? () : reserve.close() }
            try system { () throws(SystemFailure) in try files.syncDirectory(directory) }

            let start = try position(content, numbers, paths)
            var opening = SpoolOpening(paths: paths, files: files, id: id, key: options.key)
            try opening.read(numbers, start, visit)
            let (active, commit) = try opening.activate(start, deletes: (try? cursor.write(start.bytes)) != nil)
            let end = opening.end
            if let cut = opening.recovery.cut {
                logger.warning(
                    "a torn tail was cut off",
                    metadata: ["file": "\(cut.file)", "offset": "\(cut.offset)", "bytes": "\(cut.bytes)"])
            }
            let state = SpoolState(
                first: opening.first, sizes: opening.sizes, durable: end, drained: start.drained,
                gaps: gaps(gapContent))
            let writer = SpoolWriter(
                active: active, commit: commit, nextNumber: active.map { $0.number + 1 } ?? opening.first)
            opened = []
            let spool = Spool(
                paths: paths, id: id, options: options, files: files, logger: logger, lock: lock,
                recovery: opening.recovery, state: state, writer: writer, cursor: cursor, gapFile: gapFile,
                reserve: reserve)
            spool.lookAtFreeSpace(always: true)
            // From now on the first segment has to be there, and all that was found.
            spool.writeCursor()
            return spool
        } catch {
            for file in opened { files.close(file) }
            throw error
        }
    }

    private static func makeDirectory(_ directory: String, _ files: any SpoolFiles) throws(SpoolError) {
        try system { () throws(SystemFailure) in
            guard try files.makeDirectory(directory) else { return }
            try files.syncDirectory(SpoolPaths.parent(of: directory))
        }
    }

    /// The lock is of the open file: it goes when this process closes it or dies.
    static func takeLock(_ paths: SpoolPaths, _ files: any SpoolFiles) throws(SpoolError) -> Int32 {
        while true {
            let lock = try system { () throws(SystemFailure) in try files.open(paths.lock, .writingOrCreating) }
            do throws(SpoolError) {
                guard try system({ () throws(SystemFailure) in try files.lock(lock) }) else {
                    throw SpoolError(.locked, "the spool \(paths.directory) is in use by \(holder(lock, files))")
                }
            } catch {
                files.close(lock)
                throw error
            }
            if files.isFile(lock, at: paths.lock) {
                // For that message only, so a full disk is no reason to stop.
                try? files.truncate(lock, to: 0)
                try? files.writeAll(lock, at: 0, Array("\(getpid())\n".utf8))
                return lock
            }
            // Its holder has removed the directory meanwhile; the next file fails to open, or is of a directory made anew.
            files.close(lock)
        }
    }

    static func holder(_ lock: Int32, _ files: any SpoolFiles) -> String {
        let text = (try? files.readAll(lock, at: 0, count: 32)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").first.map { "process \($0)" } ?? "another process"
    }

    /// The directory's id: from its file, or, if that is gone, from the segments.
    private static func identity(
        _ paths: SpoolPaths, _ files: any SpoolFiles, _ numbers: [UInt32], _ logger: Logger
    ) throws(SpoolError) -> SpoolID {
        if let id = try storedIdentity(paths, files) { return id }
        var id: SpoolID?
        for number in numbers where id == nil {
            let bytes = try system { () throws(SystemFailure) in
                let file = try files.open(paths.segment(number), .reading)
                defer { files.close(file) }
                return try files.readAll(file, at: 0, count: SegmentHeader.size)
            }
            id = bytes.withUnsafeBytes { (try? SegmentHeader($0))?.spool }
        }
        if id != nil {
            logger.warning("the spool's id was taken from its segments", metadata: ["spool": "\(paths.directory)"])
        }
        let made = id ?? .random()
        try system { () throws(SystemFailure) in
            let path = paths.id + ".new"
            let file = try files.open(path, .writingOrCreating)
            defer { files.close(file) }
            try files.truncate(file, to: 0)
            try files.writeAll(file, at: 0, Array("\(made)\n".utf8))
            try files.sync(file)
            try files.rename(path, to: paths.id)
            try files.syncDirectory(paths.directory)
        }
        return made
    }

    /// Nil: there is none, or it is not one.
    static func storedIdentity(_ paths: SpoolPaths, _ files: any SpoolFiles) throws(SpoolError) -> SpoolID? {
        try system { () throws(SystemFailure) in
            do throws(SystemFailure) {
                let file = try files.open(paths.id, .reading)
                defer { files.close(file) }
                return SpoolID(try files.readAll(file, at: 0, count: 33).prefix { $0 != 0x0A })
            } catch  where error.isAbsent {
                return nil
            }
        }
    }

    /// What the cursor says. Without one everything is read and drained again, which changes nothing.
    static func position(
        _ content: SlotFile.Content, _ numbers: [UInt32], _ paths: SpoolPaths
    ) throws(SpoolError) -> CursorContent {
        let first = numbers.first ?? 1
        let start = LogPosition(segment: first, offset: 0)
        switch content {
        case .fresh: return CursorContent(drained: start, first: first, durable: start)
        case .bytes(let bytes):
            if let content = CursorContent(bytes) { return content }
            fallthrough
        case .damaged:
            throw SpoolError(
                SpoolDamage(
                    file: paths.cursor, offset: 0, expected: "a cursor",
                    found: "bytes that do not match their checksum",
                    recordsBefore: 0,
                    advice: "Move the file away: everything in the spool is then drained once more, which is harmless.")
            )
        }
    }

    private static func gaps(_ content: SlotFile.Content) -> [SpoolGap] {
        switch content {
        case .fresh: return []
        case .bytes(let bytes):
            if let gaps = SpoolGaps.gaps(bytes) { return gaps }
            fallthrough
        case .damaged:
            return [SpoolGap(extraction: SpoolGaps.rest, began: 0, ended: 0, count: 0, reason: "gaps-damaged")]
        }
    }
}
