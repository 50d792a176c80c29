import AdminAPI
import ArgumentParser
import Extraction
import Foundation

struct HistoryCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show every change of an extraction, the newest first.",
        discussion: """
            Beside stages and weights: decisions about writes (`writes retry`, `writes settle`) and about evidence that is \
            missing (`waive`, `unwaive`), with where the extraction stood.
            """)

    @Argument(help: "The extraction.") var name: String

    @Option(help: ArgumentHelp("At most so many changes, 1 to 1000.", valueName: "count"))
    var limit = 100

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["extractions", name, "history"], query: [("limit", "\(limit)")])
        try show([HistoryEntry].self, data, admin, terminal) { entries in
            if entries.isEmpty { terminal.write("nothing has been changed yet") }
            for entry in entries { HistoryText.write(entry, to: terminal) }
        }
    }
}

enum HistoryText {
    static func write(_ entry: HistoryEntry, to terminal: Terminal) {
        let change = ReportText.change(entry)
        let forced = entry.forced ? "  forced" : ""
        // Longer ones, with an end: `rollback --now`.
        let action = TextLayout.padded(entry.action, to: max(9, entry.action.count + 1))
        let start = "\(ReportText.time(entry.at))  \(action)"
        // Two pairs of weights take a line of their own.
        let fits = TextLayout.columns(of: start + change + forced) <= terminal.textWidth
        terminal.write(
            "\(ReportText.time(entry.at))  "
                + terminal.paint(
                    fits ? action : entry.action,
                    entry.action == "breach" ? .red : .bold)
                + (fits ? change : "") + terminal.paint(forced, .yellow))
        if !fits { terminal.field("change", change) }
        if let subject = entry.subject { terminal.field("about", subject) }
        terminal.field("by", entry.actor)
        if let reason = entry.reason { terminal.field("reason", reason) }
        guard let evidence = entry.evidence else { return }
        terminal.field("evidence", sentence(evidence))
        if let findings = evidence.findings {
            // The reason has said what was broken.
            let isSaid = entry.reason == findings.breaches.joined(separator: "; ")
            terminal.field("guard", isSaid ? ReportText.sides(findings) : ReportText.findings(findings))
        }
    }

    /// `10 s ago step by strangler: cutover 5% → cutover 25%`.
    static func line(_ entry: HistoryEntry, now: Date) -> String {
        let reason = entry.reason.map { ": \($0)" } ?? ""
        let subject = entry.subject.map { " of \($0)" } ?? ""
        return "\(ReportText.ago(entry.at, now: now)) \(entry.action)\(subject) by \(entry.actor), "
            + ReportText.change(entry)
            + (entry.forced ? ", forced" : "") + reason
    }

    private static func sentence(_ evidence: StageEvidence) -> String {
        var parts = [
            "\(ReportText.count(evidence.compared)) compared",
            ReportText.mismatches(evidence.mismatch, accepted: evidence.accepted),
            "\(ReportText.counted(evidence.writeBacklog, "write")) behind",
        ]
        if evidence.regressedGroups > 0 {
            parts.append("\(ReportText.counted(evidence.regressedGroups, "group")) regressed")
        }
        if evidence.fellBackTotal > 0 { parts.append("\(ReportText.count(evidence.fellBackTotal)) fell back") }
        let gaps = evidence.gaps.count { $0.waiver == nil }
        if gaps > 0 { parts.append(ReportText.counted(gaps, "gap")) }
        let waived = evidence.endpoints.count { $0.waiver != nil }
        if waived > 0 { parts.append("\(ReportText.counted(waived, "endpoint")) waived") }
        switch evidence.serviceHealthy {
        case .some(true): parts.append("service healthy")
        case .some(false): parts.append("service not healthy")
        case .none: break
        }
        return parts.joined(separator: ", ")
    }
}
