import AdminAPI
import Extraction
import Foundation

// How the weight moves, what holds it, who judges, and what was let pass.
extension StatusText {
    static func writeMoving(_ report: ExtractionReport, now: Date, to terminal: Terminal) {
        if let hold = report.hold {
            terminal.field(
                "held", ReportText.hold(hold, now: now), paint: hold.cause == .breach ? .red : .yellow)
        }
        if let ramp = report.ramp {
            terminal.field("ramp", ReportText.ramp(ramp))
            // The hold has been said.
            let waiting = report.hold == nil ? ramp.waiting : []
            for reason in waiting.prefix(shownReasons) { terminal.field("", "waits: \(reason)") }
            if waiting.count > shownReasons { terminal.field("", "and \(waiting.count - shownReasons) more") }
        }
        if let guardReport = report.guard {
            write(guardReport, isHeld: report.hold != nil, now: now, to: terminal)
        }
    }

    private static let shownReasons = 4

    private static func write(
        _ report: GuardStatus, isHeld: Bool, now: Date, to terminal: Terminal
    ) {
        let isBroken = !(report.findings?.breaches ?? []).isEmpty
        terminal.field(
            "guard", ReportText.guardState(report, now: now), paint: isBroken ? .red : nil)
        guard let findings = report.findings else { return }
        for (side, said) in [("service", findings.service), ("monolith", findings.monolith)] {
            terminal.field("", "\(side): \(ReportText.side(said))")
        }
        // What it was held for has been said; what is still so is said in short.
        let limit = isHeld ? 1 : shownReasons
        for breach in findings.breaches.prefix(limit) { terminal.field("", breach, paint: .red) }
        for caution in findings.cautions.prefix(limit) { terminal.field("", caution, paint: .yellow) }
        let rest = max(0, findings.breaches.count - limit) + max(0, findings.cautions.count - limit)
        if rest > 0 { terminal.field("", "and \(rest) more") }
    }

    /// How far one side is behind the other, and what waits for a person.
    static func writeDualWrite(_ report: ExtractionReport, to terminal: Terminal) {
        guard let dualWrite = report.dualWrite else { return }
        for (number, line) in ReportText.dualWrite(dualWrite).enumerated() {
            terminal.field(number == 0 ? "writes" : "", line, paint: dualWrite.owed > 0 ? .yellow : nil)
        }
        if let undecided = ReportText.undecided(dualWrite, of: report.extraction) {
            terminal.field("", undecided, paint: .red)
        }
        for line in ReportText.unrecorded(dualWrite) { terminal.field("", line, paint: .yellow) }
        if dualWrite.flipsAtOnce { terminal.field("", "keys change sides at once (--now)") }
    }

    static func writeFallback(_ report: ExtractionReport, now: Date, to terminal: Terminal) {
        let fellBack =
            report.storeConnected ? ReportText.fellBack(report.fallback, now: now) : "how many fell back is unknown"
        terminal.field("fallback", "\(ReportText.window(report)); \(fellBack)")
        if let endpoints = ReportText.byEndpoint(report.fallback.byEndpoint ?? [:]) { terminal.field("", endpoints) }
        if let warning = report.fallback.warning { terminal.field("", warning, paint: .yellow) }
    }

    /// What was waived, what evidence is missing, and who serves what.
    static func writeExceptions(_ report: ExtractionReport, now: Date, to terminal: Terminal) {
        for (number, waiver) in (report.waivers ?? []).enumerated() {
            terminal.field(number == 0 ? "waivers" : "", ReportText.waiver(waiver, now: now))
        }
        for (number, gap) in (report.gaps ?? []).enumerated() {
            terminal.field(
                number == 0 ? "gaps" : "", ReportText.gap(gap, now: now), paint: gap.waiver == nil ? .yellow : nil)
        }
        guard let replicas = report.replicas, !replicas.isEmpty else { return }
        let isBad = { (replica: ReplicaReport) in
            replica.silent || (replica.extractions[report.extraction]?.behind ?? false)
        }
        if replicas.count > 1 {
            terminal.field("replicas", ReportText.replicas(replicas, extraction: report.extraction))
        }
        // What is wrong before what is in order.
        let shown = replicas.filter(isBad) + replicas.filter { !isBad($0) }
        for (number, replica) in shown.prefix(shownReplicas).enumerated() {
            terminal.field(
                number == 0 && replicas.count == 1 ? "replica" : "",
                ReportText.replica(replica, extraction: report.extraction), paint: isBad(replica) ? .yellow : nil)
        }
        if shown.count > shownReplicas {
            terminal.field("", "and \(shown.count - shownReplicas) more: strangler replicas")
        }
    }

    private static let shownReplicas = 6
}
