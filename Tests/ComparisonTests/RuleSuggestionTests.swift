import Comparison
import Testing

/// The rules that are suggested for one pair of bodies, as YAML.
private func suggested(_ primary: String, _ shadow: String) -> [String] {
    suggested([(primary, shadow)])
}

private func suggested(_ pairs: [(String, String)]) -> [String] {
    let examples = pairs.map { primary, shadow in
        RuleSuggestion.Example(
            differences: compare(json(primary), json(shadow)).differences, primary: primary, shadow: shadow)
    }
    let group = Set(examples.flatMap(\.differences).map(GroupedDifference.init)).sorted()
    return RuleSuggestion.rules(for: group, examples: examples).map { "\($0.list.rawValue) \($0.yaml)" }
}

@Suite struct RuleSuggestionTests {
    @Test func anotherOrderIsAllowedByKeyWhereEveryElementHasOne() {
        let items = { (ids: [Int]) in
            #"{"items":[\#(ids.map { #"{"productId":"p\#($0)","n":1}"# }.joined(separator: ","))]}"#
        }
        #expect(
            suggested(items([1, 2, 3]), items([3, 1, 2]))
                == [#"unordered {path: "$.items", key: "$.productId", because: "…"}"#])
        #expect(suggested(#"{"a":[1,2]}"#, #"{"a":[2,1]}"#) == [#"unordered {path: "$.a", because: "…"}"#])
        let twice = #"{"a":[{"id":1,"n":1},{"id":1,"n":2}]}"#
        let turned = #"{"a":[{"id":1,"n":2},{"id":1,"n":1}]}"#
        #expect(suggested(twice, turned) == [#"unordered {path: "$.a", because: "…"}"#])
    }

    @Test func numbersThatAreCloseGetABoundForAllExamples() {
        #expect(
            suggested([(#"{"t":149.98}"#, #"{"t":149.97}"#), (#"{"t":10.004}"#, #"{"t":10}"#)])
                == [#"tolerance {path: "$.t", number: 0.01, because: "…"}"#])
        #expect(suggested(#"{"t":1000}"#, #"{"t":1003}"#) == [#"tolerance {path: "$.t", number: 5, because: "…"}"#])
        #expect(suggested(#"{"t":10}"#, #"{"t":20}"#) == [#"ignore {path: "$.t", because: "…"}"#])
        #expect(suggested(#"{"t":1.5}"#, #"{"t":20}"#) == [#"ignore {path: "$.t", because: "…"}"#])
    }

    @Test func timesWithinAMinuteGetABound() {
        #expect(
            suggested(#"{"at":"2026-11-21T04:00:00Z"}"#, #"{"at":"2026-11-21T04:00:01.2Z"}"#)
                == [#"tolerance {path: "$.at", time: 2s, because: "…"}"#])
        #expect(
            suggested(#"{"at":"2026-11-21T04:00:00Z"}"#, #"{"at":"2026-11-21T05:00:00Z"}"#)
                == [#"ignore {path: "$.at", because: "…"}"#])
    }

    @Test func twoWaysToWriteOneValueAreEquivalent() {
        #expect(
            suggested(#"{"t":149.98}"#, #"{"t":"149.98"}"#)
                == [#"equivalence {path: "$.t", as: string-number, because: "…"}"#])
        #expect(suggested(#"{"t":1}"#, #"{"t":"2"}"#) == [#"ignore {path: "$.t", because: "…"}"#])
        #expect(
            suggested(#"{"a":1,"t":null}"#, #"{"a":1}"#)
                == [#"equivalence {path: "$.t", as: null-missing, because: "…"}"#])
        #expect(
            suggested(#"{"a":1}"#, #"{"a":1,"t":[]}"#)
                == [#"equivalence {path: "$.t", as: empty-missing, because: "…"}"#])
        #expect(suggested(#"{"a":1}"#, #"{"a":1,"t":7}"#) == [#"ignore {path: "$.t", because: "…"}"#])
        #expect(
            suggested(#"{"t":"Ann"}"#, #"{"t":"ANN"}"#) == [#"equivalence {path: "$.t", as: case, because: "…"}"#])
        #expect(
            suggested(#"{"t":"a  b "}"#, #"{"t":"a b"}"#) == [#"equivalence {path: "$.t", as: space, because: "…"}"#])
    }

    @Test func randomIdentitiesOfOneShapeMatch() {
        #expect(
            suggested(
                #"{"id":"0b8e5a3c-7c1e-4f0a-9b8d-4c3e99887766"}"#, #"{"id":"1b8e5a3c-7c1e-4f0a-9b8d-4c3e99887766"}"#)
                == [
                    #"matches {path: "$.id", regex: "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", because: "…"}"#
                ])
        #expect(
            suggested(#"{"id":"ord_1"}"#, #"{"id":"ord_93"}"#)
                == [#"matches {path: "$.id", regex: "ord_[0-9]+", because: "…"}"#])
        #expect(
            suggested(#"{"id":"req.7c1e5f0a9b"}"#, #"{"id":"req.9c1e5f0a9b"}"#)
                == [#"matches {path: "$.id", regex: "req\\.[0-9a-fA-F]{10}", because: "…"}"#])
        #expect(
            suggested(#"{"orderId":1001}"#, #"{"orderId":1002}"#)
                == [#"matches {path: "$.orderId", regex: "[0-9]+", because: "…"}"#])
        #expect(suggested(#"{"t":"149.98"}"#, #"{"t":"149.97"}"#) == [#"ignore {path: "$.t", because: "…"}"#])
        #expect(suggested(#"{"t":"yes"}"#, #"{"t":"no"}"#) == [#"ignore {path: "$.t", because: "…"}"#])
    }

    @Test func placesOutsideOfTheBodyAreIgnoredThere() {
        let examples = [
            RuleSuggestion.Example(
                differences: compare(json("1", status: 200), json("1", status: 404)).differences, primary: "1",
                shadow: "1")
        ]
        let group = [
            GroupedDifference(path: "header.cache-control", kind: .value),
            GroupedDifference(path: "status", kind: .value),
        ]
        #expect(
            RuleSuggestion.rules(for: group, examples: examples).map(\.yaml)
                == [#"{path: "header.cache-control", because: "…"}"#, #"{path: "status", because: "…"}"#])
        let status = RuleSuggestion.rules(for: group, examples: examples).last
        #expect(status?.restraint == .onlyAsComment("hides the status of every endpoint, a 500 in place of a 200 too"))
    }

    @Test func wholeBodiesAreNeverIgnored() {
        for (path, kind) in [("body", DifferenceKind.value), ("body", .format), ("$", .type), ("$[*]", .value)] {
            let rules = RuleSuggestion.rules(for: [GroupedDifference(path: path, kind: kind)], examples: [])
            guard case .never = rules.first?.restraint else { return #expect(Bool(false), "\(path) \(rules)") }
        }
        #expect(RuleSuggestion.ignoring("$[*].id", .value, seen: "").restraint == nil)
        #expect(RuleSuggestion.ignoring("header.etag", .value, seen: "").restraint == nil)
    }

    @Test func aRuleReachesItsPlaceAndOneThatIgnoresWhatIsBelow() {
        func reaches(_ list: SuggestedRule.List, _ path: String, _ other: String, _ kind: DifferenceKind) -> Bool {
            SuggestedRule(list, path, seen: "").reaches(GroupedDifference(path: other, kind: kind))
        }
        #expect(reaches(.ignore, "$.a", "$.a[*].b", .type) && !reaches(.ignore, "$.a", "$.ab", .type))
        #expect(reaches(.ignore, "$.a[*]", "$.a[*].b", .value) && !reaches(.ignore, "$.a.b", "$.a[*]", .value))
        #expect(reaches(.ignore, "body", "$.a", .value) && reaches(.ignore, "status", "status", .value))
        #expect(!reaches(.ignore, "status", "header.etag", .value) && !reaches(.ignore, "$", "header.etag", .value))
        #expect(reaches(.tolerance, "$.a", "$.a", .value) && !reaches(.tolerance, "$.a", "$.a.b", .value))
        #expect(!reaches(.matches, "$.a", "$.a", .type) && reaches(.equivalence, "$.a", "$.a", .type))
        #expect(reaches(.unordered, "$.a", "$.a", .order) && !reaches(.unordered, "$.a", "$.a", .length))
        #expect(reaches(.ignore, "header.cache-control", "header.cache-control.max-age", .value))
    }

    @Test func nothingIsSuggestedBelowAPlaceThatIsIgnored() {
        let group = [
            GroupedDifference(path: "$.a", kind: .length), GroupedDifference(path: "$.a[*].b", kind: .value),
            GroupedDifference(path: "$.ab", kind: .length), GroupedDifference(path: #"$['it\'s']"#, kind: .length),
        ]
        #expect(
            RuleSuggestion.rules(for: group, examples: []).map(\.yaml)
                == [
                    #"{path: "$.a", because: "…"}"#, #"{path: "$.ab", because: "…"}"#,
                    #"{path: "$['it\\'s']", because: "…"}"#,
                ])
    }

    @Test func valuesThatWereShortenedOrAreHostileSuggestNothingNarrow() {
        let differences = ["\"aaa…", "1e999999999", "\u{0}", "", "(absent)", "[[[[[[1]]]]]]"].map {
            Difference(path: "$.x", kind: .value, primary: $0, shadow: "7")
        }
        for difference in differences {
            let example = RuleSuggestion.Example(differences: [difference], primary: "{", shadow: nil)
            let rules = RuleSuggestion.rules(for: [GroupedDifference(difference)], examples: [example])
            #expect(rules.map(\.list) == [.ignore], "\(difference.primary)")
        }
    }
}
