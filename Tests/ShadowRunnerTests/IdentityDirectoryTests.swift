import DualWrite
import Extraction
import Synchronization
import Testing

@testable import ShadowRunner

/// Pairs that another replica has filed, and what it was asked.
private final class Filed: Sendable {
    struct Away: Error {}

    let pairs = Mutex<[IdentityPair]>([])
    let asked = Mutex<[[IdentityQuestion]]>([])
    let isAway = Mutex(false)

    func ask(_ questions: [IdentityQuestion]) throws -> [(question: IdentityQuestion, pair: IdentityPair)] {
        asked.withLock { $0.append(questions) }
        if isAway.withLock({ $0 }) { throw Away() }
        return pairs.withLock { pairs in
            questions.compactMap { question in
                pairs.first { $0.value(at: question.side) == question.value }.map { (question, $0) }
            }
        }
    }
}

@Suite struct IdentityDirectoryTests {
    private static let pair = IdentityPair(kind: "$.id", monolith: "m", service: "s")

    private func question(_ value: String, _ side: Side = .monolith) -> IdentityQuestion {
        IdentityQuestion(extraction: "orders", kind: "$.id", side: side, value: value)
    }

    @Test func `without a store, what was not learned is unknown`() {
        let directory = IdentityDirectory()
        #expect(directory.lookup(question("m")) == .unknown)
        #expect(directory.learn([Self.pair], extraction: "orders").isEmpty)
        #expect(directory.lookup(question("m")) == .known(Self.pair))
        #expect(directory.lookup(question("s", .service)) == .known(Self.pair))
        let other = IdentityPair(kind: "$.id", monolith: "m", service: "x")
        #expect(
            directory.learn([other], extraction: "orders") == [
                IdentityConflict(extraction: "orders", learned: other, known: Self.pair)
            ])
        #expect(directory.lookup(question("m")) == .known(Self.pair))
        #expect(directory.counts.conflicts == 1 && directory.conflicts.count == 1)
        #expect(directory.counts.conflictsOf == ["orders": 1])
        // Told again when it is filed, it is the same one.
        directory.filed(
            [other], conflicts: [IdentityConflict(extraction: "orders", learned: other, known: Self.pair)],
            extraction: "orders")
        #expect(directory.counts.conflicts == 1 && directory.conflicts.count == 1)
    }

    @Test func `the store is asked once, and its silence counts for a while`() async throws {
        let filed = Filed()
        let time = Mutex<Int64>(0)
        let directory = IdentityDirectory(ask: { try filed.ask($0) }, now: { time.withLock { $0 } })
        #expect(directory.lookup(question("m")) == .notYetKnown)
        try await eventually("the store has answered") { directory.lookup(question("m")) == .unknown }
        #expect(filed.asked.withLock { $0 } == [[question("m")]])
        filed.pairs.withLock { $0 = [Self.pair] }
        #expect(directory.lookup(question("m")) == .unknown)
        time.withLock { $0 = IdentityDirectory.absence + 1 }
        #expect(directory.lookup(question("m")) == .notYetKnown)
        try await eventually("it is found") { directory.lookup(question("m")) == .known(Self.pair) }
        #expect(filed.asked.withLock { $0.count } == 2)
        #expect(directory.counts.learned == 0 && directory.counts.unfiled == 0)
    }

    @Test func `a store that is away says nothing about what is known`() async throws {
        let filed = Filed()
        let time = Mutex<Int64>(0)
        filed.isAway.withLock { $0 = true }
        let directory = IdentityDirectory(ask: { try filed.ask($0) }, now: { time.withLock { $0 } })
        #expect(directory.lookup(question("m")) == .notYetKnown)
        try await eventually("it was asked") { directory.counts.failed == 1 }
        #expect(directory.lookup(question("m")) == .notYetKnown)
        #expect(filed.asked.withLock { $0.count } == 1)
        filed.isAway.withLock { $0 = false }
        time.withLock { $0 = IdentityDirectory.absence + 1 }
        try await eventually("it is unknown") { directory.lookup(question("m")) == .unknown }
    }

    @Test func `who waits is woken once, by whoever learns it`() async throws {
        let filed = Filed()
        let woken = Mutex(0)
        let directory = IdentityDirectory(ask: { try filed.ask($0) })
        filed.pairs.withLock { $0 = [IdentityPair(kind: "$.id", monolith: "far", service: "away")] }
        let wake: @Sendable () -> Void = { woken.withLock { $0 += 1 } }
        _ = directory.wait(for: [question("m"), question("n")], wake)
        let gone = directory.wait(for: [question("m")], wake)
        directory.cancel(gone)
        #expect(woken.withLock { $0 } == 0)
        directory.learn([Self.pair], extraction: "other")
        #expect(woken.withLock { $0 } == 0)
        directory.learn([Self.pair], extraction: "orders")
        #expect(woken.withLock { $0 } == 1)
        _ = directory.wait(for: [question("s", .service)], wake)
        #expect(woken.withLock { $0 } == 2)
        _ = directory.wait(for: [question("far")], wake)
        _ = directory.lookup(question("far"))
        try await eventually("the store's answer wakes") { woken.withLock { $0 } == 3 }
        #expect(directory.waiterCount == 0)
    }

    @Test func `what the store had first counts when the two contradict each other`() {
        let directory = IdentityDirectory()
        let known = IdentityPair(kind: "$.id", monolith: "m", service: "first")
        directory.learn([Self.pair], extraction: "orders")
        directory.filed(
            [Self.pair], conflicts: [IdentityConflict(extraction: "orders", learned: Self.pair, known: known)],
            extraction: "orders")
        #expect(directory.lookup(question("m")) == .known(known))
        #expect(directory.lookup(question("s", .service)) == .unknown)
        #expect(directory.counts.unfiled == 0 && directory.counts.pairs == 1)
    }

    @Test func `from many threads at once every pair is found`() async {
        let filed = Filed()
        filed.pairs.withLock { pairs in
            pairs = (0..<500).map { IdentityPair(kind: "$.id", monolith: "f\($0)", service: "g\($0)") }
        }
        let directory = IdentityDirectory(limit: 5_000, ask: { try filed.ask($0) })
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for number in 0..<500 {
                        directory.learn(
                            [
                                IdentityPair(
                                    kind: "$.id", monolith: "m\(worker)-\(number)", service: "s\(worker)-\(number)")
                            ],
                            extraction: "orders")
                        _ = directory.lookup(question("f\(number)"))
                    }
                }
            }
        }
        let deadline = ContinuousClock.now + .seconds(60)
        var missing = 500
        while missing > 0, ContinuousClock.now < deadline {
            missing = (0..<500).count { number in
                if case .known = directory.lookup(question("f\(number)")) { false } else { true }
            }
            await Task.yield()
        }
        #expect(missing == 0)
        #expect(directory.counts.pairs == 4_500)
        #expect(filed.asked.withLock { $0.joined().count } == 500)
    }
}
