import AdminAPI
import ArgumentParser
import Comparison
import Foundation

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
        let noise = Set(detail.group.differences.filter { $0.noise == true }.map(\.grouped))
        for (number, example) in newest.prefix(limit).enumerated() {
            terminal.write("")
            let title = "Example \(number + 1) of \(newest.count), \(ReportText.time(example.at))"
            terminal.write(terminal.paint(title, .bold))
            ExampleText(example: example, noise: noise).write(to: terminal)
        }
        if newest.isEmpty { terminal.write("no example was recorded") }
    }

    static func write(_ group: GroupReport, to terminal: Terminal) {
        terminal.write(terminal.paint(group.endpoint, .bold) + "  (\(group.extraction))")
        terminal.field("signature", group.signature, labelWidth: 11)
        terminal.field("state", state(group), labelWidth: 11)
        terminal.field("seen", seen(group), labelWidth: 11)
        for (number, difference) in group.differences.enumerated() {
            terminal.field(
                number == 0 ? "differs" : "",
                "\(difference.path) \(difference.kind.rawValue)" + (difference.noise == true ? "  ~ noise" : ""),
                labelWidth: 11)
        }
        for (number, event) in (group.history ?? []).enumerated() {
            terminal.field(number == 0 ? "history" : "", ReportText.event(event), labelWidth: 11)
        }
    }

    private static func seen(_ group: GroupReport) -> String {
        ReportText.counted(group.count, "time") + ReportText.shareOfCompared(group)
            + ", first \(ReportText.time(group.firstSeen)), last \(ReportText.time(group.lastSeen))"
    }

    private static func state(_ group: GroupReport) -> String {
        var text = group.state
        if group.isNoise { text += " (noise: the primary disagrees with itself as often)" }
        if let by = group.stateBy { text += " by \(by)" }
        if let at = group.stateAt { text += " at \(ReportText.time(at))" }
        if let reason = group.stateReason { text += ": \(reason)" }
        return text
    }
}

/// One recorded pair of answers as text.
struct ExampleText {
    /// Below this there is no room for two columns.
    private static let leastColumns = 70
    /// The two columns below show them all.
    private static let listedDifferences = 20

    let example: ExampleReport
    let noise: Set<GroupedDifference>

    func write(to terminal: Terminal) {
        let line = "\(example.request.method) \(example.request.target)"
        for part in SideBySide.wrapped(line, width: terminal.textWidth - 2) { terminal.write("  " + part) }
        for field in example.request.headers {
            terminal.write(terminal.paint("  " + TextLayout.cut(Self.line(field), to: terminal.textWidth - 2), .dim))
        }
        for line in BodyLines.lines(example.request.body, [], side: .primary) {
            for part in SideBySide.wrapped(line.text, width: terminal.textWidth - 2) { terminal.write("  " + part) }
        }
        terminal.write("")
        for difference in example.differences.prefix(Self.listedDifferences) { write(difference, to: terminal) }
        let rest = example.differences.count - Self.listedDifferences
        if rest > 0 { terminal.write("  and \(ReportText.count(rest)) more") }
        terminal.write("")
        if terminal.columns < Self.leastColumns {
            writeStacked(to: terminal)
        } else {
            sideBySide.write(width: terminal.columns, to: terminal)
        }
    }

    private func write(_ difference: Difference, to terminal: Terminal) {
        let isNoise = noise.contains(GroupedDifference(difference))
        let room = terminal.columns - 13
        let (primary, shadow) = TextLayout.cutAlike(difference.primary, difference.shadow, to: room)
        terminal.write(
            "  \(terminal.paint(difference.path, .bold)) \(difference.kind.rawValue)"
                + (isNoise ? terminal.paint("  ~ noise", .dim) : ""))
        terminal.write("    primary  " + terminal.paint(primary, isNoise ? .dim : .green))
        terminal.write("    shadow   " + terminal.paint(shadow, isNoise ? .dim : .red))
    }

    // MARK: - In two columns

    private var sideBySide: SideBySide {
        var columns = SideBySide()
        let (primary, shadow) = (example.primary, example.shadow)
        columns.add("primary", "shadow", .equal)
        columns.add("\(primary.status)", "\(shadow.status)", mark("status", primary.status == shadow.status))
        for name in shownHeaders {
            let values = [primary, shadow].map { answer in
                answer.headers.filter { $0.name.lowercased() == name }.map { "\(name): \($0.value)" }
            }
            for index in 0..<max(values[0].count, values[1].count) {
                let one = index < values[0].count ? values[0][index] : ""
                let other = index < values[1].count ? values[1][index] : ""
                columns.add(one, other, mark("header." + name, one == other))
            }
        }
        columns.add("", "", .equal)
        let lines = (self.lines(primary, .primary), self.lines(shadow, .shadow))
        columns.add(lines.0, lines.1)
        return columns
    }

    /// Those that differ, and those that are compared unless the rules name others.
    private var shownHeaders: [String] {
        let differing = Set(
            example.differences.compactMap { $0.path.hasPrefix("header.") ? $0.path.dropFirst(7) : nil })
        let present = Set((example.primary.headers + example.shadow.headers).map { $0.name.lowercased() })
        return present.filter { differing.contains($0[...]) || ComparisonRules.defaultHeaders.contains($0) }.sorted()
    }

    private func mark(_ path: String, _ isEqual: Bool) -> SideBySide.Mark {
        guard let difference = example.differences.first(where: { $0.path == path }) else {
            return isEqual ? .equal : .hidden
        }
        return noise.contains(GroupedDifference(difference)) ? .noise : .differs
    }

    private func lines(_ answer: RecordedAnswer, _ side: BodySide) -> [BodyLine] {
        let lines = BodyLines.lines(answer.body, example.differences, noise: noise, side: side)
        guard lines.isEmpty, answer.bodyBytes > 0 else { return lines }
        let differs = example.differences.contains { $0.path == "body" }
        return [
            BodyLine(text: "(\(ReportText.counted(answer.bodyBytes, "byte")), not shown: not text)", differs: differs)
        ]
    }

    // MARK: - One above the other

    /// Lines that differ are marked `-` in the primary's answer and `+` in the shadow's, as in a patch.
    private func writeStacked(to terminal: Terminal) {
        write(example.primary, .primary, to: terminal)
        terminal.write("")
        write(example.shadow, .shadow, to: terminal)
    }

    private func write(_ answer: RecordedAnswer, _ side: BodySide, to terminal: Terminal) {
        let (title, sign, paint): (String, String, Terminal.Paint) =
            side == .primary ? ("primary", "-", .green) : ("shadow", "+", .red)
        let write = { (text: String, mark: SideBySide.Mark) in
            let sign = mark == .differs ? sign : mark == .noise ? "~" : " "
            for part in SideBySide.wrapped(text, width: terminal.columns - 2) {
                let line = "\(sign) \(part)"
                terminal.write(mark == .differs ? terminal.paint(line, paint) : line)
            }
        }
        write("\(title) \(answer.status)", mark("status", true))
        for field in answer.headers where shownHeaders.contains(field.name.lowercased()) {
            write(Self.line(field), mark("header." + field.name.lowercased(), true))
        }
        for line in lines(answer, side) {
            write(line.text, line.isNoise ? .noise : line.differs ? .differs : .equal)
        }
    }

    private static func line(_ field: HeaderField) -> String { "\(field.name): \(field.value)" }
}
