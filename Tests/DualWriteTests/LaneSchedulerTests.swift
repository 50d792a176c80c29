import DualWrite
import TestSupport
import Testing

@Suite struct LaneSchedulerTests {
    /// Enqueues in one lane, `w` a write and `r` a read, with ids from 1; returns what started.
    private func enqueue(_ kinds: String, into scheduler: inout LaneScheduler) -> [UInt64] {
        var started: [UInt64] = []
        for (index, kind) in kinds.enumerated() {
            scheduler.enqueue(id: UInt64(index + 1), lane: 1, isWrite: kind == "w", into: &started)
        }
        return started
    }

    private func finish(_ id: UInt64, _ scheduler: inout LaneScheduler) -> [UInt64] {
        var started: [UInt64] = []
        scheduler.finished(id: id, into: &started)
        return started
    }

    @Test func readsRunSideBySide() {
        var scheduler = LaneScheduler()
        #expect(enqueue("rrr", into: &scheduler) == [1, 2, 3])
        #expect(scheduler.waitingCount == 0)
        #expect(scheduler.runningCount == 3)
    }

    @Test func writesRunOneByOneInOrder() {
        var scheduler = LaneScheduler()
        #expect(enqueue("www", into: &scheduler) == [1])
        #expect(scheduler.waitingCount == 2)
        #expect(finish(1, &scheduler) == [2])
        #expect(finish(2, &scheduler) == [3])
    }

    @Test func aReadWaitsForTheWriteBeforeItAndAWriteForTheReadsBeforeIt() {
        var scheduler = LaneScheduler()
        #expect(enqueue("rwrrw", into: &scheduler) == [1])
        #expect(finish(1, &scheduler) == [2])
        #expect(finish(2, &scheduler) == [3, 4])
        #expect(finish(4, &scheduler) == [])
        #expect(finish(3, &scheduler) == [5])
        #expect(finish(5, &scheduler) == [])
        #expect(scheduler.laneCount == 0)
    }

    @Test func lanesDoNotWaitForEachOther() {
        var scheduler = LaneScheduler()
        var started: [UInt64] = []
        for lane in 0..<4 as Range<UInt64> {
            scheduler.enqueue(id: lane * 2, lane: lane, isWrite: true, into: &started)
            scheduler.enqueue(id: lane * 2 + 1, lane: lane, isWrite: true, into: &started)
        }
        #expect(started == [0, 2, 4, 6])
        #expect(finish(4, &scheduler) == [5])
    }

    @Test func idsInUseAndUnknownIdsChangeNothing() {
        var scheduler = LaneScheduler()
        var started: [UInt64] = []
        #expect(scheduler.enqueue(id: 1, lane: 1, isWrite: true, into: &started))
        #expect(!scheduler.enqueue(id: 1, lane: 2, isWrite: false, into: &started))
        #expect(scheduler.enqueue(id: 2, lane: 1, isWrite: true, into: &started))
        #expect(!scheduler.finished(id: 2, into: &started), "it waits, so it cannot have finished")
        #expect(!scheduler.finished(id: 99, into: &started))
        #expect(started == [1])
        #expect(scheduler.waitingCount == 1 && scheduler.runningCount == 1 && scheduler.laneCount == 1)
    }

    @Test func nothingIsLeftWhenLanesComeAndGo() {
        var scheduler = LaneScheduler()
        var started: [UInt64] = []
        for id in 0..<100_000 as Range<UInt64> {
            scheduler.enqueue(id: id, lane: id, isWrite: id % 3 == 0, into: &started)
            if id >= 10 { scheduler.finished(id: id - 10, into: &started) }
            #expect(scheduler.laneCount <= 11)
        }
        for id in 99_990..<100_000 as Range<UInt64> { scheduler.finished(id: id, into: &started) }
        #expect(scheduler.laneCount == 0 && scheduler.runningCount == 0 && scheduler.waitingCount == 0)
        #expect(started.count == 100_000)
    }

    @Test func aBurstOfWritesInOneLaneDrainsInOrder() {
        var scheduler = LaneScheduler()
        var started: [UInt64] = []
        let all = 0..<20_000 as Range<UInt64>
        for id in all { scheduler.enqueue(id: id, lane: 7, isWrite: true, into: &started) }
        for id in all { scheduler.finished(id: id, into: &started) }
        #expect(started == Array(all))
        #expect(scheduler.laneCount == 0)
    }

    /// Random interleavings against the rule itself, applied to a plain list of the unfinished work in order of arrival.
    @Test(arguments: 0..<60)
    func itStartsExactlyWhatTheRuleAllows(seed: UInt64) {
        struct Work {
            let id: UInt64
            let lane: UInt64
            let isWrite: Bool
        }
        var generator = SeededGenerator(seed: seed)
        var scheduler = LaneScheduler()
        var unfinished: [Work] = []
        var running: Set<UInt64> = []
        for id in 1...400 as ClosedRange<UInt64> {
            var started: [UInt64] = []
            let work = Work(
                id: id, lane: UInt64.random(in: 0..<4, using: &generator),
                isWrite: Int.random(in: 0..<3, using: &generator) == 0)
            unfinished.append(work)
            scheduler.enqueue(id: id, lane: work.lane, isWrite: work.isWrite, into: &started)
            let finishing = id == 400 ? Int.max : Int.random(in: 0..<3, using: &generator)
            var step = 0
            repeat {
                let allowed = unfinished.enumerated().filter { index, work in
                    unfinished[..<index].allSatisfy {
                        $0.lane != work.lane || (!work.isWrite && !$0.isWrite)
                    }
                }.map(\.element.id)
                #expect(started.allSatisfy { running.insert($0).inserted })
                #expect(running == Set(allowed))
                #expect(scheduler.waitingCount == unfinished.count - running.count)
                guard step < finishing, let done = running.sorted().randomElement(using: &generator) else { break }
                step += 1
                started = []
                running.remove(done)
                unfinished.removeAll { $0.id == done }
                scheduler.finished(id: done, into: &started)
            } while true
        }
        #expect(unfinished.isEmpty && scheduler.laneCount == 0)
    }
}
