import Extraction
import Testing

/// Against values computed elsewhere (SciPy 1.17: `beta.ppf`, `binom.sf`, `fisher_exact`).
@Suite struct StatisticsTests {
    private struct Bounds {
        let hits: Int
        let total: Int
        let lower: Double
        let upper: Double
    }

    private static let bounds = [
        Bounds(hits: 0, total: 1, lower: 0, upper: 0.95),
        Bounds(hits: 0, total: 2_995, lower: 0, upper: 0.000999744420901142),
        Bounds(hits: 1, total: 4_742, lower: 1.0816747569325551e-05, upper: 0.0009999983681395772),
        Bounds(hits: 5, total: 10, lower: 0.22244110100812942, upper: 0.7775588989918706),
        Bounds(hits: 10, total: 10, lower: 0.7411344491069478, upper: 1),
        Bounds(hits: 1, total: 1, lower: 0.05, upper: 1),
        Bounds(hits: 37, total: 1_000, lower: 0.02771206682848596, upper: 0.04838992666597339),
        Bounds(hits: 3, total: 3_000_000, lower: 2.725638694304275e-07, upper: 2.5845501282993293e-06),
        Bounds(hits: 0, total: 1_000_000_000, lower: 0, upper: 2.9957322690667843e-09),
        Bounds(hits: 1, total: 1_000_000_000, lower: 5.1293294386235075e-11, upper: 4.743864490591013e-09),
        Bounds(
            hits: 1_000_000, total: 1_000_000_000, lower: 0.000998356535581547, upper: 0.0010016455979951705),
        Bounds(
            hits: 500_000_000, total: 1_000_000_000, lower: 0.49997399208063037, upper: 0.5000260079193697),
        Bounds(hits: 999_999_999, total: 1_000_000_000, lower: 0.9999999952561355, upper: 0.9999999999487067),
    ]

    private func isNear(_ value: Double, _ expected: Double) -> Bool {
        abs(value - expected) <= 1e-6 * max(abs(expected), 1e-12)
    }

    @Test func boundsAreThoseOfClopperAndPearson() {
        for known in Self.bounds {
            let share = Share(known.hits, of: known.total)
            #expect(isNear(ProportionBound.lower(share), known.lower), "lower of \(share)")
            #expect(isNear(ProportionBound.upper(share), known.upper), "upper of \(share)")
        }
        #expect(ProportionBound.upper(Share(0, of: 0)) == 1)
        #expect(ProportionBound.lower(Share(0, of: 0)) == 0)
    }

    @Test func chanceIsTheBinomialTail() {
        for (hits, total, limit, expected) in [
            (15, 177, 0.01, 4.759177256267486e-10), (100, 6_000, 0.01, 1.2930109305732533e-06),
            (6_700, 600_000, 0.01, 2.517413873564299e-19), (3, 3, 0.01, 1e-6), (1, 1_000_000_000, 0.0001, 1),
            (1_020_000, 1_000_000_000, 0.001, 8.518905743336637e-89), (0, 5, 0.01, 1), (1, 5, 0, 0), (5, 5, 1, 1),
        ] {
            let chance = ProportionBound.chance(of: Share(hits, of: total), at: limit)
            #expect(abs(chance - expected) <= 1e-4 * expected, "\(hits) of \(total) at \(limit): \(chance)")
        }
    }

    @Test func thePairedTestIsFishers() {
        for (hits, total, others, of, expected) in [
            (5, 65, 0, 6_000, 1.209811260597272e-10), (27, 177, 0, 177, 2.5481473402609063e-09),
            (6, 1_200, 12, 120_000, 1.5602922073495324e-08), (1, 10, 0, 990, 0.01),
            (400, 1_000, 380, 1_000, 0.19186728055768287),
        ] {
            let value = ProportionTest.pValue(Share(hits, of: total), Share(others, of: of))
            #expect(abs(value - expected) <= 1e-6 * expected, "\(hits)/\(total), \(others)/\(of): \(value)")
        }
    }

    /// The number that a gate asks for opens it, and one fewer does not.
    @Test func neededIsTheSmallestNumberThatProves() throws {
        for hundredths in [1, 2, 10, 33, 100, 500, 2_500, 5_000, 9_900, 9_999] {
            let limit = Weight(clamping: hundredths)
            for hits in [0, 1, 2, 7, 40] {
                let needed = try #require(ProportionBound.needed(hits: hits, limit: limit))
                let proves = { (total: Int) in
                    ProportionBound.upper(Share(hits, of: total)) <= limit.percent / 100
                }
                #expect(needed > hits && proves(needed), "\(hits) at \(limit): \(needed)")
                #expect(needed == 1 || !proves(needed - 1), "\(hits) at \(limit): \(needed) is not the smallest")
            }
        }
        #expect(ProportionBound.needed(hits: 0, limit: .none) == nil)
        #expect(ProportionBound.needed(hits: 3, limit: .all) == 3)
        #expect(ProportionBound.needed(hits: 0, limit: .all) == 1)
        // A month of mismatches, and still a number.
        #expect(try #require(ProportionBound.needed(hits: 1_000_000, limit: Weight(clamping: 10))) > 1_000_000_000)
    }

    @Test func absurdCountsTrapNowhere() {
        for share in [Share(.max, of: .max), Share(-1, of: .min), Share(.max, of: 1), Share(1, of: .max)] {
            _ = ProportionBound.upper(share)
            _ = ProportionBound.lower(share)
            _ = ProportionBound.chance(of: share, at: 0.01)
            #expect((0...1).contains(ProportionTest.pValue(share, Share(1, of: 3))))
            #expect((0...1).contains(ProportionTest.pValue(Share(1, of: .max), share)))
        }
    }
}
