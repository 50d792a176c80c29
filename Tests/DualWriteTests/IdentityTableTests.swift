import DualWrite
import Extraction
import TestSupport
import Testing

struct IdentityTableTests {
    private func pair(_ monolith: String, _ service: String) -> IdentityPair {
        IdentityPair(kind: "$.id", monolith: monolith, service: service)
    }

    private func question(_ value: String, _ side: Side = .monolith) -> IdentityQuestion {
        IdentityQuestion(extraction: "orders", kind: "$.id", side: side, value: value)
    }

    @Test func aPairIsFoundByEitherName() {
        var table = IdentityTable(limit: 10, unfiledLimit: 10)
        #expect(table.insert(pair("1", "a"), extraction: "orders", isFiled: false) == .new)
        #expect(table.insert(pair("1", "a"), extraction: "orders", isFiled: false) == .known)
        #expect(table.pair(of: question("1"))?.service == "a")
        #expect(table.pair(of: question("a", .service))?.monolith == "1")
        #expect(table.pair(of: question("a")) == nil)
        #expect(table.pair(of: IdentityQuestion(extraction: "o", kind: "$.id", side: .monolith, value: "1")) == nil)
        #expect(table.pair(of: IdentityQuestion(extraction: "orders", kind: "$.x", side: .monolith, value: "1")) == nil)
    }

    @Test func theFirstOfTwoThatContradictEachOtherStays() {
        var table = IdentityTable(limit: 10, unfiledLimit: 10)
        _ = table.insert(pair("1", "a"), extraction: "orders", isFiled: false)
        _ = table.insert(pair("2", "b"), extraction: "orders", isFiled: false)
        #expect(table.insert(pair("1", "c"), extraction: "orders", isFiled: false) == .conflict(with: pair("1", "a")))
        #expect(table.insert(pair("3", "a"), extraction: "orders", isFiled: false) == .conflict(with: pair("1", "a")))
        #expect(table.insert(pair("1", "b"), extraction: "orders", isFiled: false) == .conflict(with: pair("1", "a")))
        #expect(table.count == 2)
        table.replace(with: pair("1", "b"), extraction: "orders")
        #expect(table.count == 1)
        #expect(table.pair(of: question("1"))?.service == "b")
        #expect(table.pair(of: question("2")) == nil && table.pair(of: question("a", .service)) == nil)
    }

    @Test func whatIsFiledGivesWayFirst() {
        var table = IdentityTable(limit: 3, unfiledLimit: 4)
        for number in 1...3 { _ = table.insert(pair("\(number)", "s\(number)"), extraction: "orders", isFiled: true) }
        _ = table.pair(of: question("1"))
        _ = table.insert(pair("4", "s4"), extraction: "orders", isFiled: false)
        #expect(table.pair(of: question("2")) == nil)
        #expect(table.pair(of: question("1")) != nil)
        for number in 5...8 { _ = table.insert(pair("\(number)", "s\(number)"), extraction: "orders", isFiled: false) }
        #expect(table.count == 4 && table.unfiledCount == 4)
        #expect(table.pair(of: question("4")) == nil && table.pair(of: question("8")) != nil)
        #expect(table.lost == 1 && table.evicted == 4)
        table.filed([pair("8", "s8"), pair("7", "x"), pair("6", "s6")], extraction: "orders")
        #expect(table.unfiledCount == 2 && table.count == 3)
    }

    @Test func spellingsAreAdded() {
        var table = IdentityTable(limit: 10, unfiledLimit: 10)
        _ = table.insert(pair("1", "a"), extraction: "orders", isFiled: false)
        var spelled = pair("1", "a")
        spelled.spelling = [.monolithNumber]
        #expect(table.insert(spelled, extraction: "orders", isFiled: true) == .known)
        #expect(table.pair(of: question("1"))?.spelling == [.monolithNumber])
        #expect(table.unfiledCount == 0)
    }

    /// Against a list of pairs, searched from the front.
    @Test func anyOrderOfCallsLeavesOnePartnerEach() {
        var generator = SeededGenerator(seed: 7)
        var table = IdentityTable(limit: 1_000, unfiledLimit: 1_000)
        var model: [IdentityPair] = []
        for _ in 0..<3_000 {
            let one = pair(
                "\(Int.random(in: 0..<60, using: &generator))", "s\(Int.random(in: 0..<60, using: &generator))")
            if Int.random(in: 0..<20, using: &generator) == 0 {
                model.removeAll { $0.monolith == one.monolith || $0.service == one.service }
                model.append(one)
                table.replace(with: one, extraction: "orders")
            } else {
                let isFree = !model.contains { $0.monolith == one.monolith || $0.service == one.service }
                let learned = table.insert(one, extraction: "orders", isFiled: Bool.random(using: &generator))
                #expect((learned == .new) == isFree)
                if isFree { model.append(one) }
            }
            #expect(table.count == model.count)
            #expect(table.pair(of: question(one.monolith)) == model.first { $0.monolith == one.monolith })
            #expect(table.pair(of: question(one.service, .service)) == model.first { $0.service == one.service })
        }
    }
}
