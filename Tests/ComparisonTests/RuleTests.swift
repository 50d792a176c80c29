import Comparison
import FoundationEssentials
import TestSupport
import Testing

struct RuleTests {
    private func ignoring(_ paths: String..., until: Date? = nil) throws -> ComparisonRules {
        ComparisonRules(ignore: try paths.map { IgnoreRule(path: try path($0), until: until) })
    }

    private func tolerating(_ text: String, _ kind: ToleranceRule.Kind) throws -> ComparisonRules {
        ComparisonRules(tolerance: [ToleranceRule(path: try path(text), kind: kind)])
    }

    @Test func anIgnoredPlaceHidesAllBelowItAndIsCounted() throws {
        let rules = try ignoring("$.meta", "$..etag", "$.unused")
        let result = compare(
            json(#"{"meta":{"a":1,"b":[1]},"x":{"etag":1},"y":1}"#),
            json(#"{"meta":{"a":2,"b":[2]},"x":{"etag":2},"y":2}"#), rules: rules)
        #expect(result.differences.map(\.path) == ["$.y"])
        #expect(result.hiddenByRule == [2, 1, 0])
    }

    @Test func anIgnoreRuleEndsAtItsMoment() throws {
        let pair = (json(#"{"a":1}"#), json(#"{"a":2}"#))
        let live = compare(pair.0, pair.1, rules: try ignoring("$.a", until: noon.addingTimeInterval(1)))
        #expect(live.verdict == .match)
        let over = compare(pair.0, pair.1, rules: try ignoring("$.a", until: noon))
        #expect(over.verdict == .mismatch)
        #expect(over.hiddenByRule == [0])
    }

    @Test func statusHeadersAndBodyCanBeIgnored() throws {
        let one = answer("a", type: "text/plain", status: 200)
        let other = answer("b", type: "text/html", status: 500)
        let result = compare(one, other, rules: try ignoring("status", "header.content-type", "body"))
        #expect(result.verdict == .match)
        #expect(result.hiddenByRule == [1, 1, 1])
        #expect(compare(json("[1]"), json("[2]"), rules: try ignoring("body")).verdict == .match)
    }

    @Test func ignoringEveryReportedPathLeavesNothing() throws {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<500 {
            let value = RandomJSON.random(depth: 4, using: &generator)
            let one = value.text(using: &generator)
            let other = value.changed(using: &generator).text(using: &generator)
            let found = compare(json(one), json(other)).differences
            let rules = ComparisonRules(ignore: try found.map { IgnoreRule(path: try path($0.path)) })
            #expect(differences(one, other, rules: rules) == [], "\(one) \(other)")
        }
    }

    @Test func unorderedArraysAreBags() throws {
        let rules = ComparisonRules(unordered: [UnorderedRule(path: try path("$.tags"))])
        #expect(differences(#"{"tags":["a","b"]}"#, #"{"tags":["b","a"]}"#, rules: rules) == [])
        #expect(
            differences(#"{"tags":["a","b","b"]}"#, #"{"tags":["b","a","a"]}"#, rules: rules) == ["value $.tags[2]"])
        #expect(differences(#"{"tags":["a","b"]}"#, #"{"tags":["b"]}"#, rules: rules) == ["missing $.tags[0]"])
        #expect(differences(#"{"tags":[]}"#, #"{"tags":["b"]}"#, rules: rules) == ["extra $.tags[0]"])
    }

    @Test func repeatedElementsOfXMLAreBags() throws {
        func list(_ items: String) -> Answer { answer("<r><n>1</n><list>\(items)</list></r>", type: "text/xml") }
        func found(_ one: String, _ other: String, _ rule: UnorderedRule) -> [String] {
            compare(list(one), list(other), rules: ComparisonRules(unordered: [rule])).differences.map {
                "\($0.kind.rawValue) \($0.path)"
            }
        }
        let (one, other) = ("<i>a</i><i>b</i><i>c</i>", "<i>c</i><i>a</i><i>b</i>")
        #expect(found(one, other, UnorderedRule(path: try path("$.r.other"))) == ["order $.r.list.i"])
        for place in ["$.r.list.i", "$..i", "$..list.i"] {
            let bag = UnorderedRule(path: try path(place))
            #expect(found(one, other, bag) == [])
            #expect(found(one, "<i>c</i><i>x</i><i>b</i>", bag) == ["value $.r.list.i[0]"])
            #expect(found(one, "<i>c</i>", bag) == ["missing $.r.list.i[0]", "missing $.r.list.i[1]"])
        }
        let hidden = compare(
            list(one), list(other), rules: ComparisonRules(unordered: [UnorderedRule(path: try path("$..i"))]))
        #expect(hidden.hiddenByRule == [1])
        let keyed = UnorderedRule(path: try path("$..i"), key: try path("$.id"))
        #expect(
            found(
                "<i><id>1</id><v>x</v></i><i><id>2</id><v>y</v></i>",
                "<i><id>2</id><v>z</v></i><i><id>1</id><v>x</v></i>", keyed) == ["value $.r.list.i[1].v"])
    }

    @Test func elementsArePairedByTheirKey() throws {
        let rules = ComparisonRules(unordered: [UnorderedRule(path: try path("$"), key: try path("$.product.id"))])
        let one = #"[{"product":{"id":1},"n":1},{"product":{"id":2},"n":2},{"product":{"id":3}}]"#
        let other = #"[{"product":{"id":"2"},"n":2},{"product":{"id":1},"n":9},{"product":{"id":4}}]"#
        #expect(
            differences(one, other, rules: rules) == [
                "value $[0].n", "type $[1].product.id", "missing $[2]", "extra $[2]",
            ])
        let keyless = #"[{"x":1},{"product":{"id":1}}]"#
        #expect(differences(keyless, #"[{"product":{"id":1}},{"x":1}]"#, rules: rules) == [])
    }

    @Test func pairingLooksThroughOtherRules() throws {
        let rules = ComparisonRules(
            ignore: [IgnoreRule(path: try path("$[*].noise"))],
            unordered: [UnorderedRule(path: try path("$")), UnorderedRule(path: try path("$[*].tags"))],
            tolerance: [ToleranceRule(path: try path("$[*].price"), kind: .number(0.01))])
        let result = compare(
            json(#"[{"id":1,"noise":1,"tags":[1,2],"price":1.00},{"id":2,"price":5}]"#),
            json(#"[{"id":2,"noise":7,"price":5.001},{"price":1.005,"id":1,"noise":2,"tags":[2,1]}]"#), rules: rules)
        #expect(result.differences == [])
        #expect(rules.names == ["ignore $[*].noise", "unordered $", "unordered $[*].tags", "tolerance $[*].price"])
        #expect(result.hiddenByRule == [2, 1, 1, 2])
    }

    @Test func pairingLooksThroughTheOrderOfInnerBags() throws {
        let rules = ComparisonRules(
            unordered: [UnorderedRule(path: try path("$")), UnorderedRule(path: try path("$[*].tags"))])
        let one = #"[{"id":1,"tags":[1,2]},{"id":2,"tags":[3,4]}]"#
        #expect(differences(one, #"[{"id":2,"tags":[4,3]},{"id":1,"tags":[2,1]}]"#, rules: rules) == [])
    }

    @Test func whatAnUnsuccessfulPairingHidIsNotCounted() throws {
        let rules = ComparisonRules(
            ignore: [IgnoreRule(path: try path("$[*].noise"))], unordered: [UnorderedRule(path: try path("$"))],
            tolerance: [ToleranceRule(path: try path("$[*].n"), kind: .number(1))])
        let result = compare(
            json(#"[{"noise":1,"n":10},{"noise":1,"n":20}]"#), json(#"[{"noise":2,"n":20},{"noise":2,"n":10}]"#),
            rules: rules)
        #expect(result.verdict == .match)
        #expect(result.hiddenByRule == [2, 1, 0])
    }

    @Test func reorderingIsSeenThroughIgnoredFields() throws {
        let rules = try ignoring("$[*].noise")
        #expect(
            differences(
                #"[{"a":1,"noise":1},{"a":2,"noise":2}]"#, #"[{"a":2,"noise":3},{"a":1,"noise":4}]"#, rules: rules) == [
                    "order $"
                ])
    }

    @Test func anAlignmentThatCostsTooMuchIsNotCompared() throws {
        let rules = ComparisonRules(
            unordered: [UnorderedRule(path: try path("$"))],
            tolerance: [ToleranceRule(path: try path("$[*]"), kind: .number(0.1))])
        let one = "[" + (0..<3_000).map { "\($0)" }.joined(separator: ",") + "]"
        let other = "[" + (0..<3_000).reversed().map { "\($0).5" }.joined(separator: ",") + "]"
        let result = compare(json(one), json(other), rules: rules, limits: ComparisonLimits(alignmentWork: 1_000))
        #expect(result.notCompared == .alignmentTooLarge)
        #expect(result.verdict == .notCompared)
    }

    @Test(arguments: [
        ("10.00", "10.005", 0.005, true), ("10.00", "10.0050001", 0.005, false), ("1.0", "1", 0, true),
        ("9007199254740993", "9007199254740992", 0.5, false), ("9007199254740993", "9007199254740992", 1, true),
        ("-0.002", "0.003", 0.005, true), ("-0.003", "0.003", 0.005, false), ("1e2", "100", 0, true),
        ("0", "-0", 0, true),
        ("1e400", "2e400", 0.005, false), ("1e-5000", "0", 0.005, true), ("1e999999999", "1e999999999", 0, true),
        ("1e999999999", "10e999999998", 0.1, true), ("1e99999999999", "0", 1, false), ("0.1", "0.3", 0.2, true),
        ("1e-9999", "-1e-9999", 0.005, true), ("0.004", "1e-9999", 0.005, false), ("999.999", "1000", 0.001, true),
        ("1", "2", -1, false), ("1", "2", Double.infinity, false),
    ])
    func numbersWithinToleranceAreEqual(one: String, other: String, limit: Double, isClose: Bool) throws {
        let rules = try tolerating("$.n", .number(limit))
        let found = differences("{\"n\":\(one)}", "{\"n\":\(other)}", rules: rules)
        #expect(found == (isClose ? [] : ["value $.n"]))
        #expect(differences("{\"n\":\(other)}", "{\"n\":\(one)}", rules: rules) == found)
    }

    @Test func aNumberInAStringIsNotTolerated() throws {
        let rules = try tolerating("$.n", .number(1))
        #expect(differences(#"{"n":1}"#, #"{"n":"1"}"#, rules: rules) == ["type $.n"])
        #expect(differences(#"{"m":1}"#, #"{"m":1.5}"#, rules: rules) == ["value $.m"])
    }

    @Test(arguments: [
        ("2026-11-21T04:00:00Z", "2026-11-21T04:00:02Z", []),
        ("2026-11-21T04:00:00Z", "2026-11-21T04:00:02.001Z", ["value $.at"]),
        ("2026-11-21T04:00:00Z", "2026-11-21T05:00:00+01:00", []), ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00z", []),
        ("2024-02-29T00:00:00Z", "2024-02-28T23:59:59Z", []),
        ("2026-11-21T04:00:00.999999999Z", "2026-11-21 04:00:01Z", []),
        ("2026-11-21T04:00:00Z", "2026-11-21T04:00:00", ["format $.at"]),
        ("2026-11-21T04:00:00", "2026-11-21T04:00:01", []),
        ("2026-11-21T04:00:00Z", "yesterday", ["format $.at"]), ("today", "yesterday", ["value $.at"]),
        ("2026-02-29T00:00:00Z", "2026-03-01T00:00:00Z", ["format $.at"]),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", []),
        ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", ["value $.at"]),
        ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", []),
    ])
    func timesWithinToleranceAreEqual(one: String, other: String, expected: [String]) throws {
        let rules = try tolerating("$.at", .time(seconds: 2))
        #expect(differences("{\"at\":\"\(one)\"}", "{\"at\":\"\(other)\"}", rules: rules) == expected)
        #expect(differences("{\"at\":\"\(other)\"}", "{\"at\":\"\(one)\"}", rules: rules) == expected)
    }
}
