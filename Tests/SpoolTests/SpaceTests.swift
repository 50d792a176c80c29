import DualWrite
import Glibc
import Spool
import Synchronization
import Testing

/// Quota, floor, a full disk, and files that cannot be written.
@Suite struct SpaceTests {
    private static let directory = "/spool"
    private static let record = [UInt8](repeating: 7, count: 100)

    /// Appends records until one is refused.
    private func fill(_ spool: Spool, essential: Bool = false) throws -> (taken: Int, refusal: LogRefusal) {
        for taken in 0..<100_000 {
            if case .failure(let refusal) = try spool.appended(Self.record, essential: essential) {
                return (taken, refusal)
            }
        }
        throw CancellationError()
    }

    @Test func `at the quota intents are refused first, then everything, and space comes back by draining`() throws {
        var options = SpoolOptions.small
        options.quota = 20_000
        let (spool, _, _) = try opened(Self.directory, options, MemoryFiles())
        let ordinary = try fill(spool)
        #expect(ordinary.refusal == .full)
        #expect((19_800...20_000).contains(spool.usage.bytes))
        #expect(spool.usage.state == .full && spool.usage.isFull)
        let essential = try fill(spool, essential: true)
        #expect(essential.refusal == .full)
        #expect(essential.taken > 10)
        #expect((39_800...40_000).contains(spool.usage.bytes))
        let (records, next) = try spool.records(from: spool.drained)
        #expect(records.count == ordinary.taken + essential.taken)
        try spool.drained(to: next)
        #expect(spool.usage.bytes < 3000 && spool.usage.state == .ok)
        #expect(try fill(spool).taken > 100)
        spool.close()
    }

    @Test func `what waits for its commit is bounded`() throws {
        var options = SpoolOptions.small
        options.queueLimit = 1000
        let (spool, _, _) = try opened(Self.directory, options, MemoryFiles())
        let answers = Answers()
        // Nothing is committed while an answer is being given.
        let isFilled = Mutex(false)
        spool.append(Self.record, essential: false) { _ in
            for _ in 0..<20 { spool.append(Self.record, essential: false, answers.add) }
            for _ in 0..<20 { spool.append(Self.record, essential: true, answers.add) }
            isFilled.withLock { $0 = true }
        }
        let all = try answers.wait(for: 40)
        #expect(isFilled.withLock { $0 })
        #expect(all.count { $0 == .failure(.full) } == 40 - 17)
        #expect(spool.usage.waitingBytes == 0)
        spool.close()
    }

    @Test func `under the floor intents are refused and outcomes taken, and it recovers by itself`() throws {
        var options = SpoolOptions.small
        options.freeFloor = 500_000
        let files = MemoryFiles()
        files.capacity = 1_000_000
        let (spool, _, _) = try opened(Self.directory, options, files)
        #expect(throws: Never.self) { try spool.appended(Self.record).get() }
        files.capacity = 500_000
        // What is free is looked at now and then only.
        #expect(eventually { (try? spool.appended(Self.record)) == .failure(.noSpace) })
        #expect(spool.usage.state == .noSpace)
        #expect(throws: Never.self) { try spool.appended(Self.record, essential: true).get() }
        files.capacity = 2_000_000
        #expect(eventually { (try? spool.appended(Self.record).get()) != nil })
        #expect(spool.usage.state == .ok)
        spool.close()
    }

    @Test func `a full disk takes nothing back that was promised, and is written to again when there is space`() throws
    {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, .small, files)
        var taken = try spool.appended(someRecords(5)).count
        files.capacity = 16_384 + 2_000
        var refused = 0
        while refused < 3 {
            if case .success = try spool.appended([UInt8](repeating: 1, count: 300)) {
                taken += 1
            } else {
                refused += 1
            }
        }
        #expect(try spool.appended([UInt8](repeating: 1, count: 300)) == .failure(.noSpace))
        // What was not taken is not there, whatever happens now.
        let (other, found, _) = try opened(Self.directory, .small, files.afterExit())
        #expect(found.count == taken && other.recovery.cut == nil)
        other.close()
        files.capacity = .max
        #expect(eventually { (try? spool.appended([2]).get()) != nil })
        #expect(try spool.drainable().last == [2])
        #expect(files.violations.isEmpty)
        spool.close()
    }

    @Test func `a full disk is asked by a commit once more for what is essential`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, .small, files)
        _ = try spool.appended([1]).get()
        let answers = Answers()
        let size = try Bytes.read("/spool/00000001.seg", files).count
        let others = 2 * 8192 + 33 + "\(getpid())\n".utf8.count
        spool.append([2], essential: false) { _ in
            // One commit of three, of which the disk takes one.
            files.capacity = others + size + 17 + 250
            for number in 0..<3 {
                spool.append([UInt8](repeating: UInt8(number), count: 200), essential: number == 1, answers.add)
            }
        }
        let all = try answers.wait(for: 3)
        #expect(all[0] == .failure(.noSpace) && all[2] == .failure(.noSpace))
        #expect(try spool.readBack(try all[1].get()) == .success([UInt8](repeating: 1, count: 200)))
        spool.close()
    }

    @Test func `a disk that is full when a segment is to be made is tried again`() throws {
        let files = MemoryFiles()
        files.capacity = 16_384 + 100
        let (spool, _, _) = try opened(Self.directory, .small, files)
        #expect(try spool.appended(Self.record) == .failure(.noSpace))
        #expect(!files.exists("/spool/00000001.seg") || (try? Bytes.read("/spool/00000001.seg", files).count) == 64)
        files.capacity = .max
        #expect(eventually { (try? spool.appended(Self.record).get()) != nil })
        spool.close()
    }

    @Test func `after a failing fsync nothing is taken and nothing synced a second time, until a restart`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, .small, files)
        _ = try spool.appended(someRecords(3)).map { try $0.get() }
        files.refuse { call, path in call == "fdatasync" && path.hasSuffix(".seg") ? EIO : nil }
        #expect(try spool.appended([1]) == .failure(.failed))
        files.refuse(nil)
        #expect(try spool.appended([2]) == .failure(.failed))
        #expect(try spool.appended([3], essential: true) == .failure(.failed))
        guard case .failed(let why) = spool.usage.state else {
            Issue.record("\(spool.usage.state)")
            return
        }
        #expect(why.contains("fdatasync") && why.contains("00000001.seg"))
        // What was durable is still read and drained.
        #expect(try spool.drainable() == someRecords(3))
        spool.close()
        #expect(files.violations.isEmpty)
        let (again, found, _) = try opened(Self.directory, .small, files.afterExit())
        #expect(Array(found.prefix(3)) == someRecords(3))
        #expect(found.count == 3 || found[3...] == [[1]])
        #expect(throws: Never.self) { try again.appended([4]).get() }
        again.close()
    }

    @Test(arguments: ["pwrite", "ftruncate"])
    func `a failing write, or one that cannot be taken back, ends the appending`(call: String) throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, .small, files)
        _ = try spool.appended([1]).get()
        if call == "ftruncate" { files.capacity = 0 }
        files.refuse { $0 == call && $1.hasSuffix(".seg") ? EIO : nil }
        #expect(try spool.appended([2]) == .failure(.failed))
        files.refuse(nil)
        files.capacity = .max
        #expect(try spool.appended([3]) == .failure(.failed))
        spool.close()
        let (again, found, _) = try opened(Self.directory, .small, files.afterExit())
        #expect(found.first == [1] && found.count <= 2)
        again.close()
    }

    @Test func `without descriptors for a new segment the old one goes on`() throws {
        var options = SpoolOptions.small
        options.segmentSize = 1024
        let files = MemoryFiles()
        let (spool, _, _) = try opened(Self.directory, options, files)
        files.refuse { $0 == "open" && $1.hasSuffix("2.seg") ? EMFILE : nil }
        let records = someRecords(40, size: 60)
        for record in records { _ = try spool.appended(record).get() }
        #expect(spool.usage.segments == 1)
        files.refuse(nil)
        _ = try spool.appended([1]).get()
        #expect(spool.usage.segments == 2)
        #expect(try spool.drainable() == records + [[1]])
        spool.close()
    }

    @Test func `a real small file system fills up, refuses, and goes on when there is room`() throws {
        let place = try TemporaryDirectory()
        guard mount("tmpfs", place.path, "tmpfs", 0, "size=1m") == 0 else {
            withKnownIssue("no file system of its own may be mounted here: \(String(cString: strerror(errno)))") {
                Issue.record("skipped")
            }
            return
        }
        defer { umount2(place.path, Int32(MNT_DETACH)) }
        let (spool, _, _) = try opened("\(place.path)/spool")
        try Bytes.write("\(place.path)/ballast", [UInt8](repeating: 1, count: 600_000))
        var taken = 0
        while case .success = try spool.appended([UInt8](repeating: 1, count: 10_000)) { taken += 1 }
        #expect((10...50).contains(taken))
        #expect(try spool.appended([UInt8](repeating: 1, count: 10_000), essential: true) == .failure(.noSpace))
        try SystemFiles().remove("\(place.path)/ballast")
        #expect(eventually { (try? spool.appended([2]).get()) != nil })
        #expect(try spool.drainable().count == taken + 1)
        spool.close()
        let (again, found, _) = try opened("\(place.path)/spool")
        #expect(found.count == taken + 1 && again.recovery.cut == nil)
        again.close()
    }
}
