#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// What a share that was seen says about the true one: the exact one-sided bounds of a binomial proportion
/// (C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits", 1934). Exact, because the counts that gates
/// look at are zero more often than not, where approximations say that nothing can go wrong.
package enum ProportionBound {
    /// How sure a gate has to be: 95 %, one-sided.
    package static let confidence = 0.95

    /// The true share is no greater than this, 0...1, or chance has shown less than it would but once in twenty times.
    /// Of nothing: 1.
    package static func upper(_ share: Share, confidence: Double = confidence) -> Double {
        guard share.hits < share.total else { return 1 }
        // P(at most these hits) falls as the true share grows.
        return root { cumulative(share.hits, of: share.total, at: $0) > 1 - confidence }
    }

    /// The true share is no smaller than this. Of nothing: 0.
    package static func lower(_ share: Share, confidence: Double = confidence) -> Double {
        guard share.hits > 0 else { return 0 }
        return root { tail(share.hits, of: share.total, at: $0) < 1 - confidence }
    }

    /// How seldom a true share of `limit`, 0...1, would show as many hits as these or more: small says that the limit is
    /// broken.
    package static func chance(of share: Share, at limit: Double) -> Double {
        guard share.hits > 0 else { return 1 }
        return tail(share.hits, of: share.total, at: limit)
    }

    /// How many comparisons it takes, with this many hits among them, for ``upper(_:confidence:)`` to be at or under the
    /// limit: 2,995 without any, for 0.1 %. Nil for a limit of 0, which no number of comparisons proves.
    package static func needed(hits: Int, limit: Weight, confidence: Double = confidence) -> Int? {
        guard limit > .none else { return nil }
        guard limit < .all else { return max(1, hits) }
        let share = limit.percent / 100
        if hits <= 0 { return Int((log(1 - confidence) / log(1 - share)).rounded(.up)) }
        var (low, high) = (hits, max(16, hits) * 2)
        let proves = { (total: Int) in cumulative(hits, of: total, at: share) <= 1 - confidence }
        while !proves(high) {
            guard high < 1 << 40 else { return nil }
            (low, high) = (high, high * 2)
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            if proves(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// Where `isBelow` turns false, by halving: to the last bit but a few.
    private static func root(_ isBelow: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if isBelow(middle) { low = middle } else { high = middle }
        }
        return high
    }

    /// P(X <= hits).
    static func cumulative(_ hits: Int, of total: Int, at share: Double) -> Double {
        1 - tail(hits + 1, of: total, at: share)
    }

    /// P(X >= hits) = I_p(hits, total - hits + 1) (DLMF 8.17.5).
    static func tail(_ hits: Int, of total: Int, at share: Double) -> Double {
        if hits <= 0 { return 1 }
        if hits > total { return 0 }
        if share <= 0 { return 0 }
        if share >= 1 { return 1 }
        return incompleteBeta(Double(hits), Double(total - hits + 1), at: share)
    }

    /// The regularised incomplete beta function by its continued fraction (DLMF 8.17.22), on the side where that converges
    /// quickly.
    private static func incompleteBeta(_ a: Double, _ b: Double, at x: Double) -> Double {
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(b, a, at: 1 - x) }
        let front = exp(
            Stirling.logGamma(a + b) - Stirling.logGamma(a) - Stirling.logGamma(b) + a * log(x) + b * log1p(-x))
        return min(1, max(0, front * fraction(a, b, x) / a))
    }

    /// Evaluated by Lentz's method (W. J. Lentz, Applied Optics 15, 1976).
    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        let safe = { (value: Double) in abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / safe(1 - (a + b) * x / (a + 1))
        var result = d
        // The number of terms grows with the root of the larger parameter.
        for step in 1...20_000 {
            let m = Double(step)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / safe(1 + numerator * d)
                c = safe(1 + numerator / c)
                result *= c * d
            }
            if abs(c * d - 1) < 1e-15 { break }
        }
        return result
    }
}

/// Logarithms of the gamma function. `lgamma` of the C library writes to a global.
enum Stirling {
    /// - Parameter x: above 0.
    static func logGamma(_ x: Double) -> Double {
        // Upwards to where the series is exact to 1e-13 (DLMF 5.11.1).
        var (x, shift) = (x, 0.0)
        while x < 16 {
            shift -= log(x)
            x += 1
        }
        let series = 1 / (12 * x) - 1 / (360 * x * x * x) + 1 / (1_260 * x * x * x * x * x)
        return shift + (x - 0.5) * log(x) - x + 0.5 * log(2 * Double.pi) + series
    }
}
