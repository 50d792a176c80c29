package import Extraction
package import FoundationEssentials

// Weights, ramps, holds, the guard, waivers, gaps and replicas in words.
extension ReportText {
    /// What retiring means for clients. Said before it is done.
    package static let afterRetirement =
        "Once retired, requests for these paths never reach the monolith: "
        + "while the service is down, clients get 503."

    /// The same, when it has been done.
    package static let retired =
        "Requests for these paths never reach the monolith: while the service is down, clients get 503."

    /// `25% of the keys`, `25% of reads, 5% of writes`.
    package static func weights(_ report: ExtractionReport) -> String {
        guard let weights = report.weights, weights.reads != weights.writes else {
            return "\(report.weight) of the keys"
        }
        return weights.weights.description
    }

    /// `25%`, `25% / 5%`.
    package static func shortWeights(_ report: ExtractionReport) -> String {
        guard let weights = report.weights, weights.reads != weights.writes else { return report.weight.description }
        return "\(weights.reads) / \(weights.writes)"
    }

    /// `cutover 25% of reads, 5% of writes`.
    package static func point(_ point: StagePoint) -> String { "\(point.stage.rawValue) \(point.weights)" }

    /// `cutover 5% → cutover 25%`, or where neither changed, `at cutover 5%`.
    package static func change(_ entry: HistoryEntry) -> String {
        entry.from == entry.to ? "at \(point(entry.to))" : "\(point(entry.from)) → \(point(entry.to))"
    }

    /// `paused by ann@host 5 min ago: release freeze`. Of a long reason, the beginning: history has it all.
    package static func hold(_ hold: Hold, now: Date) -> String {
        let when = ago(hold.at, now: now)
        let reason = hold.reason.count > 160 ? hold.reason.prefix(160) + "…" : hold.reason[...]
        switch hold.cause {
        case .paused: return "paused by \(hold.by) \(when): \(reason)"
        case .breach: return "rolled back by the guard \(when), until somebody resumes: \(reason)"
        }
    }

    /// `runs, 50% is next`, `weights are set by hand`; nil where no weight can be set.
    package static func ramp(_ ramp: RampReport) -> String {
        guard ramp.running else { return "none: weights are set by hand" }
        return ramp.next.map { "runs, \($0) is next" } ?? "runs, all of it is reached"
    }

    /// `judged 2 s ago by web-1:4711-9f2c11ab: nothing is broken`.
    package static func guardState(_ report: GuardStatus, now: Date) -> String {
        let holder = report.holder
        guard let findings = report.findings else {
            return holder.map { "has not judged yet; \($0) will" } ?? "no replica judges"
        }
        let by = holder.map { " by \($0)" } ?? ""
        let verdict =
            !findings.breaches.isEmpty
            ? counted(findings.breaches.count, "breach", "breaches")
            : findings.cautions.isEmpty
                ? "nothing is broken" : "nothing is broken, \(counted(findings.cautions.count, "caution"))"
        return "judged \(ago(findings.judgedAt, now: now))\(by): \(verdict)"
    }

    /// `service 1,204 requests, 2 errors (0.16%), p99 13 ms; monolith 3,800 requests, no error, p99 12 ms`.
    package static func sides(_ findings: GuardFindings) -> String {
        "service \(side(findings.service)); monolith \(side(findings.monolith))"
    }

    /// `1,204 requests, 2 errors (0.16%), p99 13 ms`.
    package static func side(_ side: GuardFindings.Side) -> String {
        guard side.requests > 0 else { return "no requests" }
        let errors =
            side.errors > 0
            ? "\(counted(side.errors, "error")) (\(share(min(1, Double(side.errors) / Double(side.requests)))))"
            : "no error"
        let p99 = side.p99.map { ", p99 \(milliseconds($0)) ms" } ?? ""
        return "\(counted(side.requests, "request")), \(errors)\(p99)"
    }

    /// What a guard had found, on one line of history.
    package static func findings(_ findings: GuardFindings) -> String {
        (findings.breaches + [sides(findings)]).joined(separator: "; ")
    }

    /// `GET /x by ann@host 3 d ago: no traffic in winter`.
    package static func waiver(_ waiver: WaiverReport, now: Date) -> String {
        "\(waiver.subject) by \(waiver.actor) \(ago(waiver.at, now: now)): \(waiver.reason)"
    }

    /// `gap 12: 40 s at web-2, from 2026-11-21 04:00:00 UTC, 3 h ago: killed (waived)`.
    package static func gap(_ gap: EvidenceGap, now: Date) -> String {
        "gap \(gap.id): \(duration(gap.ended.timeIntervalSince(gap.began))) at \(gap.replica), "
            + "from \(time(gap.began)), \(ago(gap.ended, now: now)): "
            + (gap.extraction == nil ? "" : "writes to one side alone, ")
            + gap.reason + (gap.waiver == nil ? "" : " (waived)")
    }

    /// `web-1:4711-9f2c11ab, beat 1 s ago, serves version 12, guard`.
    /// - Parameter extraction: nil: nothing is said of versions.
    package static func replica(_ replica: ReplicaReport, extraction: String?) -> String {
        var parts = [replica.id]
        parts.append(replica.silent ? "SILENT for \(duration(replica.age))" : "beat \(age(replica.age))")
        if let extraction {
            if let served = replica.extractions[extraction] {
                parts.append("serves version \(served.version)" + (served.behind ? ", BEHIND" : ""))
            } else {
                parts.append("does not know it")
            }
        }
        if replica.guarding { parts.append("guard") }
        return parts.joined(separator: ", ")
    }

    /// `2 s ago`.
    package static func age(_ seconds: Double) -> String {
        seconds < 1 ? "just now" : duration(seconds) + " ago"
    }

    /// `3 replicas`, `3 replicas, 1 silent, 1 behind`.
    package static func replicas(_ replicas: [ReplicaReport], extraction: String) -> String {
        let silent = replicas.count(where: \.silent)
        let behind = replicas.count { !$0.silent && ($0.extractions[extraction]?.behind ?? false) }
        return counted(replicas.count, "replica") + (silent > 0 ? ", \(silent) silent" : "")
            + (behind > 0 ? ", \(behind) behind" : "")
    }

    /// What was fallen back on, the most frequent endpoints first: `GET /orders/{id} 3, GET /orders 1 and 2 more`.
    package static func byEndpoint(_ counts: [String: Int]) -> String? {
        let sorted = counts.filter { $0.value > 0 && !$0.key.isEmpty }.sorted {
            ($1.value, $0.key) < ($0.value, $1.key)
        }
        guard !sorted.isEmpty else { return nil }
        let rest = sorted.count - 3
        return sorted.prefix(3).map { "\($0.key) \(count($0.value))" }.joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
    }

    /// `3 writes`, `3 writes that the monolith has not got yet`.
    package static func backlog(_ report: ExtractionReport) -> String {
        let writes = counted(report.backlog, "write")
        guard report.backlog > 0 else { return writes }
        return "\(writes) that "
            + (report.stage == .fallback ? "the monolith has" : "the other side has") + " not got yet"
    }
}
