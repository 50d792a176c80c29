import AdminAPI
import ArgumentParser
import Comparison
import Foundation
import ProxyConfiguration

struct RuleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "Help with the rules in Shadow/.", subcommands: [RuleSuggestCommand.self])
}

struct RuleSuggestCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest",
        abstract: "Print the rules that would accept a group of mismatches, for Shadow/<extraction>.yaml.")

    @Argument(help: "The group's signature, or the beginning of it.")
    var signature: String

    @OptionGroup var client: ClientOptions

    private struct JSON: Encodable {
        struct Rule: Encodable {
            var rule: String
            var path: String
            var with: [String: String]
            var seen: String
            /// Beside the group itself.
            var alsoHides: RuleReach
        }

        /// What is not proposed as it stands.
        struct Held: Encodable {
            var path: String
            var why: String
        }

        var extraction: String
        var signature: String
        var rules: [Rule]
        var held: [Held]
        var yaml: String
        var mismatches: Int
        var share: Double?
        var examples: Int
        var verified: Int
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let detail = try admin.shown(GroupDetail.self, try await admin.get(["groups", signature]))
        let all = try admin.shown(
            [GroupReport].self, try await admin.get(["groups"], query: [("extraction", detail.group.extraction)]))
        let proposal = RuleProposal(detail, others: all.filter { $0.signature != detail.group.signature })
        if client.json {
            let json = JSON(
                extraction: detail.group.extraction, signature: detail.group.signature,
                rules: proposal.rules.map { rule in
                    let details = rule.details.map { ($0.key, $0.value) }
                    return JSON.Rule(
                        rule: rule.list.rawValue, path: rule.path, with: Dictionary(details) { $1 }, seen: rule.seen,
                        alsoHides: proposal.reach(of: rule))
                },
                held: proposal.held.map { JSON.Held(path: $0.path, why: $0.why) },
                yaml: proposal.yaml, mismatches: detail.group.count, share: detail.group.share,
                examples: proposal.checkable, verified: proposal.verified)
            // Texts and numbers always encode.
            terminal.write(String(decoding: (try? AdminJSON.data(json)) ?? Data(), as: UTF8.self))
            return
        }
        for line in proposal.comments { terminal.write(terminal.paint("# " + line, .dim)) }
        for line in proposal.yamlLines { terminal.write(line) }
    }
}

/// The rules for one group, tried on its examples.
struct RuleProposal {
    private let group: GroupReport
    private let others: [GroupReport]
    /// Those that may go into a file as they stand.
    private(set) var rules: [SuggestedRule] = []
    /// Those that would hide too much.
    private(set) var held: [Held] = []
    /// Examples whose bodies were recorded whole.
    private(set) var checkable = 0
    /// Those that show none of the group's differences under the rules.
    private(set) var verified = 0

    struct Held: Equatable {
        var path: String
        var why: String
        /// A rule that is shown nevertheless, commented out.
        var yaml: String?
    }

    /// - Parameter others: of the same extraction, for what the rules would hide there.
    init(_ detail: GroupDetail, others: [GroupReport] = []) {
        group = detail.group
        self.others = others
        let differences = detail.group.differences.map(\.grouped)
        add(
            RuleSuggestion.rules(
                for: differences,
                examples: detail.examples.map {
                    .init(differences: $0.differences, primary: $0.primary.body, shadow: $0.shadow.body)
                }))
        let pairs = detail.examples.compactMap(RecordedPair.init)
        checkable = pairs.count
        widen(until: differences, hiddenIn: pairs)
        let remaining = leftovers(pairs)
        verified = remaining.filter { $0.isDisjoint(with: differences) }.count
    }

    /// What a narrow rule does not hide in the examples after all is ignored.
    private mutating func widen(until differences: [GroupedDifference], hiddenIn pairs: [RecordedPair]) {
        let left = leftovers(pairs).reduce(into: Set()) { $0.formUnion($1) }.intersection(differences)
            .filter { difference in !held.contains { $0.path == difference.path } }
        guard !left.isEmpty else { return }
        let kinds = Dictionary(left.map { ($0.path, $0.kind) }) { first, _ in first }
        rules.removeAll { kinds[$0.path] != nil }
        add(
            kinds.sorted { $0.key < $1.key }.map {
                RuleSuggestion.ignoring($0.key, $0.value, seen: "no narrower rule hides it in every example")
            })
    }

    private mutating func add(_ suggested: [SuggestedRule]) {
        for rule in suggested {
            switch rule.restraint {
            case nil: rules.append(rule)
            case .onlyAsComment(let why): held.append(Held(path: rule.path, why: said(why, rule), yaml: rule.yaml))
            case .never(let why): held.append(Held(path: rule.path, why: why, yaml: nil))
            }
        }
    }

    private func said(_ why: String, _ rule: SuggestedRule) -> String { "\(why); it \(reach(of: rule).sentence)" }

    func reach(of rule: SuggestedRule) -> RuleReach { RuleReach(rule, others) }

    /// What still differs in each example under the rules as the file will have them.
    private func leftovers(_ pairs: [RecordedPair]) -> [Set<GroupedDifference>] {
        let file = ConfigurationFile(name: "suggestion", text: yaml)
        guard let parsed = try? ComparisonRules.parse(file) else {
            return pairs.map { _ in Set(group.differences.map(\.grouped)) }
        }
        return pairs.map { $0.differences(under: parsed) }
    }

    /// A rules' file by itself: its lists can be moved into one that is there.
    var yaml: String { yamlLines.joined(separator: "\n") + "\n" }

    var yamlLines: [String] {
        var lines = ["extraction: \(group.extraction)"]
        for list in SuggestedRule.List.allCases {
            let entries = rules.filter { $0.list == list }
            guard !entries.isEmpty else { continue }
            lines.append("\(list.rawValue):")
            for entry in entries {
                lines.append("  - \(entry.yaml)  # \(entry.seen)")
                lines.append("    # \(reach(of: entry).sentence)")
            }
        }
        return lines + held.flatMap { comment($0) }
    }

    private func comment(_ held: Held) -> [String] {
        let start = held.yaml.map { ["# ignore:", "#   - \($0)"] } ?? []
        let text = held.yaml == nil ? "\(held.path) is not to be ignored: \(held.why)" : "Think twice: it \(held.why)."
        return start + TextLayout.wrapped(text, width: Terminal.width - 4).map { "#   " + $0 }
    }

    var comments: [String] {
        var share = ""
        if let part = group.share, let compared = group.endpointCompared {
            share = ", \(ReportText.share(part)) of \(ReportText.count(compared)) compared"
        }
        guard !rules.isEmpty else { return ["No rule is proposed for \(group.signature.prefix(8))."] }
        var lines = [
            "For Shadow/\(group.extraction).yaml: move each entry into its list, and write why.",
            "Would hide \(ReportText.counted(group.count, "mismatch", "mismatches"))\(share),",
            "of \(group.endpoint), and whatever else differs at these places.",
        ]
        if rules.contains(where: \.isUntriable) {
            lines.append("Not tried: the values are redacted.")
        } else {
            lines.append(
                checkable == 0
                    ? "Not tried: no example was recorded whole."
                    : "Tried on \(ReportText.counted(checkable, "example")): \(verified) no longer differ.")
        }
        return lines
    }
}

/// An example that can be compared again.
private struct RecordedPair {
    private let primary: Answer
    private let shadow: Answer

    /// Nil if a body was cut, or not recorded since it is no text.
    init?(_ example: ExampleReport) {
        guard let primary = Answer(example.primary), let shadow = Answer(example.shadow) else { return nil }
        self.primary = primary
        self.shadow = shadow
    }

    func differences(under rules: ComparisonRules) -> Set<GroupedDifference> {
        var rules = rules
        rules.headers = Set((primary.headers + shadow.headers).map { $0.name.lowercased() }).sorted()
        let result = Comparer(rules: rules, redactor: Redactor(key: [])).compare(
            primary: primary, shadow: shadow, now: Date())
        return Set(result.differences.map(GroupedDifference.init))
    }
}

extension Answer {
    fileprivate init?(_ recorded: RecordedAnswer) {
        let body = Array((recorded.body ?? "").utf8)
        // Redaction may change the size, cutting always ends in this.
        guard recorded.bodyBytes == 0 || (recorded.body != nil && recorded.body?.hasSuffix("…") == false) else {
            return nil
        }
        // Recorded decoded, whatever coding it came in.
        let headers = recorded.headers.filter { !["content-encoding"].contains($0.name.lowercased()) }
        self.init(status: recorded.status, headers: headers, body: body)
    }
}
