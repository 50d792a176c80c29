import FoundationEssentials
import Testing

@testable import Comparison

/// Documents that were no JSON, as `DocumentComparison` sees them.
struct BuiltDocumentTests {
    private func compared(
        _ primary: (inout DocumentBuilder) -> Void, _ shadow: (inout DocumentBuilder) -> Void,
        rules: ComparisonRules = .none
    ) throws -> [String] {
        var (left, right) = (DocumentBuilder(), DocumentBuilder())
        primary(&left)
        shadow(&right)
        let (one, other) = (try left.finish(), try right.finish())
        let findings = DocumentComparison.run(
            primary: one, shadow: other, rules: CompiledRules(rules).live(at: noon),
            redaction: Redaction(redactor, rules), limits: ComparisonLimits(),
            findings: DocumentComparison.Findings(hiddenByRule: rules.names.map { _ in 0 }))
        return findings.differences.map { "\($0.kind.rawValue) \($0.path) \($0.primary) \($0.shadow)" }
    }

    private func element(_ children: [(String, String)], isOrdered: Bool = true) -> (inout DocumentBuilder) -> Void {
        { builder in
            builder.openObject(isOrdered: isOrdered)
            for (name, text) in children {
                builder.name(name.utf8)
                builder.string(text.utf8)
            }
            builder.close()
        }
    }

    @Test func theSequenceOfNamesCountsWhereItSaysSomething() throws {
        let one = [("a", "1"), ("b", "2")]
        #expect(
            try compared(element(one), element(one.reversed())) == [
                #"order $ {"a":"1","b":"2"} {"b":"2","a":"1"}"#
            ])
        #expect(try compared(element(one, isOrdered: false), element(one.reversed(), isOrdered: false)) == [])
        #expect(try compared(element(one), element(one)) == [])
        #expect(try compared(element(one), element([("x", "0")] + one)) == [#"extra $.x (absent) "0""#])
    }

    @Test func repeatedElementsAreAlignedAndKeepTheirSequence() throws {
        let one = [("p", "1"), ("b", "0"), ("p", "2"), ("p", "3")]
        #expect(
            try compared(element(one), element([("p", "1"), ("b", "0"), ("p", "3")])) == [
                #"missing $.p[1] "2" (absent)"#
            ])
        #expect(
            try compared(element(one), element([("b", "0"), ("p", "1"), ("p", "2"), ("p", "3")])) == [
                #"order $ {"p":"1","b":"0","p":"2","p":"3"} {"b":"0","p":"1","p":"2","p":"3"}"#
            ])
        let rules = ComparisonRules(ignore: [IgnoreRule(path: try path("$.p[1]"))])
        #expect(try compared(element(one), element([("p", "1"), ("b", "0"), ("p", "3")]), rules: rules) == [])
    }

    @Test func aRawStringEqualsTheJSONStringThatSaysTheSame() throws {
        let part = try Document(json: Array(#"{"a":"x\u0041\"","b":[1]}"#.utf8))
        let raw: (inout DocumentBuilder) -> Void = { builder in
            builder.openObject()
            builder.name("b".utf8)
            builder.openArray()
            builder.number("1".utf8)
            builder.close()
            builder.name("a".utf8)
            builder.string("xA\"".utf8)
        }
        #expect(try compared({ $0.append(part) }, raw) == [])
        #expect(try compared(raw, { $0.append(part) }) == [])
    }

    @Test func whatIsRedactedIsNotPrinted() throws {
        let rules = ComparisonRules(redact: [try path("$.card"), try path("$.list[*].pin")])
        let one = element([("card", "4711"), ("card", "4712"), ("n", "1")])
        let other = element([("card", "4711"), ("card", "4713"), ("n", "1"), ("card", "9")])
        let found = try compared(one, other, rules: rules)
        #expect(!found.isEmpty)
        for text in found { #expect(!text.contains("471") && !text.contains("\"9\"")) }
        let reversed = try compared(
            element([("card", "1"), ("card", "2")]), element([("card", "2"), ("card", "1")]), rules: rules)
        #expect(reversed.count == 1 && reversed[0].hasPrefix("order $.card \"redacted:"))
    }
}
