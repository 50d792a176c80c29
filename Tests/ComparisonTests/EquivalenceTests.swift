import Comparison
import FoundationEssentials
import Testing

struct EquivalenceTests {
    private func equivalent(_ text: String, as kind: EquivalenceRule.Kind) throws -> ComparisonRules {
        ComparisonRules(equivalence: [EquivalenceRule(path: try path(text), as: kind)])
    }

    private func matching(_ text: String, _ regex: String) throws -> ComparisonRules {
        ComparisonRules(matches: [MatchRule(path: try path(text), pattern: try LinearRegex(regex))])
    }

    /// What a rule makes equal is paired once, or a bag would hide that something is there twice.
    @Test func anElementOfABagHasOnePartner() throws {
        let rules = ComparisonRules(
            unordered: [UnorderedRule(path: try path("$"))],
            equivalence: [EquivalenceRule(path: try path("$[*]"), as: .stringNumber)])
        #expect(differences(#"["1","2"]"#, "[2,1]", rules: rules) == [])
        for (one, other) in [(#"["1","1"]"#, "[1,2]"), (#"["1","1"]"#, "[1]"), ("[1,2]", #"["1","1"]"#)] {
            #expect(differences(one, other, rules: rules).count == 1, "\(one) \(other)")
        }
    }

    @Test(arguments: [
        (EquivalenceRule.Kind.stringNumber, "\"1\"", "1", true), (.stringNumber, "\"1.0\"", "1", true),
        (.stringNumber, "\"1e2\"", "100", true), (.stringNumber, "\"1\"", "\"1.0\"", true),
        (.stringNumber, "\" 1\"", "1", false), (.stringNumber, "\"01\"", "1", false),
        (.stringNumber, "\"1\"", "2", false),
        (.stringNumber, "\"\"", "0", false), (.stringNumber, "true", "1", false), (.stringNumber, "1.0", "1", true),
        (.stringNumber, "\"9007199254740993\"", "9007199254740992", false),
        (.number, "1.0", "1", true), (.number, "1e0", "1", true), (.number, "-0", "0", true),
        (.number, "1", "\"1\"", false),
        (.number, "9007199254740993", "9007199254740992", false), (.number, "1e999999999", "1e999999998", false),
        (.number, "1e999999999", "10e999999998", true), (.number, "1e99999999999", "2e99999999999", false),
        (.nullMissing, "null", "", true), (.nullMissing, "null", "\"\"", false), (.nullMissing, "0", "", false),
        (.emptyMissing, "\"\"", "", true), (.emptyMissing, "[]", "", true), (.emptyMissing, "{}", "null", true),
        (.emptyMissing, "[]", "\"\"", true), (.emptyMissing, "[0]", "", false), (.emptyMissing, "false", "", false),
        (.case, "\"ÄB\"", "\"äb\"", true), (.case, "\"a\"", "\"b\"", false), (.case, "\"A \"", "\"a\"", false),
        (.space, "\" a \\n b\"", "\"a b\"", true), (.space, "\"ab\"", "\"a b\"", false),
        (.space, "\"A\"", "\"a\"", false),
    ])
    func valuesAreEqualAsTheRuleSays(kind: EquivalenceRule.Kind, one: String, other: String, isEqual: Bool) throws {
        let rules = try equivalent("$.a", as: kind)
        let body = { (value: String) in json(value.isEmpty ? "{\"b\":1}" : "{\"b\":1,\"a\":\(value)}") }
        for (left, right) in [(one, other), (other, one)] {
            let result = compare(body(left), body(right), rules: rules)
            #expect(result.verdict == (isEqual ? .match : .mismatch), "\(left) \(right)")
            #expect(result.hiddenByRule == [isEqual && left != right ? 1 : 0])
        }
        #expect(compare(body(one), body(other)).verdict == .mismatch)
    }

    @Test func severalRulesAboutOneTextHoldTogether() throws {
        let rules = ComparisonRules(equivalence: [
            EquivalenceRule(path: try path("$.a"), as: .case), EquivalenceRule(path: try path("$.a"), as: .space),
        ])
        #expect(differences(#"{"a":"Foo  Bar"}"#, #"{"a":"foo bar "}"#, rules: rules) == [])
    }

    @Test func valuesOfAKnownFormAreEqual() throws {
        let rules = try matching("$.id", "req_[0-9a-f]{4}")
        #expect(differences(#"{"id":"req_00ff"}"#, #"{"id":"req_12ab"}"#, rules: rules) == [])
        #expect(differences(#"{"id":"req_00ff"}"#, #"{"id":"req_12abc"}"#, rules: rules) == ["value $.id"])
        #expect(differences(#"{"id":"req_00ff"}"#, "{}", rules: rules) == ["missing $.id"])
        #expect(differences(#"{"id":12}"#, #"{"id":"34"}"#, rules: try matching("$.id", "[0-9]+")) == [])
    }

    @Test func statusesOfAKnownFormAreEqual() throws {
        let result = compare(json("{}"), json("{}", status: 204), rules: try matching("status", "2[0-9][0-9]"))
        #expect(result.verdict == .match)
        #expect(result.hiddenByRule == [1])
    }

    @Test func everyKindOfRuleEnds() throws {
        let over = noon
        let rules = ComparisonRules(
            unordered: [UnorderedRule(path: try path("$.bag"), until: over)],
            tolerance: [ToleranceRule(path: try path("$.n"), kind: .number(1), until: over)],
            equivalence: [EquivalenceRule(path: try path("$.e"), as: .case, until: over)],
            matches: [MatchRule(path: try path("$.m"), pattern: try LinearRegex(".*"), until: over)])
        let one = #"{"bag":[1,2],"n":1,"e":"A","m":"x"}"#
        let other = #"{"bag":[2,1],"n":2,"e":"a","m":"y"}"#
        #expect(differences(one, other, rules: rules) == ["order $.bag", "value $.n", "value $.e", "value $.m"])
        var live = rules
        live.unordered[0].until = over.addingTimeInterval(1)
        live.tolerance[0].until = over.addingTimeInterval(1)
        live.equivalence[0].until = nil
        live.matches[0].until = nil
        let result = compare(json(one), json(other), rules: live)
        #expect(result.differences == [])
        #expect(result.hiddenByRule == [1, 1, 1, 1])
        #expect(live.names == ["unordered $.bag", "tolerance $.n", "equivalence $.e", "matches $.m"])
    }

    @Test func elementsBelongTogetherThroughWhatRulesLoosen() throws {
        let rules = ComparisonRules(
            tolerance: [ToleranceRule(path: try path("$[*].at"), kind: .time(seconds: 5))],
            equivalence: [
                EquivalenceRule(path: try path("$[*].note"), as: .emptyMissing),
                EquivalenceRule(path: try path("$[*].id"), as: .stringNumber),
            ])
        let one = #"[{"id":1,"at":"2026-01-01T00:00:00Z","note":""},{"id":2,"at":"2026-01-01T00:00:01Z"}]"#
        let other = """
            [{"id":7,"at":"2026-01-01T00:00:00Z"},{"id":"1","at":"2026-01-01T00:00:02Z"},
            {"id":"2","at":"2026-01-01T00:00:03Z","note":null}]
            """
        #expect(differences(one, other, rules: rules).count == 1)
    }
}
