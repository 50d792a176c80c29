import Comparison
import Testing

struct DocumentComparisonTests {
    @Test func numbersAreComparedByTheirLexemes() {
        #expect(differences("[9007199254740993]", "[9007199254740992]") == ["value $[0]"])
        #expect(differences("1.0", "1") == ["value $"])
        #expect(differences("1e2", "100") == ["value $"])
        #expect(differences("[1.50]", "[1.50 ]") == [])
    }

    @Test func anotherTypeIsATypeDifference() throws {
        let result = compare(json(#"{"total": 10.5}"#), json(#"{"total": "10.5"}"#))
        let difference = try #require(result.differences.first)
        #expect(difference == Difference(path: "$.total", kind: .type, primary: "10.5", shadow: "\"10.5\""))
        #expect(differences("[null]", "[0]") == ["type $[0]"])
        #expect(differences("[true]", "[false]") == ["value $[0]"])
        #expect(differences("{}", "[]") == ["type $"])
    }

    @Test func theSpellingOfStringsAndTheOrderOfNamesMeanNothing() {
        #expect(differences(#"{"a":"\u0041","b":1}"#, #"{ "b" : 1, "\u0061":"A" }"#) == [])
        #expect(differences(#"["\ud800"]"#, #"["\uD800"]"#) == [])
        #expect(differences(#"["\ud800"]"#, #"["\ud801"]"#) == ["value $[0]"])
    }

    @Test func missingAndExtraMembersAreToldApart() {
        #expect(differences(#"{"a":1,"b":2}"#, #"{"b":2,"c":3}"#) == ["missing $.a", "extra $.c"])
        let result = compare(json(#"{"a":1}"#), json("{}"))
        #expect(result.differences.first?.shadow == "(absent)")
    }

    @Test func repeatedNamesPairInTheirOrder() {
        #expect(differences(#"{"a":1,"a":2}"#, #"{"a":1,"a":2}"#) == [])
        #expect(differences(#"{"a":1,"a":2}"#, #"{"a":2,"a":1}"#) == ["order $.a"])
        #expect(differences(#"{"a":1,"a":2,"a":3}"#, #"{"a":1,"a":3}"#) == ["missing $.a[1]"])
        #expect(differences(#"{"a":1}"#, #"{"x":0,"a":1,"a":1}"#) == ["extra $.a[1]", "extra $.x"])
        #expect(differences(#"{"a":1,"a":{"b":1}}"#, #"{"\u0061":1,"a":{"b":2}}"#) == ["value $.a[1].b"])
        #expect(differences(#"{"a":1,"a":2}"#, "{}") == ["missing $.a[0]", "missing $.a[1]"])
        let result = compare(json(#"{"a":1,"a":[7]}"#), json(#"{"a":1,"a":[8]}"#))
        #expect(result.differences.map(\.pattern) == ["$.a[*]"])
        #expect(result.differences.map(\.path) == ["$.a[1][0]"])
    }

    @Test func theSameElementsInAnotherOrderAreOneDifference() {
        #expect(differences("[1,2,3]", "[3,1,2]") == ["order $"])
        #expect(differences(#"{"i":[{"a":1,"b":2},{"a":3}]}"#, #"{"i":[{"a":3},{"b":2,"a":1}]}"#) == ["order $.i"])
        #expect(differences("[1,1,2]", "[1,2,2]") == ["value $[1]"])
        #expect(differences("[[1,2],[3]]", "[[2,1],[3]]") == ["order $[0]"])
    }

    @Test func whatWasInsertedRemovedOrChangedIsOneDifference() throws {
        #expect(differences("[1,2,3]", "[1,5]") == ["value $[1]", "missing $[2]"])
        let result = compare(json("[1,2,3]"), json("[1,3]"))
        #expect(
            result.differences == [Difference(path: "$[1]", kind: .missing, primary: "2", shadow: "(absent)")])
        #expect(differences("[1,3]", "[1,2,3]") == ["extra $[1]"])
        let items = { (numbers: [Int], changed: Int?) in
            json("[" + numbers.map { "{\"id\":\($0),\"n\":\($0 == changed ? -1 : $0)}" }.joined(separator: ",") + "]")
        }
        let kinds = { (one: Answer, other: Answer) in
            compare(one, other).differences.map { "\($0.kind.rawValue) \($0.path)" }
        }
        #expect(kinds(items([1, 2, 3, 4], nil), items([1, 2, 9, 3, 4], nil)) == ["extra $[2]"])
        #expect(kinds(items([1, 2, 3, 4], nil), items([1, 2, 3, 4], 3)) == ["value $[2].n"])
        #expect(
            kinds(items([1, 2, 3, 4, 5], nil), items([9, 1, 2, 4, 5], 4)) == [
                "extra $[0]", "missing $[2]", "value $[3].n",
            ])
        // Moved, and something else changed.
        #expect(kinds(items([1, 2, 3, 4], nil), items([4, 1, 2, 3], 2)) == ["order $", "value $[1].n"])
        #expect(differences("[0,0,1,0,2]", "[0,1,0,0,2,3]") == ["order $", "extra $[5]"])
    }

    @Test func differencesAreCappedAndSaySo() {
        let zeros = "[" + Array(repeating: "0", count: 500).joined(separator: ",") + "]"
        let ones = zeros.replacing("0", with: "1")
        let result = compare(json(zeros), json(ones))
        #expect(result.differences.count == 100)
        #expect(result.truncated)
        #expect(!compare(json("[0]"), json("[1]")).truncated)
    }

    @Test func aReversedLargeArrayIsStillOneDifference() {
        let numbers = (0..<20_000).map(String.init)
        let result = compare(
            json("[" + numbers.joined(separator: ",") + "]"),
            json("[" + numbers.reversed().joined(separator: ",") + "]"))
        #expect(result.differences.map(\.kind) == [.order])
        #expect(!result.truncated)
    }

    @Test func withoutBudgetElementsAreComparedByPositionAndThatIsSaid() {
        let one = json("[" + (0..<4_000).map { "\($0 % 7)" }.joined(separator: ",") + "]")
        let other = json("[" + (0..<4_000).map { "\($0 * $0 % 11 % 7)" }.joined(separator: ",") + ",1]")
        let poor = compare(one, other, limits: ComparisonLimits(alignmentWork: 0))
        #expect(poor.notCompared == .alignmentTooLarge)
        #expect(poor.verdict == .mismatch)
        #expect(poor.truncated)
    }

    @Test func deepDocumentsAreComparedToTheLimitAndRefusedBeyond() {
        let deep = { (depth: Int, core: String) in
            String(repeating: "[", count: depth) + core + String(repeating: "]", count: depth)
        }
        #expect(compare(json(deep(512, "1")), json(deep(512, "2"))).differences.count == 1)
        let beyond = compare(json(deep(100_000, "1")), json(deep(100_000, "2")))
        #expect(beyond.notCompared == .bodyTooDeep)
        #expect(beyond.verdict == .notCompared)
        #expect(compare(json(deep(100_000, "1")), json(deep(100_000, "1"))).verdict == .match)
    }

    @Test func manyMembersInAnotherOrderAreEqual() {
        let members = (0..<20_000).map { "\"k\($0)\":\($0)" }
        let forward = "{" + members.joined(separator: ",") + "}"
        let backward = "{" + members.reversed().joined(separator: ",") + "}"
        #expect(differences(forward, backward) == [])
    }

    @Test func renderedValuesAreBoundedAndShowWhereTheyPart() throws {
        let common = String(repeating: "é", count: 1_000)
        let result = compare(
            json("[\"\(common)left\"]"), json("[\"\(common)right\u{7}\"]".replacing("\u{7}", with: "\\u0007")))
        let difference = try #require(result.differences.first)
        #expect(difference.primary.contains("left"))
        #expect(difference.shadow.contains("right"))
        let long = compare(json("{\"a\":\"\(common)\"}"), json("{}"))
        for text in [difference.primary, difference.shadow, long.differences[0].primary] {
            #expect(text.utf8.count <= 256)
            #expect(!text.contains("\u{FFFD}"))
        }
    }

    @Test func whatCouldSteerATerminalIsPrintedAsAnEscape() {
        let result = compare(json("[\"\u{9B}31m\"]"), json("[\"\u{202E}\"]"))
        #expect(result.differences.first?.primary == "\"\\u{9b}31m\"")
        #expect(result.differences.first?.shadow == "\"\\u{202e}\"")
        #expect(differences(#"{"\u001b[2J":1}"#, "{}") == [#"missing $['\u001B[2J']"#])
    }
}
