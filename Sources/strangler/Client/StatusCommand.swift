import AdminAPI
import ArgumentParser
import Comparison
import Extraction
import Foundation

struct StatusCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where the extractions stand, and what is missing for the next stage.")

    @Argument(help: "One extraction in full; without it, all of them in a table.")
    var name: String?

    @Flag(help: "All endpoints, not only the \(StatusText.shownEndpoints) with the most requests.")
    var all = false

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        try await showExtractions(admin, terminal)
        guard !client.json else { return }
        // Also said when the files define no extraction at all.
        let files = try admin.shown(ConfigurationReport.self, try await admin.get(["configuration"]))
        for notice in files.notices { terminal.write(terminal.paint(notice, .yellow)) }
    }

    private func showExtractions(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        if let name {
            let data = try await admin.get(["extractions", name])
            try show(ExtractionReport.self, data, admin, terminal) { report in
                StatusText.write(report, all: all, now: Date(), to: terminal)
            }
        } else {
            let data = try await admin.get(["extractions"])
            try show([ExtractionReport].self, data, admin, terminal) { reports in
                StatusText.write(table: reports, to: terminal)
            }
        }
    }
}

/// Reports as text of 80 columns.
enum StatusText {
    /// Where clients make up paths there are thousands.
    static let shownEndpoints = 30
    private static let shownNoise = 10

    static func write(table reports: [ExtractionReport], to terminal: Terminal) {
        guard !reports.isEmpty else {
            terminal.write("no extraction is defined")
            return
        }
        terminal.write(terminal.paint("EXTRACTION        STAGE       WEIGHT   COMPARED  MISMATCH  BACKLOG  NEXT", .dim))
        for report in reports {
            let known = { (count: Int) in report.storeConnected ? ReportText.count(count) : "–" }
            let mismatch = TextLayout.padded(known(report.shadow.mismatch), to: 10, right: true)
            let cells = [
                TextLayout.padded(TextLayout.cut(report.extraction, to: 16), to: 18),
                TextLayout.padded(report.stage.rawValue, to: 11),
                TextLayout.padded(report.weight.description, to: 7, right: true),
                TextLayout.padded(known(report.shadow.compared), to: 11, right: true),
                report.shadow.mismatch > report.shadow.accepted ? terminal.paint(mismatch, .red) : mismatch,
                TextLayout.padded(ReportText.count(report.backlog), to: 9, right: true),
                "  " + next(report.gate),
            ]
            terminal.write(cells.joined())
        }
        if reports.contains(where: { !$0.storeConnected }) { writeStoreAway(terminal) }
    }

    private static func next(_ gate: GateReport) -> String {
        guard let next = gate.next else { return "–" }
        return gate.open ? "✓ \(next.rawValue)" : "✗ \(next.rawValue)"
    }

    static func write(_ report: ExtractionReport, all: Bool = false, now: Date, to terminal: Terminal) {
        terminal.write(
            terminal.paint(report.extraction, .bold)
                + ": \(ReportText.step(report.stage)), stage \(report.stage.rawValue), "
                + "\(report.weight) of the keys at the service")
        terminal.write(track(report.stage, terminal))
        terminal.field("since", "\(ReportText.time(report.since)) (\(ReportText.ago(report.since, now: now)))")
        if let owner = report.owner { terminal.field("owner", owner) }
        if let problem = report.problem { terminal.field("problem", problem) }
        terminal.field(
            "traffic",
            "\(ReportText.count(report.traffic.monolith)) answered by the monolith, "
                + "\(ReportText.count(report.traffic.service)) by the service since the proxy started")
        if report.storeConnected {
            writeEvidence(report, all: all, to: terminal)
        } else {
            terminal.field("shadow", "unknown while Postgres is away")
        }
        if let rules = report.rules, !rules.isEmpty {
            let isIdle = rules.contains { $0.dead || $0.expired }
            terminal.field(
                "rules", ReportText.rules(rules) + (isIdle ? ": strangler check --against-traffic" : ""))
        }
        if let losses = report.losses, !losses.isEmpty {
            terminal.field("losses", "evidence without a place: \(ReportText.losses(losses))")
        }
        terminal.field("backlog", ReportText.counted(report.backlog, "write"))
        let fellBack =
            report.storeConnected ? ReportText.fellBack(report.fallback, now: now) : "how many fell back is unknown"
        terminal.field("fallback", "\(ReportText.window(report)); \(fellBack)")
        write(report.gate, to: terminal)
        if !report.storeConnected { writeStoreAway(terminal) }
    }

    private static func writeEvidence(_ report: ExtractionReport, all: Bool, to terminal: Terminal) {
        terminal.field("shadow", verdicts(report.shadow))
        terminal.field("", ReportText.coverage(report.shadow))
        let endpoints = report.endpoints ?? []
        let byTraffic = endpoints.sorted { ($1.verdicts.seen, $0.endpoint) < ($0.verdicts.seen, $1.endpoint) }
        let shown = all ? endpoints : Array(byTraffic.prefix(shownEndpoints)).sorted { $0.endpoint < $1.endpoint }
        for endpoint in shown { write(endpoint, to: terminal) }
        let rest = endpoints.count - shown.count
        if rest > 0 { terminal.field("", "and \(ReportText.count(rest)) more endpoints, --all shows them") }
        if let hidden = report.noiseHidden, hidden.pairs > 0 || hidden.fields > 0 {
            terminal.field("noise", ReportText.hidden(hidden))
        }
        let lines = noise(report.noise ?? [])
        let shownLines = all ? lines.count : shownNoise
        for (number, line) in lines.prefix(shownLines).enumerated() {
            terminal.field(number == 0 && report.noiseHidden == nil ? "noise" : "", line)
        }
        if lines.count > shownLines {
            terminal.field("", "and \(ReportText.count(lines.count - shownLines)) more endpoints, --all shows them")
        }
    }

    /// The seven stages on one line, in 76 characters.
    private static func track(_ stage: Stage, _ terminal: Terminal) -> String {
        Stage.allCases.map { other in
            if other < stage { return terminal.paint("✓ \(other.rawValue)", .green) }
            return other == stage
                ? terminal.paint("▶ \(other.rawValue)", .bold) : terminal.paint("· \(other.rawValue)", .dim)
        }.joined(separator: " ")
    }

    private static func verdicts(_ shadow: VerdictReport) -> String {
        "\(ReportText.count(shadow.compared)) compared: \(ReportText.count(shadow.match)) match, "
            + "\(ReportText.mismatches(shadow)), \(ReportText.count(shadow.transient)) transient"
    }

    private static func write(_ endpoint: EndpointReport, to terminal: Terminal) {
        let counts =
            "\(ReportText.count(endpoint.verdicts.compared)) compared, "
            + ReportText.mismatches(endpoint.verdicts)
        let name = TextLayout.padded(TextLayout.cut(endpoint.endpoint, to: 40), to: 42)
        terminal.write(
            String(repeating: " ", count: 12) + name
                + (endpoint.verdicts.mismatch > endpoint.verdicts.accepted ? terminal.paint(counts, .red) : counts))
        if let coverage = endpoint.coverage { dim(ReportText.coverage(coverage, endpoint.verdicts), terminal) }
        if let latency = endpoint.latency {
            let sides = [("monolith", latency.monolith), ("service", latency.service)].compactMap { name, side in
                side.map { "\(name) \(ReportText.latency($0)) ms" }
            }
            dim("p50 / p99: " + sides.joined(separator: ", "), terminal)
        }
    }

    private static func dim(_ text: String, _ terminal: Terminal) {
        for line in TextLayout.wrapped(text, width: Terminal.width - 14) {
            terminal.write(String(repeating: " ", count: 14) + terminal.paint(line, .dim))
        }
    }

    /// One line an endpoint: the fields in which the primary disagrees with itself, the shadow more often where marked.
    private static func noise(_ noise: [NoiseReport]) -> [String] {
        Dictionary(grouping: noise) { $0.endpoint }.sorted { $0.key < $1.key }.map { endpoint, fields in
            let shown = fields.prefix(4).map { field in
                "\(field.path) \(field.kind.rawValue)" + (field.exceeds ? " (the shadow more often)" : "")
            }
            let rest = fields.count - shown.count
            return endpoint + ": " + shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
        }
    }

    static func write(_ gate: GateReport, to terminal: Terminal) {
        terminal.write(terminal.paint(ReportText.gate(gate), .bold))
        for missing in gate.missing {
            let lines = TextLayout.wrapped(missing, width: Terminal.width - 4)
            for (number, line) in lines.enumerated() {
                terminal.write((number == 0 ? "  " + terminal.paint("✗", .red) + " " : "    ") + line)
            }
        }
        if gate.open { terminal.write("  " + terminal.paint("✓", .green) + " nothing is missing") }
    }

    private static func writeStoreAway(_ terminal: Terminal) {
        terminal.write(
            terminal.paint("Postgres is away: stages are the last ones known, counters stand still", .yellow))
    }
}
