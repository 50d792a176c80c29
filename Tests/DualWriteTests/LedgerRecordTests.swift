import DualWrite
import Extraction
import TestSupport
import Testing

@Suite struct LedgerRecordTests {
    @Test func `any record is read as it was written, whole and at a glance`() throws {
        var chance = SeededGenerator(seed: 6)
        var kinds: [LedgerRecord.Kind: Int] = [:]
        for _ in 0..<2_000 {
            let record = LedgerRecord.random(&chance)
            kinds[record.kind, default: 0] += 1
            let bytes = record.encoded
            #expect(LedgerRecord(bytes) == record)
            let glance = try #require(bytes.withUnsafeBytes { LedgerGlance($0) })
            #expect(glance.kind == record.kind)
            #expect(glance.sequence == record.facts.sequence)
            #expect(glance.id == record.facts.id)
            #expect(glance.lane == record.facts.lane)
            #expect(glance.primary == record.facts.primary)
            #expect(Array(bytes[glance.extraction]) == Array(record.facts.extraction.utf8))
            #expect(Array(bytes[glance.endpoint]) == Array(record.facts.endpoint.utf8))
            switch record {
            case .outcome(_, let outcome): #expect(glance.answeredBy == outcome.answeredBy)
            case .attempted(_, let attempts, _): #expect(glance.attempts == attempts)
            case .carried(let write):
                #expect(glance.answeredBy == write.outcome?.answeredBy)
                #expect(glance.attempts == write.attempts)
                #expect(glance.isRetried == write.isRetried)
            default: break
            }
        }
        #expect(kinds.count == LedgerRecord.Kind.allCases.count)
    }

    @Test func `a record that is cut short or has a byte more is none`() {
        var chance = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let bytes = LedgerRecord.random(&chance).encoded
            for length in 0..<bytes.count { #expect(LedgerRecord(Array(bytes[..<length])) == nil) }
            #expect(LedgerRecord(bytes + [0]) == nil)
        }
    }

    @Test func `changed bytes are another record of one form, or none`() {
        var chance = SeededGenerator(seed: 8)
        var accepted = 0
        for _ in 0..<3_000 {
            var bytes = LedgerRecord.random(&chance).encoded
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                let place = Int.random(in: 0..<bytes.count, using: &chance)
                bytes[place] = .random(in: 0...255, using: &chance)
            }
            guard let record = LedgerRecord(bytes) else { continue }
            accepted += 1
            #expect(record.encoded == bytes)
        }
        #expect(accepted > 100)
    }

    @Test func `another version is refused`() {
        var bytes = LedgerRecord.intent(.sample(1)).encoded
        bytes[0] = 2
        #expect(LedgerRecord(bytes) == nil)
        #expect(bytes.withUnsafeBytes { LedgerGlance($0) } == nil)
    }
}
