import DualWrite
import Glibc
import Spool
import Synchronization
import TestSupport
import Testing

/// What is drained, retained and deleted, and in which order.
@Suite struct CursorTests {
    private static let directory = "/spool"
    private static var options: SpoolOptions {
        var options = SpoolOptions.small
        options.segmentSize = 1024
        return options
    }

    private func filled(_ files: MemoryFiles) throws -> (Spool, [[UInt8]], [LogPosition]) {
        let (spool, _, _) = try opened(Self.directory, Self.options, files)
        let records = someRecords(60, size: 80)
        return (spool, records, try records.map { try spool.appended($0).get() })
    }

    @Test func `opening and closing delete nothing, for nobody has said yet what is needed`() throws {
        let files = MemoryFiles()
        let (spool, records, positions) = try filled(files)
        let held = try #require(positions.first)
        spool.retain(held)
        try spool.drained(to: spool.durable)
        let (again, _, _) = try opened(Self.directory, Self.options, files.afterExit())
        #expect(again.usage.oldestSegment == 1)
        #expect(try again.readBack(held) == .success(records[0]))
        // It ends before anybody has taken over what was found.
        again.close()
    }

    @Test func `a retained segment and those behind it stay until it is released`() throws {
        let files = MemoryFiles()
        let (spool, records, positions) = try filled(files)
        let held = try #require(positions.first { $0.segment == 2 })
        spool.retain(held)
        spool.retain(held)
        try spool.drained(to: spool.durable)
        #expect(spool.usage.oldestSegment == 2)
        #expect(!files.exists("/spool/00000001.seg") && files.exists("/spool/00000002.seg"))
        #expect(spool.usage.undrainedBytes == 0)
        let place = try #require(positions.firstIndex(of: held))
        #expect(try spool.readBack(held) == .success(records[place]))
        // A restart finds everything from the retained segment on.
        let (again, found, _) = try opened(Self.directory, Self.options, files.afterExit())
        #expect(found == Array(records[place...]))
        #expect(again.drained == spool.drained)
        again.close()

        spool.release(held)
        spool.retain(try #require(positions.last))
        #expect(files.exists("/spool/00000002.seg"))
        #expect(!spool.isDrained)
        spool.release(held)
        #expect(eventually { !files.exists("/spool/00000002.seg") })
        #expect(spool.usage.segments == 1)
        spool.release(try #require(positions.last))
        #expect(spool.isDrained)
        #expect(try spool.readBack(positions[0]) == .failure(.damaged))
        spool.close()
    }

    @Test func `no segment is deleted before the cursor is on disk`() throws {
        let files = MemoryFiles()
        let (spool, records, _) = try filled(files)
        files.refuse { $0 == "fdatasync" && $1.hasSuffix("cursor") ? EIO : nil }
        #expect(throws: SpoolError.self) { try spool.drained(to: spool.durable) }
        #expect(files.exists("/spool/00000001.seg"))
        #expect(spool.drained == LogPosition(segment: 1, offset: 0))
        files.refuse(nil)
        // Not synced a second time either.
        #expect(throws: SpoolError.self) { try spool.drained(to: spool.durable) }
        #expect(throws: Never.self) { try spool.appended([1]).get() }
        #expect(files.violations.isEmpty)
        var chance = SeededGenerator(seed: 1)
        let (again, found, _) = try opened(Self.directory, Self.options, files.afterPowerLoss(&chance))
        #expect(found == records + [[1]])
        again.close()
        spool.close()
    }

    @Test func `segments left over by a crash between cursor and deletion are deleted, and not read again`() throws {
        let files = MemoryFiles()
        let (spool, _, positions) = try filled(files)
        files.refuse { call, _ in call == "unlink" ? EIO : nil }
        #expect(throws: SpoolError.self) { try spool.drained(to: spool.durable) }
        let left = files.afterExit()
        #expect(left.exists("/spool/00000001.seg"))
        let (again, found, places) = try opened(Self.directory, Self.options, left)
        #expect(places.allSatisfy { $0.segment == positions.last?.segment } && !found.isEmpty)
        #expect(again.recovery.leftovers == Int(places.first?.segment ?? 0) - 1)
        #expect(!left.exists("/spool/00000001.seg"))
        again.close()
        spool.close()
    }

    @Test func `the cursor never goes back, nor beyond what is on disk`() throws {
        let files = MemoryFiles()
        let (spool, _, positions) = try filled(files)
        try spool.drained(to: positions[10])
        try spool.drained(to: positions[5])
        #expect(spool.drained == positions[10])
        try spool.drained(to: LogPosition(segment: 99, offset: 0))
        #expect(spool.drained == spool.durable)
        #expect(try spool.records(from: spool.drained).records.isEmpty)
        spool.close()
    }

    @Test func `what is drained is bounded, and never what is not on disk`() throws {
        let (spool, records, positions) = try filled(MemoryFiles())
        var (found, next): ([[UInt8]], LogPosition) = ([], spool.drained)
        while true {
            let (some, then) = try spool.records(from: next, bytes: 200, records: 3)
            if some.isEmpty { break }
            #expect(some.count <= 3)
            #expect(some.map(\.position) == Array(positions[found.count...].prefix(some.count)))
            (found, next) = (found + some.map(\.record), then)
        }
        #expect(found == records)
        #expect(next == spool.durable)
        // While a record is being answered it is not given out: its owner may still retain it.
        let seen = Mutex<Int?>(nil)
        spool.append([1], essential: false) { _ in
            let count = (try? spool.records(from: spool.drained).records.count) ?? -1
            seen.withLock { $0 = count }
        }
        #expect(eventually { seen.withLock { $0 != nil } })
        #expect(seen.withLock { $0 } == records.count)
        #expect(eventually { (try? spool.records(from: spool.drained).records.count) == records.count + 1 })
        spool.close()
    }

    @Test func `damage that comes later is found by whoever reads`() throws {
        let files = MemoryFiles()
        let (spool, records, positions) = try filled(files)
        let broken = positions[30]
        let path = "/spool/0000000\(broken.segment).seg"
        var bytes = try Bytes.read(path, files)
        bytes[Int(broken.offset) + 20] ^= 4
        try Bytes.write(path, bytes, files)
        #expect(try spool.readBack(broken) == .failure(.damaged))
        #expect(try spool.readBack(positions[31]) == .success(records[31]))
        #expect(
            try spool.readBack(LogPosition(segment: broken.segment, offset: broken.offset + 1)) == .failure(.damaged))
        #expect(try spool.readBack(LogPosition(segment: 77, offset: 64)) == .failure(.damaged))
        let (before, next) = try spool.records(from: spool.drained)
        #expect(before.map(\.record) == Array(records.prefix(30)))
        #expect(next == broken)
        let error = #expect(throws: SpoolError.self) { try spool.records(from: next) }
        #expect(error?.code == .damaged && error?.message.contains("byte \(broken.offset)") == true)
        spool.close()
    }
}
