import DualWrite
import Glibc
import Spool
import TestSupport
import Testing

/// A disk that the spool itself has filled, with nothing left free on purpose.
@Suite struct ReserveTests {
    private static func options(segment: Int) -> SpoolOptions {
        var options = SpoolOptions()
        options.freeFloor = 0
        options.segmentSize = segment
        return options
    }

    /// Fills the disk with intents, each of which is retained, as those of writes are that are open.
    private func fill(_ spool: Spool, bytes: Int) throws -> [LogPosition] {
        var intents: [LogPosition] = []
        while true {
            switch try spool.appended([UInt8](repeating: 1, count: bytes)) {
            case .success(let position):
                spool.retain(position)
                intents.append(position)
            case .failure(let refusal):
                #expect(refusal == .noSpace)
                return intents
            }
        }
    }

    /// Ends the writes in this order, trying again what had no room; drains in between, as Postgres would.
    private func end(_ writes: [LogPosition], of spool: Spool, words: Int) throws {
        var left = writes
        var rounds = 0
        while !left.isEmpty {
            rounds += 1
            try #require(rounds < 10_000, "\(left.count) are still open: \(spool.usage)")
            var refused: [LogPosition] = []
            for intent in left {
                let answers = Answers()
                spool.append([UInt8](repeating: 2, count: words), about: intent, answers.add)
                switch try answers.wait(for: 1)[0] {
                case .success: spool.release(intent)
                case .failure(let refusal):
                    try #require(refusal == .noSpace)
                    refused.append(intent)
                }
            }
            left = refused
            try spool.drained(to: spool.records(from: spool.drained, bytes: .max).next)
        }
    }

    private func expectsLife(_ spool: Spool) throws {
        try spool.drained(to: spool.records(from: spool.drained, bytes: .max).next)
        #expect(eventually { (try? spool.appended([3]).get()) != nil }, "\(spool.usage)")
        #expect(spool.usage.state == .ok)
    }

    @Test(arguments: ["first", "last", "any"])
    func `what became of writes is written down all the same, the oldest segments go, and it goes on`(order: String)
        throws
    {
        let files = MemoryFiles()
        files.capacity = 1_000_000
        let (spool, _, _) = try opened("/spool", Self.options(segment: 32_768), files)
        let intents = try fill(spool, bytes: 500)
        #expect(intents.count > 1_500)
        // All of them need more room than there is in reserve.
        var chance = SeededGenerator(seed: 4)
        let writes =
            switch order {
            case "first": intents
            // The one that keeps the oldest segment comes last.
            case "last": Array(intents.reversed())
            default: intents.shuffled(using: &chance)
            }
        try end(writes, of: spool, words: 150)
        try expectsLife(spool)
        #expect(try Bytes.read("/spool/reserve", files).count == 65_536)
        #expect(files.violations.isEmpty)
        spool.close()
    }

    @Test func `new writes come after the reserve is whole again, also after a restart`() throws {
        let files = MemoryFiles()
        files.capacity = 1_000_000
        let (first, _, _) = try opened("/spool", Self.options(segment: 32_768), files)
        let intents = try fill(first, bytes: 500)
        // Far from the oldest, until only those may be written.
        var taken = 0
        while case .success = try appended(about: intents[intents.count - 1], to: first) { taken += 1 }
        #expect((30_000...40_000).contains(taken * 117))
        #expect(throws: Never.self) { try appended(about: intents[0], to: first).get() }
        #expect(try Bytes.read("/spool/reserve", files).isEmpty)
        first.close()
        let (spool, found, positions) = try opened("/spool", Self.options(segment: 32_768), files.afterExit())
        #expect(found.count == intents.count + taken + 1)
        for position in positions.prefix(intents.count) { spool.retain(position) }
        #expect(try spool.appended([1]) == .failure(.noSpace))
        #expect(try appended(about: intents[intents.count - 1], to: spool) == .failure(.noSpace))
        try end(intents, of: spool, words: 150)
        try expectsLife(spool)
        spool.close()
    }

    private func appended(about intent: LogPosition, to spool: Spool) throws -> Result<LogPosition, LogRefusal> {
        let answers = Answers()
        spool.append([UInt8](repeating: 2, count: 101), about: intent, answers.add)
        return try answers.wait(for: 1)[0]
    }

    @Test func `a file system that cannot set room aside is one without a reserve, not one that is full`() throws {
        let files = MemoryFiles()
        files.refuse { call, _ in call == "posix_fallocate" ? EOPNOTSUPP : nil }
        let (spool, _, _) = try opened("/spool", Self.options(segment: 32_768), files)
        for _ in 0..<3 { #expect(throws: Never.self) { try spool.appended([1]).get() } }
        #expect(spool.usage.state == .ok)
        spool.close()
    }

    @Test func `where enough is left free there is no such file, and none is left behind`() throws {
        let files = MemoryFiles()
        files.capacity = 10_000_000
        let (with, _, _) = try opened("/spool", Self.options(segment: 32_768), files)
        _ = try with.appended([1]).get()
        #expect(try Bytes.read("/spool/reserve", files).count == 65_536)
        with.close()
        var options = Self.options(segment: 32_768)
        options.freeFloor = 65_536
        let (without, _, _) = try opened("/spool", options, files)
        #expect(!files.exists("/spool/reserve"))
        without.close()
        let (again, _, _) = try opened("/spool", Self.options(segment: 32_768), files)
        try again.drained(to: again.records(from: again.drained).next)
        #expect(try again.remove())
        #expect(!files.exists("/spool/reserve"))
    }

    @Test func `a real small file system that the spool has filled goes on when its writes are over`() throws {
        let place = try TemporaryDirectory()
        guard mount("tmpfs", place.path, "tmpfs", 0, "size=2m") == 0 else {
            withKnownIssue("no file system of its own may be mounted here: \(String(cString: strerror(errno)))") {
                Issue.record("skipped")
            }
            return
        }
        defer { umount2(place.path, Int32(MNT_DETACH)) }
        let (spool, _, _) = try opened("\(place.path)/spool", Self.options(segment: 65_536))
        let intents = try fill(spool, bytes: 1_000)
        #expect(intents.count > 1_000)
        // The cursor needs no room.
        try spool.drained(to: spool.records(from: spool.drained, bytes: .max).next)
        try end(intents.reversed(), of: spool, words: 300)
        try expectsLife(spool)
        spool.close()
        let (again, _, _) = try opened("\(place.path)/spool", Self.options(segment: 65_536))
        #expect(again.recovery.cut == nil)
        again.close()
    }
}
