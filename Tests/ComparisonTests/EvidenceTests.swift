import Extraction
import FoundationEssentials
import Testing

@testable import Comparison

struct EvidenceTests {
    private func signature(_ differences: [(String, DifferenceKind)], extraction: String = "orders")
        -> MismatchSignature
    {
        MismatchSignature(
            extraction: extraction, endpoint: "GET /api/v1/orders/{id}",
            differences: differences.map { Difference(path: $0.0, kind: $0.1, primary: "1", shadow: "2") })
    }

    private func record(_ path: String, at: Date = noon) -> MismatchRecord {
        let answer = RecordedAnswer(status: 200, headers: [], body: nil, bodyBytes: 0)
        return MismatchRecord(
            signature: signature([(path, .value)]), at: at, differences: [],
            request: RecordedRequest(method: "GET", target: "/", headers: [], body: nil), primary: answer,
            shadow: answer)
    }

    @Test func theSamePatternGivesTheSameSignature() {
        let one = signature([("$.items[0].price", .value), ("$.items[1].price", .value), ("status", .value)])
        let other = signature([("status", .value), ("$.items[17].price", .value)])
        #expect(one == other)
        #expect(one.differences.map(\.path) == ["$.items[*].price", "status"])
    }

    @Test func signaturesAreStableAndTellCausesApart() {
        let base = signature([("$.total", .type)])
        // Written down on purpose: it is a key in databases.
        #expect(base.hex == "a6715872b0c6087c")
        #expect(base.hex.wholeMatch(of: /[0-9a-f]{16}/) != nil)
        #expect(base.hex != signature([("$.total", .value)]).hex)
        #expect(base.hex != signature([("$.totals", .type)]).hex)
        #expect(base.hex != signature([("$.total", .type)], extraction: "order").hex)
        #expect(base.hex != signature([("$.total", .type), ("status", .value)]).hex)
    }

    @Test func differencesStoredWithoutAPatternAreRead() throws {
        let stored = #"{"path":"$.items[3].price","kind":"value","primary":"1","shadow":"2"}"#
        let difference = try JSONDecoder().decode(Difference.self, from: Data(stored.utf8))
        #expect(difference.pattern == "$.items[*].price")
        let kept = Difference(path: "$.a[1]", pattern: "$.a", kind: .value, primary: "1", shadow: "2")
        #expect(try JSONDecoder().decode(Difference.self, from: JSONEncoder().encode(kept)) == kept)
    }

    @Test func aBatchCountsEverythingAndKeepsFewExamples() {
        var batch = EvidenceBatch(limits: EvidenceLimits(groups: 2, examplesPerGroup: 2, examples: 3))
        #expect(batch.isEmpty)
        let key = VerdictKey(extraction: "orders", endpoint: "e", verdict: .mismatch)
        for second in 0..<10 {
            batch.count(key)
            batch.add(record("$.a", at: noon.addingTimeInterval(Double(second))))
        }
        for path in ["$.b", "$.b", "$.c"] { batch.add(record(path)) }
        #expect(batch.counts == [key: 10])
        let tally = batch.mismatchCounts[record("$.a").signature.hex]
        #expect(tally?.count == 10)
        #expect(tally?.first == noon)
        #expect(tally?.last == noon.addingTimeInterval(9))
        #expect(batch.examples.count == 3)
        // One of `$.b`, and `$.c`, which has no group; of `$.a` no more than two were wanted.
        #expect(batch.examplesDropped == 2)
        #expect(batch.hasEnoughExamples(of: record("$.a").signature))
        #expect(!batch.hasEnoughExamples(of: record("$.b").signature))
        #expect(batch.mismatchesUngrouped == 1)
        #expect(!batch.hasRoomForExample(of: record("$.b").signature))
        #expect(!batch.isEmpty)
    }

    @Test func onlyExamplesThatTheirGroupWantedAreLost() {
        var batch = EvidenceBatch(limits: EvidenceLimits(examplesPerGroup: 2, examples: 3))
        let signature = record("$.a").signature
        batch.addWithoutExample(signature, at: noon, isDeclined: true)
        #expect(batch.losses.isEmpty && batch.mismatchCounts[signature.hex]?.count == 1)
        batch.addWithoutExample(signature, at: noon)
        #expect(batch.examplesDropped == 1)
        for _ in 0..<5 { batch.add(record("$.a")) }
        batch.addWithoutExample(signature, at: noon)
        #expect(batch.examplesDropped == 1 && batch.examples.count == 2)
        var other = EvidenceBatch()
        for path in ["$.a", "$.b", "$.b"] { other.add(record(path)) }
        batch.merge(other)
        // The second of `$.b` found all three places taken; `$.a` had enough.
        #expect(batch.examplesDropped == 2 && batch.examples.count == 3)
    }

    @Test func mergedBatchesHoldWhatOneBatchWouldHold() {
        let key = VerdictKey(extraction: "orders", endpoint: "e", verdict: .notCompared, reason: "shed")
        let fallback = FallbackKey(extraction: "orders", endpoint: "GET /orders/{id}", reason: "circuit-open")
        var whole = EvidenceBatch()
        var parts = EvidenceBatch()
        for number in 0..<20 {
            var part = EvidenceBatch()
            let at = noon.addingTimeInterval(Double(number))
            for change in [
                { (batch: inout EvidenceBatch) in
                    batch.count(key, times: 2)
                    batch.add(self.record("$[\(number)].\(number % 3)", at: at))
                    batch.addWithoutExample(self.record("$.x").signature, at: at)
                    batch.countFallback(fallback, at: at)
                }
            ] {
                change(&part)
                change(&whole)
            }
            parts.merge(part)
        }
        #expect(parts == whole)
        #expect(parts.fallbacks[fallback] == FallbackTally(count: 20, last: noon.addingTimeInterval(19)))
        parts.merge(EvidenceBatch())
        #expect(parts == whole)
    }
}

/// What a batch holds beside verdicts and groups, while the store is away for long.
struct EvidenceBoundsTests {
    private let limits = EvidenceLimits(latencies: 2, rules: 2, noiseScopes: 2, noiseFieldsPerScope: 3, noiseFields: 4)

    private func scope(_ endpoint: Int) -> NoiseScope {
        NoiseScope(extraction: "orders", endpoint: "\(endpoint)", side: .monolith)
    }

    private func tally(_ fields: Int...) -> NoiseTally {
        NoiseTally(
            compared: NoiseCount(twins: 1, pairs: 2),
            differing: Dictionary(
                uniqueKeysWithValues: fields.map {
                    (GroupedDifference(path: "$.\($0)", kind: .value), NoiseCount(twins: 0, pairs: 1))
                }))
    }

    @Test func keysBeyondTheLimitsAreCountedAsLostAndKnownOnesGoOn() {
        var batch = EvidenceBatch(limits: limits)
        for round in 1...2 {
            for endpoint in 0..<4 {
                let key = LatencyKey(extraction: "orders", endpoint: "\(endpoint)", side: .service)
                batch.countLatency(key, nanoseconds: 1)
                batch.countHidden(RuleKey(extraction: "orders", rule: "\(endpoint)"), differences: 3, at: noon)
            }
            #expect(batch.latencies.count == 2 && batch.hiddenByRules.count == 2)
            #expect(batch.latencies.values.allSatisfy { $0.total == round })
            #expect(batch.hiddenByRules.values.allSatisfy { $0.pairs == round })
            #expect(batch.losses == [.latenciesDropped: 2 * round, .ruleHitsDropped: 6 * round])
        }
        #expect(batch.examplesDropped == 0 && batch.mismatchesUngrouped == 0)
    }

    @Test func noiseIsBoundedByScopesAndFieldsAndItsComparisonsAreNot() {
        var batch = EvidenceBatch(limits: limits)
        batch.countNoise(scope(0), tally(1, 2))
        batch.countNoise(scope(0), tally(3, 4))
        #expect(batch.noise[scope(0)]?.differing.count == 3 && batch.losses == [.noiseDropped: 1])
        batch.countNoise(scope(1), tally(1, 2))
        #expect(batch.noise[scope(1)]?.differing.count == 1 && batch.losses == [.noiseDropped: 2])
        batch.countNoise(scope(2), tally(1, 2, 3))
        #expect(batch.noise[scope(2)] == nil && batch.losses == [.noiseDropped: 5])
        batch.countNoise(scope(0), tally(1, 2))
        #expect(batch.noise[scope(0)]?.compared == NoiseCount(twins: 3, pairs: 6))
    }

    @Test func fieldsThatTwinsShowTakeThePlacesOfThoseThatOnlyPairsShow() {
        var batch = EvidenceBatch(limits: limits)
        batch.countNoise(scope(0), tally(1, 2, 3))
        for field in [7, 8, 7] {
            let path = GroupedDifference(path: "$.\(field)", kind: .value)
            batch.countNoise(scope(0), NoiseTally(differing: [path: NoiseCount(twins: 1)]))
        }
        let known = batch.noise[scope(0)]?.differing ?? [:]
        #expect(known.count == 3 && known.values.map(\.twins).sorted() == [0, 1, 2])
        #expect(batch.losses == [.noiseDropped: 2])
    }

    @Test func namesMadeUpAnewEachTimeAreLeftOutOverManyBatchesAndKnownOnesGoOn() {
        var model = NoiseModel()
        var handed: Set<GroupedDifference> = []
        var (lost, steady) = (0, 0)
        let always = GroupedDifference(path: "$.1", kind: .value)
        for round in 0..<50 {
            var batch = EvidenceBatch()
            batch.countNoise(scope(0), tally(1))
            for number in 0..<100 { batch.countNoise(scope(0), tally(1_000 + round * 100 + number)) }
            batch.limitNoise(to: model)
            model.learn(batch.noise)
            handed.formUnion(batch.noise[scope(0)]?.differing.keys.map(\.self) ?? [])
            steady += batch.noise[scope(0)]?.differing[always]?.pairs ?? 0
            lost += batch.losses[.noiseDropped, default: 0]
            #expect(batch.noise[scope(0)]?.compared == NoiseCount(twins: 101, pairs: 202))
        }
        #expect(handed.count == NoiseTally.maximumFields && steady == 50)
        #expect(lost == 5_001 - NoiseTally.maximumFields)
        // Twins show one that had no place: it gets one, the pairs' count of it begins there.
        let noisy = GroupedDifference(path: "$.noisy", kind: .value)
        var batch = EvidenceBatch()
        batch.countNoise(
            scope(0), NoiseTally(compared: NoiseCount(twins: 1), differing: [noisy: NoiseCount(twins: 1, pairs: 1)]))
        batch.limitNoise(to: model)
        model.learn(batch.noise)
        #expect(model.baseline(of: scope(0)).tally.differing[noisy]?.twins == 1)
        #expect(model.baseline(of: scope(0)).tally.differing.count <= NoiseTally.maximumFields)
        #expect(model.baseline(of: scope(0)).tally.differing[always]?.pairs == 50)
        #expect(model.unplaced([always: NoiseCount(pairs: 1), noisy: NoiseCount(pairs: 1)], in: scope(0)).isEmpty)
    }

    @Test func aScopeWithoutAPlaceHandsOnNoFields() {
        var model = NoiseModel()
        for number in 1...NoiseModel.maximumScopes { model.learn([scope(number): tally(1)]) }
        var batch = EvidenceBatch()
        batch.countNoise(scope(0), tally(1, 2))
        batch.countNoise(scope(1), tally(1, 2))
        batch.limitNoise(to: model)
        #expect(batch.noise[scope(0)]?.differing.isEmpty == true && batch.noise[scope(1)]?.differing.count == 2)
        #expect(batch.losses == [.noiseDropped: 2])
    }

    @Test func aMergedBatchKeepsItsOwnLimitsAndTheLossesOfBoth() {
        var merged = EvidenceBatch(limits: limits)
        for endpoint in 0..<5 {
            var part = EvidenceBatch(limits: limits)
            for _ in 0..<3 {
                let key = LatencyKey(extraction: "orders", endpoint: "\(endpoint)", side: .service)
                part.countLatency(key, nanoseconds: 1)
                part.countHidden(RuleKey(extraction: "orders", rule: "\(endpoint)"), differences: 1, at: noon)
                part.countNoise(scope(endpoint), tally(1, 2, 3, 4))
            }
            #expect(part.losses == [.noiseDropped: 3])
            merged.merge(part)
        }
        #expect(merged.latencies.count == 2 && merged.hiddenByRules.count == 2 && merged.noise.count == 2)
        #expect(merged.noise.values.reduce(0) { $0 + $1.differing.count } == 4)
        // Of noise: 15 within the parts, 2 fields of the second scope, 3 of each of the last three.
        #expect(merged.losses == [.latenciesDropped: 9, .ruleHitsDropped: 9, .noiseDropped: 15 + 2 + 9])
    }
}
