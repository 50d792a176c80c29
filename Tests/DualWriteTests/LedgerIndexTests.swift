import Extraction
import TestSupport
import Testing

@testable import DualWrite

private let toService = LedgerIndex.Target(extraction: 0, side: .service)

/// The index by reference, for expectations do not change values.
private final class Lanes {
    var index: LedgerIndex

    init(callsPerTarget: Int) { index = LedgerIndex(callsPerTarget: callsPerTarget) }

    func intended(_ facts: WriteFacts) -> LedgerIndex.Handle { index.intended(facts) }

    func owe(_ sequence: UInt64, lane: UInt64, primary: Side = .monolith) -> LedgerIndex.Handle {
        let handle = index.intended(.sample(sequence, lane: lane, primary: primary))
        index.intentDurable(handle, at: LogPosition(segment: 1, offset: UInt32(truncatingIfNeeded: sequence)))
        #expect(accepted(handle, by: primary))
        index.owed(handle, at: LogPosition(segment: 2, offset: 0), now: 10_000_000_000)
        return handle
    }

    @discardableResult
    func accepted(_ handle: LedgerIndex.Handle, by side: Side) -> Bool { index.accepted(handle, by: side) }

    func owed(_ handle: LedgerIndex.Handle) { index.owed(handle, at: LogPosition(segment: 1, offset: 9), now: 0) }

    func hasAnsweredSince(_ handle: LedgerIndex.Handle) -> Bool { index.hasAnsweredSince(handle) }

    func release(_ lanes: Int) -> Bool { index.release(lanes: lanes) }

    func next(_ target: LedgerIndex.Target = toService) -> LedgerIndex.Handle? { index.next(target) }

    /// Nil: it was not open.
    @discardableResult
    func close(_ handle: LedgerIndex.Handle) -> [UInt64]? {
        var reads: [UInt64] = []
        return index.closed(handle, startingReads: &reads) ? reads : nil
    }

    func read(_ id: UInt64, lane: UInt64, now: Int64 = 0) -> LedgerIndex.ReadAdmission {
        index.readArrived(id, lane: lane, extraction: 0, now: now)
    }

    func given(since: Int64) -> [UInt64] {
        var reads: [UInt64] = []
        index.giveUpReads(since: since, into: &reads)
        return reads
    }
}

@Suite struct LedgerIndexTests {
    @Test func `one whose end waits for the disk keeps its lane, is still owed, and gives its call to others`() {
        let index = Lanes(callsPerTarget: 1)
        let (first, second, other) = (index.owe(2, lane: 1), index.owe(3, lane: 1), index.owe(4, lane: 2))
        #expect(index.next() == first)
        #expect(!index.index.isWaiting(first) && index.index.isWaiting(second))
        #expect(index.next() == nil)
        index.index.ending(first)
        #expect(index.next() == other)
        index.close(other)
        #expect(index.next() == nil, "its lane waits")
        // One of before does not get in front of it, nor is it written down anew.
        let before = index.index.recovered(
            .sample(1, lane: 1), intent: LogPosition(segment: 1, offset: 0),
            outcome: LogPosition(segment: 1, offset: 0),
            origin: 0, answeredBy: .monolith, attempts: 0, isRetried: false, wasSent: false, since: 0)
        #expect(index.next() == nil)
        #expect(Set(index.index.waiting(upTo: 9, origin: 0, limit: 9)) == [before, second])
        #expect(index.index.standing(0).toService.writes == 3)
        index.close(first)
        #expect(index.next() == before)
        index.close(before)
        #expect(index.next() == second)
        index.close(second)
        #expect(index.index.standing(0).toService.writes == 0)
        #expect(index.index.laneCount == 0)
    }

    @Test func `a lane's head waits for its outcome, and what is behind it waits too`() {
        let index = Lanes(callsPerTarget: 8)
        let first = index.intended(.sample(1))
        let second = index.owe(2, lane: 1)
        #expect(index.next() == nil)
        #expect(index.accepted(first, by: .monolith))
        #expect(index.next() == nil, "its outcome is not on disk")
        index.owed(first)
        #expect(index.next() == first)
        #expect(index.next() == nil)
        index.close(first)
        #expect(index.next() == second)
        index.close(second)
        #expect(index.index.count == 0)
        #expect(index.index.laneCount == 0)
    }

    @Test func `a write that was refused frees its lane wherever it stands in it`() {
        for place in 0..<3 {
            let index = Lanes(callsPerTarget: 8)
            var handles = (1...3).map { index.intended(.sample(UInt64($0))) }
            index.close(handles.remove(at: place))
            for handle in handles {
                index.accepted(handle, by: .monolith)
                index.owed(handle)
            }
            for handle in handles {
                #expect(index.next() == handle)
                index.close(handle)
            }
            #expect(index.index.laneCount == 0)
        }
    }

    @Test func `a handle of a write that has gone does nothing`() {
        let index = Lanes(callsPerTarget: 8)
        let first = index.owe(1, lane: 1)
        #expect(index.next() == first)
        index.close(first)
        let second = index.intended(.sample(2))
        #expect(second.index == first.index)
        #expect(index.close(first) == nil)
        #expect(!index.accepted(first, by: .service))
        #expect(index.index[first] == nil)
        #expect(index.index[second]?.facts == .sample(2))
    }

    @Test func `what is known of a write comes back whole`() throws {
        let index = Lanes(callsPerTarget: 8)
        _ = index.index.extraction("other")
        let facts = WriteFacts.sample(5, lane: 0xFFFF_0000_1234_5678, primary: .service)
        let handle = index.intended(facts)
        index.index.intentDurable(handle, at: LogPosition(segment: 3, offset: 4))
        index.accepted(handle, by: .monolith)
        index.owed(handle)
        let write = try #require(index.index[handle])
        #expect(write.facts == facts)
        #expect(write.answeredBy == .monolith)
        #expect(write.intent == LogPosition(segment: 3, offset: 4))
        #expect(write.outcome == LogPosition(segment: 1, offset: 9))
        #expect(index.next(.init(extraction: 1, side: .monolith)) == nil)
        #expect(
            index.next(.init(extraction: 1, side: .service)) == handle,
            "the monolith stood in, so the service is owed it")
    }

    @Test func `lanes take turns, and one that fails has half of the calls`() {
        let index = Lanes(callsPerTarget: 4)
        var sequence: UInt64 = 0
        for lane in 0..<8 as Range<UInt64> {
            for _ in 0..<2 {
                sequence += 1
                _ = index.owe(sequence, lane: lane)
            }
        }
        let first = (0..<4).compactMap { _ in index.next() }
        #expect(first.map(\.sequence) == [1, 3, 5, 7])
        #expect(index.next() == nil)
        for handle in first { index.index.failed(handle, burned: true, wasSent: true, isSilent: false, until: 100) }
        let second = (0..<4).compactMap { _ in index.next() }
        #expect(second.map(\.sequence) == [9, 11, 13, 15])
        index.index.wake(now: 100)
        for handle in second { index.close(handle) }
        // The four that failed and the four that did not: two of either at one time.
        let third = (0..<4).compactMap { _ in index.next() }
        #expect(third.count == 4)
        #expect(third.prefix(2).allSatisfy { [1, 3, 5, 7].contains($0.sequence) })
        #expect(third.suffix(2).map(\.sequence) == [10, 12])
        #expect(index.index[third[0]]?.attempts == 1)
        #expect(index.index[third[0]]?.wasSent == true)
    }

    @Test func `a hold ends some lanes at a time, and what comes meanwhile waits for none of them`() {
        let index = Lanes(callsPerTarget: 100)
        index.index.hold()
        for lane in 1...5 as ClosedRange<UInt64> { _ = index.owe(lane, lane: lane) }
        #expect(index.next() == nil)
        #expect(index.release(2))
        #expect((0..<3).compactMap { _ in index.next()?.sequence } == [1, 2])
        _ = index.owe(6, lane: 6)
        _ = index.owe(7, lane: 5)
        #expect((0..<3).compactMap { _ in index.next()?.sequence } == [6, 5])
        // Another hold in between keeps what has not been let go.
        index.index.hold()
        #expect(index.next() == nil)
        var turns = 1
        while index.release(2) { turns += 1 }
        #expect(turns == 3)
        #expect((0..<3).compactMap { _ in index.next()?.sequence } == [3, 4])
        #expect(!index.release(2))
    }

    @Test func `a lane pauses until its time, and those of a silent target until it answers`() {
        let index = Lanes(callsPerTarget: 4)
        for lane in 1...3 as ClosedRange<UInt64> { _ = index.owe(lane, lane: lane) }
        let handles = (0..<3).compactMap { _ in index.next() }
        index.index.failed(handles[0], burned: false, wasSent: false, isSilent: true, until: 1_000)
        index.index.failed(handles[1], burned: true, wasSent: true, isSilent: false, until: 2_000)
        index.index.held(handles[2], until: 3_000)
        #expect(index.index.standing(0).paused == 1)
        index.index.wake(now: 999)
        #expect(index.next() == nil)
        #expect(!index.hasAnsweredSince(handles[0]))
        index.index.answered(toService)
        #expect(index.hasAnsweredSince(handles[0]))
        #expect(index.next() == handles[0])
        #expect(index.next() == nil)
        index.index.wake(now: 2_000)
        #expect(index.next() == handles[1])
        index.index.wake(now: 3_000)
        #expect(index.next() == handles[2])
        #expect(index.index.standing(0).paused == 0)
    }

    @Test func `nothing goes to a target that is paused, and all of it counts as paused`() {
        let index = Lanes(callsPerTarget: 4)
        _ = index.owe(1, lane: 1)
        index.index.setPaused(toService, true)
        #expect(index.next() == nil)
        #expect(index.index.deliverable == 0)
        #expect(index.index.standing(0).paused == 1)
        index.index.setPaused(toService, false)
        #expect(index.next() != nil)
    }

    @Test func `who is owed how much and since when is counted for each side`() {
        let index = Lanes(callsPerTarget: 4)
        for sequence in 1...3 as ClosedRange<UInt64> { _ = index.owe(sequence, lane: sequence) }
        _ = index.owe(4, lane: 4, primary: .service)
        _ = index.intended(.sample(5))
        var standing = LedgerStanding()
        standing.toService = .init(writes: 3, oldest: 1)
        standing.toMonolith = .init(writes: 1, oldest: 4)
        standing.underWay = 1
        #expect(index.index.standing(0) == standing)
        #expect(index.index.late(0, by: 1_000_000_000, now: 10_500_000_000) == 0)
        #expect(index.index.late(0, by: 1_000_000_000, now: 15_000_000_000) == 4)
        if let first = index.next() { index.close(first) }
        #expect(index.index.standing(0).toService == .init(writes: 2, oldest: 2))
    }

    @Test func `a recovered write goes before those that came in the meantime`() {
        let index = Lanes(callsPerTarget: 4)
        let new = index.intended(.sample(10))
        var recovered: [LedgerIndex.Handle] = []
        for sequence in 1...3 as ClosedRange<UInt64> {
            recovered.append(
                index.index.recovered(
                    .sample(sequence), intent: LogPosition(segment: 1, offset: 1),
                    outcome: LogPosition(segment: 1, offset: 2), origin: 1, answeredBy: .monolith, attempts: 3,
                    isRetried: false, wasSent: true, since: 0))
        }
        index.accepted(new, by: .monolith)
        index.owed(new)
        for handle in recovered + [new] {
            #expect(index.next() == handle)
            index.close(handle)
        }
    }

    @Test func `many open writes take less than a hundred bytes each`() {
        let index = Lanes(callsPerTarget: 64)
        for sequence in 0..<200_000 as Range<UInt64> { _ = index.owe(sequence, lane: sequence % 20_000) }
        #expect(index.index.count == 200_000)
        #expect(index.index.bytes < 20_000_000, "\(index.index.bytes)")
        print("bytes per open write, ten to a lane: \(Double(index.index.bytes) / 200_000)")
        let alone = Lanes(callsPerTarget: 64)
        for sequence in 0..<200_000 as Range<UInt64> { _ = alone.owe(sequence, lane: sequence) }
        print("bytes per open write, one to a lane: \(Double(alone.index.bytes) / 200_000)")
        while let handle = index.next() { index.close(handle) }
        #expect(index.index.count == 0)
        #expect(index.index.bytes < 40_000_000)
    }
}

@Suite struct LedgerReadTests {
    @Test func `a read waits for what its lane's other side is owed, and a write for the reads before it`() {
        let index = Lanes(callsPerTarget: 4)
        #expect(index.read(100, lane: 1) == .start)
        let first = index.owe(1, lane: 1)
        #expect(index.next() == nil, "the read before it is under way")
        #expect(index.read(101, lane: 1) == .wait)
        let second = index.owe(2, lane: 1)
        #expect(index.read(102, lane: 1) == .wait)
        #expect(index.read(103, lane: 2) == .start)
        index.index.readFinished(lane: 1, extraction: 0)
        #expect(index.next() == first)
        #expect(index.close(first) == [101])
        #expect(index.next() == nil)
        index.index.readFinished(lane: 1, extraction: 0)
        #expect(index.next() == second)
        #expect(index.close(second) == [102])
        index.index.readFinished(lane: 1, extraction: 0)
        index.index.readFinished(lane: 2, extraction: 0)
        #expect(index.index.laneCount == 0)
    }

    @Test func `a read does not wait for a write that nobody has answered yet`() {
        let index = Lanes(callsPerTarget: 4)
        _ = index.intended(.sample(1))
        #expect(index.read(100, lane: 1) == .start)
    }

    @Test func `reads do not wait behind a lane that pauses, or is far behind, or for too long`() {
        let index = Lanes(callsPerTarget: 4)
        let first = index.owe(1, lane: 1)
        #expect(index.read(100, lane: 1) == .wait)
        #expect(index.next() == first)
        index.index.failed(first, burned: true, wasSent: true, isSilent: false, until: 1_000)
        #expect(index.read(101, lane: 1) == .behind)
        #expect(index.given(since: -1) == [100], "its lane does not move")

        for sequence in 2...70 as ClosedRange<UInt64> { _ = index.owe(sequence, lane: 2) }
        #expect(index.read(102, lane: 2) == .behind)

        _ = index.owe(80, lane: 3)
        #expect(index.read(103, lane: 3, now: 10) == .wait)
        #expect(index.given(since: 10).isEmpty)
        #expect(index.given(since: 11) == [103])
        #expect(index.index.waitingReadCount == 0)
    }
}
