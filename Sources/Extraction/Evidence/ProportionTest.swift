#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// In how many of how many comparisons something was seen.
package struct Share: Sendable, Equatable {
    package let hits: Int
    package let total: Int

    /// Negative counts are 0, and there are no more hits than comparisons.
    package init(_ hits: Int, of total: Int) {
        self.total = max(0, total)
        self.hits = min(max(0, hits), self.total)
    }
}

/// Whether one share is greater than another, or only looks so: a one-sided test of two proportions.
///
/// The pooled z test where all four expected counts are 500 or more, else Fisher's exact test (R. A. Fisher, "On the
/// interpretation of χ² from contingency tables", 1922), whose tail has some hundred terms at most then.
package enum ProportionTest {
    /// Below this many, a count is too small for the normal distribution. The usual 5 (W. G. Cochran, "Some methods for
    /// strengthening the common χ² tests", 1954) is for errors of a few in a hundred: of 16 where 5 are expected, z says
    /// one in two million, and chance one in fifteen thousand.
    private static let smallestExpected = 500.0

    /// Whether the first share is greater, and chance would show it so seldom.
    /// - Parameter error: 0...1, how often this may be wrong of two equal shares: 0.01 for a confidence of 99 %.
    package static func exceeds(_ share: Share, _ baseline: Share, error: Double) -> Bool {
        let isGreater = Double(share.hits) * Double(baseline.total) > Double(baseline.hits) * Double(share.total)
        return isGreater && pValue(share, baseline) < error
    }

    /// How often chance alone would show the first share this much greater than the second, 0...1; 1 where one of them is
    /// of nothing.
    package static func pValue(_ share: Share, _ baseline: Share) -> Double {
        guard share.total > 0, baseline.total > 0 else { return 1 }
        // More than there can be: counts from a store are not trusted with a trap.
        if share.total.addingReportingOverflow(baseline.total).overflow { return 1 }
        let total = Double(share.total) + Double(baseline.total)
        let hits = Double(share.hits) + Double(baseline.hits)
        let rarer = min(hits, total - hits)
        guard rarer > 0 else { return 1 }
        let expected = rarer * Double(min(share.total, baseline.total)) / total
        return expected < smallestExpected ? exact(share, baseline) : normal(share, baseline)
    }

    private static func normal(_ share: Share, _ baseline: Share) -> Double {
        let (first, second) = (Double(share.total), Double(baseline.total))
        let pooled = (Double(share.hits) + Double(baseline.hits)) / (first + second)
        let deviation = (pooled * (1 - pooled) * (1 / first + 1 / second)).squareRoot()
        let z = (Double(share.hits) / first - Double(baseline.hits) / second) / deviation
        return 0.5 * erfc(z / 2.0.squareRoot())
    }

    /// The hypergeometric distribution's tail from the first share's hits on, all sums being given.
    private static func exact(_ share: Share, _ baseline: Share) -> Double {
        let table = Hypergeometric(
            population: share.total + baseline.total, hits: share.hits + baseline.hits, drawn: share.total)
        // The shorter way round: from below the mean, the first term of the tail might be too small for a number.
        if Double(share.hits) <= table.mean { return max(0, 1 - table.sum(downFrom: share.hits - 1)) }
        return min(1, table.sum(upFrom: share.hits))
    }
}

/// How many hits are among those drawn.
private struct Hypergeometric {
    let population: Int
    let hits: Int
    let drawn: Int

    /// Beside the sum of a tail, whose terms only fall.
    private static let negligible = 1e-17

    var mean: Double { Double(hits) * Double(drawn) / Double(population) }
    private var smallest: Int { max(0, hits + drawn - population) }
    private var largest: Int { min(hits, drawn) }

    func sum(upFrom first: Int) -> Double {
        guard first <= largest else { return 0 }
        var term = probability(of: first)
        var sum = term
        for k in first..<largest where term > sum * Hypergeometric.negligible {
            term *= ratio(after: k)
            sum += term
        }
        return sum
    }

    func sum(downFrom first: Int) -> Double {
        guard first >= smallest else { return 0 }
        var term = probability(of: first)
        var sum = term
        for k in stride(from: first - 1, through: smallest, by: -1) where term > sum * Hypergeometric.negligible {
            term /= ratio(after: k)
            sum += term
        }
        return sum
    }

    /// P(k + 1) / P(k).
    private func ratio(after k: Int) -> Double {
        Double(hits - k) * Double(drawn - k) / (Double(k + 1) * Double(population - hits - drawn + k + 1))
    }

    private func probability(of k: Int) -> Double {
        exp(
            logChoose(hits, k) + logChoose(population - hits, drawn - k) - logChoose(population, drawn))
    }

    private func logChoose(_ n: Int, _ k: Int) -> Double {
        logFactorial(n) - logFactorial(k) - logFactorial(n - k)
    }

    private func logFactorial(_ n: Int) -> Double { Stirling.logGamma(Double(n) + 1) }
}
