import DualWrite
import Glibc
import Spool
import Synchronization
import TestSupport
import Testing

/// One process's life with a spool: opens it, appends in bursts over several segments, retains and releases, drains, notes a
/// gap, closes. What it was told is remembered outside, as a client would.
private struct Life {
    /// A record, as far as it is known what became of it.
    struct Record {
        let bytes: [UInt8]
        var position: LogPosition?
        var refusal: LogRefusal?
    }

    /// In order of appending, over all lives.
    var records: [Record] = []
    /// Up to which record everything was drained and released, by what was asked for before the end.
    var doneBefore: LogPosition?
    var gapIsDurable = false
    var hasOpened = false
    var random: SeededGenerator

    static let directory = "/spool"
    static var options: SpoolOptions {
        var options = SpoolOptions.small
        options.segmentSize = 4096
        return options
    }

    mutating func live(_ files: MemoryFiles) throws {
        guard let (spool, _, _) = try? opened(Self.directory, Self.options, files) else { return }
        hasOpened = true
        defer { spool.close() }
        for _ in 0..<12 {
            let first = records.count
            let burst = someRecords(Int.random(in: 1...5, using: &random), from: first, size: 700)
            records += burst.map { Record(bytes: $0) }
            for (place, answer) in try spool.appended(burst).enumerated() {
                switch answer {
                case .success(let position): records[first + place].position = position
                case .failure(let refusal): records[first + place].refusal = refusal
                }
            }
            let (read, next) = (try? spool.records(from: spool.drained, bytes: 2000)) ?? ([], spool.drained)
            // What is given out is what was written, and nothing is left out.
            for (position, bytes) in read {
                #expect(
                    records.contains { $0.position == position && $0.bytes == bytes }
                        || records.contains { $0.bytes == bytes })
            }
            if Bool.random(using: &random) {
                // Whatever becomes of it, from now on segments before may be gone.
                doneBefore = max(doneBefore ?? next, next)
                try? spool.drained(to: next)
            }
        }
        let answer = Mutex<Bool?>(nil)
        spool.recordGap(SpoolGap(extraction: "orders", began: 1, ended: 2, count: 3, reason: "spool-full")) { done in
            answer.withLock { $0 = done }
        }
        try #require(eventually { answer.withLock { $0 != nil } })
        gapIsDurable = gapIsDurable || answer.withLock { $0 == true }
    }

    /// Opens what is left and compares it with what was promised.
    mutating func check(_ files: MemoryFiles, _ what: String) throws {
        let spool: Spool
        let found: [[UInt8]]
        do {
            (spool, found, _) = try opened(Self.directory, Self.options, files)
        } catch {
            Issue.record("\(what): \(error)")
            return
        }
        defer { spool.close() }
        // What was found is a run of what was appended, in order, less what was refused: nothing invented, nothing twice.
        var place = 0
        var kept: [Int] = []
        for bytes in found {
            guard let next = records[place...].firstIndex(where: { $0.bytes == bytes }) else {
                Issue.record("\(what): a record out of order, twice, or never written")
                return
            }
            #expect(records[next].refusal != .noSpace, "\(what): a refused record came back")
            kept.append(next)
            place = next + 1
        }
        for (number, record) in records.enumerated() {
            guard let position = record.position, !kept.contains(number) else { continue }
            #expect(doneBefore.map { position < $0 } ?? false, "\(what): record \(number) at \(position) is lost")
        }
        #expect(files.violations.isEmpty, "\(what)")
        if gapIsDurable { #expect(spool.gaps.map(\.extraction) == ["orders"], "\(what)") }
        // And it goes on.
        let more = Array("more \(what)".utf8)
        let answer = try spool.appended(more)
        if case .success(let position) = answer { #expect(try spool.readBack(position) == .success(more)) }
        #expect(throws: Never.self, "\(what)") { try answer.get() }
        records.append(Record(bytes: more, position: try? answer.get()))
    }
}

@Suite struct CrashTests {
    /// How many calls a life makes when nothing happens to it.
    private func callsOfALife(_ files: MemoryFiles) throws -> Int {
        var life = Life(random: SeededGenerator(seed: 1))
        try life.live(files)
        return files.calls
    }

    @Test func `a process that dies at any system call loses nothing that was promised`() throws {
        let calls = try callsOfALife(MemoryFiles())
        try #require(calls > 80)
        for call in 1...calls + 10 {
            var life = Life(random: SeededGenerator(seed: UInt64(call)))
            let files = MemoryFiles(faults: [call: .crash])
            try life.live(files)
            try life.check(files.afterExit(), "exit at call \(call)")
        }
    }

    @Test(arguments: 0..<3) func `a machine that loses power at any system call loses nothing that was promised`(
        seed: UInt64
    ) throws {
        let calls = try callsOfALife(MemoryFiles())
        for call in 1...calls + 10 {
            var chance = SeededGenerator(seed: seed << 32 | UInt64(call))
            var life = Life(random: SeededGenerator(seed: UInt64(call)))
            let files = MemoryFiles(faults: [call: .crash])
            try life.live(files)
            let left = files.afterPowerLoss(&chance)
            try life.check(left, "power lost at call \(call), seed \(seed)")
            // What was found again, and what was appended since, survives the next time.
            try life.check(left.afterPowerLoss(&chance), "power lost at call \(call), and again, seed \(seed)")
        }
    }

    @Test(arguments: [EIO, ENOSPC, EINTR]) func `a system call that fails costs nothing that was promised`(
        number: Int32
    ) throws {
        let calls = try callsOfALife(MemoryFiles())
        for call in 1...calls {
            var chance = SeededGenerator(seed: UInt64(call))
            var life = Life(random: SeededGenerator(seed: UInt64(call)))
            let files = MemoryFiles(faults: [call: .fail(number)])
            try life.live(files)
            #expect(files.violations.isEmpty)
            // The next process finds what was promised, and what it found survives the power's loss, although the pages of a
            // failed fsync were marked clean.
            let again = files.afterExit()
            try life.check(again, "errno \(number) at call \(call)")
            try life.check(again.afterPowerLoss(&chance), "errno \(number) at call \(call), then power lost")
        }
    }

    @Test func `writes that are cut short and interrupted are gone on with`() throws {
        let calls = try callsOfALife(MemoryFiles())
        var life = Life(random: SeededGenerator(seed: 1))
        let files = MemoryFiles(faults: Dictionary(uniqueKeysWithValues: (1...2 * calls).map { ($0, .shortWrite) }))
        try life.live(files)
        #expect(life.records.allSatisfy { $0.position != nil })
        try life.check(files.afterExit(), "short writes")
    }

    @Test func `a spool whose disk dies twice while it is opened is opened the third time`() throws {
        var life = Life(random: SeededGenerator(seed: 5))
        let files = MemoryFiles(faults: [90: .crash])
        try life.live(files)
        var chance = SeededGenerator(seed: 3)
        for call in 1...30 {
            var life = life
            let left = files.afterPowerLoss(&chance).afterExit(faults: [call: .crash])
            try life.live(left)
            try life.check(left.afterPowerLoss(&chance), "opening dies at call \(call)")
        }
    }
}
