import DualWrite
import Spool
import TestSupport
import Testing

/// Looking at a spool, and going on without what is damaged.
@Suite struct RepairTests {
    private static let directory = "/spool"
    private static var options: SpoolOptions {
        var options = SpoolOptions.small
        options.segmentSize = 1024
        return options
    }

    private func written(_ key: SpoolKey? = nil) throws -> (MemoryFiles, [[UInt8]], [LogPosition]) {
        let files = MemoryFiles()
        var options = Self.options
        options.key = key
        let (spool, _, _) = try opened(Self.directory, options, files)
        let records = someRecords(60, size: 80)
        let positions = try records.map { try spool.appended($0).get() }
        spool.close()
        return (files.afterExit(), records, positions)
    }

    @Test func `an intact spool is looked at without being touched, in use or not`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, Self.options, files)
        let records = someRecords(30, size: 80)
        for record in records { _ = try spool.appended(record).get() }
        let report = try Spool.inspect(directory: Self.directory, files: files)
        #expect(report.isIntact && report.records == 30 && report.holder?.hasPrefix("process ") == true)
        #expect(report.id == spool.id)
        #expect(report.segments.count == spool.usage.segments)
        #expect(report.description.contains("intact: 30 records"))
        let error = #expect(throws: SpoolError.self) { try Spool.repair(directory: Self.directory, files: files) }
        #expect(error?.code == .locked)
        spool.close()
        #expect(try Spool.inspect(directory: Self.directory, files: files).holder == nil)
    }

    @Test func `a torn tail is named and left to the next start`() throws {
        let (files, _, _) = try written()
        let last = try #require(try Spool.inspect(directory: Self.directory, files: files).segments.last)
        var bytes = try Bytes.read(last.file, files)
        bytes += [1, 2, 3]
        try Bytes.write(last.file, bytes, files)
        let report = try Spool.inspect(directory: Self.directory, files: files)
        #expect(report.isIntact)
        #expect(report.segments.last?.problems.map(\.kind) == [.tornTail])
        #expect(report.description.contains("torn tail, cut off at the next start"))
    }

    @Test func `after a repair whatever was intact is there, in its place, and the rest is kept beside`() throws {
        let (files, records, positions) = try written()
        var chance = SeededGenerator(seed: 11)
        for round in 0..<60 {
            let damaged = files.afterExit()
            var touched: [(UInt32, Range<Int>)] = []
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                let number = UInt32.random(in: 1...4, using: &chance)
                let path = "/spool/0000000\(number).seg"
                var bytes = try Bytes.read(path, damaged)
                let place = Int.random(in: 0..<bytes.count, using: &chance)
                if Int.random(in: 0..<4, using: &chance) == 0 {
                    touched.append((number, place..<bytes.count))
                    bytes.removeLast(bytes.count - place)
                } else {
                    let end = min(bytes.count, place + Int.random(in: 1...60, using: &chance))
                    touched.append((number, place..<end))
                    for place in place..<end { bytes[place] ^= 0x55 }
                }
                if bytes.isEmpty { bytes = [0] }
                try Bytes.write(path, bytes, damaged)
            }
            let before = try Spool.inspect(directory: Self.directory, files: damaged)
            #expect(!before.isIntact, "round \(round)")
            let error = #expect(throws: SpoolError.self) { try opened(Self.directory, Self.options, damaged) }
            #expect(error?.code == .damaged)
            #expect(try Spool.repair(directory: Self.directory, files: damaged) == before)
            let after = try Spool.inspect(directory: Self.directory, files: damaged)
            #expect(after.isIntact, "round \(round): \(before)\n\(after)")
            let (spool, found, places) = try opened(Self.directory, Self.options, damaged)
            let whole = zip(records, positions).filter { record, position in
                !touched.contains { number, range in
                    let frame = Int(position.offset)..<Int(position.offset) + 16 + record.count
                    return number == position.segment && range.overlaps(frame)
                }
            }
            #expect(found == whole.map(\.0), "round \(round)")
            #expect(places == whole.map(\.1))
            #expect(try spool.drainable() == found)
            #expect(throws: Never.self) { try spool.appended([1]).get() }
            spool.close()
            if touched.contains(where: { $0.1.lowerBound >= 64 && $0.1.count <= 60 }) {
                #expect(try damaged.names(in: Self.directory).contains { $0.hasPrefix("damaged-") })
            }
        }
    }

    @Test func `a missing segment is replaced by a void`() throws {
        let (files, records, positions) = try written(SpoolKey([UInt8](repeating: 3, count: 32)))
        try files.remove("/spool/00000002.seg")
        #expect(try Spool.repair(directory: Self.directory, files: files).segments[1].problems.first?.kind == .missing)
        var options = Self.options
        options.key = SpoolKey([UInt8](repeating: 3, count: 32))
        let (spool, found, _) = try opened(Self.directory, options, files)
        #expect(found == zip(records, positions).filter { $0.1.segment != 2 }.map(\.0))
        #expect(spool.recovery.voids == 1)
        spool.close()
    }

    @Test func `a damaged cursor is set aside`() throws {
        let (files, records, _) = try written()
        try Bytes.write("/spool/cursor", [UInt8](repeating: 9, count: 8192), files)
        #expect(try Spool.repair(directory: Self.directory, files: files).cursorIsDamaged)
        let (spool, found, _) = try opened(Self.directory, Self.options, files)
        #expect(found == records)
        spool.close()
        #expect(files.exists("/spool/damaged-cursor"))
    }
}
