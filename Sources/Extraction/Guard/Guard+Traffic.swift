/// How both sides answered clients.
extension Guard {
    /// The recent past before the whole: what has just begun says more.
    static func traffic(_ evidence: GuardEvidence, _ limits: GuardLimits) -> [Finding] {
        var findings: [Finding] = []
        for rule in [errors, slowness] {
            var found: [Finding] = []
            for (when, span) in [("in the last minutes", evidence.recent), ("at this weight", evidence.step)] {
                for (kind, endpoints) in span.byKind {
                    found += judged(endpoints, kind, when, { rule($0, when, limits) })
                }
            }
            // Said of the recent past, the same is not said of the whole again.
            let breaches = found.filter(\.isBreach)
            findings += said(once: breaches.isEmpty ? found : breaches)
        }
        return findings
    }

    /// The endpoints of one kind: what is wrong everywhere is said of all, what is wrong at a few is said of them.
    private static func judged(
        _ endpoints: [String: TrafficPair], _ kind: String, _ when: String, _ rule: (TrafficPair) -> Finding?
    ) -> [Finding] {
        let found = endpoints.sorted { $0.key < $1.key }.compactMap { endpoint, pair in
            rule(pair).map { (endpoint: endpoint, finding: $0) }
        }
        let broken = found.filter(\.finding.isBreach)
        let whole = rule(endpoints.sum)
        // Sure of all, though of none: each alone has too few.
        if broken.isEmpty, let whole, whole.isBreach { return [whole.at(kind)] }
        let named = broken.isEmpty ? found : broken
        let rest = rule(endpoints.filter { other in !named.contains { $0.endpoint == other.key } }.sum)
        let restIsWell = broken.isEmpty ? rest == nil : !(rest?.isBreach ?? false)
        if named.count <= namedEndpoints, restIsWell { return named.map { $0.finding.at($0.endpoint) } }
        if let whole, whole.isBreach || broken.isEmpty { return [whole.at(kind)] }
        return listedFew(named.map { $0.finding.at($0.endpoint) })
    }

    private static func listedFew(_ findings: [Finding]) -> [Finding] {
        guard let last = findings.prefix(namedEndpoints).last, findings.count > namedEndpoints else { return findings }
        let more = counted(findings.count - namedEndpoints, "more endpoint")
        return findings.prefix(namedEndpoints - 1)
            + [
                Finding(
                    kind: last.kind, isBreach: last.isBreach, said: "\(last.said); and so at \(more)", place: last.place
                )
            ]
    }

    private static func said(once findings: [Finding]) -> [Finding] {
        var places: Set<String> = []
        return findings.filter { places.insert($0.place).inserted }
    }

    /// Breach: surely worse than the monolith, or surely over the limit with no monolith beside it that does as badly.
    private static func errors(_ pair: TrafficPair, _ when: String, _ limits: GuardLimits) -> Finding? {
        let (service, monolith) = (pair.service.errorShare, pair.monolith.errorShare)
        guard service.hits > 0 else { return nil }
        let limit = limits.errorRate ?? errorLimit
        let beside = monolith.total > 0 ? ", the monolith on \(monolith.said)" : ""
        let said = "the service fails on \(service.said(of: "request")) \(when)\(beside)"
        let chance = worse(service, monolith)
        if chance < error { return Finding(kind: "errors", isBreach: true, said: said) }
        guard service.rate > limit.percent / 100 else {
            return chance < doubt ? Finding(kind: "errors", isBreach: false, said: said + "; too few to be sure") : nil
        }
        let over = "\(said); at most \(limit) may fail"
        // The monolith suffers as much: to give it the requests back would help nobody.
        if isShared(service, monolith, limit: limit.percent / 100) {
            return Finding(kind: "errors", isBreach: false, said: "\(over), but the monolith does no better")
        }
        let isSurelyOver = ProportionBound.chance(of: service, at: limit.percent / 100) < error
        return Finding(kind: "errors", isBreach: isSurelyOver, said: over)
    }

    /// How often chance would show the service this much worse than the monolith; 1 while it may keep the tolerance.
    private static func worse(_ service: Share, _ monolith: Share) -> Double {
        guard service.rate > monolith.rate + tolerated else { return 1 }
        let chance = ProportionTest.pValue(service, monolith)
        guard chance < error else { return chance }
        let worst = Share(monolith.hits &+ Int(Double(monolith.total) * tolerated), of: monolith.total)
        return ProportionTest.pValue(service, worst) < toleratedError ? chance : error
    }

    /// Breach: surely more than one in a hundred is slower than the budget, and the monolith's are not.
    private static func slowness(_ pair: TrafficPair, _ when: String, _ limits: GuardLimits) -> Finding? {
        let (service, monolith) = (pair.service.latency, pair.monolith.latency)
        guard let budget = budget(limits, monolith), let p99 = service.quantile(0.99) else { return nil }
        let slow = service.slower(than: budget.nanoseconds)
        guard slow.rate > 0.01 else { return nil }
        let monolithSlow = monolith.slower(than: budget.nanoseconds)
        let beside = monolith.quantile(0.99).map { ", the monolith's \(milliseconds($0))" } ?? ""
        let said =
            "the service's p99 is \(milliseconds(p99)) \(when)\(beside); "
            + (budget.isOwn
                ? "the budget is \(milliseconds(budget.nanoseconds))" : "at most twice the monolith's may be")
        if budget.isOwn, isShared(slow, monolithSlow, limit: 0.01) {
            return Finding(kind: "latency", isBreach: false, said: "\(said), but the monolith does no better")
        }
        var isBreach = ProportionBound.chance(of: slow, at: 0.01) < error
        // A p99 of few is easily one that many exceed.
        if !budget.isOwn { isBreach = isBreach && ProportionTest.exceeds(slow, monolithSlow, error: error) }
        return Finding(kind: "latency", isBreach: isBreach, said: said)
    }

    /// Whether the monolith, too, is over the limit, and at least half as bad; of few of its failures, whether it may well
    /// be as bad. One failure of two says nothing.
    private static func isShared(_ service: Share, _ monolith: Share, limit: Double) -> Bool {
        guard monolith.hits >= 2, monolith.rate > limit else { return false }
        return (monolith.hits >= 10 && monolith.rate * 2 >= service.rate)
            || ProportionTest.pValue(service, monolith) >= sharedError
    }

    private static func budget(
        _ limits: GuardLimits, _ monolith: LatencyHistogram
    ) -> (nanoseconds: Int64, isOwn: Bool)? {
        if let p99 = limits.p99 { return (Int64(min(p99.inSeconds * 1e9, 9e18)), true) }
        guard monolith.total >= yardstick, let p99 = monolith.quantile(0.99) else { return nil }
        return (Int64(Double(p99) * slowdown), false)
    }

    private static func milliseconds(_ nanoseconds: Int64) -> String {
        readableTimes(Double(nanoseconds) / 1e6) + " ms"
    }
}

/// Where both sides were compared.
extension Guard {
    static func comparisons(_ evidence: GuardEvidence, _ limits: GuardLimits) -> [Finding] {
        let limit = limits.mismatch ?? Step5Cutover.mismatchLimit
        var findings: [Finding] = []
        for (when, span) in [("in the last minutes", evidence.recent), ("at this weight", evidence.step)] {
            for (endpoint, share) in span.differing.sorted(by: { $0.key < $1.key }) {
                let chance = ProportionBound.chance(of: share, at: limit.percent / 100)
                guard share.rate > limit.percent / 100, chance < doubt else { continue }
                findings.append(
                    Finding(
                        kind: "mismatch", isBreach: chance < error,
                        said:
                            "\(endpoint): \(share.said(of: "answer")) \(share.hits == 1 ? "differs" : "differ") \(when), at most \(limit) may",
                        place: endpoint))
            }
        }
        let breaches = findings.filter(\.isBreach)
        return listedFew(said(once: breaches.isEmpty ? findings : breaches))
    }
}

extension GuardEvidence.Span {
    /// Reads and writes apart; without a name where there is only one kind.
    fileprivate var byKind: [(name: String, endpoints: [String: TrafficPair])] {
        let writes = endpoints.filter { EndpointEvidence.isWrite($0.key) }
        if writes.isEmpty || writes.count == endpoints.count { return [("", endpoints)] }
        return [("reads", endpoints.filter { !EndpointEvidence.isWrite($0.key) }), ("writes", writes)]
    }
}

extension [String: TrafficPair] {
    fileprivate var sum: TrafficPair { values.reduce(into: TrafficPair()) { $0.add($1) } }
}

extension Finding {
    fileprivate func at(_ place: String) -> Finding {
        Finding(kind: kind, isBreach: isBreach, said: place.isEmpty ? said : "\(place): \(said)", place: place)
    }
}
