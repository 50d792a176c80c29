/// Takes one endpoint of several out of use for a while when it fails again and again (passive health: the requests
/// themselves are the probes).
///
/// - in use: consecutive failures are counted, one success sets them back to nothing. Left to ejected by as many failures
///   as the limit says, if the others can do without it.
/// - ejected: nothing counts, since what still comes began before. Left to in use by the first `tick` after its time,
///   which grows with each ejection: base × how often it was ejected, up to a maximum. Each base time that it then spends
///   in use takes one ejection off the count.
///
/// Pure: time is passed in, in nanoseconds of one monotonic clock. Allocates nothing. One value belongs to one endpoint
/// and one event loop.
package struct OutlierDetection: Sendable {
    /// The defaults are those of edge proxies: 5 consecutive failures, 30 s × count, at most 300 s.
    package struct Limits: Sendable, Hashable {
        package let consecutiveFailures: Int
        /// Nanoseconds of the first ejection.
        package let base: Int64
        /// Nanoseconds of the longest one.
        package let longest: Int64
        /// Share of an upstream's endpoints, in percent, that may be ejected at one time. One always may, if another is
        /// left; the last that is well never is.
        package let ejectedPercent: Int

        /// Figures outside their range are taken as the nearest one inside.
        package init(
            consecutiveFailures: Int = 5, base: Int64 = 30_000_000_000, longest: Int64 = 300_000_000_000,
            ejectedPercent: Int = 50
        ) {
            self.consecutiveFailures = max(consecutiveFailures, 1)
            self.base = min(max(base, 1), 86_400_000_000_000)
            self.longest = min(max(longest, self.base), 86_400_000_000_000)
            self.ejectedPercent = min(max(ejectedPercent, 0), 100)
        }

        /// Whether one more of `total` endpoints may go.
        /// - Parameters:
        ///   - ejected: of them, those that are out already.
        ///   - othersInUse: those that stay usable without it.
        package func allowEjection(total: Int, ejected: Int, othersInUse: Int) -> Bool {
            guard othersInUse > 0, ejectedPercent > 0 else { return false }
            return ejected <= 0 || (ejected + 1) * 100 <= total * ejectedPercent
        }
    }

    package let limits: Limits
    @usableFromInline var failures = 0
    private var times = 0
    /// When the present ejection began, or, in use, when the last one ended.
    private var since = Int64.min
    package private(set) var isEjected = false

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The endpoint answered.
    @inlinable
    package mutating func succeeded() { failures = 0 }

    /// The endpoint failed.
    /// - Returns: whether that was often enough for `eject`, if the others can do without it (`Limits.allowEjection`).
    package mutating func failed() -> Bool {
        guard !isEjected else { return false }
        failures = min(failures + 1, limits.consecutiveFailures)
        return failures >= limits.consecutiveFailures
    }

    package mutating func eject(now: Int64) {
        guard !isEjected else { return }
        times = min(ejections(now) + 1, 1_000)
        since = now
        isEjected = true
        failures = 0
    }

    /// - Returns: whether it is in use again by that.
    package mutating func tick(now: Int64) -> Bool {
        guard isEjected, now &- since >= ejectionTime else { return false }
        isEjected = false
        since = now
        failures = 0
        return true
    }

    /// How often it was ejected, less what it has made good since.
    package func ejections(_ now: Int64) -> Int {
        guard !isEjected, times > 0 else { return times }
        return max(0, times - Int(clamping: max(now &- since, 0) / limits.base))
    }

    /// Nanoseconds that the present or last ejection lasts.
    private var ejectionTime: Int64 {
        let (time, overflow) = limits.base.multipliedReportingOverflow(by: Int64(max(times, 1)))
        return overflow ? limits.longest : min(time, limits.longest)
    }
}
