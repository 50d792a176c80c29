import DualWrite
import Extraction
import TestSupport
import Testing

@Suite struct ReconcileWalkTests {
    private static func finding(_ entity: Int, _ result: ReconcileFinding.Result) -> ReconcileFinding {
        ReconcileFinding(entity: "/\(entity)", result: result, primary: .monolith, reason: "no answer from /\(entity)")
    }

    private static func looked(_ entity: Int, _ result: ReconcileFinding.Result = .same) -> ReconcileWalk.Outcome {
        .looked(finding(entity, result))
    }

    private static func silent(_ entity: Int) -> ReconcileWalk.Outcome { .unreachable(finding(entity, .unreadable)) }

    private func take(_ entities: Range<Int>, _ walk: inout ReconcileWalk) -> [Int] {
        entities.compactMap { walk.took(.entity("/\($0)")) }
    }

    @Test func theCursorStopsBeforeTheFirstThatIsUnderWay() {
        var walk = ReconcileWalk(counts: ReconcileCounts(total: 3))
        let numbers = take(1..<4, &walk)
        #expect(walk.end == .entity("/3") && !walk.isSettled)
        walk.looked(numbers[1], Self.looked(2, .differs))
        walk.looked(numbers[2], Self.looked(3))
        #expect(walk.place == .start && walk.counts.checked == 0 && walk.found == [])
        walk.looked(numbers[0], Self.looked(1))
        #expect(walk.place == .entity("/3") && walk.isSettled)
        #expect(walk.counts.checked == 3 && walk.counts.same == 2 && walk.counts.differs == 1)
        #expect(walk.found.map(\.entity) == ["/2"])
    }

    @Test func aSilentSideCountsOnlyIfOthersAreReadAfterIt() {
        var walk = ReconcileWalk()
        let numbers = take(1..<5, &walk)
        walk.looked(numbers[0], Self.silent(1))
        walk.looked(numbers[1], Self.silent(2))
        #expect(walk.counts.checked == 0 && !walk.isSettled)
        walk.looked(numbers[2], Self.looked(3))
        #expect(walk.counts.checked == 3 && walk.counts.unreadable == 2 && walk.place == .entity("/3"))
        walk.looked(numbers[3], Self.silent(4))
        #expect(walk.place == .entity("/3"))
        walk.ended()
        #expect(walk.counts.unreadable == 3 && walk.isSettled && walk.halted == nil)
    }

    @Test func sidesThatAreNotThereHaltTheWalkBeforeTheFirstThatWasNotRead() {
        var walk = ReconcileWalk()
        let numbers = take(0..<ReconcileWalk.patience + 1, &walk)
        walk.looked(numbers[0], Self.looked(0))
        for number in numbers.dropFirst() { walk.looked(number, Self.silent(number)) }
        #expect(walk.halted == "no answer from /1")
        #expect(walk.place == .entity("/0") && walk.counts.checked == 1 && walk.counts.unreadable == 0)
        #expect(walk.took(.entity("/99")) == nil)
        walk.ended()
        #expect(walk.place == .entity("/0"))
    }

    @Test func numbersThatAreNotUnderWayChangeNothing() {
        var walk = ReconcileWalk()
        let numbers = take(1..<2, &walk)
        walk.looked(numbers[0], Self.looked(1))
        let before = walk
        walk.looked(numbers[0], Self.looked(1, .differs))
        walk.looked(-1, Self.looked(1))
        walk.looked(.max, Self.looked(1))
        #expect(walk == before)
    }

    @Test func findingsAreBoundedAndCountsAreNot() {
        var walk = ReconcileWalk()
        for entity in 0..<500 {
            guard let number = walk.took(.entity("/\(entity)")) else { continue }
            walk.looked(number, Self.looked(entity, .missing))
        }
        #expect(walk.found.count == ReconcileWalk.findingLimit && walk.counts.missing == 500)
        #expect(walk.counts.total == 500 && !walk.counts.isClean)
    }

    /// Whatever finishes when: broken off anywhere and begun again from what was written down, each entity is counted once.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func everyEntityIsCountedOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let total = 60
        var stored = ReconcileWalk(counts: ReconcileCounts(total: total))
        var runs = 0
        while stored.counts.checked < total, runs < 1_000 {
            runs += 1
            var walk = ReconcileWalk(at: stored.place, counts: stored.counts, found: stored.found)
            var next = walk.counts.checked
            var underWay: [(number: Int, entity: Int)] = []
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                if next < total, underWay.count < 4, let number = walk.took(.entity("/\(next)")) {
                    underWay.append((number, next))
                    next += 1
                }
                guard !underWay.isEmpty, Bool.random(using: &random) else { continue }
                let done = underWay.remove(at: Int.random(in: 0..<underWay.count, using: &random))
                let isSilent = Int.random(in: 0..<4, using: &random) == 0
                walk.looked(done.number, isSilent ? Self.silent(done.entity) : Self.looked(done.entity))
            }
            if next == total, underWay.isEmpty { walk.ended() }
            #expect(walk.place == (walk.counts.checked == 0 ? .start : .entity("/\(walk.counts.checked - 1)")))
            stored = walk
        }
        #expect(stored.counts.checked == total)
        #expect(stored.counts.same + stored.counts.unreadable == total)
    }

    @Test(arguments: [
        ReconcileWalk.Place.start, .entity("/api/v1/orders/1"), .entity(""), .pair(kind: "$.orderId", monolith: "17"),
        .pair(kind: "$['a b']", monolith: " 1 2"), .pair(kind: "", monolith: ""), .pair(kind: "$.é", monolith: "ü"),
    ])
    func placesAreReadAsTheyWereWritten(place: ReconcileWalk.Place) {
        #expect(ReconcileWalk.Place(text: place.text) == place)
    }

    @Test(arguments: ["", "x", "pair", "pair x", "pair 5 ab", "pair -1 ab", "pair 1 é", "pair 99999999999999999999 x"])
    func otherTextsAreNoPlaces(text: String) {
        #expect(ReconcileWalk.Place(text: text) == nil)
    }
}
