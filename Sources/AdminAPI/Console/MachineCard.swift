import Extraction
import FoundationEssentials

// How the weight moves, the gate as a checklist, and who serves what: parts of an extraction's card.

struct WeightBar {
    let barWeight: String
    let barLabel: String

    /// One, or one each for reads and writes where they differ.
    static func bars(_ report: ExtractionReport) -> [WeightBar] {
        guard let weights = report.weights, weights.reads != weights.writes else {
            return [
                WeightBar(
                    barWeight: report.weight.description, barLabel: "of the keys are answered by the service")
            ]
        }
        return [
            WeightBar(barWeight: weights.reads.description, barLabel: "of reads are answered by the service"),
            WeightBar(barWeight: weights.writes.description, barLabel: "of writes are answered by the service"),
        ]
    }
}

/// A label and what is to be said about it.
struct Fact {
    struct Line {
        let factText: String
        /// A class of the style sheet.
        let look: String

        init(_ text: String, isDim: Bool = false, isBad: Bool = false) {
            factText = text
            look = isBad ? "bad" : isDim ? "quiet" : "plain"
        }
    }

    let factLabel: String
    let factLines: [Line]

    private static let limit = 8

    private init(_ label: String, _ lines: [Line]) {
        factLabel = label
        let rest = lines.count - Self.limit
        factLines = lines.prefix(Self.limit) + (rest > 0 ? [Line("and \(rest) more", isDim: true)] : [])
    }

    /// What somebody has to look at.
    static func alarms(_ report: ExtractionReport, now: Date) -> [String] {
        var alarms: [String] = []
        if let hold = report.hold { alarms.append("Held: \(ReportText.hold(hold, now: now))") }
        if let undecided = report.dualWrite.flatMap({ ReportText.undecided($0, of: report.extraction) }) {
            alarms.append(undecided)
        }
        if let warning = report.fallback.warning { alarms.append(warning.prefix(1).uppercased() + warning.dropFirst()) }
        return alarms
    }

    static func moving(_ report: ExtractionReport, now: Date) -> [Fact] {
        var facts: [Fact] = []
        if let ramp = report.ramp {
            let waiting = report.hold == nil ? ramp.waiting : []
            facts.append(
                Fact("Ramp", [Line(ReportText.ramp(ramp))] + waiting.map { Line("waits: \($0)", isDim: true) }))
        }
        if let status = report.guard {
            var lines = [Line(ReportText.guardState(status, now: now))]
            if let findings = status.findings {
                lines.append(Line("service: \(ReportText.side(findings.service))", isDim: true))
                lines.append(Line("monolith: \(ReportText.side(findings.monolith))", isDim: true))
                lines += findings.breaches.map { Line($0, isBad: true) } + findings.cautions.map { Line($0) }
            }
            facts.append(Fact("Guard", lines))
        }
        if let dualWrite = report.dualWrite {
            facts.append(
                Fact(
                    "Writes",
                    ReportText.unrecorded(dualWrite).map { Line($0, isBad: true) }
                        + ReportText.dualWrite(dualWrite).map { Line($0) }))
        }
        if let waivers = report.waivers, !waivers.isEmpty {
            facts.append(Fact("Waivers", waivers.map { Line(ReportText.waiver($0, now: now)) }))
        }
        if let gaps = report.gaps, !gaps.isEmpty {
            facts.append(Fact("Gaps", gaps.map { Line(ReportText.gap($0, now: now)) }))
        }
        return facts
    }

    static func fallback(_ report: ExtractionReport) -> [String] {
        var notes = [ReportText.byEndpoint(report.fallback.byEndpoint ?? [:])].compactMap(\.self)
        if report.stage == .fallback, report.backlog > 0 { notes.append(ReportText.backlog(report)) }
        if report.stage == .fallback, report.fallback.warning != nil || report.gate.open {
            notes.append(ReportText.afterRetirement)
        }
        if report.stage == .retired { notes.append(ReportText.retired) }
        return notes
    }
}

/// One write that waits for a person.
struct WriteRow {
    let writeID: String
    let writeState: String
    let writeEndpoint: String
    let writeAge: String
    let writeAttempts: String
    let writeReason: String

    init(_ write: WriteReport, now: Date) {
        writeID = write.id
        writeState = write.state
        writeEndpoint = write.endpoint
        writeAge = ReportText.ago(write.receivedAt, now: now)
        writeAttempts = ReportText.count(write.attempts)
        writeReason = write.reason ?? ""
    }
}

/// One line of a gate.
struct RequirementLine {
    /// `yes` or `no`: a class of the style sheet.
    let mark: String
    let said: String

    private static let metLimit = 8
    private static let missingLimit = 100

    /// What is missing, whole, then what is met; of many of those, the rest apart.
    static func checklist(_ gate: GateReport) -> (shown: [RequirementLine], moreMet: [String]) {
        let missing = gate.checklist.filter { !$0.met }
        let met = gate.checklist.filter(\.met)
        var shown = missing.prefix(missingLimit).map { RequirementLine(mark: "no", said: $0.said) }
        if missing.count > missingLimit {
            shown.append(RequirementLine(mark: "no", said: "and \(missing.count - missingLimit) more"))
        }
        shown += met.prefix(metLimit).map { RequirementLine(mark: "yes", said: $0.said) }
        return (shown, met.dropFirst(metLimit).map(\.said))
    }
}

/// One running proxy.
struct ReplicaRow {
    let replicaID: String
    let replicaProgram: String
    let replicaBeat: String
    let replicaServes: String
    let replicaRole: String
    let isSilent: Bool
    let isBehind: Bool

    init(_ replica: ReplicaReport, extraction: String) {
        replicaID = replica.id
        replicaProgram = replica.version
        replicaBeat = replica.silent ? "silent for \(ReportText.duration(replica.age))" : ReportText.age(replica.age)
        let served = replica.extractions[extraction]
        isSilent = replica.silent
        isBehind = served?.behind ?? true
        replicaServes =
            served.map { "version \($0.version)" + ($0.behind ? ", behind" : "") } ?? "does not know it"
        replicaRole =
            (replica.guarding ? ", guard" : "") + (replica.current ? ", this one" : "")
    }
}
