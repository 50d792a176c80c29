import Dispatch
import DualWrite
import Testing

@testable import Spool

/// Files that are not as they were written: recovery cuts off or refuses, and never invents.
@Suite struct DamageTests {
    private static let directory = "/spool"
    private static var options: SpoolOptions {
        var options = SpoolOptions.small
        options.segmentSize = 1024
        return options
    }

    /// Three segments, the last with commits of one and of several records; as a process leaves them that is killed.
    private struct Written {
        let files: MemoryFiles
        let records: [[UInt8]]
        let positions: [LogPosition]
        let segments: [String]

        init(closed: Bool = false) throws {
            let files = MemoryFiles()
            let (spool, _, _) = try opened(directory, options, files)
            var (records, positions): ([[UInt8]], [LogPosition]) = ([], [])
            while spool.usage.segments < 3 || records.count % 3 != 0 || spool.usage.bytes < 2700 {
                let burst = someRecords(3, from: records.count, size: 60)
                records += burst
                positions += try [spool.appended([burst[0]]), spool.appended(Array(burst[1...]))].joined().map {
                    try $0.get()
                }
            }
            let killed = files.afterExit()
            segments = try killed.names(in: directory).filter { $0.hasSuffix(".seg") }.sorted()
            spool.close()
            self.files = closed ? files.afterExit() : killed
            (self.records, self.positions) = (records, positions)
        }

        /// Opens after `change` to one segment.
        /// - Returns: how many of the records were found; nil: it refused, and changed nothing.
        func opening(_ segment: String, _ change: (inout [UInt8]) -> Void) throws -> Int? {
            let changed = files.afterExit()
            let path = "\(directory)/\(segment)"
            var bytes = try Bytes.read(path, changed)
            change(&bytes)
            try Bytes.write(path, bytes, changed)
            let (spool, found, places): (Spool, [[UInt8]], [LogPosition])
            do {
                (spool, found, places) = try opened(directory, options, changed)
            } catch let error as SpoolError {
                #expect(error.code == .damaged)
                #expect(error.damage?.advice.isEmpty == false)
                #expect(try Bytes.read(path, changed) == bytes)
                return nil
            }
            #expect(found == Array(records.prefix(found.count)))
            #expect(places == Array(positions.prefix(places.count)))
            // It goes on, and what is appended is found behind what was there.
            let more = Array("more".utf8)
            _ = try spool.appended(more).get()
            #expect(try spool.drainable() == found + [more])
            spool.close()
            let (again, all, _) = try opened(directory, options, changed.afterExit())
            #expect(all == found + [more])
            again.close()
            return found.count
        }
    }

    @Test func `a last segment that ends at any byte is cut to its whole records`() throws {
        let written = try Written()
        let last = try #require(written.segments.last)
        let size = try Bytes.read("\(Self.directory)/\(last)", written.files).count
        for length in 0..<size {
            let whole = zip(written.positions, written.records).count { position, record in
                position.segment < 3 || Int(position.offset) + 16 + record.count <= length
            }
            #expect(try written.opening(last) { $0.removeLast(size - length) } == whole, "cut at \(length)")
        }
    }

    @Test func `an earlier segment that ends at any byte is refused`() throws {
        let written = try Written()
        for segment in written.segments.dropLast() {
            let size = try Bytes.read("\(Self.directory)/\(segment)", written.files).count
            for length in 0..<size {
                #expect(
                    try written.opening(segment) { $0.removeLast(size - length) } == nil, "\(segment) cut at \(length)")
            }
        }
    }

    @Test func `a flipped bit is never taken for a torn write`() throws {
        let written = try Written()
        for segment in written.segments {
            let size = try Bytes.read("\(Self.directory)/\(segment)", written.files).count
            for place in 0..<size {
                let change: UInt8 = segment == written.segments.last && place % 9 == 0 ? 0xFF : 1 << (place % 8)
                #expect(try written.opening(segment) { $0[place] ^= change } == nil, "\(segment), byte \(place)")
            }
        }
    }

    @Test func `after a clean end a segment that is shorter is damage`() throws {
        let written = try Written(closed: true)
        let last = try #require(written.segments.last)
        let size = try Bytes.read("\(Self.directory)/\(last)", written.files).count
        for length in 0..<size {
            #expect(try written.opening(last) { $0.removeLast(size - length) } == nil, "cut at \(length)")
        }
        #expect(try written.opening(last) { _ in } == written.records.count)
    }

    @Test func `bytes behind the last record are refused, and zeros are cut off`() throws {
        let written = try Written()
        let last = try #require(written.segments.last)
        #expect(try written.opening(last) { $0 += [UInt8](repeating: 9, count: 40) } == nil)
        #expect(try written.opening(last) { $0 += [UInt8](repeating: 0, count: 4000) } == written.records.count)
        // As much as a header has may be the beginning of one.
        #expect(try written.opening(last) { $0 += [UInt8](repeating: 9, count: 15) } == written.records.count)
    }

    @Test func `a missing sector is torn in the last commit, and damage in any other`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, .small, files)
        let first = (0..<3).map { [UInt8](repeating: UInt8($0 + 65), count: 700) }
        let second = (0..<6).map { [UInt8](repeating: UInt8($0 + 1), count: 700) }
        for record in first { _ = try spool.appended(record).get() }
        let begin = Int(spool.durable.offset)
        // All six are one commit: they wait together while nothing is written.
        let answers = Answers()
        spool.writing.sync { for record in second { spool.append(record, essential: false, answers.add) } }
        _ = try answers.wait(for: 6)
        let left = files.afterExit()
        spool.close()
        let path = "\(Self.directory)/00000001.seg"
        let bytes = try Bytes.read(path, left)
        for sector in stride(from: 512, to: bytes.count, by: 512) {
            let changed = left.afterExit()
            var hole = bytes
            for place in sector..<min(sector + 512, bytes.count) { hole[place] = 0 }
            try Bytes.write(path, hole, changed)
            let whole = second.indices.count { begin + ($0 + 1) * 716 <= sector }
            if sector < begin {
                let error = #expect(throws: SpoolError.self) { try opened(Self.directory, .small, changed) }
                #expect(error?.damage != nil)
            } else {
                let (again, found, _) = try opened(Self.directory, .small, changed)
                #expect(found == first + second.prefix(whole), "hole at \(sector)")
                again.close()
            }
        }
    }

    @Test func `a missing, renamed or foreign segment is refused`() throws {
        let written = try Written()
        for (segment, other) in [("00000001.seg", "x"), ("00000002.seg", "x"), ("00000003.seg", "00000004.seg")] {
            let changed = written.files.afterExit()
            try changed.rename("/spool/\(segment)", to: "/spool/\(other)")
            let error = #expect(throws: SpoolError.self) { try opened(Self.directory, Self.options, changed) }
            #expect(error?.damage?.file.hasSuffix(segment) == true)
        }
        let other = try Written()
        let changed = written.files.afterExit()
        try Bytes.write("/spool/00000003.seg", try Bytes.read("/spool/00000003.seg", other.files), changed)
        let error = #expect(throws: SpoolError.self) { try opened(Self.directory, Self.options, changed) }
        #expect(error?.damage?.expected.contains("segment 3 of spool") == true)
        #expect(error?.damage?.recordsBefore ?? 0 > 0)
    }

    @Test func `a report says where, what, and what to do`() throws {
        let written = try Written()
        let changed = written.files.afterExit()
        var bytes = try Bytes.read("/spool/00000002.seg", changed)
        bytes[200] ^= 1
        try Bytes.write("/spool/00000002.seg", bytes, changed)
        let error = try #require(throws: SpoolError.self) { try opened(Self.directory, Self.options, changed) }
        let before = written.positions.count {
            $0.segment == 1 || ($0.segment == 2 && Int($0.offset) < error.damage?.offset ?? 0)
        }
        let damage = try #require(error.damage)
        #expect(damage.file == "/spool/00000002.seg")
        #expect((100...200).contains(damage.offset))
        #expect(damage.recordsBefore == before)
        #expect(error.message.contains("Nothing was changed"))
        #expect(error.message.contains("strangler spool repair"))
    }

    @Test func `a cursor whose last block is damaged goes on from the one before, and with both it is refused`() throws
    {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, Self.options, files)
        _ = try spool.appended(someRecords(6)).map { try $0.get() }
        let (first, next) = try spool.records(from: spool.drained, records: 2)
        #expect(first.count == 2)
        try spool.drained(to: next)
        let third = try spool.records(from: next, records: 1).next
        try spool.drained(to: third)
        spool.close()
        var bytes = try Bytes.read("/spool/cursor", files)
        bytes[30] ^= 1
        let one = files.afterExit()
        try Bytes.write("/spool/cursor", bytes, one)
        let (again, _, _) = try opened(Self.directory, Self.options, one)
        #expect(again.drained == third || again.drained == next)
        again.close()
        bytes[4096 + 30] ^= 1
        let both = files.afterExit()
        try Bytes.write("/spool/cursor", bytes, both)
        let error = #expect(throws: SpoolError.self) { try opened(Self.directory, Self.options, both) }
        #expect(error?.damage?.file == "/spool/cursor")
        try both.remove("/spool/cursor")
        let (once, found, _) = try opened(Self.directory, Self.options, both)
        #expect(found.count == 6)
        #expect(try once.drainable() == found)
        once.close()
    }

    @Test func `a lost id is taken from the segments`() throws {
        let written = try Written()
        let changed = written.files.afterExit()
        let id = try Bytes.read("/spool/id", changed)
        try changed.remove("/spool/id")
        let (spool, found, _) = try opened(Self.directory, Self.options, changed)
        #expect(found == written.records)
        #expect(Array("\(spool.id)\n".utf8) == id)
        #expect(try Bytes.read("/spool/id", changed) == id)
        spool.close()
    }
}
