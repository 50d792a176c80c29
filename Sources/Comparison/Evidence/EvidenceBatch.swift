package import Extraction
package import FoundationEssentials

/// What one verdict counter counts.
package struct VerdictKey: Hashable, Sendable {
    package var extraction: String
    package var endpoint: String
    package var verdict: Verdict
    /// A ``NotComparedReason`` in its raw form, or why a side failed; of a mismatch, its group's signature in hexadecimal.
    package var reason: String?
    /// Of the primary's answer: 2 for 2xx and so on, 0 where there was none.
    package var statusClass: Int

    package init(
        extraction: String, endpoint: String, verdict: Verdict, reason: String? = nil, statusClass: Int = 0
    ) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.verdict = verdict
        self.reason = reason
        self.statusClass = statusClass
    }
}

/// Requests that the monolith answered because the service could not.
package struct FallbackKey: Hashable, Sendable {
    package var extraction: String
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    /// `circuit-open`, `refused`, ...
    package var reason: String

    package init(extraction: String, endpoint: String, reason: String) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.reason = reason
    }
}

package struct FallbackTally: Sendable, Equatable {
    package var count: Int
    package var last: Date

    package init(count: Int, last: Date) {
        self.count = count
        self.last = last
    }
}

/// How often one group of mismatches was seen.
package struct MismatchTally: Sendable, Equatable {
    package var signature: MismatchSignature
    package var count: Int
    package var first: Date
    package var last: Date

    package init(signature: MismatchSignature, count: Int, first: Date, last: Date) {
        self.signature = signature
        self.count = count
        self.first = first
        self.last = last
    }

    fileprivate mutating func merge(_ other: MismatchTally) {
        count += other.count
        first = min(first, other.first)
        last = max(last, other.last)
    }
}

/// Evidence on its way to the store. A storm of mismatches costs counters: of each group a few examples are kept, those
/// that found no room among all are dropped and counted, and every verdict is counted whatever happens to its example.
package struct EvidenceBatch: Sendable, Equatable {
    package private(set) var counts: [VerdictKey: Int] = [:]
    /// By signature hex.
    package private(set) var mismatchCounts: [String: MismatchTally] = [:]
    package private(set) var examples: [MismatchRecord] = []
    package private(set) var fallbacks: [FallbackKey: FallbackTally] = [:]
    package private(set) var latencies: [LatencyKey: LatencyHistogram] = [:]
    package private(set) var traffic: [TrafficKey: TrafficTally] = [:]
    package private(set) var hiddenByRules: [RuleKey: RuleTally] = [:]
    package private(set) var noise: [NoiseScope: NoiseTally] = [:]
    package private(set) var conformance: [ConformanceKey: ConformanceTally] = [:]
    /// What found no place within the limits.
    package private(set) var losses: [EvidenceLoss: Int] = [:]
    private var examplesByGroup: [String: Int] = [:]
    private var noiseFields = 0
    private let limits: EvidenceLimits

    package var examplesDropped: Int { losses[.examplesDropped, default: 0] }
    /// Mismatches whose group found no place among ``EvidenceLimits/groups``; `counts` has them.
    package var mismatchesUngrouped: Int { losses[.mismatchesUngrouped, default: 0] }

    package init(limits: EvidenceLimits = EvidenceLimits()) {
        self.limits = limits
    }

    package var isEmpty: Bool {
        counts.isEmpty && mismatchCounts.isEmpty && examples.isEmpty && losses.isEmpty && fallbacks.isEmpty
            && latencies.isEmpty && traffic.isEmpty && hiddenByRules.isEmpty && noise.isEmpty
            && conformance.isEmpty
    }

    package mutating func count(_ key: VerdictKey, times: Int = 1) {
        counts[key, default: 0] += times
    }

    /// Counts a mismatch in its group and keeps it as an example if there is room. Its verdict is counted
    /// apart, with ``count(_:times:)``.
    package mutating func add(_ record: MismatchRecord) {
        add(MismatchTally(signature: record.signature, count: 1, first: record.at, last: record.at))
        keep(record)
    }

    /// Whether `add` would keep an example of this group: if not, ``addWithoutExample(_:at:)`` spares the work
    /// of recording one.
    package func hasRoomForExample(of signature: MismatchSignature) -> Bool {
        examples.count < limits.examples && !hasEnoughExamples(of: signature)
    }

    /// Whether the group has as many as it gets. To keep no more of it is no loss.
    package func hasEnoughExamples(of signature: MismatchSignature) -> Bool {
        examplesByGroup[signature.hex, default: 0] >= limits.examplesPerGroup
    }

    /// Counts a mismatch that no example is kept of.
    ///
    /// - Parameter isDeclined: the group has enough examples elsewhere. If it has not, here or there, one is lost.
    package mutating func addWithoutExample(_ signature: MismatchSignature, at: Date, isDeclined: Bool = false) {
        add(MismatchTally(signature: signature, count: 1, first: at, last: at))
        if !isDeclined, !hasEnoughExamples(of: signature) { lose(1, .examplesDropped) }
    }

    package mutating func countLatency(_ key: LatencyKey, nanoseconds: Int64) {
        guard hasRoomForLatency(of: key) else { return lose(1, .latenciesDropped) }
        latencies[key, default: LatencyHistogram()].record(nanoseconds: nanoseconds)
    }

    /// How one side answered clients.
    package mutating func countTraffic(_ key: TrafficKey, _ tally: TrafficTally) {
        if traffic[key]?.merge(tally) != nil { return }
        guard traffic.count < limits.traffic else { return lose(tally.traffic.requests, .trafficDropped) }
        traffic[key] = tally
    }

    package mutating func countHidden(_ key: RuleKey, differences: Int, at: Date) {
        add(RuleTally(pairs: 1, differences: differences, last: at), to: key)
    }

    /// - Parameter tally: what is new. Fields beyond the limits are left out and counted as lost; the comparisons are not.
    package mutating func countNoise(_ scope: NoiseScope, _ tally: NoiseTally) {
        guard noise[scope] != nil || noise.count < limits.noiseScopes else {
            return lose(max(1, tally.differing.count), .noiseDropped)
        }
        // Taken out, so that adding to it does not copy it.
        var known = noise.removeValue(forKey: scope) ?? NoiseTally()
        known.compared.merge(tally.compared)
        for (field, count) in tally.differing {
            if known.differing[field]?.merge(count) != nil { continue }
            if known.differing.count >= limits.noiseFieldsPerScope || noiseFields >= limits.noiseFields {
                lose(1, .noiseDropped)
                // What differs between twins is what noise is; the rest only says how often pairs differ there, too.
                guard count.twins > 0, let other = known.differing.first(where: { $0.value.twins == 0 }) else {
                    continue
                }
                known.differing[other.key] = nil
                noiseFields -= 1
            }
            known.differing[field] = count
            noiseFields += 1
        }
        noise[scope] = known
    }

    package mutating func countConformance(_ key: ConformanceKey, _ tally: ConformanceTally, at: Date) {
        var tally = tally
        tally.last = max(tally.last, at)
        if conformance[key]?.merge(tally) != nil { return }
        guard conformance.count < limits.conformance else { return lose(tally.checked, .conformanceDropped) }
        conformance[key] = tally
    }

    /// Leaves out the fields that a model has no place for, so that names made up anew each time do not reach the store.
    package mutating func limitNoise(to model: NoiseModel) {
        for scope in Array(noise.keys) {
            guard let unplaced = noise[scope].map({ model.unplaced($0.differing, in: scope) }), !unplaced.isEmpty
            else { continue }
            for field in unplaced { noise[scope]?.differing[field] = nil }
            noiseFields -= unplaced.count
            lose(unplaced.count, .noiseDropped)
        }
    }

    package mutating func countFallback(_ key: FallbackKey, times: Int = 1, at: Date) {
        add(FallbackTally(count: times, last: at), to: key)
    }

    /// Takes over all that another batch holds, within this one's limits.
    package mutating func merge(_ other: EvidenceBatch) {
        counts.merge(other.counts, uniquingKeysWith: +)
        for tally in other.mismatchCounts.values { add(tally) }
        for record in other.examples { keep(record) }
        for (key, tally) in other.fallbacks { add(tally, to: key) }
        for (key, histogram) in other.latencies {
            guard hasRoomForLatency(of: key) else {
                lose(histogram.total, .latenciesDropped)
                continue
            }
            latencies[key, default: LatencyHistogram()].merge(histogram)
        }
        for (key, tally) in other.traffic { countTraffic(key, tally) }
        for (key, tally) in other.hiddenByRules { add(tally, to: key) }
        for (scope, tally) in other.noise { countNoise(scope, tally) }
        for (key, tally) in other.conformance { countConformance(key, tally, at: tally.last) }
        for (kind, count) in other.losses { lose(count, kind) }
    }

    private mutating func lose(_ count: Int, _ kind: EvidenceLoss) {
        losses[kind, default: 0] += count
    }

    private func hasRoomForLatency(of key: LatencyKey) -> Bool {
        latencies.count < limits.latencies || latencies[key] != nil
    }

    private mutating func add(_ tally: MismatchTally) {
        let hex = tally.signature.hex
        guard mismatchCounts[hex] != nil || mismatchCounts.count < limits.groups else {
            return lose(tally.count, .mismatchesUngrouped)
        }
        if mismatchCounts[hex]?.merge(tally) == nil { mismatchCounts[hex] = tally }
    }

    private mutating func keep(_ record: MismatchRecord) {
        guard !hasEnoughExamples(of: record.signature) else { return }
        guard examples.count < limits.examples, mismatchCounts[record.signature.hex] != nil else {
            return lose(1, .examplesDropped)
        }
        examples.append(record)
        examplesByGroup[record.signature.hex, default: 0] += 1
    }

    private mutating func add(_ tally: RuleTally, to key: RuleKey) {
        if hiddenByRules[key]?.merge(tally) != nil { return }
        guard hiddenByRules.count < limits.rules else { return lose(tally.differences, .ruleHitsDropped) }
        hiddenByRules[key] = tally
    }

    private mutating func add(_ tally: FallbackTally, to key: FallbackKey) {
        let known = fallbacks[key]
        fallbacks[key] = FallbackTally(
            count: (known?.count ?? 0) + tally.count, last: max(known?.last ?? tally.last, tally.last))
    }
}

/// Where evidence is kept: Postgres, in production.
package protocol EvidenceStore: Sendable {
    /// Adds the whole batch or nothing; examples that cannot be stored cost themselves.
    /// - Parameter at: the time that the counters are filed under.
    func record(_ batch: EvidenceBatch, at: Date) async throws

    /// What has been learned of the primary's own disagreement within the window that the store keeps, over all replicas.
    func noise() async throws -> [NoiseScope: NoiseTally]
}
