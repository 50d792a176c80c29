import DualWrite
import Glibc
import Spool
import Synchronization
import Testing

/// Several spools under one root, and the gaps in each.
@Suite struct DirectoryTests {
    private let place: TemporaryDirectory
    private let directories: SpoolDirectories

    init() throws {
        place = try TemporaryDirectory()
        directories = SpoolDirectories(root: place.path + "/spool", logger: .quiet)
    }

    @Test func `each process has its own, and the same again after a restart`() throws {
        let first = try directories.claim(options: .small)
        let second = try directories.claim(options: .small)
        #expect(first.directory == directories.root + "/1" && second.directory == directories.root + "/2")
        #expect(first.id != second.id)
        #expect(try directories.orphans().isEmpty)
        _ = try first.appended([1]).get()
        first.close()
        #expect(try directories.orphans() == [first.directory])
        var found: [[UInt8]] = []
        let again = try directories.claim(options: .small) { found.append($1) }
        #expect(again.id == first.id && found == [[1]])
        again.close()
        second.close()
    }

    @Test func `a successor takes over what its predecessor leaves, and removes it when it is drained`() throws {
        let old = try directories.claim(options: .small)
        _ = try old.appended([1]).get()
        let own = try directories.claim(options: .small)
        #expect(try directories.adopt(old.directory, options: .small) == nil)
        old.close()
        #expect(try directories.orphans() == [old.directory])
        var found: [[UInt8]] = []
        let adopted = try #require(try directories.adopt(old.directory, options: .small) { found.append($1) })
        #expect(found == [[1]] && adopted.id == old.id)
        #expect(try adopted.remove() == false)
        _ = try adopted.appended([2]).get()
        try adopted.drained(to: adopted.records(from: adopted.drained).next)
        #expect(try adopted.remove())
        #expect(try directories.orphans().isEmpty)
        #expect(try SystemFiles().names(in: directories.root) == ["2"])
        #expect(try directories.adopt(old.directory, options: .small) == nil)
        #expect(try adopted.appended([3]) == .failure(.closed))
        own.close()
    }

    @Test func `a spool with gaps to file is not removed`() throws {
        let spool = try directories.claim(options: .small)
        let gap = SpoolGap(extraction: "orders", began: 5, ended: 6, count: 1, reason: "disk-full")
        #expect(try done { spool.recordGap(gap, $0) })
        #expect(try spool.remove() == false)
        #expect(try done { spool.removeGaps([gap], $0) })
        #expect(try spool.remove())
    }

    private func done(_ body: (@escaping @Sendable (Bool) -> Void) -> Void) throws -> Bool {
        let answer = Mutex<Bool?>(nil)
        body { isDurable in answer.withLock { $0 = isDurable } }
        try #require(eventually { answer.withLock { $0 != nil } })
        return answer.withLock { $0 == true }
    }

    @Test func `gaps of one extraction are one, survive a kill and a full disk, and are bounded`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", .small, files)
        files.capacity = 0
        for (began, ended, reason) in [(10, 20, "spool-full"), (5, 15, "disk-full")] as [(Int64, Int64, String)] {
            let gap = SpoolGap(extraction: "orders", began: began, ended: ended, count: 2, reason: reason)
            #expect(try done { spool.recordGap(gap, $0) })
        }
        let merged = SpoolGap(extraction: "orders", began: 5, ended: 20, count: 4, reason: "disk-full")
        #expect(spool.gaps == [merged])
        let (again, _, _) = try opened("/spool", .small, files.afterExit())
        #expect(again.gaps == [merged])
        again.close()
        for number in 0..<60 {
            let name = number == 7 ? String(repeating: "x", count: 80) : "extraction-\(number)"
            let gap = SpoolGap(
                extraction: name, began: 1, ended: 2, count: 1, reason: String(repeating: "r", count: 99))
            #expect(try done { spool.recordGap(gap, $0) })
        }
        #expect(spool.gaps.count == 33)
        #expect(spool.gaps.first { $0.extraction == "*" }?.count == 60 - 31)
        // What came after they were read stays.
        #expect(
            try done {
                spool.removeGaps(
                    Array(spool.gaps.dropFirst(2)) + [
                        SpoolGap(extraction: "orders", began: 5, ended: 9, count: 1, reason: "")
                    ], $0)
            })
        #expect(spool.gaps.map(\.count) == [3, 1] && spool.gaps.first?.began == 9)
        let (last, _, _) = try opened("/spool", .small, files.afterExit())
        #expect(last.gaps.map(\.extraction) == ["orders", "extraction-0"])
        last.close()
        spool.close()
        #expect(try done { spool.recordGap(merged, $0) } == false)
    }

    @Test func `a gap that cannot be written is said, and known to this process`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", .small, files)
        files.refuse { $0 == "fdatasync" && $1.hasSuffix("gaps") ? EIO : nil }
        let gap = SpoolGap(extraction: "orders", began: 1, ended: 1, count: 1, reason: "spool-failed")
        #expect(try done { spool.recordGap(gap, $0) } == false)
        #expect(spool.gaps == [gap])
        spool.close()
    }

    @Test func `damaged gaps are a gap`() throws {
        let files = MemoryFiles()
        let (spool, _, _) = try opened("/spool", .small, files)
        for count in 1...2 {
            let gap = SpoolGap(extraction: "orders", began: 1, ended: 1, count: UInt64(count), reason: "x")
            #expect(try done { spool.recordGap(gap, $0) })
        }
        spool.close()
        var bytes = try Bytes.read("/spool/gaps", files)
        for place in [20, 4096 + 20] { bytes[place] ^= 1 }
        try Bytes.write("/spool/gaps", bytes, files)
        let (again, _, _) = try opened("/spool", .small, files)
        #expect(again.gaps.map(\.extraction) == ["*"] && again.gaps.first?.reason == "gaps-damaged")
        again.close()
    }
}
