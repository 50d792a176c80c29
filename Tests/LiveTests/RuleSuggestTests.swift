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
        (#"{"it's \"so\"":1}"#, #"{"it's \"so\"":false}"#), (#"[1,2]"#, #"{"a":1}"#), (#"{"n":1}"#, "not JSON"),
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
        #expect(proposal.yaml.contains(#"  - {path: "status", because: "…"}"#))
        #expect(proposal.yaml.contains(#"  - {path: "header.cache-control.a", because: "…"}"#))
        #expect(proposal.verified == 1)
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

                """)
        let tree = try JSONTree(try await outcome(of: RuleSuggestCommand.self, ["7c1e", "--json"], backend).output)
        #expect(tree["rules"]?[0]?["rule"] == .string("unordered"))
        #expect(tree["rules"]?[0]?["path"] == .string("$.items"))
        #expect(tree["share"] == .number(0.0133) && tree["verified"] == .number(1))
        #expect(throws: (any Error).self) { try Strangler.parseAsRoot(["rule", "suggest"]) }
    }
}
