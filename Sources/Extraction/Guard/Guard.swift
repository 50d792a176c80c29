package import FoundationEssentials

/// Judges whether the service does its part: against the monolith at the same time, and against the limits of the route
/// file. Pure.
///
/// Every test is asked over and over, so each may be wrong about a service that is as good as the monolith only once in
/// a hundred million times: with 20 endpoints and a look each minute, about once in three years of fallback windows.
/// What that costs is small: at half the traffic, 27 errors against none. What only looks wrong is a caution: the weight
/// does not rise until it is clear.
///
/// Reads and writes are judged apart: with weights of their own, one side has more of the slower or the weaker kind.
/// Within a kind, the key's hash gives both sides the same mix.
package enum Guard {
    static let error = 1e-8
    /// A service may be worse than the monolith by this, however sure it is that it is worse: one request in a thousand.
    static let tolerated = 0.001
    /// How often the tolerance may be taken for broken by a service that just keeps it.
    static let toleratedError = 1e-4
    /// Less sure than a breach; enough to wait.
    static let doubt = 1e-3
    /// How often the monolith may be taken for better than the service by chance.
    static let sharedError = 0.001
    /// Without a budget, 99 of 100 requests may take this many times as long as the monolith's.
    static let slowdown = 2.0
    /// Answers of the monolith that it takes for its p99 to be a yardstick.
    static let yardstick = 300
    /// As many endpoints are named one by one, where the others are well.
    static let namedEndpoints = 3

    static let errorLimit = Weight(clamping: 100)
    static let backlogLimit = 1_000

    package static func judge(
        _ evidence: GuardEvidence, limits: GuardLimits, now: Date
    ) -> GuardFindings {
        let findings = traffic(evidence, limits) + comparisons(evidence, limits) + surroundings(evidence, limits)
        let breached = Set(findings.filter(\.isBreach).map(\.kind))
        // A caution adds nothing to a breach of its kind.
        let cautions = findings.filter { !$0.isBreach && !breached.contains($0.kind) }
        return GuardFindings(
            judgedAt: now, breaches: findings.filter(\.isBreach).map(\.said), cautions: cautions.map(\.said),
            step: evidence.step)
    }

    /// How many requests the service has to answer before a weight may rise: as many as show, if none fails, that the
    /// limit of errors is kept.
    package static func requestsNeeded(_ limits: GuardLimits) -> Int {
        ProportionBound.needed(hits: 0, limit: max(limits.errorRate ?? errorLimit, Weight(clamping: 1))) ?? 1
    }

    /// Breakers, backlog, replicas.
    private static func surroundings(_ evidence: GuardEvidence, _ limits: GuardLimits) -> [Finding] {
        // Going back to a monolith that is down helps nobody, and loses the writes that it has not got.
        let isMonolithDown =
            !evidence.failingMonolith.isEmpty
            || ProportionBound.lower(evidence.recent.total.monolith.errorShare, confidence: 1 - sharedError) > 0.5
        let instead = isMonolithDown ? ", but the monolith fails too" : ""
        var findings: [Finding] = []
        if !evidence.openBreakers.isEmpty {
            findings.append(
                Finding(
                    kind: "breaker", isBreach: !isMonolithDown,
                    said: "the service's circuit breaker is open at \(listed(evidence.openBreakers))\(instead)"))
        }
        let backlog = limits.backlog ?? backlogLimit
        // Whoever was given up is missing there as much as whoever waits.
        let missing = evidence.backlog &+ evidence.deadWrites
        if missing > backlog {
            let dead = evidence.deadWrites > 0 ? " (\(evidence.deadWrites) of them dead)" : ""
            findings.append(
                Finding(
                    kind: "backlog", isBreach: !isMonolithDown,
                    said: "\(counted(missing, "write"))\(dead) wait for the other side, at most \(backlog) may"
                        + instead))
        }
        if evidence.deadWrites > 0 || evidence.uncertainWrites > 0 {
            findings.append(
                Finding(
                    kind: "writes", isBreach: false,
                    said: undecidedSaid(dead: evidence.deadWrites, uncertain: evidence.uncertainWrites)
                        + " since the weight began to bake"))
        }
        if !evidence.silentReplicas.isEmpty {
            findings.append(
                Finding(kind: "silent", isBreach: false, said: "not heard of: \(listed(evidence.silentReplicas))"))
        }
        if !evidence.laggingReplicas.isEmpty {
            findings.append(
                Finding(
                    kind: "lagging", isBreach: false,
                    said: "not at the present weight yet: \(listed(evidence.laggingReplicas))"))
        }
        return findings
    }
}

/// Something that is wrong, or may be.
struct Finding {
    let kind: String
    let isBreach: Bool
    let said: String
    /// An endpoint, a kind of request, or empty: all of them.
    var place = ""
}

extension Share {
    /// 0...1; 0 of nothing.
    package var rate: Double { total > 0 ? Double(hits) / Double(total) : 0 }

    /// `12 of 3400 (0.36%)`.
    var said: String { "\(hits) of \(total) (\(readableShare(self)))" }

    func said(of what: String) -> String { "\(hits) of \(counted(total, what)) (\(readableShare(self)))" }
}
