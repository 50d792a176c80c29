package import Comparison
package import Foundation
import Logging
import PostgresClient

extension PostgresStore: EvidenceStore {
    /// One transaction of a dozen statements at most, however much happened.
    ///
    /// Tables are written in this order, and rows in the order of their keys, so that replicas that store the same keys
    /// at once wait for each other instead of locking each other out. Now and then it has the house kept, and does not wait for that.
    package func record(_ batch: EvidenceBatch, at: Date) async throws {
        guard !batch.isEmpty else { return }
        let verdicts = VerdictRows(batch.counts)
        let fallbacks = FallbackRows(batch.fallbacks)
        let latencies = LatencyRows(batch.latencies)
        let traffic = TrafficRows(batch.traffic)
        let rules = RuleRows(batch.hiddenByRules)
        let noise = NoiseRows(batch.noise)
        let conformance = ConformanceRows(batch.conformance)
        let groups = GroupRows(batch.mismatchCounts)
        let examples = try await storableExamples(batch.examples, at: at)
        let losses = batch.losses.merging(
            [.examplesRefused: batch.examples.count - examples.count], uniquingKeysWith: +)
        let (groupLimit, exampleLimit, noiseFieldLimit) = (groupLimit, exampleLimit, noiseFieldLimit)
        let (ungrouped, refused) = try await pool.transaction { connection in
            var losses = LossRows(counts: losses)
            try verdicts.insert(at: at, on: connection)
            try fallbacks.insert(at: at, on: connection)
            try latencies.insert(at: at, on: connection)
            try traffic.insert(at: at, on: connection)
            try rules.insert(at: at, on: connection)
            losses.counts[.noiseDropped, default: 0] += try noise.insert(
                at: at, limit: noiseFieldLimit, on: connection)
            try conformance.insert(on: connection)
            let excluded = try groups.insert(limit: groupLimit, on: connection)
            let grouped = examples.filter { excluded[$0.signature] == nil }
            let refusal = try ExampleRows(rows: grouped, limit: exampleLimit).insert(on: connection)
            losses.counts[.mismatchesUngrouped, default: 0] += excluded.values.reduce(0, +)
            losses.counts[.examplesRefused, default: 0] += refusal.refused
            losses.counts[.examplesDropped, default: 0] += examples.count - grouped.count
            try losses.insert(at: at, on: connection)
            return (losses.counts[.mismatchesUngrouped, default: 0], refusal.last)
        }
        if let refused { logger.warning("examples that Postgres refused were left out: \(refused)") }
        if ungrouped > 0 {
            logger.warning("\(ungrouped) mismatches were counted without a group: too many groups")
        }
        keepHouse(now: at)
    }

    /// Those that can be written as JSON and have a partition.
    private func storableExamples(_ records: [MismatchRecord], at: Date) async throws -> [ExampleRow] {
        let rows = records.compactMap { record in
            do {
                return try ExampleRow(record)
            } catch {
                logger.warning("an example of \(record.signature.hex) cannot be written as JSON: \(error)")
                return nil
            }
        }
        return try await withPartitions(rows, now: at)
    }
}
