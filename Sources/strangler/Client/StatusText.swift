import AdminAPI
import Extraction
import Foundation

/// Reports as text of 80 columns, or fewer where the window has fewer. What decides comes first: how the weight moves,
/// the gate as a checklist; the endpoints' details come after it.
enum StatusText {
    /// Where clients make up paths there are thousands.
    static let shownEndpoints = 30
    static let shownNoise = 10

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
                "  " + next(report),
            ]
            terminal.write(cells.joined())
        }
        for report in reports {
            if let hold = report.hold {
                terminal.text("\(report.extraction): \(hold.said)", paint: .yellow)
            }
            if let warning = report.fallback.warning {
                terminal.text("\(report.extraction): \(warning)", paint: .yellow)
            }
            if let weights = report.weights, weights.reads != weights.writes {
                terminal.text("\(report.extraction): \(weights.weights)")
            }
        }
        if reports.contains(where: { !$0.storeConnected }) { writeStoreAway(terminal) }
    }

    private static func next(_ report: ExtractionReport) -> String {
        guard let next = report.gate.next else { return "–" }
        return report.gate.open ? "✓ \(next.rawValue)" : "✗ \(next.rawValue)"
    }

    static func write(_ report: ExtractionReport, all: Bool = false, now: Date, to terminal: Terminal) {
        writeHead(report, to: terminal)
        let since = "\(ReportText.time(report.since)) (\(ReportText.ago(report.since, now: now)))"
        terminal.field("since", since + (report.version.map { ", version \($0)" } ?? ""))
        writeMoving(report, now: now, to: terminal)
        terminal.field("backlog", ReportText.backlog(report), paint: report.backlog > 0 ? .yellow : nil)
        writeDualWrite(report, to: terminal)
        writeFallback(report, now: now, to: terminal)
        writeExceptions(report, now: now, to: terminal)
        write(report.gate, all: all, to: terminal)
        if report.stage == .fallback, report.fallback.warning != nil || report.gate.open {
            terminal.text(ReportText.afterRetirement, indent: 2, paint: .yellow)
        }
        if report.stage == .retired { terminal.text(ReportText.retired, indent: 2) }
        writeDetails(report, all: all, to: terminal)
        if !report.storeConnected { writeStoreAway(terminal) }
    }

    /// What a change led to.
    static func write(changed report: ExtractionReport, now: Date, to terminal: Terminal) {
        if let unchanged = report.unchanged { return terminal.text(unchanged) }
        terminal.write(
            terminal.paint(report.extraction, .bold)
                + " is at stage \(report.stage.rawValue) now, \(ReportText.weights(report)) at the service")
        writeMoving(report, now: now, to: terminal)
        if let flip = report.dualWrite.flatMap(ReportText.flip) {
            terminal.field("writes", flip, paint: report.dualWrite?.flipsAtOnce == true ? .red : .yellow)
        }
        if report.stage == .retired { terminal.text(ReportText.retired, indent: 2) }
        write(report.gate, onlyMissing: true, to: terminal)
    }

    private static func writeHead(_ report: ExtractionReport, to terminal: Terminal) {
        let words =
            "\(report.extraction): \(ReportText.step(report.stage)), stage \(report.stage.rawValue), "
            + "\(ReportText.weights(report)) at the service"
        for (number, line) in TextLayout.wrapped(words, width: terminal.textWidth).enumerated() {
            let isNamed = number == 0 && line.hasPrefix(report.extraction)
            terminal.write(
                isNamed
                    ? terminal.paint(report.extraction, .bold) + line.dropFirst(report.extraction.count)
                    : line)
        }
        for line in track(report.stage, terminal) { terminal.write(line) }
    }

    /// The seven stages on one line, in 76 characters; on narrower terminals, on several.
    private static func track(_ stage: Stage, _ terminal: Terminal) -> [String] {
        var lines: [(text: String, width: Int)] = []
        for other in Stage.allCases {
            let (mark, paint): (String, Terminal.Paint) =
                other < stage ? ("✓", .green) : other == stage ? ("▶", .bold) : ("·", .dim)
            let text = "\(mark) \(other.rawValue)"
            let width = TextLayout.columns(of: text)
            let painted = terminal.paint(text, paint)
            if let last = lines.last, last.width + 1 + width <= terminal.textWidth {
                lines[lines.count - 1] = (last.text + " " + painted, last.width + 1 + width)
            } else {
                lines.append((painted, width))
            }
        }
        return lines.map(\.text)
    }

    // MARK: The gate

    /// - Parameter onlyMissing: after a change, what is met need not be read again.
    static func write(_ gate: GateReport, all: Bool = false, onlyMissing: Bool = false, to terminal: Terminal) {
        terminal.text(ReportText.gate(gate), paint: .bold)
        let missing = gate.checklist.filter { !$0.met }
        let met = onlyMissing ? [] : gate.checklist.filter(\.met)
        // What is missing comes whole before what is met: it is what people look for.
        let shownMissing = all ? missing.count : min(missing.count, shownMissingLimit)
        let shownMet = all ? met.count : min(met.count, met.count <= shownMetLimit + 1 ? met.count : shownMetLimit)
        for requirement in missing.prefix(shownMissing) { write(requirement, to: terminal) }
        if missing.count > shownMissing {
            terminal.text("and \(missing.count - shownMissing) more missing, --all shows them", indent: 4)
        }
        for requirement in met.prefix(shownMet) { write(requirement, to: terminal) }
        if met.count > shownMet {
            terminal.text("and \(met.count - shownMet) more that are met, --all shows them", indent: 4)
        }
        if gate.open, met.isEmpty { terminal.write("  " + terminal.paint("✓", .green) + " nothing is missing") }
    }

    private static let shownMissingLimit = 20
    private static let shownMetLimit = 8

    static func write(_ requirement: Requirement, to terminal: Terminal) {
        let mark = requirement.met ? terminal.paint("✓", .green) : terminal.paint("✗", .red)
        let lines = TextLayout.wrapped(requirement.said, width: terminal.textWidth - 4)
        for (number, line) in lines.enumerated() {
            terminal.write((number == 0 ? "  " + mark + " " : "    ") + line)
        }
    }

    static func writeStoreAway(_ terminal: Terminal) {
        terminal.field(
            "", "Postgres is away: stages are the last ones known, counters stand still", labelWidth: -2,
            paint: .yellow)
    }
}
