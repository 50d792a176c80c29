import AdminAPI
import ArgumentParser
import Extraction
import Foundation

/// A span of time as an option: `90m`, `12h`, `7d`.
struct SpanOption: ExpressibleByArgument, Sendable {
    let text: String

    init?(argument: String) {
        guard SpanText.seconds(argument) != nil else { return nil }
        text = argument
    }

    var defaultValueDescription: String { text }

    private init(_ text: String) { self.text = text }
    static let week = SpanOption("7d")
    static let month = SpanOption("30d")

    var seconds: Double { SpanText.seconds(text) ?? 0 }
}

struct CandidatesCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "candidates", abstract: "Rank what the monolith is asked for by what speaks for extracting it.",
        discussion: """
            Requests that no extraction takes are counted under endpoints that are learned from them. Only what traffic \
            can show is said; an extraction needs two reasons, and some only people know.
            """)

    @Option(help: ArgumentHelp("How far to look back: 90m, 12h, 7d.", valueName: "span"))
    var since = SpanOption.week

    @Option(help: ArgumentHelp("At most so many, 1 to 1000.", valueName: "count"))
    var limit = 10

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["candidates"], query: [("since", since.text), ("limit", "\(limit)")])
        try show(CandidatesReport.self, data, admin, terminal) { report in
            CandidatesText.write(report, now: Date(), to: terminal)
        }
    }
}

/// Candidates in 80 columns.
enum CandidatesText {
    private static let shownEndpoints = 5

    static func write(_ report: CandidatesReport, now: Date, to terminal: Terminal) {
        guard report.requests > 0 else {
            terminal.write(ReportText.nothing(report, now: now))
            return
        }
        let span = ReportText.duration(report.until.timeIntervalSince(report.since))
        terminal.write(
            "\(ReportText.counted(report.requests, "request")) of the last \(span) that no extraction takes, in "
                + ReportText.counted(report.groups, "group"))
        if report.notFound > 0 {
            terminal.write(
                "\(ReportText.part(report.notFound, of: report.requests)) ask for what the monolith does not know")
        }
        for (number, candidate) in report.candidates.enumerated() {
            terminal.write("")
            write(candidate, number: number + 1, to: terminal)
        }
        let rest = report.groups - report.candidates.count
        terminal.write("")
        if rest > 0 {
            terminal.write("and \(ReportText.counted(rest, "more group", "more groups")), --limit shows them")
        }
        terminal.write(terminal.paint("No traffic shows these reasons; an extraction needs two in all:", .bold))
        for question in report.questions {
            terminal.field(question.reason.rawValue, question.question, labelWidth: 24)
        }
    }

    private static func write(_ candidate: Candidate, number: Int, to terminal: Terminal) {
        terminal.write("\(number). " + terminal.paint(candidate.path, .bold))
        terminal.field("share", ReportText.shares(candidate.share))
        terminal.field("traffic", ReportText.traffic(candidate))
        let endpoints = candidate.endpoints.prefix(shownEndpoints)
        for (number, endpoint) in endpoints.enumerated() {
            terminal.write(
                "  " + terminal.paint(TextLayout.padded(number == 0 ? "endpoints" : "", to: 10), .dim)
                    + TextLayout.padded(TextLayout.cut(endpoint.endpoint, to: 52), to: 54)
                    + TextLayout.padded(ReportText.count(endpoint.requests), to: 12, right: true))
        }
        let rest = candidate.endpoints.count - endpoints.count
        if rest > 0 { terminal.field("", "and \(ReportText.count(rest)) more") }
        for (number, reason) in candidate.reasons.enumerated() {
            terminal.field(
                number == 0 ? "for it" : "", terminal.paint(reason.reason.rawValue, .green) + ": " + reason.said)
        }
        if candidate.reasons.isEmpty { terminal.field("for it", "nothing that traffic shows") }
        for (number, against) in candidate.against.enumerated() {
            terminal.field(number == 0 ? "against" : "", against)
        }
        if let name = InitDraft.suggestedName(candidate.path) {
            terminal.field("next", #"strangler init \#(name) --path "\#(candidate.path)/**""#)
        }
    }
}
