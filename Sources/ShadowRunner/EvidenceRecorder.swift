package import Comparison
package import FoundationEssentials
package import Logging
internal import Synchronization

/// Gathers evidence in memory and brings it to the store once a second.
///
/// With the store away, counters go on exactly and examples up to their limits; what finds no place is counted. Nothing
/// waits for the store: a request's shadow least of all, its client never. What is known of the primaries' noise comes
/// from the store when it is first reached and once a minute, so that it outlives the process and is all replicas'.
package final class EvidenceRecorder: Sendable {
    private struct State {
        var batch = EvidenceBatch()
        /// By extraction.
        var endpoints: [String: Set<String>] = [:]
        var groups = KnownGroups()
        /// Signatures whose difference stood when both sides were asked again, and when that was.
        var confirmed: [String: Date] = [:]
        var noise = NoiseModel()
        /// What was learned while the model is made anew, outside the lock; nil when it is not.
        var learnedMeanwhile: [[NoiseScope: NoiseTally]]?
        /// Fields that differed while the primary, asked again, agreed with itself.
        var steady: [NoiseScope: Set<GroupedDifference>] = [:]
        var storeIsAway = false

        mutating func takeBatch() -> EvidenceBatch {
            var taken = EvidenceBatch()
            swap(&taken, &batch)
            return taken
        }
    }

    /// Seconds between two looks at what all replicas have learned.
    private static let learningInterval = 60
    private static let confirmationSeconds = 60.0
    private static let maximumConfirmed = 10_000

    /// Event loops count in it what they did not capture: it is never held for longer than a few pairs take.
    private let state = Mutex(State())
    private let store: any EvidenceStore
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let source = Mutex<Source?>(nil)
    private let flushes = Mutex(Flushes())
    /// When the last flush that left nothing began.
    private let handedOver = Mutex(ContinuousClock.now)

    private struct Flushes {
        var running: Task<Bool, Never>?
        var next: Task<Bool, Never>?
    }

    private static let longestHandover = Duration.seconds(4)

    /// Brings what is counted elsewhere; it returns when the recorder has it.
    package typealias Source = @Sendable (EvidenceRecorder) async -> Void

    package init(store: any EvidenceStore, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.logger = logger
        self.now = now
    }

    /// Flushes every second until the task is cancelled. What comes later needs another `flush`.
    package func run() async {
        var untilLearning = await learnNoise() ? Self.learningInterval : 1
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            await flush()
            untilLearning -= 1
            if untilLearning <= 0 { untilLearning = await learnNoise() ? Self.learningInterval : 1 }
        }
    }

    /// Asks `source` before each flush. What it holds lives as long as this is not set to nil again.
    package func gathers(from source: Source?) { self.source.withLock { $0 = source } }

    /// Brings what has been gathered to the store. What the store does not take is kept for the next time.
    /// - Returns: whether nothing is left.
    @discardableResult
    package func flush() async -> Bool {
        // One after the other, or "nothing is left" could be said of what another is just bringing. Whoever asks while
        // one waits shares that one.
        let flush = flushes.withLock { flushes in
            if let next = flushes.next { return next }
            let last = flushes.running
            let flush = Task {
                _ = await last?.value
                self.flushes.withLock { flushes in
                    flushes.running = flushes.next
                    flushes.next = nil
                }
                return await self.handOver()
            }
            flushes.next = flush
            return flush
        }
        return await flush.value
    }

    /// Whether all that is older than a few seconds has been handed over.
    package var isHandingOver: Bool {
        handedOver.withLock { ContinuousClock.now - $0 < Self.longestHandover }
    }

    private func handOver() async -> Bool {
        let began = ContinuousClock.now
        let isDone = await bring()
        if isDone { handedOver.withLock { $0 = began } }
        return isDone
    }

    private func bring() async -> Bool {
        await source.withLock { $0 }?(self)
        let batch = state.withLock { $0.takeBatch() }
        guard !batch.isEmpty else { return true }
        do {
            try await store.record(batch, at: now())
            if setStoreAway(false) { logger.notice("Postgres takes evidence again") }
            return true
        } catch {
            // Much may have been gathered since: it is added up outside the lock, but for what arrives in that time.
            var merged = batch
            merged.merge(state.withLock { $0.takeBatch() })
            let late = state.withLock { state in
                swap(&state.batch, &merged)
                return merged
            }
            state.withLock { $0.batch.merge(late) }
            if !setStoreAway(true) {
                logger.warning("Postgres takes no evidence, counters are kept in memory: \(error)")
            }
            return false
        }
    }

    /// - Returns: what it was.
    private func setStoreAway(_ isAway: Bool) -> Bool {
        state.withLock { state in
            defer { state.storeIsAway = isAway }
            return state.storeIsAway
        }
    }

    // MARK: What is counted

    /// Of the last second or so: `at` is when they were harvested.
    package func count(traffic: [TrafficKey: TrafficTally], fallbacks: [FallbackKey: Int], at: Date) {
        state.withLock { state in
            for (key, tally) in traffic { state.batch.countTraffic(key, tally) }
            for (key, count) in fallbacks { state.batch.countFallback(key, times: count, at: at) }
        }
    }

    /// Takes over what a run of comparisons has found, in one piece.
    func take(_ findings: Findings, at: Date) {
        state.withLock { state in
            var batch = findings.batch
            batch.limitNoise(to: state.noise)
            if !batch.noise.isEmpty {
                state.noise.learn(batch.noise)
                state.learnedMeanwhile?.append(batch.noise)
            }
            state.batch.merge(batch)
            for hex in findings.confirmed {
                if state.confirmed.count >= Self.maximumConfirmed { state.confirmed.removeAll() }
                state.confirmed[hex] = at
            }
            for (scope, fields) in findings.steady {
                if state.steady.count >= NoiseModel.maximumScopes { state.steady.removeAll() }
                guard state.steady[scope, default: []].count < NoiseTally.maximumFields else { continue }
                state.steady[scope, default: []].formUnion(fields)
            }
        }
    }

    // MARK: What is known

    /// A group of mismatches, as a run of comparisons sees it.
    struct Group {
        let signature: MismatchSignature
        /// Its difference was confirmed within the last minute: then the next ones count without asking both sides again,
        /// or a storm of mismatches would double the primary's load.
        var isConfirmed: Bool
        let wantsExample: Bool
        /// Why it wants none, if not for want of room.
        let hasEnoughExamples: Bool
    }

    /// - Parameter counted: whether something is about to be counted in it; else it is only looked at.
    func group(of signature: MismatchSignature, counted: Bool, now: Date) -> Group {
        state.withLock { state in
            let group = counted ? state.groups.admit(signature) : state.groups.group(of: signature)
            let confirmed = state.confirmed[group.hex]
            return Group(
                signature: group,
                isConfirmed: confirmed.map { now.timeIntervalSince($0) < Self.confirmationSeconds } ?? false,
                wantsExample: state.batch.hasRoomForExample(of: group),
                hasEnoughExamples: state.batch.hasEnoughExamples(of: group))
        }
    }

    /// Keeps the number of counters bounded, whatever paths clients make up. Each extraction has its own limit.
    /// - Parameter exists: the primary knows such a thing; what is not found gets no place of its own, or a scanner would
    ///   take all of them.
    func boundedEndpoint(
        _ endpoint: String, of extraction: String, exists: Bool, overflow: String, limit: Int
    ) -> String {
        state.withLock { state in
            let known = state.endpoints[extraction, default: []]
            if known.contains(endpoint) { return endpoint }
            guard exists, known.count < limit else { return overflow }
            state.endpoints[extraction, default: []].insert(endpoint)
            return endpoint
        }
    }

    // MARK: Noise

    /// Takes what all replicas have learned, with what of this one has not been stored yet beside it. What is on its way
    /// to the store just now is missing until the next time.
    /// - Returns: whether the store has answered.
    @discardableResult
    package func learnNoise() async -> Bool {
        guard let stored = try? await store.noise() else { return false }
        var (model, unstored) = state.withLock { state in
            state.learnedMeanwhile = []
            return (state.noise, state.batch.noise)
        }
        model.restart(from: stored, unstored: unstored)
        // What it was is let go of outside the lock, too.
        let old = state.withLock { state in
            for news in state.learnedMeanwhile ?? [] { model.learn(news) }
            state.learnedMeanwhile = nil
            swap(&state.noise, &model)
            return model
        }
        return withExtendedLifetime(old) { true }
    }

    func knownNoise(of scope: NoiseScope) -> KnownNoise {
        state.withLock { KnownNoise(baseline: $0.noise.baseline(of: scope), steady: $0.steady[scope] ?? []) }
    }
}

/// What is known of one primary at one endpoint when a field of its answer differs.
struct KnownNoise {
    let baseline: NoiseBaseline
    /// See ``EvidenceRecorder``.
    let steady: Set<GroupedDifference>
}

/// What a run of comparisons brings.
struct Findings {
    var batch = EvidenceBatch()
    /// Signatures, in hexadecimal, that stood when both sides were asked again. Others do not count as confirmation, or a
    /// steady stream of them would put off the next time of asking for ever.
    var confirmed: Set<String> = []
    var steady: [NoiseScope: Set<GroupedDifference>] = [:]
}
