internal import Comparison

// Coverage, latency, rules, noise and history in words.
extension ReportText {
    /// `9 of 11 requests compared, 1 shed, body-too-large 1; 2xx 9 of 9, 4xx 0 of 2`
    /// - Parameter verdicts: of the same endpoint, for the other reasons.
    package static func coverage(_ coverage: CoverageReport, _ verdicts: VerdictReport = VerdictReport()) -> String {
        var parts = ["\(count(coverage.compared)) of \(counted(coverage.seen, "request")) compared"]
        let notSampled = coverage.seen - coverage.sampled
        if notSampled > 0 { parts.append("\(count(notSampled)) not sampled") }
        if coverage.shed > 0 { parts.append("\(count(coverage.shed)) shed") }
        if coverage.circuitOpen > 0 { parts.append("\(count(coverage.circuitOpen)) while the circuit was open") }
        parts += otherReasons(verdicts)
        let classes = coverage.byStatusClass.sorted { $0.key < $1.key }
            .map { "\($0.key) \(count($0.value.compared)) of \(count($0.value.seen))" }
        return parts.joined(separator: ", ") + (classes.count > 1 ? "; " + classes.joined(separator: ", ") : "")
    }

    /// Why else requests were not compared, the most frequent reasons first: `body-too-large 10`.
    private static func otherReasons(_ verdicts: VerdictReport) -> [String] {
        let told = [NotComparedReason.notSampled, .shed, .shadowCircuitOpen].map(\.rawValue)
        var reasons = verdicts.notCompared.filter { $0.value > 0 && !told.contains($0.key) }
        if verdicts.primaryFailed > 0 { reasons["primary failed"] = verdicts.primaryFailed }
        if verdicts.shadowFailed > 0 { reasons["shadow failed"] = verdicts.shadowFailed }
        let sorted = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let rest = sorted.dropFirst(3).reduce(0) { $0 &+ $1.value }
        return sorted.prefix(3).map { "\($0.key) \(count($0.value))" }
            + (rest > 0 ? ["\(count(rest)) for other reasons"] : [])
    }

    /// `3.1 / 12`
    package static func latency(_ side: LatencyReport.Side) -> String {
        "\(milliseconds(side.p50)) / \(milliseconds(side.p99))"
    }

    /// Two digits that count: `0.12`, `3.1`, `120`.
    package static func milliseconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e9 else { return "–" }
        if value >= 10 { return count(Int(value.rounded())) }
        let places = value >= 1 ? 10.0 : 100.0
        let whole = Int((value * places).rounded())
        let digits = String(whole % Int(places))
        return "\(whole / Int(places))." + String(repeating: "0", count: (places == 10 ? 1 : 2) - digits.count) + digits
    }

    /// `12 of 9,000 (0.13%)`
    package static func part(_ number: Int, of total: Int) -> String {
        guard total > 0 else { return count(number) }
        return "\(count(number)) of \(count(total)) (\(share(min(1, Double(number) / Double(total)))))"
    }

    /// `1,204 mismatch`, `1,204 mismatch (40 accepted)`
    package static func mismatches(_ number: Int, accepted: Int) -> String {
        "\(count(number)) mismatch" + (accepted > 0 ? " (\(count(accepted)) accepted)" : "")
    }

    package static func mismatches(_ verdicts: VerdictReport) -> String {
        mismatches(verdicts.mismatch, accepted: verdicts.accepted)
    }

    /// `dead`, `expired`, `dead, expired`, or `in use`, or `hides nothing yet`.
    package static func state(of rule: RuleReport) -> String {
        let states = (rule.dead ? ["dead"] : []) + (rule.expired ? ["expired"] : [])
        if !states.isEmpty { return states.joined(separator: ", ") }
        return rule.pairs > 0 ? "in use" : "hides nothing yet"
    }

    /// `4 rules, 1 dead, 1 expired`
    package static func rules(_ rules: [RuleReport]) -> String {
        let (dead, expired) = (rules.count(where: \.dead), rules.count(where: \.expired))
        return counted(rules.count, "rule") + (dead > 0 ? ", \(dead) dead" : "")
            + (expired > 0 ? ", \(expired) expired" : "")
    }

    /// `7,083 pairs, 8,887 differences hidden; 2 fields learned`
    package static func hidden(_ noise: NoiseTotal) -> String {
        "\(counted(noise.pairs, "pair")), \(counted(noise.differences, "difference")) hidden; "
            + "\(counted(noise.fields, "field")) learned"
    }

    /// `examples-dropped 12, noise-dropped 3`
    package static func losses(_ losses: [String: Int]) -> String {
        losses.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \(count($0.value))" }
            .joined(separator: ", ")
    }

    /// `2026-11-21 04:00:00 UTC fixed by ann@host: release 7`
    package static func event(_ event: GroupEvent) -> String {
        "\(time(event.at)) \(event.state) by \(event.actor ?? "the proxy")" + (event.reason.map { ": \($0)" } ?? "")
    }

    /// ` (0.13% of 9,000 compared)`; empty if that is not known.
    package static func shareOfCompared(_ group: GroupReport) -> String {
        guard let part = group.share, let compared = group.endpointCompared else { return "" }
        return " (\(share(part)) of \(count(compared)) compared)"
    }
}
