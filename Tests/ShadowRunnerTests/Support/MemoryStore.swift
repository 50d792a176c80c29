import Comparison
import Foundation

/// Adds up what a recorder brings, and can be away.
actor MemoryStore: EvidenceStore {
    struct Away: Error {}

    private(set) var counts: [VerdictKey: Int] = [:]
    private(set) var groups: [String: MismatchTally] = [:]
    private(set) var examples: [MismatchRecord] = []
    private(set) var fallbacks: [FallbackKey: Int] = [:]
    private(set) var refused = 0
    private var learned: [NoiseScope: NoiseTally] = [:]
    private var isAway = false

    func record(_ batch: EvidenceBatch, at: Date) async throws {
        if isAway {
            refused += 1
            throw Away()
        }
        counts.merge(batch.counts, uniquingKeysWith: +)
        for (hex, tally) in batch.mismatchCounts {
            var sum = groups[hex] ?? tally
            if groups[hex] != nil { sum.count += tally.count }
            groups[hex] = sum
        }
        examples += batch.examples
        for (key, tally) in batch.fallbacks { fallbacks[key, default: 0] += tally.count }
    }

    func noise() async throws -> [NoiseScope: NoiseTally] { learned }

    func setLearned(_ noise: [NoiseScope: NoiseTally]) { learned = noise }

    func setAway(_ away: Bool) { isAway = away }
}
