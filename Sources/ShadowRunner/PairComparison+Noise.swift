internal import Comparison

/// Where the primary disagrees with itself: learned from twins, two answers of it to one request, and taken out of what
/// is reported.
extension PairComparison {
    /// Where noise is learned, every field that differs has to be known: a few noisy ones in a long list must not leave
    /// the fault at its end unseen.
    private static let manyDifferences = ComparisonLimits(differences: 10_000)

    func compare(
        _ subject: Subject, _ primary: Answer, _ other: Answer, in run: JudgingRun
    ) -> ComparisonResult {
        let extraction = subject.extraction
        let result = extraction.comparer.compare(primary: primary, shadow: other, now: run.now)
        guard result.truncated, subject.scope != nil else { return result }
        let comparer = Comparer(
            rules: extraction.rules, redactor: subject.pair.settings.redactor, limits: PairComparison.manyDifferences)
        return comparer.compare(primary: primary, shadow: other, now: run.now)
    }

    func split(
        _ subject: Subject, _ differences: [Difference], _ primary: Answer, in run: JudgingRun
    ) -> NoiseSplit {
        guard let scope = subject.scope else { return NoiseSplit(all: differences) }
        let noise = run.knownNoise(of: scope)
        guard subject.pair.look == .second, let earlier = subject.pair.earlier, !noise.baseline.isMature,
            let before = Answer(head: earlier.head, body: earlier.body)
        else { return NoiseSplit(differences, noise, ofItself: nil, in: run) }
        let ofItself = Set(compare(subject, before, primary, in: run).differences.map(run.grouped))
        let split = NoiseSplit(differences, noise, ofItself: ofItself, in: run)
        let steady = Set(split.reported.map(run.grouped)).filter(\.kind.mayBeChance)
        if !steady.isEmpty { run.foundSteady(steady, in: scope) }
        return split
    }

    /// Counts a pair beside its scope's twins, whatever its verdict will be.
    /// - Returns: whether one more twin is wanted.
    func learn(_ subject: Subject, _ result: ComparisonResult, in run: JudgingRun) -> Bool {
        guard let scope = subject.scope, result.isTelling else { return false }
        run.countNoise(scope, tally(result, NoiseCount(pairs: 1), in: run))
        return !subject.pair.hasTwin && !run.knownNoise(of: scope).baseline.isMature
    }

    /// Counts a twin. What would not be compared of a pair is not of a twin: both are to be of one kind.
    func learn(_ subject: Subject, _ first: Answer, _ second: Answer, in run: JudgingRun) {
        guard let scope = subject.scope, first.status < 500, !(502...504).contains(second.status) else { return }
        let result = compare(subject, first, second, in: run)
        if result.isTelling { run.countNoise(scope, tally(result, NoiseCount(twins: 1), in: run)) }
    }

    private func tally(_ result: ComparisonResult, _ one: NoiseCount, in run: JudgingRun) -> NoiseTally {
        var tally = NoiseTally(compared: one)
        for difference in result.differences { tally.differing[run.grouped(difference)] = one }
        return tally
    }
}

extension ComparisonResult {
    /// Whether it says that something differs, or that nothing does.
    fileprivate var isTelling: Bool { !differences.isEmpty || notCompared == nil }
}
