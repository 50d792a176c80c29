import AdminAPI
import ArgumentParser
import Comparison
import Foundation

struct DiffsCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "diffs", abstract: "List the groups of mismatches, the most frequent first.")

    @Argument(help: "Only those of this extraction.")
    var name: String?

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["groups"], query: [("extraction", name)])
        try show([GroupReport].self, data, admin, terminal) { groups in
            Self.write(groups, now: Date(), to: terminal)
        }
    }

    /// Two lines a group: endpoints and paths are too long for one.
    private static func write(_ groups: [GroupReport], now: Date, to terminal: Terminal) {
        guard !groups.isEmpty else {
            terminal.write("no mismatches")
            return
        }
        let severalExtractions = Set(groups.map(\.extraction)).count > 1
        terminal.write(terminal.paint("SIGNATURE  STATE            COUNT  LAST SEEN          ENDPOINT", .dim))
        for group in groups {
            let state = TextLayout.padded(TextLayout.cut(group.state, to: 13), to: 14)
            terminal.write(
                [
                    terminal.paint(TextLayout.padded(String(group.signature.prefix(8)), to: 11), .bold),
                    terminal.paint(state, paint(group.state)),
                    TextLayout.padded(ReportText.count(group.count), to: 8, right: true),
                    "  " + TextLayout.padded(ReportText.ago(group.lastSeen, now: now), to: 19),
                    group.endpoint,
                ].joined())
            if severalExtractions { terminal.field("", "(\(group.extraction))", labelWidth: 9) }
            let differences = group.differences.map { "\($0.path) \($0.kind.rawValue)" }
            terminal.field("", differences.joined(separator: ", "), labelWidth: 9)
        }
    }

    static func paint(_ state: String) -> Terminal.Paint {
        switch state {
        case "accepted", "fixed": .green
        case "acknowledged": .cyan
        default: .red
        }
    }
}

struct DiffCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show one group of mismatches with recorded requests and answers.")

    @Argument(help: "The group's signature, or the beginning of it.")
    var signature: String

    @Option(help: ArgumentHelp("Show so many of the recorded examples, the newest first.", valueName: "count"))
    var examples = 1

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (0...1000).contains(examples) else { throw ValidationError("--examples is a number from 0 to 1000") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["groups", signature])
        try show(GroupDetail.self, data, admin, terminal) { detail in
            GroupText.write(detail, examples: examples, to: terminal)
        }
    }
}

/// A group and its examples as text.
enum GroupText {
    static func write(_ detail: GroupDetail, examples limit: Int, to terminal: Terminal) {
        write(detail.group, to: terminal)
        let newest = detail.examples.sorted { $0.at > $1.at }
        for (number, example) in newest.prefix(limit).enumerated() {
            terminal.write("")
            let title = "Example \(number + 1) of \(newest.count), \(ReportText.time(example.at))"
            terminal.write(terminal.paint(title, .bold))
            write(example, to: terminal)
        }
        if newest.isEmpty { terminal.write("no example was recorded") }
    }

    static func write(_ group: GroupReport, to terminal: Terminal) {
        terminal.write(terminal.paint(group.endpoint, .bold) + "  (\(group.extraction))")
        terminal.field("signature", group.signature, labelWidth: 11)
        terminal.field("state", state(group), labelWidth: 11)
        terminal.field(
            "seen",
            "\(ReportText.counted(group.count, "time")), first \(ReportText.time(group.firstSeen)), "
                + "last \(ReportText.time(group.lastSeen))", labelWidth: 11)
        for (number, difference) in group.differences.enumerated() {
            terminal.field(
                number == 0 ? "differs" : "", "\(difference.path) \(difference.kind.rawValue)", labelWidth: 11)
        }
    }

    private static func state(_ group: GroupReport) -> String {
        var text = group.state
        if let by = group.stateBy { text += " by \(by)" }
        if let at = group.stateAt { text += " at \(ReportText.time(at))" }
        if let reason = group.stateReason { text += ": \(reason)" }
        return text
    }

    private static func write(_ example: ExampleReport, to terminal: Terminal) {
        terminal.write("  \(example.request.method) \(example.request.target)")
        for field in example.request.headers { terminal.write(terminal.paint("  \(line(field))", .dim)) }
        for line in BodyLines.lines(example.request.body, [], side: .primary) { terminal.write("  \(line.text)") }
        terminal.write("")
        for difference in example.differences {
            terminal.write(
                "  \(terminal.paint(difference.path, .bold)) \(difference.kind.rawValue)")
            terminal.write("    primary  " + terminal.paint(difference.primary, .green))
            terminal.write("    shadow   " + terminal.paint(difference.shadow, .red))
        }
        write(example.primary, example.differences, .primary, to: terminal)
        write(example.shadow, example.differences, .shadow, to: terminal)
    }

    /// Lines that differ are marked `-` in the primary's answer and `+` in the shadow's, as in a patch.
    private static func write(
        _ answer: RecordedAnswer, _ differences: [Difference], _ side: BodySide, to terminal: Terminal
    ) {
        let (title, mark, paint): (String, String, Terminal.Paint) =
            side == .primary ? ("primary", "-", .green) : ("shadow", "+", .red)
        let paths = Set(differences.map(\.path))
        let write = { (text: String, differs: Bool) in
            terminal.write(differs ? terminal.paint("\(mark) \(text)", paint) : "  \(text)")
        }
        terminal.write("")
        write("\(title) \(answer.status)", paths.contains("status"))
        for field in answer.headers { write(line(field), paths.contains("header." + field.name.lowercased())) }
        let lines = BodyLines.lines(answer.body, differences, side: side)
        for line in lines { write(line.text, line.differs) }
        if lines.isEmpty, answer.bodyBytes > 0 {
            write("(\(ReportText.counted(answer.bodyBytes, "byte")), not shown: not text)", paths.contains("body"))
        }
    }

    private static func line(_ field: HeaderField) -> String {
        "\(field.name): \(field.value)"
    }
}
