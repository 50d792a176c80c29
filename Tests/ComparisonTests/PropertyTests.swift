import Comparison
import TestSupport
import Testing

struct PropertyTests {
    private struct Seen: Hashable, Comparable {
        let path: String
        let kind: DifferenceKind

        static func < (left: Seen, right: Seen) -> Bool {
            (left.path, left.kind.rawValue) < (right.path, right.kind.rawValue)
        }
    }

    @Test func aDocumentEqualsItselfHoweverItIsWritten() {
        var generator = SeededGenerator(seed: 31)
        for _ in 0..<1_000 {
            let value = RandomJSON.random(depth: 5, using: &generator)
            let (one, other) = (value.text(using: &generator), value.text(using: &generator))
            #expect(differences(one, other) == [], "\(one) \(other)")
        }
    }

    @Test func differentDocumentsDifferAndSwappingSidesMirrorsThat() {
        var generator = SeededGenerator(seed: 32)
        var changed = 0
        for _ in 0..<1_000 {
            let value = RandomJSON.random(depth: 4, using: &generator)
            let change = value.changed(using: &generator)
            let (one, other) = (value.text(using: &generator), change.text(using: &generator))
            let found = compare(json(one), json(other)).differences
            #expect(found.isEmpty == (value == change), "\(one) \(other)")
            changed += found.isEmpty ? 0 : 1
            let mirrored = compare(json(other), json(one)).differences.map { difference in
                let kind: DifferenceKind =
                    switch difference.kind {
                    case .missing: .extra
                    case .extra: .missing
                    default: difference.kind
                    }
                return Seen(path: difference.pattern, kind: kind)
            }
            #expect(
                mirrored.sorted() == found.map { Seen(path: $0.pattern, kind: $0.kind) }.sorted(), "\(one) \(other)")
        }
        #expect(changed > 500)
    }

    @Test func anArrayThatMayBeInAnyOrderEqualsItsShuffles() throws {
        var generator = SeededGenerator(seed: 33)
        let rules = ComparisonRules(unordered: [
            UnorderedRule(path: try path("$..*")), UnorderedRule(path: try path("$")),
        ])
        for _ in 0..<300 {
            let elements = (0..<6).map { _ in RandomJSON.random(depth: 3, using: &generator) }
            let one = RandomJSON.array(elements).text(using: &generator)
            let other = RandomJSON.array(elements.shuffled(using: &generator)).text(using: &generator)
            #expect(differences(one, other, rules: rules) == [], "\(one) \(other)")
        }
    }

    @Test func whatIsInsertedOnceIsOneDifference() {
        var generator = SeededGenerator(seed: 35)
        var inserted = 0
        for _ in 0..<1_000 {
            let value = RandomJSON.random(depth: 5, using: &generator)
            guard let longer = value.inserting(using: &generator) else { continue }
            inserted += 1
            let (one, other) = (value.text(using: &generator), longer.text(using: &generator))
            #expect(compare(json(one), json(other)).differences.map(\.kind) == [.extra], "\(one) \(other)")
            #expect(compare(json(other), json(one)).differences.map(\.kind) == [.missing], "\(one) \(other)")
        }
        #expect(inserted > 400)
    }

    @Test func groupedPathsArePatternsThatNameThePlace() throws {
        var generator = SeededGenerator(seed: 36)
        for _ in 0..<300 {
            let value = RandomJSON.random(depth: 4, using: &generator)
            let one = value.text(using: &generator)
            let other = value.changed(using: &generator).text(using: &generator)
            let found = compare(json(one), json(other)).differences
            for difference in found {
                #expect(try PathPattern(difference.pattern).description == difference.pattern)
                #expect(difference.pattern == GroupedDifference(difference).path)
                #expect(
                    difference.pattern
                        == Difference(path: difference.path, kind: .value, primary: "", shadow: "").pattern)
            }
            let rules = ComparisonRules(ignore: try found.map { IgnoreRule(path: try path($0.pattern)) })
            #expect(differences(one, other, rules: rules) == [], "\(one) \(other)")
        }
    }

    @Test func rulesAboutOtherPlacesChangeNothing() throws {
        var generator = SeededGenerator(seed: 37)
        let rules = ComparisonRules(
            ignore: [IgnoreRule(path: try path("$..nowhere")), IgnoreRule(path: try path("$.no.where[*]"))],
            tolerance: [ToleranceRule(path: try path("$..nobody"), kind: .number(1))])
        for _ in 0..<500 {
            let value = RandomJSON.random(depth: 4, using: &generator)
            let one = value.text(using: &generator)
            let other = value.changed(using: &generator).text(using: &generator)
            #expect(differences(one, other, rules: rules) == differences(one, other), "\(one) \(other)")
        }
    }

    @Test func bytesOfAnyKindAreComparedOrRefusedButNeverTrap() throws {
        var generator = SeededGenerator(seed: 38)
        let rules = ComparisonRules(
            ignore: [IgnoreRule(path: try path("$..id"))], unordered: [UnorderedRule(path: try path("$.items"))],
            equivalence: try EquivalenceRule.Kind.allCases.map { EquivalenceRule(path: try path("$..*"), as: $0) })
        for round in 0..<3_000 {
            let value = RandomJSON.random(depth: 4, using: &generator)
            var (one, other) = (json(value.text(using: &generator)), json(value.text(using: &generator)))
            if round % 3 == 0 {
                one.body = (0..<40).map { _ in
                    Array("[]{},:\"\\ue1-.0 \u{FF}".utf8).randomElement(using: &generator) ?? 0
                }
            }
            for _ in 0..<Int.random(in: 0..<3, using: &generator) where !other.body.isEmpty {
                let index = Int.random(in: 0..<other.body.count, using: &generator)
                other.body[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let result = compare(one, other, rules: rules)
            #expect(result.hiddenByRule.count == rules.names.count)
            #expect(result.hiddenByRule.allSatisfy { $0 >= 0 })
        }
    }

    @Test func everyReportedPathIsAPatternInItsCanonicalForm() throws {
        var generator = SeededGenerator(seed: 34)
        for _ in 0..<300 {
            let one = RandomJSON.random(depth: 4, using: &generator)
            let other = one.changed(using: &generator).text(using: &generator)
            for difference in compare(json(one.text(using: &generator)), json(other)).differences {
                #expect(try PathPattern(difference.path).description == difference.path)
            }
        }
    }
}
