import AdminAPI
import Comparison
import Extraction
import Foundation

// Traffic, comparisons by endpoint, noise, rules: what stands below the checklist.
extension StatusText {
    static func writeDetails(_ report: ExtractionReport, all: Bool, to terminal: Terminal) {
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

    private static func verdicts(_ shadow: VerdictReport) -> String {
        "\(ReportText.count(shadow.compared)) compared: \(ReportText.count(shadow.match)) match, "
            + "\(ReportText.mismatches(shadow)), \(ReportText.count(shadow.transient)) transient"
    }

    private static func write(_ endpoint: EndpointReport, to terminal: Terminal) {
        let counts =
            "\(ReportText.count(endpoint.verdicts.compared)) compared, "
            + ReportText.mismatches(endpoint.verdicts)
        // Beside the counts where both fit, above them where they do not.
        let isWide = TextLayout.columns(of: counts) + 54 <= terminal.textWidth
        let name = TextLayout.cut(endpoint.endpoint, to: isWide ? 40 : max(10, terminal.textWidth - 12))
        let indent = String(repeating: " ", count: 12)
        if !isWide { terminal.write(indent + name) }
        terminal.write(
            indent + (isWide ? TextLayout.padded(name, to: 42) : "  ")
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
        for line in TextLayout.wrapped(text, width: terminal.textWidth - 14) {
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
}
