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
                return Seen(path: difference.path, kind: kind)
            }
            #expect(mirrored.sorted() == found.map { Seen(path: $0.path, kind: $0.kind) }.sorted(), "\(one) \(other)")
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
