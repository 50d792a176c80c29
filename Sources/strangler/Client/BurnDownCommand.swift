import AdminAPI
import ArgumentParser
import Extraction
import Foundation

struct BurnDownCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn-down", abstract: "Show who answers how much, what is left to extract, and what nobody uses.")

    @Option(help: ArgumentHelp("After how long an endpoint of the monolith counts as unused.", valueName: "span"))
    var unused = SpanOption.month

    @Flag(help: "All unused endpoints, not only the \(BurnDownText.shownUnused) that were used longest ago.")
    var all = false

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["burn-down"], query: [("unused", unused.text)])
        try show(BurnDown.self, data, admin, terminal) { report in
            BurnDownText.write(report, to: terminal)
            BurnDownText.write(unused: report, all: all, now: Date(), to: terminal)
        }
    }
}

/// The burn-down in 80 columns.
enum BurnDownText {
    static let shownUnused = 20

    /// Above the table of extractions. Without Postgres nothing is shown: the table says why.
    static func writeSummary(_ admin: AdminClient, _ terminal: Terminal) async {
        guard let data = try? await admin.get(["burn-down"]), let report = try? admin.shown(BurnDown.self, data) else {
            return
        }
        write(report, to: terminal)
        if let unused = report.unused, !unused.isEmpty {
            terminal.write(
                "\(ReportText.counted(unused.count, "endpoint")) of the monolith not asked for in "
                    + "\(ReportText.duration(report.unusedFor)): strangler burn-down")
        }
        terminal.write("")
    }

    static func write(_ report: BurnDown, to terminal: Terminal) {
        terminal.text(ReportText.left(report), paint: .bold)
        guard report.left != nil else { return }
        terminal.write(
            terminal.paint("ANSWERS FOR        STAGE        LAST DAY  BY SERVICE  LAST WEEK  BY SERVICE", .dim))
        for owner in report.owners {
            let spans = [owner.day, owner.week].map { span in
                TextLayout.padded(span.share.map(ReportText.share) ?? "–", to: 9, right: true)
                    + TextLayout.padded(owner.extraction == nil ? "–" : ReportText.service(span), to: 12, right: true)
            }
            let name = owner.extraction ?? "the monolith alone"
            let stage = owner.extraction == nil ? "" : owner.stage?.rawValue ?? "no file"
            terminal.write(
                TextLayout.padded(TextLayout.cut(name, to: 18), to: 19) + TextLayout.padded(stage, to: 12)
                    + spans.joined(separator: "  "))
        }
    }

    static func write(unused report: BurnDown, all: Bool, now: Date, to terminal: Terminal) {
        let span = ReportText.duration(report.unusedFor)
        terminal.write("")
        guard let unused = report.unused else {
            let began =
                report.countingSince.map { "counting began \(ReportText.ago($0, now: now))" } ?? "nothing was counted"
            terminal.write("what was not asked for in \(span) is not known yet: \(began)")
            return
        }
        terminal.write(
            terminal.paint("\(ReportText.counted(unused.count, "endpoint")) not asked for in \(span)", .bold))
        let shown = all ? unused[...] : unused.prefix(shownUnused)
        for endpoint in shown {
            let last = "last \(ReportText.ago(endpoint.last, now: now))" + (endpoint.extraction.map { ", \($0)" } ?? "")
            terminal.write("  " + TextLayout.padded(TextLayout.cut(endpoint.endpoint, to: 46), to: 48) + last)
        }
        if shown.count < unused.count {
            terminal.write("  and \(ReportText.count(unused.count - shown.count)) more, --all shows them")
        }
    }
}
