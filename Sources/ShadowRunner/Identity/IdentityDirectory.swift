package import DualWrite
internal import Extraction
internal import NIOCore
internal import Synchronization

/// What the process knows of the two systems' names for the same things, and whom it asks for the rest. One for the process;
/// from any thread.
///
/// Nothing here waits. What is not at hand is asked for in the background, many at once and each only once at a time; who needs
/// it comes again, or is woken. What the store does not know is not asked for again for a quarter of a second.
package final class IdentityDirectory: Sendable {
    /// Looks up pairs that other processes have learned, or this one before it was started. Throws when the store is away.
    package typealias Ask =
        @Sendable (_ questions: [IdentityQuestion]) async throws -> [(question: IdentityQuestion, pair: IdentityPair)]

    package enum Lookup: Sendable, Equatable {
        case known(IdentityPair)
        /// The store is being asked, or is away.
        case notYetKnown
        /// Nobody has filed it by now.
        case unknown
    }

    package struct Counts: Sendable, Equatable {
        package var learned = 0
        /// Learned pairs that contradict a known one, which stayed; each once, as far as it is remembered.
        package var conflicts = 0
        /// The same, by extraction.
        package var conflictsOf: [String: Int] = [:]
        /// Questions to the store, and how many of them it could not be asked.
        package var asked = 0
        package var failed = 0
        /// Pairs that gave way to others, and of those the ones that no store has.
        package var evicted = 0
        package var lost = 0
        package var pairs = 0
        package var unfiled = 0

        package init() {}
    }

    /// Some identities that somebody waits for.
    package struct Waiter: Sendable {
        fileprivate let id: UInt64
    }

    fileprivate enum Miss {
        case asking
        /// Until when the store's answer counts, in nanoseconds; nil: it is away.
        case absent(until: Int64, isKnown: Bool)
    }

    fileprivate struct State {
        var table: IdentityTable
        var misses: [IdentityQuestion: Miss] = [:]
        var pending: [IdentityQuestion] = []
        var isAsking = false
        var waiters: [UInt64: (questions: [IdentityQuestion], wake: @Sendable () -> Void)] = [:]
        var waiting: [IdentityQuestion: [UInt64]] = [:]
        var nextWaiter: UInt64 = 0
        var counts = Counts()
        var conflicts: [IdentityConflict] = []
        /// Of which it was counted that they contradict: a pair comes up when it is learned, and when it is filed.
        var contradicting: Set<Contradiction> = []
    }

    fileprivate struct Contradiction: Hashable {
        let extraction: String
        let learned: IdentityPair
    }

    /// Nanoseconds for which it counts that the store did not know something.
    static let absence: Int64 = 250_000_000
    static let maximumMisses = 100_000
    /// In one question to the store.
    static let maximumBatch = 1_000
    /// Conflicts that are kept to be shown.
    static let maximumConflicts = 20
    static let maximumContradictions = 10_000

    private let ask: Ask?
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// - Parameters:
    ///   - limit: pairs at hand. One takes about 300 bytes.
    ///   - unfiledLimit: of those that were learned and have not been filed.
    ///   - ask: nil: there is no store, and what was not learned here is unknown.
    ///   - now: nanoseconds of a clock that only moves on.
    package init(
        limit: Int = 200_000, unfiledLimit: Int = 1_000_000, ask: Ask? = nil,
        now: @escaping @Sendable () -> Int64 = { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }
    ) {
        self.ask = ask
        self.now = now
        state = Mutex(State(table: IdentityTable(limit: limit, unfiledLimit: unfiledLimit)))
    }

    package var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.evicted = state.table.evicted
            counts.lost = state.table.lost
            counts.pairs = state.table.count
            counts.unfiled = state.table.unfiledCount
            return counts
        }
    }

    /// The last few, oldest first.
    package var conflicts: [IdentityConflict] { state.withLock { $0.conflicts } }

    /// Never waits.
    package func lookup(_ question: IdentityQuestion) -> Lookup {
        let now = now()
        let (lookup, starts): (Lookup, Bool) = state.withLock { state in
            if let pair = state.table.pair(of: question) { return (.known(pair), false) }
            switch state.misses[question] {
            case .asking: return (.notYetKnown, false)
            case .absent(let until, let isKnown) where until > now: return (isKnown ? .unknown : .notYetKnown, false)
            case .absent, nil: break
            }
            guard ask != nil else { return (.unknown, false) }
            if state.misses.count >= Self.maximumMisses { state.forgetMisses(before: now) }
            guard state.misses.count < Self.maximumMisses else { return (.notYetKnown, false) }
            state.misses[question] = .asking
            state.pending.append(question)
            defer { state.isAsking = true }
            return (.notYetKnown, !state.isAsking)
        }
        if starts { Task { await self.askForAll() } }
        return lookup
    }

    // MARK: Learning

    /// Known from now on, to all who wait, too. Of two that contradict each other the first stays.
    /// - Parameter isFiled: the store has them: they may give way to others.
    /// - Returns: those that contradict what is known.
    @discardableResult
    package func learn(_ pairs: [IdentityPair], extraction: String, isFiled: Bool = false) -> [IdentityConflict] {
        guard !pairs.isEmpty else { return [] }
        let (conflicts, wakes): ([IdentityConflict], [@Sendable () -> Void]) = state.withLock { state in
            var conflicts: [IdentityConflict] = []
            var wakes: [@Sendable () -> Void] = []
            for pair in pairs {
                switch state.table.insert(pair, extraction: extraction, isFiled: isFiled) {
                case .new:
                    state.counts.learned += isFiled ? 0 : 1
                    wakes += state.became(known: pair, extraction)
                case .known: break
                case .conflict(let known):
                    conflicts.append(IdentityConflict(extraction: extraction, learned: pair, known: known))
                }
            }
            state.keep(conflicts)
            return (conflicts, wakes)
        }
        for wake in wakes { wake() }
        return conflicts
    }

    /// The store has them from now on, except those that contradict what it had: there, its pairs count.
    package func filed(_ pairs: [IdentityPair], conflicts: [IdentityConflict] = [], extraction: String) {
        let wakes = state.withLock { state in
            state.table.filed(pairs, extraction: extraction)
            state.keep(conflicts)
            return conflicts.flatMap { conflict in
                state.table.replace(with: conflict.known, extraction: extraction)
                return state.became(known: conflict.known, extraction)
            }
        }
        for wake in wakes { wake() }
    }

    // MARK: Waiting

    /// Calls `wake` once, on any thread, as soon as one of the identities is known: perhaps at once. Whoever waits looks again
    /// now and then anyway, which asks the store again.
    package func wait(
        for questions: [IdentityQuestion], _ wake: @escaping @Sendable () -> Void
    ) -> Waiter {
        let (id, isKnown): (UInt64, Bool) = state.withLock { state in
            state.nextWaiter += 1
            let id = state.nextWaiter
            if questions.contains(where: { state.table.pair(of: $0) != nil }) { return (id, true) }
            state.waiters[id] = (questions, wake)
            for question in questions { state.waiting[question, default: []].append(id) }
            return (id, false)
        }
        if isKnown { wake() }
        return Waiter(id: id)
    }

    /// It may have been woken already, or be just now.
    package func cancel(_ waiter: Waiter) {
        state.withLock { _ = $0.removeWaiter(waiter.id) }
    }

    var waiterCount: Int { state.withLock { $0.waiters.count } }

    // MARK: Asking

    private func askForAll() async {
        while let questions = nextBatch(), let ask {
            let answers = try? await ask(questions)
            let wakes = state.withLock { $0.answered(questions, answers, now: now()) }
            for wake in wakes { wake() }
        }
    }

    private func nextBatch() -> [IdentityQuestion]? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.isAsking = false
                return nil
            }
            let batch = Array(state.pending.prefix(Self.maximumBatch))
            state.pending.removeFirst(batch.count)
            return batch
        }
    }
}

extension IdentityDirectory.State {
    /// - Returns: who is to be woken.
    fileprivate mutating func became(known pair: IdentityPair, _ extraction: String) -> [@Sendable () -> Void] {
        var wakes: [@Sendable () -> Void] = []
        for side in [Side.monolith, .service] {
            let question = IdentityQuestion(
                extraction: extraction, kind: pair.kind, side: side, value: pair.value(at: side))
            if case .absent = misses[question] { misses[question] = nil }
            for id in waiting[question] ?? [] {
                if let wake = removeWaiter(id) { wakes.append(wake) }
            }
        }
        return wakes
    }

    fileprivate mutating func removeWaiter(_ id: UInt64) -> (@Sendable () -> Void)? {
        guard let waiter = waiters.removeValue(forKey: id) else { return nil }
        for question in waiter.questions {
            waiting[question]?.removeAll { $0 == id }
            if waiting[question]?.isEmpty == true { waiting[question] = nil }
        }
        return waiter.wake
    }

    /// - Parameter answers: nil: the store could not be asked.
    fileprivate mutating func answered(
        _ questions: [IdentityQuestion], _ answers: [(question: IdentityQuestion, pair: IdentityPair)]?, now: Int64
    ) -> [@Sendable () -> Void] {
        counts.asked += questions.count
        if answers == nil { counts.failed += questions.count }
        for question in questions {
            misses[question] = .absent(until: now &+ IdentityDirectory.absence, isKnown: answers != nil)
        }
        var wakes: [@Sendable () -> Void] = []
        for (question, pair) in answers ?? [] {
            switch table.insert(pair, extraction: question.extraction, isFiled: true) {
            case .new: wakes += became(known: pair, question.extraction)
            case .known: misses[question] = nil
            // Learned here meanwhile; which of the two stays is found out when it is filed.
            case .conflict: break
            }
        }
        return wakes
    }

    fileprivate mutating func forgetMisses(before now: Int64) {
        misses = misses.filter { _, miss in
            if case .absent(let until, _) = miss { until > now } else { true }
        }
    }

    fileprivate mutating func keep(_ more: [IdentityConflict]) {
        for conflict in more {
            let contradiction = IdentityDirectory.Contradiction(
                extraction: conflict.extraction, learned: conflict.learned)
            guard !contradicting.contains(contradiction) else { continue }
            if contradicting.count < IdentityDirectory.maximumContradictions { contradicting.insert(contradiction) }
            counts.conflicts += 1
            counts.conflictsOf[conflict.extraction, default: 0] += 1
            conflicts = (conflicts + [conflict]).suffix(IdentityDirectory.maximumConflicts)
        }
    }
}
