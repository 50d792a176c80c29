import AdminAPI
import Comparison
import Foundation

/// What one rule kept from being shown.
struct HiddenByRule: Encodable, Equatable {
    var rule: String
    var count: Int

    static func list(_ result: Comparison.ComparisonResult, _ rules: ComparisonRules) -> [HiddenByRule] {
        zip(rules.names, result.hiddenByRule).compactMap { name, count in
            count > 0 ? HiddenByRule(rule: name, count: count) : nil
        }
    }
}

/// What `compare` says.
struct ComparedText {
    let result: Comparison.ComparisonResult
    let answers: ComparedAnswers
    let hidden: [HiddenByRule]

    private struct JSON: Encodable {
        var verdict: Verdict
        var differences: [Difference]
        var hidden: [HiddenByRule]
        var notCompared: NotComparedReason?
        var truncated: Bool
        var comparedAs: String

        private enum CodingKeys: CodingKey {
            case verdict, differences, hidden, notCompared, truncated, comparedAs
        }

        /// All keys, null for what there is not.
        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(verdict, forKey: .verdict)
            try fields.encode(differences, forKey: .differences)
            try fields.encode(hidden, forKey: .hidden)
            try fields.encode(notCompared, forKey: .notCompared)
            try fields.encode(truncated, forKey: .truncated)
            try fields.encode(comparedAs, forKey: .comparedAs)
        }
    }

    var json: String {
        let value = JSON(
            verdict: result.verdict, differences: result.differences, hidden: hidden, notCompared: result.notCompared,
            truncated: result.truncated, comparedAs: comparedAs)
        // Texts and numbers always encode.
        return String(decoding: (try? AdminJSON.data(value)) ?? Data(), as: UTF8.self)
    }

    /// One line a difference, the verdict in the last one.
    func write(to terminal: Terminal) {
        for difference in result.differences { terminal.write(Self.line(difference, terminal)) }
        if result.truncated { terminal.write("… and more: only the first \(result.differences.count) are shown") }
        for rule in hidden {
            terminal.write(
                terminal.paint(
                    TextLayout.cutMiddle(
                        "hidden   \(rule.rule): \(ReportText.counted(rule.count, "difference"))", to: Terminal.width),
                    .dim))
        }
        if let reason = result.notCompared { terminal.write("not compared: \(reason.rawValue)") }
        terminal.write(verdict(terminal))
    }

    private static func line(_ difference: Difference, _ terminal: Terminal) -> String {
        let path = TextLayout.cutMiddle(difference.path, to: 36)
        let room = Terminal.width - 9 - TextLayout.columns(of: path) - 5
        let whole = TextLayout.columns(of: difference.primary) + TextLayout.columns(of: difference.shadow)
        // A short value leaves its room to the other one.
        let half = room / 2
        let shortest = min(TextLayout.columns(of: difference.primary), TextLayout.columns(of: difference.shadow))
        let width = whole <= room ? room : max(half, room - shortest)
        let (left, right) = TextLayout.cutAlike(difference.primary, difference.shadow, to: width)
        return TextLayout.padded(difference.kind.rawValue, to: 9) + terminal.paint(path, .bold) + ": "
            + terminal.paint(left, .green) + " → " + terminal.paint(right, .red)
    }

    private func verdict(_ terminal: Terminal) -> String {
        let how = hidden.isEmpty ? comparedAs : "\(comparedAs), \(ReportText.counted(hidden.count, "rule")) applied"
        switch result.verdict {
        case .match: return terminal.paint("same", .green) + ": \(how)"
        case .mismatch:
            let count =
                ReportText.counted(result.differences.count, "difference") + (result.truncated ? " and more" : "")
            return terminal.paint("different", .red) + ": \(count); \(how)"
        default: return terminal.paint("unknown", .yellow) + ": \(how)"
        }
    }

    /// `status, headers and application/json`, `application/json`, `1,204 bytes, identical`.
    private var comparedAs: String {
        let types = [answers.first, answers.second].map { answer in
            let type = answer.values(of: "content-type").first?.split(separator: ";").first ?? "bytes"
            return String(type.filter { $0.isASCII && !$0.isWhitespace && $0 > "\u{1F}" && $0 != "\u{7F}" })
        }
        let body =
            answers.first.body == answers.second.body
            ? "\(ReportText.counted(answers.first.body.count, "byte")), identical"
            : types[0] == types[1] ? types[0] : "\(types[0]) and \(types[1])"
        return "compared " + (answers.haveHeads ? "status, headers and body as " : "as ") + TextLayout.oneLine(body)
    }
}
