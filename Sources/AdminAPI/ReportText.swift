internal import Comparison
package import Extraction
package import FoundationEssentials

/// How the console and the command line put reports into words, so that both say the same.
package enum ReportText {
    /// `1,204`.
    package static func count(_ number: Int) -> String {
        var text = ""
        for (position, digit) in String(number.magnitude).reversed().enumerated() {
            if position > 0, position % 3 == 0 { text.insert(",", at: text.startIndex) }
            text.insert(digit, at: text.startIndex)
        }
        return number < 0 ? "-" + text : text
    }

    /// `1 write`, `1,204 writes`.
    package static func counted(_ number: Int, _ noun: String) -> String {
        "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// For nouns with a plural of their own: `1 mismatch`, `1,204 mismatches`.
    package static func counted(_ number: Int, _ noun: String, _ plural: String) -> String {
        "\(count(number)) \(number == 1 ? noun : plural)"
    }

    /// A share from 0 to 1 that may be small: `12.4%`, `0.02%`, `<0.01%`.
    package static func share(_ share: Double) -> String {
        guard share > 0 else { return "0%" }
        if share >= 0.01 { return percent(share) }
        let hundredths = Int((share * 10_000).rounded(.down))
        guard hundredths > 0 else { return "<0.01%" }
        return "0.\(hundredths < 10 ? "0" : "")\(hundredths)%"
    }

    /// A share from 0 to 1 as `97.2%`. Rounded down: only all is 100%.
    package static func percent(_ share: Double) -> String {
        let tenths = Int((min(max(share, 0), 1) * 1000).rounded(.down))
        return tenths % 10 == 0 ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
    }

    /// `2026-11-21 04:00:00 UTC`.
    package static func time(_ date: Date) -> String {
        date.formatted(
            Date.ISO8601FormatStyle().year().month().day().dateTimeSeparator(.space).time(
                includingFractionalSeconds: false)
        ) + " UTC"
    }

    /// `2026-11-20` of a time at which that day (UTC) is over, as files write it; any other time as itself.
    package static func lastDay(_ end: Date) -> String {
        guard end.timeIntervalSince1970.truncatingRemainder(dividingBy: 86_400) == 0 else { return time(end) }
        return end.addingTimeInterval(-1).formatted(Date.ISO8601FormatStyle().year().month().day())
    }

    /// `3 h 5 min ago`, `just now`.
    package static func ago(_ date: Date, now: Date) -> String {
        let seconds = now.timeIntervalSince(date)
        return seconds < 1 ? "just now" : duration(seconds) + " ago"
    }

    /// `29 d 23 h`, `45 s`: the two largest units of a time in seconds.
    package static func duration(_ seconds: Double) -> String {
        // Ten thousand years are enough; converting infinity would trap.
        let whole = seconds.isNaN ? 0 : Int(min(max(seconds, 0), 3e11))
        let units = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")]
        guard let first = units.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
        return units[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    /// `step 4 of 5`.
    package static func step(_ stage: Stage) -> String { "step \(stage.stepNumber) of 5" }

    /// What stands between the extraction and its next stage, as a heading.
    package static func gate(_ gate: GateReport) -> String {
        guard let next = gate.next else { return "Retired: there is no further stage" }
        return gate.open
            ? "The gate to \(next.rawValue) is open"
            : "The gate to \(next.rawValue) is closed, \(counted(gate.missing.count, "thing")) missing"
    }

    /// `day 3 of 30`, or for the short windows of trials `12 s of 45 s`; where there is no window running, why.
    package static func window(_ report: ExtractionReport) -> String {
        let window = Double(report.fallback.window)
        let elapsed = Double(report.fallback.elapsed)
        switch report.stage {
        case .retired: return "over"
        case .fallback where window >= 172_800:
            let days = report.fallback.days ?? max(1, report.fallback.window / 86_400)
            let day = report.fallback.day ?? min(max(0, report.fallback.elapsed) / 86_400 + 1, days)
            return "day \(day) of \(days)"
        case .fallback: return "\(duration(min(elapsed, window))) of \(duration(window))"
        default: return "not begun, will take \(duration(window))"
        }
    }

    /// `2 requests fell back, the last 5 min ago (timeout 2)`.
    package static func fellBack(_ fallback: FallbackReport, now: Date) -> String {
        guard fallback.fellBack > 0 else { return "no request fell back" }
        var text = "\(counted(fallback.fellBack, "request")) fell back"
        if let last = fallback.lastFellBackAt { text += ", the last \(ago(last, now: now))" }
        return text + reasons(fallback.byReason ?? [:])
    }

    /// ` (timeout 2, shed 1)`, the most frequent first; empty for nothing.
    package static func reasons(_ counts: [String: Int]) -> String {
        let sorted = counts.filter { $0.value != 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !sorted.isEmpty else { return "" }
        return " (" + sorted.map { "\($0.key) \(count($0.value))" }.joined(separator: ", ") + ")"
    }

    /// `coverage 98.2% of 830`, and where the rest went.
    package static func coverage(_ verdicts: VerdictReport) -> String {
        guard let coverage = verdicts.coverage else { return "nothing seen yet" }
        var rest: [String] = []
        if verdicts.notComparedTotal > 0 {
            var reasons = verdicts.notCompared
            reasons[NotComparedReason.notSampled.rawValue] = nil
            rest.append("\(count(verdicts.notComparedTotal)) not compared\(Self.reasons(reasons))")
        }
        if verdicts.primaryFailed > 0 { rest.append("\(count(verdicts.primaryFailed)) primary failed") }
        if verdicts.shadowFailed > 0 { rest.append("\(count(verdicts.shadowFailed)) shadow failed") }
        if verdicts.notSampled > 0 { rest.append("\(count(verdicts.notSampled)) more not sampled") }
        let text = "coverage \(percent(coverage)) of \(count(verdicts.seen))"
        return rest.isEmpty ? text : text + ": " + rest.joined(separator: ", ")
    }
}
