import Comparison
import TestSupport
import Testing

/// Bodies that somebody made to be expensive or to be misread.
struct AdversarialTests {
    @Test func hundredThousandContainersAreRefused() {
        let deep = { (depth: Int, open: String, core: String, close: String) in
            String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let result = compare(json(deep(100_000, open, "1", close)), json(deep(100_000, open, "2", close)))
            #expect(result.notCompared == .bodyTooDeep)
            #expect(compare(json(deep(512, open, "1", close)), json(deep(512, open, "2", close))).verdict == .mismatch)
        }
    }

    @Test func deepArraysWithSomethingBesideAreNotSearchedAgainAndAgain() {
        let nest = { (core: String) in
            String(repeating: "[", count: 500) + core + String(repeating: ",{\"a\":1,\"b\":2}]", count: 500)
        }
        let turned = { (core: String) in
            String(repeating: "[", count: 500) + core + String(repeating: ",{\"b\":2,\"a\":1}]", count: 500)
        }
        let numbers = (0..<2_000).map(String.init).joined(separator: ",")
        let result = compare(json(nest("[\(numbers),1]")), json(turned("[\(numbers),2]")))
        #expect(result.differences.map(\.kind) == [.value])
    }

    @Test(arguments: [("$..nowhere", EquivalenceRule.Kind.case), ("$..*", .nullMissing), ("$..*", .stringNumber)])
    func whatDiffersOnEveryLevelIsNotSearchedTwiceOnEach(place: String, kind: EquivalenceRule.Kind) throws {
        let rules = ComparisonRules(
            unordered: [UnorderedRule(path: try path("$..bag"))],
            equivalence: [EquivalenceRule(path: try path(place), as: kind)])
        let nest = { (open: String, core: String, close: String) in
            (0..<28).reduce(core) { inner, level in "\(open)\(inner),\(level)\(close)" }
        }
        for (open, close) in [("[", "]"), ("{\"bag\":[", "]}")] {
            let (one, other) = (nest(open, "1", ".5" + close), nest(open, "2", ".25" + close))
            let result = compare(json(one), json(other), rules: rules)
            #expect(result.notCompared == nil)
            #expect(result.differences.map(\.kind) == Array(repeating: .value, count: 29))
        }
    }

    @Test func whatIsTooDeepForARuleIsSaidOfThePlaceAroundIt() throws {
        let deep = { (open: String, core: String, close: String) in
            String(repeating: open, count: 200) + core + String(repeating: close, count: 200)
        }
        for (open, close, steps) in [("[", "]", 59), ("{\"a\":", "}", 59), ("{\"a\":0,\"a\":", "}", 60)] {
            let (one, other) = (deep(open, "[1,2,3]", close), deep(open, "[4,5,6]", close))
            let found = compare(json(one), json(other)).differences
            #expect(found.map(\.kind) == [.value])
            let place = try path(try #require(found.first?.path))
            #expect(place.description.filter { $0 == "[" || $0 == "." }.count == steps)
            #expect(differences(one, other, rules: ComparisonRules(ignore: [IgnoreRule(path: place)])) == [])
        }
    }

    @Test func aRedactedBodyWithManyDifferencesIsPrintedOnce() throws {
        let text = { (offset: Int) in "[" + (0..<10_000).map { "[\($0),\($0 + offset)]" }.joined(separator: ",") + "]" }
        for place in ["body", "$", "$[*]"] {
            let rules = ComparisonRules(redact: [try path(place)])
            let result = compare(
                json(text(1)), json(text(2)), rules: rules, limits: ComparisonLimits(differences: 20_000))
            #expect(result.differences.count == (place == "$[*]" ? 10_000 : 1))
        }
    }

    @Test func aMillionNamesInAnotherOrderAreEqual() {
        let members = (0..<1_000_000).map { "\"k\($0)\":0" }
        let one = "{" + members.joined(separator: ",") + "}"
        let other = "{" + members.reversed().joined(separator: ",") + "}"
        #expect(differences(one, other) == [])
    }

    @Test func aMillionElementsReversedAreOneDifference() {
        let numbers = (0..<1_000_000).map(String.init)
        let result = compare(
            json("[" + numbers.joined(separator: ",") + "]"),
            json("[" + numbers.reversed().joined(separator: ",") + "]"))
        #expect(result.differences.map(\.kind) == [.order])
        #expect(result.notCompared == nil)
    }

    @Test func twoHundredThousandRandomBitsEndInTheBudget() {
        var generator = SeededGenerator(seed: 71)
        let bits = { (generator: inout SeededGenerator) in
            "[" + (0..<200_000).map { _ in Bool.random(using: &generator) ? "1" : "0" }.joined(separator: ",") + "]"
        }
        let result = compare(
            json(bits(&generator)), json(bits(&generator)), limits: ComparisonLimits(alignmentWork: 10_000))
        #expect(result.verdict == .mismatch)
        #expect(result.notCompared == .alignmentTooLarge)
    }

    @Test(arguments: [
        ("1e999999999", "1e999999998", "value $"), ("9007199254740993", "9007199254740992", "value $"),
        ("1.0", "1", "value $"), ("1e0", "1", "value $"), ("\"\\ud800\"", "\"\\udc00\"", "value $"),
        ("\"\\u00e9\"", "\"e\\u0301\"", "value $"), ("NaN", "1", "format body"), ("Infinity", "1e999", "format body"),
        ("\u{FEFF}1", "1", "format body"), ("\"\\u0000\"", "\"\"", "value $"), ("\"a\"", "\"a\\u0000\"", "value $"),
    ])
    func whatLooksAlikeIsToldApart(one: String, other: String, expected: String) {
        #expect(differences(one, other) == [expected])
        #expect(differences(other, one) == [expected])
        #expect(compare(json(one), json(one)).verdict == .match)
    }

    @Test func invalidUTF8IsNoText() {
        var broken = json("[\"a\"]")
        broken.body[2] = 0xFF
        #expect(compare(broken, json("[\"a\"]")).differences.map(\.kind) == [.format])
    }

    @Test func repeatedNamesAreSequences() {
        #expect(differences(#"{"a":1,"b":0,"a":2}"#, #"{"b":0,"a":1,"a":2}"#) == [])
        #expect(differences(#"{"a":1,"a":2}"#, #"{"a":0,"a":1,"a":2}"#) == ["extra $.a[0]"])
        let many = (0..<300).map { "\"k\($0 % 100)\":\($0)" }
        #expect(differences("{\(many.joined(separator: ","))}", "{\(many.joined(separator: ","))} ") == [])
        var fewer = many
        fewer.remove(at: 150)
        #expect(
            differences("{\(many.joined(separator: ","))}", "{\(fewer.joined(separator: ","))}") == ["missing $.k50[1]"]
        )
    }
}
