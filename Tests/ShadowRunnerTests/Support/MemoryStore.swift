import Comparison
import Extraction
import Foundation

/// Adds up what a recorder brings, and can be away.
actor MemoryStore: EvidenceStore {
    struct Away: Error {}

    private(set) var counts: [VerdictKey: Int] = [:]
    private(set) var groups: [String: MismatchTally] = [:]
    private(set) var examples: [MismatchRecord] = []
    private(set) var fallbacks: [FallbackKey: Int] = [:]
    private(set) var losses: [EvidenceLoss: Int] = [:]
    private(set) var refused = 0
    private(set) var latencies: [LatencyKey: LatencyHistogram] = [:]
    private(set) var hidden: [RuleKey: RuleTally] = [:]
    private(set) var learned: [NoiseScope: NoiseTally] = [:]
    private(set) var conformance: [ConformanceKey: ConformanceTally] = [:]
    private var isAway = false

    func record(_ batch: EvidenceBatch, at: Date) async throws {
        if isAway {
            refused += 1
            throw Away()
        }
        counts.merge(batch.counts, uniquingKeysWith: +)
        losses.merge(batch.losses, uniquingKeysWith: +)
        for (hex, tally) in batch.mismatchCounts {
            var sum = groups[hex] ?? tally
            if groups[hex] != nil { sum.count += tally.count }
            groups[hex] = sum
        }
        examples += batch.examples
        for (key, tally) in batch.fallbacks { fallbacks[key, default: 0] += tally.count }
        for (key, histogram) in batch.latencies { latencies[key, default: LatencyHistogram()].merge(histogram) }
        for (key, tally) in batch.hiddenByRules {
            let sum = hidden[key] ?? RuleTally(pairs: 0, differences: 0, last: tally.last)
            hidden[key] = RuleTally(
                pairs: sum.pairs + tally.pairs, differences: sum.differences + tally.differences,
                last: max(sum.last, tally.last))
        }
        for (scope, tally) in batch.noise { learned[scope, default: NoiseTally()].merge(tally) }
        for (key, tally) in batch.conformance { conformance[key, default: ConformanceTally()].merge(tally) }
    }

    func noise() async throws -> [NoiseScope: NoiseTally] {
        if isAway { throw Away() }
        return learned
    }

    func setLearned(_ noise: [NoiseScope: NoiseTally]) { learned = noise }

    func setAway(_ away: Bool) { isAway = away }
}
