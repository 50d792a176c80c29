import Extraction
import TestSupport
import Testing

@testable import Comparison

@Suite struct NoiseTestTests {
    /// Computed with SciPy 1: `scipy.stats.norm.sf` of the pooled z.
    @Test(
        arguments: [
            (6_000, 100_000, 2_400, 50_000, 7.951559477606994e-22),
            (60_000, 100_000, 11_800, 20_000, 0.00422650619168036),
            (60_000, 100_000, 2_950, 5_000, 0.0795193977408784),
        ])
    func `large counts are judged by the pooled z test`(
        hits: Int, total: Int, baselineHits: Int, baseline: Int, expected: Double
    ) {
        let p = ProportionTest.pValue(Share(hits, of: total), Share(baselineHits, of: baseline))
        #expect(abs(p - expected) < 1e-9 * max(1, p) && abs(p / expected - 1) < 1e-6)
    }

    /// Computed with SciPy 1: `scipy.stats.fisher_exact(..., alternative="greater")`.
    @Test(
        arguments: [
            (3, 10, 1, 10, 0.2910216718266254), (10, 10, 0, 9, 1.0825088224469e-05),
            (5, 1_000, 1, 20, 0.9947697189093525), (1, 1, 1, 10, 0.1818181818181818),
            (9, 10, 5, 10, 0.07043343653250772), (2, 100, 0, 300, 0.06203007518796992),
            (100, 100, 9, 10, 0.0909090909090909), (0, 5, 3, 9, 1.0), (20_000, 99_990, 2, 10, 0.6777421452900152),
            (7, 60, 1, 60, 0.030622637666070658), (30, 100, 10, 100, 0.0003252053538017105),
            (110, 1_000, 50, 500, 0.30969056123359034), (400, 2_000, 300, 2_000, 1.8531851718532554e-05),
            // z would say 6e-7.
            (16, 1_000, 500, 100_000, 7.456994678840618e-05),
        ])
    func `small counts are judged by Fisher's exact test`(
        hits: Int, total: Int, baselineHits: Int, baseline: Int, expected: Double
    ) {
        let p = ProportionTest.pValue(Share(hits, of: total), Share(baselineHits, of: baseline))
        #expect(abs(p / expected - 1) < 1e-8, "\(p)")
    }

    @Test func `more hits never make a share less suspicious, nor do more baseline hits make it more so`() {
        // Within one test. Where z takes over from the exact test, the two are a little apart.
        for (total, baseline) in [(20, 8), (2_000, 1_500)] {
            var last = 1.0
            for hits in stride(from: total / 2, through: total - 1, by: max(1, total / 40)) {
                let p = ProportionTest.pValue(Share(hits, of: total), Share(baseline / 2, of: baseline))
                #expect(p <= last + 1e-12)
                last = p
            }
            last = 0
            for hits in stride(from: baseline / 3, through: baseline - 1, by: max(1, baseline / 40)) {
                let p = ProportionTest.pValue(Share(total / 2, of: total), Share(hits, of: baseline))
                #expect(p >= last - 1e-12)
                last = p
            }
        }
    }

    @Test func `equal shares exceed nothing, and the two tails of the exact test make one`() {
        for (hits, total) in [(0, 10), (10, 10), (3, 10), (500, 1_000), (100_000, 100_000)] {
            let share = Share(hits, of: total)
            #expect(!ProportionTest.exceeds(share, share, error: 0.49))
        }
        // P(X ≥ 3) of one table is 1 − P(X ≤ 2), which is the other share's P(X ≥ 4 − 2).
        let (up, down) = (
            ProportionTest.pValue(Share(3, of: 9), Share(1, of: 12)),
            ProportionTest.pValue(Share(2, of: 12), Share(2, of: 9))
        )
        #expect(abs(up + down - 1) < 1e-12)
    }

    @Test func `of nothing nothing follows, and impossible counts trap nowhere`() {
        #expect(ProportionTest.pValue(Share(0, of: 0), Share(3, of: 9)) == 1)
        #expect(ProportionTest.pValue(Share(3, of: 9), Share(0, of: 0)) == 1)
        #expect(ProportionTest.pValue(Share(9, of: -3), Share(-1, of: 5)) == 1)
        #expect(Share(12, of: 5) == Share(5, of: 5))
        let huge = Int.max / 4
        #expect(!ProportionTest.exceeds(Share(huge / 2, of: huge), Share(huge / 2, of: huge), error: 0.01))
    }
}

@Suite struct NoiseModelTests {
    private let scope = NoiseScope(extraction: "orders", endpoint: "GET /a", side: .monolith)
    private let total = GroupedDifference(path: "$.total", kind: .value)

    private func tally(
        twins: Int, pairs: Int = 0, _ differing: [GroupedDifference: NoiseCount] = [:]
    ) -> NoiseTally {
        NoiseTally(compared: NoiseCount(twins: twins, pairs: pairs), differing: differing)
    }

    private func judge(_ field: GroupedDifference, after tally: NoiseTally) -> FieldJudgement {
        var model = NoiseModel()
        model.learn([scope: tally])
        return model.baseline(of: scope).judge(field)
    }

    private func field(_ kind: DifferenceKind, _ path: String = "$.total") -> GroupedDifference {
        GroupedDifference(path: path, kind: kind)
    }

    @Test func `while little is known, values, orders and lengths may be noise, and nothing else`() {
        for kind in DifferenceKind.allCases {
            let expected: FieldJudgement = [.value, .order, .length].contains(kind) ? .unknown : .reported
            #expect(judge(field(kind), after: tally(twins: 9, pairs: 500)) == expected, "\(kind)")
            #expect(judge(field(kind), after: tally(twins: 10, pairs: 500)) == .reported, "\(kind)")
        }
    }

    @Test func `a field that always differs between twins is noise, its type, absence and format are not`() {
        let learned = tally(twins: 20, pairs: 400, [total: NoiseCount(twins: 20, pairs: 400)])
        #expect(judge(total, after: learned) == .noise)
        for kind in [DifferenceKind.type, .missing, .extra, .format] {
            #expect(judge(field(kind), after: learned) == .reported, "\(kind)")
        }
    }

    @Test func `a type that the twins change as often is noise, one that the shadow changes more often is not`() {
        let type = field(.type)
        #expect(judge(type, after: tally(twins: 200, pairs: 1_000, [type: .init(twins: 20, pairs: 105)])) == .noise)
        #expect(judge(type, after: tally(twins: 200, pairs: 1_000, [type: .init(twins: 20, pairs: 300)])) == .reported)
    }

    @Test func `what is missing between twins is as often extra: each has half of both as its baseline`() {
        let (missing, extra) = (field(.missing), field(.extra))
        let oneSided = tally(
            twins: 200, pairs: 1_000,
            [missing: .init(twins: 40, pairs: 100), extra: .init(twins: 0, pairs: 100)])
        #expect(judge(missing, after: oneSided) == .noise)
        #expect(judge(extra, after: oneSided) == .noise)
        // The shadow never has what the primary has 80 % of the time.
        let gone = tally(
            twins: 200, pairs: 1_000,
            [missing: .init(twins: 32, pairs: 800), extra: .init(twins: 32, pairs: 0)])
        #expect(judge(missing, after: gone) == .reported)
    }

    @Test(arguments: [0.01, 0.1, 1.0])
    func `a shadow as noisy as the primary is reported seldom`(rate: Double) {
        var generator = SeededGenerator(seed: 7)
        var reported = 0
        var judged = 0
        for _ in 0..<40 {
            var model = NoiseModel()
            let chance = { (generator: inout SeededGenerator) in Double.random(in: 0..<1, using: &generator) < rate }
            let twin = { (generator: inout SeededGenerator) in
                let differs = chance(&generator)
                return self.tally(twins: 1, differs ? [self.total: NoiseCount(twins: 1)] : [:])
            }
            // A field that twins have not shown yet is none of this test's: what is never seen to be noise is reported.
            while model.baseline(of: scope).judge(total) != .noise { model.learn([scope: twin(&generator)]) }
            for number in 0..<2_000 {
                if number.isMultiple(of: 10) { model.learn([scope: twin(&generator)]) }
                let differs = chance(&generator)
                if differs {
                    judged += 1
                    if model.baseline(of: scope).judge(total) == .reported { reported += 1 }
                }
                model.learn([scope: tally(twins: 0, pairs: 1, differs ? [total: NoiseCount(pairs: 1)] : [:])])
            }
        }
        #expect(judged > 500)
        #expect(Double(reported) <= 0.015 * Double(judged), "\(reported) of \(judged)")
    }

    /// Each pair that differs is another look, and one report is a group: an error of one in a hundred looks would give
    /// most of these fields one.
    @Test func `however often it is looked at, a field as noisy as its baseline becomes no group`() {
        var generator = SeededGenerator(seed: 23)
        var fields = 0
        for round in 0..<100 {
            let rate = [0.3, 0.7][round % 2]
            var model = NoiseModel()
            var hasGroup = false
            for number in 0..<1_500 {
                let hits = (0..<10).count { _ in Double.random(in: 0..<1, using: &generator) < rate }
                let twin = number.isMultiple(of: 2) || number < 20
                let hit = twin && Double.random(in: 0..<1, using: &generator) < rate ? 1 : 0
                model.learn([
                    scope: tally(twins: twin ? 1 : 0, pairs: 10, [total: NoiseCount(twins: hit, pairs: hits)])
                ])
                let baseline = model.baseline(of: scope)
                if number > 30, baseline.judge(total) == .reported { hasGroup = true }
            }
            if hasGroup { fields += 1 }
        }
        #expect(fields == 0)
    }

    @Test func `a fault that raises a noisy field from 10 % to 30 % is found within a few hundred pairs`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20 {
            var model = NoiseModel()
            // A week behind it: the new ones would long be lost in the sum.
            model.learn([scope: tally(twins: 5_000, pairs: 90_000, [total: NoiseCount(twins: 500, pairs: 9_000)])])
            #expect(model.baseline(of: scope).judge(total) == .noise)
            var needed = 0
            while needed < 2_000, model.baseline(of: scope).judge(total) != .reported {
                let differs = Double.random(in: 0..<1, using: &generator) < 0.3
                model.learn([scope: tally(twins: 0, pairs: 1, differs ? [total: NoiseCount(pairs: 1)] : [:])])
                needed += 1
            }
            #expect(needed < 600, "\(needed)")
        }
    }

    @Test func `the store's knowledge replaces what was learned here, but for what it does not know yet`() {
        var model = NoiseModel()
        model.learn([scope: tally(twins: 50, pairs: 50, [total: NoiseCount(twins: 50, pairs: 50)])])
        model.restart(from: [:], unstored: [scope: tally(twins: 3)])
        #expect(!model.baseline(of: scope).isMature)
        model.restart(
            from: [scope: tally(twins: 8, pairs: 8, [total: NoiseCount(twins: 8, pairs: 8)])],
            unstored: [scope: tally(twins: 3, [total: NoiseCount(twins: 3)])])
        #expect(model.baseline(of: scope).isMature)
        #expect(model.baseline(of: scope).judge(total) == .noise)
    }

    @Test func `what is remembered is halved at its limit, shares stay, and what twins have shown stays known`() {
        var model = NoiseModel()
        let rare = field(.value, "$.rare")
        let week = tally(
            twins: 400_000, pairs: 8_000_000,
            [total: NoiseCount(twins: 40_000, pairs: 800_000), rare: NoiseCount(twins: 1, pairs: 0)])
        model.restart(from: [scope: week], unstored: [:])
        let baseline = model.baseline(of: scope)
        #expect((NoiseModel.maximumCompared / 2...NoiseModel.maximumCompared).contains(baseline.tally.compared.pairs))
        let count = baseline.tally.differing[total] ?? NoiseCount()
        #expect(abs(Double(count.pairs) / Double(baseline.tally.compared.pairs) - 0.1) < 0.001)
        #expect(abs(Double(count.twins) / Double(baseline.tally.compared.twins) - 0.1) < 0.001)
        #expect(baseline.tally.differing[rare]?.twins == 1)
        #expect(baseline.judge(total) == .noise)
    }

    @Test func `names that are made up anew each time take a bounded place, and not that of one that comes again`() {
        var model = NoiseModel()
        for number in 0..<5_000 {
            let one = NoiseCount(twins: 1, pairs: 1)
            model.learn([scope: tally(twins: 1, pairs: 1, [total: one, field(.extra, "$.x\(number)"): one])])
        }
        let baseline = model.baseline(of: scope)
        #expect(baseline.tally.differing.count <= NoiseTally.maximumFields + 1)
        #expect(baseline.recent.differing.count <= NoiseTally.maximumFields)
        #expect(baseline.tally.differing[total] == NoiseCount(twins: 5_000, pairs: 5_000))
        let named = baseline.tally.differing.values.reduce(0) { $0 + $1.twins }
        #expect(named == 10_000, "the others are counted together")
        #expect(baseline.judge(total) == .noise)
    }

    @Test func `endpoints beyond the limit are counted, and have no baseline`() {
        var model = NoiseModel()
        for number in 0...NoiseModel.maximumScopes {
            let scope = NoiseScope(extraction: "orders", endpoint: "GET /\(number)", side: .monolith)
            model.learn([scope: tally(twins: 10)])
        }
        #expect(model.comparedWithoutScope == 10)
        let last = NoiseScope(extraction: "orders", endpoint: "GET /\(NoiseModel.maximumScopes)", side: .monolith)
        #expect(!model.baseline(of: last).isMature)
    }
}
