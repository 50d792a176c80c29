import Comparison
import FoundationEssentials
import Testing

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
        #expect(batch.examplesDropped == 10)
        #expect(batch.mismatchesUngrouped == 1)
        #expect(!batch.hasRoomForExample(of: record("$.b").signature))
        #expect(!batch.isEmpty)
    }

    @Test func mergedBatchesHoldWhatOneBatchWouldHold() {
        let key = VerdictKey(extraction: "orders", endpoint: "e", verdict: .notCompared, reason: "shed")
        let fallback = FallbackKey(extraction: "orders", reason: "circuit-open")
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
