package import Comparison
package import FoundationEssentials
package import Logging
internal import Synchronization

/// Gathers evidence in memory and brings it to the store once a second.
///
/// With the store away, counters go on exactly and examples up to their limits; what finds no place is counted. Nothing
/// waits for the store: a request's shadow least of all, its client never.
package final class EvidenceRecorder: Sendable {
    private struct State {
        var batch = EvidenceBatch()
        /// By extraction.
        var endpoints: [String: Set<String>] = [:]
        /// Signatures whose difference stood when both sides were asked again, and when that was.
        var confirmed: [String: Date] = [:]
        var storeIsAway = false
    }

    private let state = Mutex(State())
    private let store: any EvidenceStore
    private let logger: Logger
    private let now: @Sendable () -> Date

    package init(store: any EvidenceStore, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.logger = logger
        self.now = now
    }

    /// Flushes every second until the task is cancelled. What comes later needs another `flush`.
    package func run() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            await flush()
        }
    }

    /// Brings what has been gathered to the store. What the store does not take is kept for the next time.
    /// - Returns: whether nothing is left.
    @discardableResult
    package func flush() async -> Bool {
        let batch = state.withLock { state in
            let batch = state.batch
            state.batch = EvidenceBatch()
            return batch
        }
        guard !batch.isEmpty else { return true }
        do {
            try await store.record(batch, at: now())
            if setStoreAway(false) { logger.notice("Postgres takes evidence again") }
            return true
        } catch {
            state.withLock { state in
                var merged = batch
                merged.merge(state.batch)
                state.batch = merged
            }
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

    package func fellBack(extraction: String, reason: String) {
        let at = now()
        state.withLock { $0.batch.countFallback(FallbackKey(extraction: extraction, reason: reason), at: at) }
    }

    func count(_ key: VerdictKey, times: Int = 1) {
        state.withLock { $0.batch.count(key, times: times) }
    }

    /// Counts a mismatch; `makeRecord` runs only when an example of its group is wanted, and outside the lock.
    /// - Parameter isConfirmed: it stood when both sides were asked again. Others do not count as confirmation, or a
    ///   steady stream of them would put off the next time of asking for ever.
    func mismatch(
        _ signature: MismatchSignature, isConfirmed: Bool, at: Date, makeRecord: () -> MismatchRecord
    ) {
        let wantsExample = state.withLock { state in
            if isConfirmed {
                if state.confirmed.count >= 10_000 { state.confirmed.removeAll() }
                state.confirmed[signature.hex] = at
            }
            return state.batch.hasRoomForExample(of: signature)
        }
        if wantsExample {
            let record = makeRecord()
            state.withLock { $0.batch.add(record) }
        } else {
            state.withLock { $0.batch.addWithoutExample(signature, at: at) }
        }
    }

    /// Whether a difference of this kind was confirmed within the last minute: then the next ones count without asking
    /// both sides again, or a storm of mismatches would double the primary's load.
    func isConfirmed(_ signature: MismatchSignature, now: Date) -> Bool {
        state.withLock { state in
            guard let at = state.confirmed[signature.hex] else { return false }
            return now.timeIntervalSince(at) < 60
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
}
