internal import Comparison

/// The differences of one pair, by what is known of the primary's own noise.
struct NoiseSplit {
    var reported: [Difference]
    /// The primary differs from itself there as often, or did so just now.
    var hidden: [Difference] = []
    /// Nobody knows yet.
    var unknown: [Difference] = []

    /// Nothing is noise.
    init(all differences: [Difference]) { reported = differences }

    /// - Parameter ofItself: where the primary's two answers to the same request differed, when it was asked again. That
    ///   decides only while no baseline does. It is not added to the statistics: only requests that differed at first are
    ///   asked again, which are no fair sample.
    init(_ differences: [Difference], _ noise: KnownNoise, ofItself: Set<GroupedDifference>?, in run: JudgingRun) {
        reported = []
        var judged: [GroupedDifference: FieldJudgement] = [:]
        for difference in differences {
            let field = run.grouped(difference)
            let judgement = judged[field] ?? NoiseSplit.judge(field, noise, ofItself)
            judged[field] = judgement
            switch judgement {
            case .reported: reported.append(difference)
            case .noise: hidden.append(difference)
            case .unknown: unknown.append(difference)
            }
        }
    }

    /// What a group's signature and its example say of what is reported: each kind of place once before any of them
    /// twice, for a fault may stand behind a long list of another. Bounded, since hundreds of examples may wait for the
    /// store.
    var told: [Difference] {
        let limit = ComparisonLimits().differences
        var bytes = NoiseSplit.toldBytes
        guard reported.count > limit || reported.reduce(0, { $0 + NoiseSplit.size($1) }) > bytes else {
            return reported
        }
        var seen: Set<GroupedDifference> = []
        var kept: Set<Int> = []
        for isFirstOfItsKind in [true, false] {
            for (place, difference) in reported.enumerated() where kept.count < limit && !kept.contains(place) {
                if isFirstOfItsKind, !seen.insert(GroupedDifference(difference)).inserted { continue }
                let size = NoiseSplit.size(difference)
                guard kept.isEmpty || size <= bytes else { continue }
                bytes -= size
                kept.insert(place)
            }
        }
        return kept.sorted().map { reported[$0] }
    }

    /// Of paths, which are as long as the names in them.
    private static let toldBytes = 64 * 1024

    private static func size(_ difference: Difference) -> Int {
        difference.path.utf8.count + difference.pattern.utf8.count
    }

    private static func judge(
        _ field: GroupedDifference, _ noise: KnownNoise, _ ofItself: Set<GroupedDifference>?
    ) -> FieldJudgement {
        let judgement = noise.baseline.judge(field)
        guard judgement == .unknown else { return judgement }
        if let ofItself { return ofItself.contains(field) ? .noise : .reported }
        return noise.steady.contains(field) ? .reported : .unknown
    }
}
