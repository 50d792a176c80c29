import AdminAPI
import ArgumentParser
import Comparison
import Foundation

struct DiffsCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "diffs", abstract: "List the groups of mismatches, the most frequent first.")

    @Argument(help: "Only those of this extraction.")
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Only those in this state: \(GroupReport.states.joined(separator: ", ")).", valueName: "state"))
    var state: String?

    @Flag(help: "Also those that are the primary's own noise, and those beyond the first \(GroupsText.shownGroups).")
    var all = false

    @Flag(help: "One line for each place and kind, over all groups: one cause often has many signatures.")
    var byField = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        if let state, !GroupReport.states.contains(state) {
            throw ValidationError("--state is one of \(GroupReport.states.joined(separator: ", "))")
        }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["groups"], query: [("extraction", name), ("state", state)])
        if byField, client.json {
            // Not for the terminal but for scripts: raw.
            guard let groups = try? AdminJSON.decode([GroupReport].self, from: data),
                let fields = try? AdminJSON.data(FieldTotal.list(groups))
            else { throw ClientFailure(exit: .unreachable, message: "the proxy answers in a way not understood") }
            terminal.write(String(decoding: fields, as: UTF8.self))
            return
        }
        try show([GroupReport].self, data, admin, terminal) { groups in
            if byField {
                GroupsText.write(fields: FieldTotal.list(groups), of: groups, all: all, to: terminal)
            } else {
                GroupsText.write(groups, all: all, now: Date(), to: terminal)
            }
        }
    }
}

/// All groups that differ at one place in one way.
struct FieldTotal: Encodable, Equatable {
    var path: String
    var kind: DifferenceKind
    var groups: Int
    /// Of all those groups, whatever else differed in them.
    var mismatches: Int
    /// Nil while nothing is known about noise.
    var noise: Bool?

    /// The most frequent first.
    static func list(_ groups: [GroupReport]) -> [FieldTotal] {
        var totals: [GroupedDifference: FieldTotal] = [:]
        for group in groups {
            for difference in group.differences {
                let empty = FieldTotal(path: difference.path, kind: difference.kind, groups: 0, mismatches: 0)
                var total = totals[difference.grouped] ?? empty
                total.groups += 1
                total.mismatches += group.count
                // Noise at one endpoint may be a fault at another one.
                if let noise = difference.noise { total.noise = (total.noise ?? true) && noise }
                totals[difference.grouped] = total
            }
        }
        return totals.values.sorted {
            ($1.mismatches, $0.path, $0.kind.rawValue) < ($0.mismatches, $1.path, $1.kind.rawValue)
        }
    }
}

/// Groups in lists of 80 columns.
enum GroupsText {
    static let shownGroups = 50

    /// Three lines and more a group: endpoints and paths are too long for one.
    static func write(_ groups: [GroupReport], all: Bool, now: Date, to terminal: Terminal) {
        guard !groups.isEmpty else {
            terminal.write("no mismatches")
            return
        }
        terminal.write(terminal.paint(total(groups), .bold))
        let shown = groups.filter { all || !$0.isNoise }
        if !shown.isEmpty {
            terminal.write(
                terminal.paint(
                    "SIGNATURE  STATE             COUNT    SHARE  FIRST SEEN        LAST SEEN", .dim))
        }
        let severalExtractions = Set(groups.map(\.extraction)).count > 1
        for group in shown.prefix(all ? .max : shownGroups) {
            write(group, namesExtraction: severalExtractions, now: now, to: terminal)
        }
        writeRest(of: shown.count, "group", all: all, to: terminal)
        let noise = groups.count - shown.count
        if noise > 0 {
            let mismatches = groups.filter(\.isNoise).reduce(0) { $0 &+ $1.count }
            terminal.write(
                terminal.paint(
                    "\(ReportText.counted(noise, "group")) of noise left out "
                        + "(\(ReportText.counted(mismatches, "mismatch", "mismatches"))): --all shows them", .dim))
        }
    }

    private static func writeRest(of count: Int, _ noun: String, all: Bool, to terminal: Terminal) {
        guard !all, count > shownGroups else { return }
        terminal.write(
            terminal.paint("and \(ReportText.counted(count - shownGroups, "more " + noun)), --all shows them", .dim))
    }

    private static func write(_ group: GroupReport, namesExtraction: Bool, now: Date, to terminal: Terminal) {
        let state = group.isNoise ? "noise" : group.state
        terminal.write(
            [
                terminal.paint(TextLayout.padded(String(group.signature.prefix(8)), to: 11), .bold),
                terminal.paint(TextLayout.padded(TextLayout.cut(state, to: 13), to: 14), paint(state)),
                TextLayout.padded(ReportText.count(group.count), to: 9, right: true),
                TextLayout.padded(group.share.map(ReportText.share) ?? "–", to: 9, right: true),
                "  " + TextLayout.padded(ReportText.ago(group.firstSeen, now: now), to: 16),
                "  " + ReportText.ago(group.lastSeen, now: now),
            ].joined())
        let extraction = namesExtraction ? "  (\(TextLayout.cut(group.extraction, to: 20)))" : ""
        let room = Terminal.width - 2 - TextLayout.columns(of: extraction)
        terminal.write("  " + TextLayout.cutMiddle(group.endpoint, to: room) + extraction)
        let entries = group.differences.map { difference in
            "\(difference.path) \(difference.kind.rawValue)" + (difference.noise == true ? " ~noise" : "")
        }
        for line in TextLayout.listed(entries, width: Terminal.width - 4, lines: 2) { terminal.write("    " + line) }
    }

    /// `12,004 mismatches in 3 groups: 1 new, 1 accepted, 1 noise`
    static func total(_ groups: [GroupReport]) -> String {
        let mismatches = groups.reduce(0) { $0 &+ $1.count }
        let states = Dictionary(grouping: groups) { $0.isNoise ? "noise" : $0.state }.mapValues(\.count)
        let order = ["regressed", "new", "acknowledged", "accepted", "fixed"]
        let known = order.filter { states[$0] != nil }
        let others = states.keys.filter { !order.contains($0) && $0 != "noise" }.sorted()
        let parts = (known + others + (states["noise"] == nil ? [] : ["noise"])).map { "\(states[$0] ?? 0) \($0)" }
        return "\(ReportText.counted(mismatches, "mismatch", "mismatches")) in "
            + "\(ReportText.counted(groups.count, "group")): " + parts.joined(separator: ", ")
    }

    static func write(fields: [FieldTotal], of groups: [GroupReport], all: Bool = false, to terminal: Terminal) {
        guard !fields.isEmpty else {
            terminal.write("no mismatches")
            return
        }
        terminal.write(terminal.paint(total(groups), .bold))
        terminal.write(terminal.paint("KIND      GROUPS  MISMATCHES  PATH", .dim))
        for field in fields.prefix(all ? .max : shownGroups) {
            let mark = field.noise == true ? "  ~ noise" : ""
            terminal.write(
                TextLayout.padded(field.kind.rawValue, to: 8)
                    + TextLayout.padded(ReportText.count(field.groups), to: 8, right: true)
                    + TextLayout.padded(ReportText.count(field.mismatches), to: 12, right: true) + "  "
                    + terminal.paint(TextLayout.cutMiddle(field.path, to: Terminal.width - 30 - mark.count), .bold)
                    + terminal.paint(mark, .dim))
        }
        writeRest(of: fields.count, "field", all: all, to: terminal)
    }

    static func paint(_ state: String) -> Terminal.Paint {
        switch state {
        case "accepted", "fixed": .green
        case "acknowledged": .cyan
        case "noise": .dim
        default: .red
        }
    }
}
