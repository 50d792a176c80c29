import Extraction
import TestSupport
import Testing

@testable import DualWrite

/// A process that keeps the ledger, on a disk that loses what was not synced, between a primary and another side that fail as
/// chance has it. It is killed again and again, at any moment, and started anew.
private struct LedgerWorld: ~Copyable {
    struct Delivery: Equatable {
        let sequence: UInt64
        let lane: UInt64
        let id: WriteID
    }

    enum Fate: Equatable {
        case took, refused, unknown
    }

    var chance: SeededGenerator
    /// Records on disk, and those that a crash takes away.
    var disk: [LedgerRecord] = []
    var unsynced: [LedgerRecord] = []
    var index = LedgerIndex(callsPerTarget: 3)
    /// By sequence: those in `unsynced` that somebody waits for.
    var waiting: [UInt64: LedgerIndex.Handle] = [:]
    var atPrimary: [UInt64: LedgerIndex.Handle] = [:]
    var running: [LedgerIndex.Handle] = []
    /// That are being read, and then written, to be carried forward.
    var read: [LedgerIndex.Handle] = []
    var carried: [UInt64: LedgerIndex.Handle] = [:]
    var next: UInt64 = 0
    var now: Int64 = 0

    /// What the world knows, whatever the process forgets.
    var fates: [UInt64: Fate] = [:]
    var acknowledged: Set<UInt64> = []
    var carriedOut: [Delivery] = []

    init(seed: UInt64) { chance = SeededGenerator(seed: seed) }

    private mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &chance) == 0 }

    mutating func step() {
        now += 50_000_000
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<25: arrive()
        case 25..<45: sync()
        case 45..<65: answer()
        case 65..<80: if let handle = index.next(target) { running.append(handle) }
        case 80..<97: finishDelivery()
        case 97: crash()
        case 98: carry()
        default: index.wake(now: now)
        }
    }

    private let target = LedgerIndex.Target(extraction: 0, side: .service)

    private mutating func arrive() {
        next += 1
        let facts = WriteFacts.sample(next, lane: .random(in: 0..<5, using: &chance))
        waiting[next] = index.intended(facts)
        unsynced.append(.intent(WriteIntent(facts: facts, requestHead: [], requestBody: [])))
    }

    /// The disk has some of what waits, in order.
    private mutating func sync() {
        let count = Int.random(in: 0...unsynced.count, using: &chance)
        for record in unsynced.prefix(count) {
            let position = LogPosition(segment: 1, offset: UInt32(disk.count))
            disk.append(record)
            let sequence = record.facts.sequence
            switch record {
            case .intent:
                guard let handle = waiting.removeValue(forKey: sequence) else { continue }
                index.intentDurable(handle, at: position)
                atPrimary[sequence] = handle
            case .outcome:
                guard let handle = waiting.removeValue(forKey: sequence) else { continue }
                index.owed(handle, at: position, now: now)
            case .dead:
                if let handle = waiting.removeValue(forKey: sequence) { close(handle) }
            case .carried:
                if let handle = carried.removeValue(forKey: sequence) { index.moved(handle, to: position, origin: 0) }
            default: break
            }
        }
        unsynced.removeFirst(count)
    }

    /// What was read at the last time goes to the disk if it still waits.
    private mutating func carry() {
        for handle in read where index.isWaiting(handle) {
            guard let write = index[handle] else { continue }
            carried[handle.sequence] = handle
            unsynced.append(
                .carried(
                    OpenWrite(
                        intent: WriteIntent(facts: write.facts, requestHead: [], requestBody: []), outcome: .sample(),
                        attempts: write.attempts)))
        }
        read = index.waiting(upTo: 1, origin: 0, limit: 3)
    }

    private mutating func answer() {
        guard let sequence = atPrimary.keys.sorted().randomElement(using: &chance),
            let handle = atPrimary.removeValue(forKey: sequence), let facts = index[handle]?.facts
        else { return }
        if oneIn(5) {
            fates[sequence] = .refused
            unsynced.append(.settled(facts, how: .refusedByPrimary))
            close(handle)
        } else if oneIn(8) {
            fates[sequence] = oneIn(2) ? .took : .unknown
            unsynced.append(
                .uncertain(
                    OpenWrite(intent: WriteIntent(facts: facts, requestHead: [], requestBody: [])), reason: "no-answer")
            )
            close(handle)
        } else {
            fates[sequence] = .took
            // The client does not wait for the outcome's record.
            acknowledged.insert(sequence)
            let isAccepted = index.accepted(handle, by: .monolith)
            #expect(isAccepted)
            waiting[sequence] = handle
            unsynced.append(.outcome(facts, .sample()))
        }
    }

    private mutating func finishDelivery() {
        guard let place = running.indices.randomElement(using: &chance) else { return }
        let handle = running.remove(at: place)
        guard let write = index[handle] else {
            Issue.record("a delivery runs of a write that is not open")
            return
        }
        let facts = write.facts
        let ending: DeliveryPolicy.Ending =
            switch Int.random(in: 0..<10, using: &chance) {
            case 0: .unreachable("connect-refused")
            case 1: .silent("timeout")
            case 2: .answered(status: 500)
            case 3 where oneIn(4): .answered(status: 422)
            default: .answered(status: 201)
            }
        let wasCarriedOut: Bool
        switch ending {
        case .answered(201): wasCarriedOut = true
        case .silent: wasCarriedOut = oneIn(2)
        default: wasCarriedOut = false
        }
        if wasCarriedOut { carriedOut.append(Delivery(sequence: facts.sequence, lane: facts.lane, id: facts.id)) }
        let verdict = DeliveryPolicy(attempts: 4).judge(
            ending, success: .successes, burned: write.attempts, isAlive: index.hasAnsweredSince(handle))
        if case .answered = ending { index.answered(target) }
        switch verdict {
        case .delivered:
            let delivered = WriteDelivered(status: 201, attempts: write.attempts + 1)
            unsynced.append(.settled(facts, how: .delivered(delivered)))
            close(handle)
        case .dead(let reason):
            unsynced.append(
                .dead(
                    OpenWrite(intent: WriteIntent(facts: facts, requestHead: [], requestBody: []), outcome: .sample()),
                    reason: reason))
            waiting[facts.sequence] = handle
            // Its word may wait for room.
            if oneIn(2) { index.ending(handle) }
        case .retry(let burned, let reason):
            if burned { unsynced.append(.attempted(facts, attempts: write.attempts + 1, reason: reason)) }
            index.failed(
                handle, burned: burned, wasSent: true, isSilent: !burned,
                until: now + DeliveryPolicy.pause(afterFailures: write.failures + 1, chance: 0.5))
        }
    }

    private mutating func close(_ handle: LedgerIndex.Handle) {
        var reads: [UInt64] = []
        let isClosed = index.closed(handle, startingReads: &reads)
        #expect(isClosed)
    }

    /// What was on its way to the other side may or may not have got there.
    mutating func crash() {
        for handle in running {
            guard let facts = index[handle]?.facts, oneIn(2) else { continue }
            carriedOut.append(Delivery(sequence: facts.sequence, lane: facts.lane, id: facts.id))
        }
        unsynced = []
        waiting = [:]
        atPrimary = [:]
        running = []
        (read, carried) = ([], [:])
        index = LedgerIndex(callsPerTarget: 3)
        var recovery = LedgerRecovery()
        for (place, record) in disk.enumerated() {
            let isRecord = recovery.add(record.encoded, at: LogPosition(segment: 1, offset: UInt32(place)), origin: 0)
            #expect(isRecord)
        }
        next = max(next, recovery.highest)
        let found = recovery.found()
        #expect(found.lost.isEmpty)
        var fold = LedgerFold()
        for record in disk { _ = fold.add(record.encoded) }
        #expect(
            Set(fold.take().filter { $0.state == .accepted }.map(\.sequence)) == Set(found.owed.map(\.sequence)),
            "rows and recovery differ about what is open")
        for write in found.owed {
            _ = index.recovered(
                recovery.facts(of: write), intent: write.intent, outcome: write.outcome, origin: 0,
                answeredBy: write.answeredBy ?? write.primary, attempts: write.attempts, isRetried: write.isRetried,
                wasSent: true, since: now)
        }
        for write in found.uncertain {
            let intent = WriteIntent(facts: recovery.facts(of: write), requestHead: [], requestBody: [])
            unsynced.append(.uncertain(OpenWrite(intent: intent), reason: "restart"))
        }
    }

    mutating func comeToRest() {
        for _ in 0..<100_000 where index.count > 0 || !unsynced.isEmpty {
            now += 60_000_000_000
            index.wake(now: now)
            sync()
            answer()
            if let handle = index.next(target) { running.append(handle) }
            finishDelivery()
        }
        sync()
    }
}

@Suite struct LedgerSimulationTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func `whatever crashes when, no acknowledged write is lost, and none comes first out of turn`(_ seed: UInt64) {
        var world = LedgerWorld(seed: seed)
        for _ in 0..<1_000 { world.step() }
        world.crash()
        world.comeToRest()
        while !world.unsynced.isEmpty { world.comeToRest() }
        #expect(world.index.count == 0)
        #expect(world.index.laneCount == 0)

        var fold = LedgerFold()
        for record in world.disk { _ = fold.add(record.encoded) }
        let states = Dictionary(uniqueKeysWithValues: fold.take().map { ($0.sequence, $0.state) })
        let delivered = Set(world.carriedOut.map(\.sequence))
        for sequence in world.acknowledged {
            switch states[sequence] {
            case .settled: #expect(delivered.contains(sequence), "\(sequence) is settled and was never delivered")
            case .dead, .uncertain: break
            case let state: Issue.record("\(sequence) was acknowledged and is \(String(describing: state))")
            }
        }
        for delivery in world.carriedOut {
            #expect(world.fates[delivery.sequence] == .took, "\(delivery.sequence) was delivered and not taken")
            #expect(delivery.id == WriteFacts.sample(delivery.sequence).id, "another key")
        }
        // In each lane, first deliveries are in order.
        var seen: Set<UInt64> = []
        var last: [UInt64: UInt64] = [:]
        for delivery in world.carriedOut where seen.insert(delivery.sequence).inserted {
            #expect(last[delivery.lane, default: 0] < delivery.sequence, "out of turn")
            last[delivery.lane] = delivery.sequence
        }
        #expect(!delivered.isEmpty)
    }
}
