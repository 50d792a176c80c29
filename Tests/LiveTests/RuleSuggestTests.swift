import AdminAPI
import ArgumentParser
import Comparison
import Foundation
import ProxyConfiguration
import Testing

@testable import strangler

@Suite struct RuleSuggestions {
    /// What one group of mismatches of each kind looks like.
    static let pairs: [(String, String)] = [
        (#"{"total":149.98}"#, #"{"total":149.97}"#), (#"{"total":1}"#, #"{"total":"1"}"#),
        (#"{"items":[{"id":1},{"id":2}]}"#, #"{"items":[{"id":2},{"id":1}]}"#),
        (#"{"at":"2026-11-21T04:00:00Z"}"#, #"{"at":"2026-11-21T04:00:01Z"}"#), (#"{"a":1,"b":null}"#, #"{"a":1}"#),
        (#"{"a":1}"#, #"{"a":1,"b":[]}"#), (#"{"id":"ord_1"}"#, #"{"id":"ord_22"}"#),
        (#"{"id":"0123456789abcdef"}"#, #"{"id":"fedcba9876543210"}"#), (#"{"n":"Ann"}"#, #"{"n":"ann"}"#),
        (#"{"n":"a  b"}"#, #"{"n":"a b"}"#), (#"{"n":{"deep":[1,2,{"x":true}]}}"#, #"{"n":{"deep":[1,{"x":false}]}}"#),
        (#"{"it's \"so\"":1}"#, #"{"it's \"so\"":false}"#),
    ]

    private static func detail(_ primary: String, _ shadow: String, status: Int = 200) -> GroupDetail {
        var detail = SampleBackend().detail
        let type = HeaderField(name: "content-type", value: "application/json")
        let recorded = { (body: String, status: Int, cache: String) in
            RecordedAnswer(
                status: status, headers: [type, HeaderField(name: "Cache-Control", value: cache)], body: body,
                bodyBytes: body.utf8.count)
        }
        detail.examples[0].primary = recorded(primary, 200, "a")
        detail.examples[0].shadow = recorded(shadow, status, status == 200 ? "a" : "b")
        let answer = { (recorded: RecordedAnswer) in
            Answer(status: recorded.status, headers: recorded.headers, body: Array((recorded.body ?? "").utf8))
        }
        detail.examples[0].differences =
            Comparer(rules: .none, redactor: Redactor(key: [])).compare(
                primary: answer(detail.examples[0].primary), shadow: answer(detail.examples[0].shadow), now: Date()
            ).differences
        let grouped = Set(detail.examples[0].differences.map(GroupedDifference.init)).sorted()
        detail.group.differences = grouped.map { ReportedDifference($0) }
        return detail
    }

    @Test(arguments: pairs)
    func `what is suggested is a valid file under which the examples no longer differ`(
        pair: (String, String)
    ) throws {
        let detail = Self.detail(pair.0, pair.1)
        #expect(!detail.group.differences.isEmpty)
        let proposal = RuleProposal(detail)
        _ = try ComparisonRules.parse(ConfigurationFile(name: "Shadow/orders.yaml", text: proposal.yaml))
        #expect(proposal.checkable == 1 && proposal.verified == 1, "\(proposal.yaml)")
    }

    @Test func `status and headers are ignored where they are`() throws {
        let proposal = RuleProposal(Self.detail("1", "1", status: 404))
        #expect(proposal.yaml.contains(#"  - {path: "header.cache-control.a", because: "…"}"#))
        #expect(proposal.rules.map(\.path).contains("status") == false)
        #expect(
            proposal.yaml.hasSuffix(
                """
                # ignore:
                #   - {path: "status", because: "…"}
                #   Think twice: it hides the status of every endpoint, a 500 in place of a 200
                #   too; it hides nothing else that is known.

                """), "\(proposal.yaml)")
        #expect(proposal.checkable == 1 && proposal.verified == 0)
    }

    @Test(arguments: [(#"[1,2]"#, #"{"a":1}"#, "$"), (#"{"n":1}"#, "not JSON", "body")])
    func `whole bodies are never ignored, and the reason stands there`(pair: (String, String, String)) throws {
        let proposal = RuleProposal(Self.detail(pair.0, pair.1))
        #expect(proposal.rules.isEmpty && proposal.held.map(\.path) == [pair.2], "\(proposal.yaml)")
        #expect(!proposal.yaml.contains("path:"))
        #expect(proposal.yaml.contains("# " + "  \(pair.2) is not to be ignored: a rule has no endpoint"))
        #expect(proposal.comments == ["No rule is proposed for 7c1e5f0a."])
        _ = try ComparisonRules.parse(ConfigurationFile(name: "Shadow/orders.yaml", text: proposal.yaml))
    }

    @Test func `each rule says what else it would hide`() async throws {
        let group = { (signature: String, endpoint: String, count: Int, path: String, kind: DifferenceKind) in
            GroupReport(
                signature: signature, extraction: "orders", endpoint: endpoint, state: "new", count: count,
                differences: [GroupedDifference(path: path, kind: kind)], firstSeen: Date(), lastSeen: Date())
        }
        var backend = SampleBackend()
        backend.detail = Self.detail(#"{"a":{"b":"x"}}"#, #"{"a":{"b":"y"}}"#, status: 500)
        backend.otherGroups = [
            group("11", "GET /a", 4, "$.a.b", .type), group("22", "GET /b", 1_200, "$.a.b.c", .value),
            group("33", "GET /c", 7, "$.a.bc", .value), group("44", "GET /d", 9, "status", .value),
        ]
        let text = try await outcome(of: RuleSuggestCommand.self, ["7c1e"], backend).output
        #expect(text.contains("    # also hides 2 other groups with 1,204 mismatches (GET /b, GET /a)\n"), "\(text)")
        #expect(text.contains("also hides 1 other group with 9"))
        let tree = try JSONTree(try await outcome(of: RuleSuggestCommand.self, ["7c1e", "--json"], backend).output)
        let rules = (0..<4).compactMap { tree["rules"]?[$0] }
        let rule = try #require(rules.first { $0["path"] == .string("$.a.b") })
        #expect(rule["alsoHides"]?["groups"] == .number(2) && rule["alsoHides"]?["mismatches"] == .number(1_204))
        #expect(tree["held"]?[0]?["path"] == .string("status"))
    }

    @Test func `redacted values are no values`() {
        var detail = Self.detail(#"{"n":"redacted:0123456789ab"}"#, #"{"n":"redacted:ba9876543210"}"#)
        #expect(detail.group.differences.map(\.path) == ["$.n"])
        let proposal = RuleProposal(detail)
        #expect(proposal.rules.map(\.list) == [.ignore])
        #expect(proposal.yaml.contains("# cannot be tried: the values are redacted\n"))
        #expect(proposal.comments.last == "Not tried: the values are redacted.")
        detail = Self.detail(#"{"n":"redacted: ab12"}"#, #"{"n":"redacted:  ab12"}"#)
        #expect(RuleProposal(detail).rules.map(\.list) == [.equivalence])
    }

    @Test func `an example that was cut proves nothing`() {
        var detail = Self.detail(#"{"n":1}"#, #"{"n":2}"#)
        detail.examples[0].primary.body = "{\"n\":1…"
        let proposal = RuleProposal(detail)
        #expect(proposal.checkable == 0 && proposal.comments.last == "Not tried: no example was recorded whole.")
    }

    @Test func `the command prints a file with what it would hide, or JSON`() async throws {
        var backend = SampleBackend()
        backend.detail = Self.detail(#"{"items":[1,2]}"#, #"{"items":[2,1]}"#)
        backend.detail.group.count = 1_204
        backend.detail.group.endpointCompared = 90_000
        backend.detail.group.share = 0.0133
        let run = try await outcome(of: RuleSuggestCommand.self, ["7c1e"], backend)
        #expect(
            run.output == """
                # For Shadow/orders.yaml: move each entry into its list, and write why.
                # Would hide 1,204 mismatches, 1.3% of 90,000 compared,
                # of GET /api/v1/orders/{id}, and whatever else differs at these places.
                # Tried on 1 example: 1 no longer differ.
                extraction: orders
                unordered:
                  - {path: "$.items", because: "…"}  # the same elements in another order
                    # hides nothing else that is known

                """)
        let tree = try JSONTree(try await outcome(of: RuleSuggestCommand.self, ["7c1e", "--json"], backend).output)
        #expect(tree["rules"]?[0]?["rule"] == .string("unordered"))
        #expect(tree["rules"]?[0]?["path"] == .string("$.items"))
        #expect(tree["share"] == .number(0.0133) && tree["verified"] == .number(1))
        #expect(throws: (any Error).self) { try Strangler.parseAsRoot(["rule", "suggest"]) }
    }
}
