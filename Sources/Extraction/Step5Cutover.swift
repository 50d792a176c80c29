import FoundationEssentials

/// Step 5, stage `cutover`: the service answers for a share of the keys.
///
/// Gate (from `shadow`): at every endpoint the share of answers that differ and are not accepted is surely within the
/// limit: the upper 95 % bound of Clopper and Pearson, one-sided, is at or under it. An endpoint that is asked too
/// seldom can be covered by replay, or waived with a reason. Enough of the traffic was compared, little was shed, the
/// service answered its shadow requests, no mended difference has come back, every write has arrived on the other side or
/// was settled by a person, and no evidence is missing. Inside the stage a raise by hand is free unless something holds; a ramp raises by
/// itself (`Ramp`), and the guard (`Guard`) takes everything back. Left by itself or by `advance` once 100 % has held,
/// or by a rollback to `shadow`.
///
/// Traffic: the service answers keys whose bucket is under the weight, the monolith the rest; the other side is
/// shadowed. The monolith answers where the service fails.
enum Step5Cutover: Step {
    static let stage = Stage.cutover

    /// 0.1 %, where the route file sets no `guard.mismatch`.
    static let mismatchLimit = Weight(clamping: 10)
    /// Below this many, a share of shed or failed requests says little.
    private static let fewest = 20

    static func requirements(_ facts: GateFacts) -> [Requirement] {
        endpoints(facts) + [regressed(facts), facts.backlog(at: "the other side")]
            + facts.decidedWrites + facts.completeness
    }

    static func traffic(weights: Weights) -> StageTraffic {
        StageTraffic(
            serviceShares: weights, shadows: true, keepsMonolith: true,
            whyMonolith: weights == .none ? .cutoverAtZero : .keyNotMoved,
            whyService: weights == .all ? .cutoverAtAll : .keyMoved)
    }

    private static func endpoints(_ facts: GateFacts) -> [Requirement] {
        let endpoints = facts.evidence.endpoints
        guard !endpoints.isEmpty else {
            return [.missing("mismatch", "needs at least 1 compared answer, has 0")]
        }
        return endpoints.flatMap { endpoint -> [Requirement] in
            // A waiver stands for evidence that is missing, not against evidence that is there.
            if let waiver = endpoint.waiver, !isSurelyOver(endpoint, facts.definition) {
                return [.met("mismatch", "\(endpoint.endpoint): waived by \(waiver.actor): \(waiver.reason)")]
            }
            return [mismatch(endpoint, facts)] + coverage(endpoint, facts.definition)
        }
    }

    private static func mismatch(_ endpoint: EndpointEvidence, _ facts: GateFacts) -> Requirement {
        let definition = facts.definition
        let limit = mismatchLimit(definition)
        let differing = Share(endpoint.differing, of: endpoint.compared)
        let name = endpoint.endpoint
        if endpoint.isWrite, definition.writes == .never {
            return .missing(
                "mismatch", "\(name): writes are never sent to both sides; set `writes: dual-write`, or waive it")
        }
        let upper = ProportionBound.upper(differing)
        if upper <= limit.percent / 100 {
            return .met(
                "mismatch",
                "\(name): \(counted(endpoint.compared, "comparison")), \(differing.hits) differ: at most "
                    + "\(readableShare(upper)) of all do, \(limit) may")
        }
        if let get = answersLike(endpoint, facts) {
            return .met(
                "mismatch",
                "\(name): \(counted(endpoint.compared, "comparison")), 0 differ; \(get), whose head it asks for, is proved"
            )
        }
        if differing.rate > limit.percent / 100 {
            let accepted = endpoint.accepted > 0 ? " (\(endpoint.accepted) more accepted)" : ""
            return .missing(
                "mismatch",
                "\(name): \(differing.hits) of \(counted(differing.total, "compared answer")) "
                    + "\(differing.hits == 1 ? "differs" : "differ") "
                    + "(\(readableShare(differing)))\(accepted), at most \(limit) may")
        }
        guard let needed = ProportionBound.needed(hits: differing.hits, limit: limit) else {
            return .missing("mismatch", "\(name): a limit of \(limit) cannot be proved: set one above 0%, or waive it")
        }
        let kind =
            differing.hits == 0 ? "clean comparisons" : "comparisons with no more than \(differing.hits) differing"
        // Why there are so few, where the primary is why.
        let failed = endpoint.primaryFailed
        let why = failed > endpoint.compared ? " (the primary itself failed on \(failed) more)" : ""
        return .missing("mismatch", "\(name): needs \(needed) \(kind), has \(differing.total)\(why)")
    }

    private static func mismatchLimit(_ definition: ExtractionDefinition) -> Weight {
        definition.guardLimits.mismatch ?? mismatchLimit
    }

    /// HEAD is answered like GET but for the body (RFC 9110 §9.3.2), and seldom asked: where none of its answers differ,
    /// the proof of GET is its proof. Nil for anything else.
    private static func answersLike(_ endpoint: EndpointEvidence, _ facts: GateFacts) -> String? {
        guard endpoint.endpoint.hasPrefix("HEAD "), endpoint.differing <= 0 else { return nil }
        let get = "GET " + endpoint.endpoint.dropFirst("HEAD ".count)
        guard let like = facts.evidence.endpoints.first(where: { $0.endpoint == get }) else { return nil }
        let upper = ProportionBound.upper(Share(like.differing, of: like.compared))
        return upper <= mismatchLimit(facts.definition).percent / 100 ? get : nil
    }

    private static func isSurelyOver(_ endpoint: EndpointEvidence, _ definition: ExtractionDefinition) -> Bool {
        let limit = definition.guardLimits.mismatch ?? mismatchLimit
        return ProportionBound.lower(Share(endpoint.differing, of: endpoint.compared)) > limit.percent / 100
    }

    /// Only what is wrong: an endpoint without traffic is named by its comparisons.
    private static func coverage(_ endpoint: EndpointEvidence, _ definition: ExtractionDefinition) -> [Requirement] {
        let wanted = endpoint.wanted
        guard wanted >= fewest else { return [] }
        let limits = definition.coverageLimits
        let name = endpoint.endpoint
        var found: [Requirement] = []
        let compared = Share(endpoint.compared, of: wanted)
        if compared.rate < limits.compared.percent / 100 {
            let reasons = endpoint.notCompared.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(2)
                .map { "\($0.key) \($0.value)" }
            let why = reasons.isEmpty ? "" : " (" + reasons.joined(separator: ", ") + ")"
            // Rounded down: what is under a limit never reads as equal to it.
            let share = Weight(clamping: Int(compared.rate * 10_000 + 1e-9))
            found.append(
                .missing(
                    "coverage",
                    "\(name): \(share) of \(wanted) were compared\(why), at least \(limits.compared) have to be"))
        }
        let shed = Share(endpoint.shed, of: wanted)
        if shed.rate > limits.shed.percent / 100 {
            found.append(
                .missing("shed", "\(name): \(shed.said) were shed because too many waited, at most \(limits.shed) may"))
        }
        let failed = Share(endpoint.shadowFailed, of: endpoint.compared &+ endpoint.shadowFailed)
        let errorLimit = definition.guardLimits.errorRate ?? Guard.errorLimit
        if failed.rate > errorLimit.percent / 100 {
            found.append(
                .missing("service-failed", "\(name): the service failed on \(failed.said), at most \(errorLimit) may"))
        }
        return found
    }

    private static func regressed(_ facts: GateFacts) -> Requirement {
        let groups = facts.evidence.regressedGroups
        return groups > 0
            ? .missing("regressed", "\(counted(groups, "group")) of fixed differences came back")
            : .met("regressed", "no fixed difference came back")
    }
}
