package import FoundationEssentials

/// Judges whether the service does its part: against the monolith at the same time, and against the limits of the route
/// file. Pure.
///
/// Every test is asked over and over, so each may be wrong about a service that is as good as the monolith only once in
/// a hundred million times: with 20 endpoints and a look each minute, about once in three years of fallback windows.
/// What that costs is small: at half the traffic, 27 errors against none.
package enum Guard {
    static let error = 1e-8
    /// A service may be worse than the monolith by this, however sure it is that it is worse: one request in a thousand.
    static let tolerated = 0.001
    /// Without a budget, 99 of 100 requests may take this many times as long as the monolith's.
    static let slowdown = 2.0
    /// Answers of the monolith that it takes for its p99 to be a yardstick.
    static let yardstick = 300

    static let errorLimit = Weight(clamping: 100)
    static let backlogLimit = 1_000

    package static func judge(
        _ evidence: GuardEvidence, limits: GuardLimits, now: Date
    ) -> GuardFindings {
        var breaches: [String] = []
        var cautions: [String] = []
        var named: Set<String> = []
        // The whole before its endpoints: what is wrong everywhere is said once.
        for (name, span) in [("in the last minutes", evidence.recent), ("at this weight", evidence.step)] {
            let parts = [("", span.total)] + span.endpoints.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            for (endpoint, pair) in parts {
                let place = endpoint.isEmpty ? "" : endpoint + ": "
                for finding in [errors(pair, limits), slowness(pair, limits)] {
                    guard let finding, named.insert(finding.kind + endpoint).inserted,
                        endpoint.isEmpty || !named.contains(finding.kind)
                    else { continue }
                    let sentence = "\(place)\(finding.said) \(name)"
                    if finding.isBreach { breaches.append(sentence) } else { cautions.append(sentence) }
                }
            }
            for (endpoint, share) in span.differing.sorted(by: { $0.key < $1.key }) {
                let limit = limits.mismatch ?? Step5Cutover.mismatchLimit
                guard ProportionBound.chance(of: share, at: limit.percent / 100) < error,
                    named.insert("mismatch" + endpoint).inserted
                else { continue }
                breaches.append(
                    "\(endpoint): \(share.said) answers differ, at most \(limit) may \(name)")
            }
        }
        if !evidence.openBreakers.isEmpty {
            breaches.append("the service's circuit breaker is open at \(listed(evidence.openBreakers))")
        }
        let backlog = limits.backlog ?? backlogLimit
        if evidence.backlog > backlog {
            breaches.append(
                "\(counted(evidence.backlog, "write")) wait for the other side, at most \(backlog) may")
        }
        if !evidence.silentReplicas.isEmpty {
            cautions.append("not heard of: \(listed(evidence.silentReplicas))")
        }
        if !evidence.laggingReplicas.isEmpty {
            cautions.append("not at the present weight yet: \(listed(evidence.laggingReplicas))")
        }
        let total = evidence.step.total
        return GuardFindings(
            judgedAt: now, breaches: breaches, cautions: cautions, service: total.service, monolith: total.monolith)
    }

    /// How many requests the service has to answer before a weight may rise: as many as show, if none fails, that the
    /// limit of errors is kept.
    package static func requestsNeeded(_ limits: GuardLimits) -> Int {
        ProportionBound.needed(hits: 0, limit: max(limits.errorRate ?? errorLimit, Weight(clamping: 1))) ?? 1
    }

    private struct Finding {
        let kind: String
        let isBreach: Bool
        let said: String
    }

    /// Breach: surely worse than the monolith, or surely over the limit with no monolith beside it that does as badly.
    private static func errors(_ pair: TrafficPair, _ limits: GuardLimits) -> Finding? {
        let (service, monolith) = (pair.service.errorShare, pair.monolith.errorShare)
        guard service.hits > 0 else { return nil }
        let limit = limits.errorRate ?? errorLimit
        let isWorse =
            service.rate > monolith.rate + tolerated && ProportionTest.exceeds(service, monolith, error: error)
        let beside = monolith.total > 0 ? ", the monolith on \(monolith.said)" : ""
        let said = "the service fails on \(service.said) requests\(beside)"
        if isWorse { return Finding(kind: "errors", isBreach: true, said: said) }
        guard service.rate > limit.percent / 100 else { return nil }
        let isSurelyOver = ProportionBound.chance(of: service, at: limit.percent / 100) < error
        // The monolith suffers as much: to give it the requests back would help nobody.
        let isShared = monolith.total > 0 && monolith.rate * 2 >= service.rate
        return Finding(
            kind: "errors", isBreach: isSurelyOver && !isShared, said: said + ", at most \(limit) may fail")
    }

    /// Breach: surely more than one in a hundred is slower than the budget, and the monolith's are not.
    private static func slowness(_ pair: TrafficPair, _ limits: GuardLimits) -> Finding? {
        let (service, monolith) = (pair.service.latency, pair.monolith.latency)
        guard let budget = budget(limits, monolith), let p99 = service.quantile(0.99) else { return nil }
        let slow = service.slower(than: budget.nanoseconds)
        guard slow.rate > 0.01 else { return nil }
        let isSurelyOver = ProportionBound.chance(of: slow, at: 0.01) < error
        let monolithSlow = monolith.slower(than: budget.nanoseconds)
        let isShared = monolithSlow.total > 0 && monolithSlow.rate * 2 >= slow.rate
        let beside = monolith.quantile(0.99).map { ", the monolith's is \(milliseconds($0))" } ?? ""
        return Finding(
            kind: "latency", isBreach: isSurelyOver && !isShared,
            said: "the service's p99 is \(milliseconds(p99))\(beside), at most \(milliseconds(budget.nanoseconds)) "
                + (budget.isOwn ? "is its budget" : "is twice the monolith's"))
    }

    private static func budget(
        _ limits: GuardLimits, _ monolith: LatencyHistogram
    ) -> (nanoseconds: Int64, isOwn: Bool)? {
        if let p99 = limits.p99 { return (Int64(min(p99.inSeconds * 1e9, 9e18)), true) }
        guard monolith.total >= yardstick, let p99 = monolith.quantile(0.99) else { return nil }
        return (Int64(Double(p99) * slowdown), false)
    }

    private static func milliseconds(_ nanoseconds: Int64) -> String {
        let tenths = Int((Double(nanoseconds) / 1e5).rounded())
        return tenths >= 100 || tenths % 10 == 0 ? "\((tenths + 5) / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
    }
}

extension Share {
    /// 0...1; 0 of nothing.
    package var rate: Double { total > 0 ? Double(hits) / Double(total) : 0 }

    /// `12 of 3,400 (0.36%)`.
    var said: String { "\(hits) of \(total) (\(readableShare(self)))" }
}
