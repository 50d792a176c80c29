package import Extraction

// How far one side is behind the other, in words.
extension ReportText {
    /// `the monolith is 3 writes behind, oldest 0.4 s`; one for each side that is.
    package static func behind(_ report: DualWriteReport) -> [String] {
        [("monolith", report.toMonolith), ("service", report.toService)].compactMap { side, owed in
            guard owed.writes > 0 else { return nil }
            return "the \(side) is \(counted(owed.writes, "write")) behind, oldest \(lag(owed.seconds))"
        }
    }

    /// `0.4 s`, `12 s`, `3 min`.
    package static func lag(_ seconds: Double) -> String {
        guard seconds < 10 else { return duration(seconds) }
        let tenths = Int((max(0, seconds) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }

    /// How the writes stand, a line each; the first one always.
    package static func dualWrite(_ report: DualWriteReport) -> [String] {
        let behind = behind(report)
        var lines = behind.isEmpty ? ["both sides have all of them"] : behind
        var rest: [String] = []
        if report.underWay > 0 { rest.append("\(count(report.underWay)) under way") }
        if report.paused > 0 {
            rest.append(
                "\(count(report.paused)) \(report.paused == 1 ? "waits" : "wait") for a circuit breaker or an identity")
        }
        // A little is always on its way.
        if report.undrained >= 1 << 20 { rest.append("\(report.undrained >> 20) MiB not in Postgres yet") }
        if !rest.isEmpty { lines.append(rest.joined(separator: ", ")) }
        if report.lost > 0 {
            lines.append("\(count(report.lost)) of them in spools that no running proxy holds")
        }
        return lines
    }

    /// What could not be on record, and names that contradict each other; a line each, none where all is well.
    package static func unrecorded(_ report: DualWriteReport) -> [String] {
        var lines: [String] = []
        let count = { (counts: [String: Int]?) in (counts ?? [:]).values.reduce(0, &+) }
        let refused = count(report.refused)
        if refused > 0 {
            lines.append(
                "\(counted(refused, "write")) refused, since they could not be on record"
                    + reasons(report.refused ?? [:])
            )
        }
        let alone = count(report.unrecorded)
        if alone > 0 {
            lines.append(
                "\(counted(alone, "write")) sent to one side alone, since they could not be on record"
                    + reasons(report.unrecorded ?? [:]))
        }
        if let conflicts = report.identityConflicts, conflicts > 0 {
            lines.append(
                counted(conflicts, "pair") + " of identities not taken: "
                    + (conflicts == 1 ? "it contradicts a known one" : "they contradict known ones"))
        }
        return lines
    }

    /// `2 writes dead, 1 uncertain: strangler writes orders`; nil where there are none.
    package static func undecided(_ report: DualWriteReport, of name: String) -> String? {
        let parts = [("dead", report.dead ?? 0), ("uncertain", report.uncertain ?? 0)].filter { $0.1 > 0 }
        guard let first = parts.first else { return nil }
        return ([counted(first.1, "write") + " " + first.0] + parts.dropFirst().map { "\(count($0.1)) \($0.0)" })
            .joined(separator: ", ") + ": strangler writes \(name)"
    }

    /// Of a rollback with `--now` that had nothing to do.
    package static func backAlready(_ name: String, _ stage: Stage) -> String {
        let lanes = stage == .shadow ? " and no key waits for its writes" : ""
        return "\(name) is at stage \(stage.rawValue) already, where the monolith answers everything\(lanes): "
            + "nothing was changed"
    }

    /// What a change of sides has to wait for, or does not; nil where nothing is behind.
    package static func flip(_ report: DualWriteReport) -> String? {
        let behind = [("monolith", report.toMonolith), ("service", report.toService)].filter { $0.1.writes > 0 }
            .map { "\(counted($0.1.writes, "write")) to the \($0.0)" }.joined(separator: ", ")
        guard !behind.isEmpty else { return nil }
        return report.flipsAtOnce
            ? "changed sides at once, with \(behind) behind: until they are delivered, answers lack them"
            : "keys change sides as their writes are delivered: \(behind) behind; --now does not wait"
    }
}
