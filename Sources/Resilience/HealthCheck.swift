/// Judges one endpoint by the answers to a probe that is sent again and again (active health).
///
/// - unknown: usable until proven otherwise. Left to healthy by the first passed check, to unhealthy by as many failed
///   ones in a row as the limit says.
/// - healthy: left to unhealthy by as many failed checks in a row.
/// - unhealthy: left to healthy by as many passed checks in a row.
///
/// Pure: who probes and when is the caller's; chance is passed in.
package struct HealthCheck: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Nanoseconds between the beginnings of two checks.
        package let interval: Int64
        /// Part of the interval, in percent, by which each is made longer or shorter, so that the probes of many proxies
        /// spread.
        package let jitterPercent: Int
        /// Failed checks in a row.
        package let unhealthyAfter: Int
        /// Passed checks in a row.
        package let healthyAfter: Int

        /// Figures outside their range are taken as the nearest one inside.
        package init(
            interval: Int64 = 5_000_000_000, jitterPercent: Int = 10, unhealthyAfter: Int = 3, healthyAfter: Int = 2
        ) {
            self.interval = min(max(interval, 1_000_000), 86_400_000_000_000)
            self.jitterPercent = min(max(jitterPercent, 0), 90)
            self.unhealthyAfter = max(unhealthyAfter, 1)
            self.healthyAfter = max(healthyAfter, 1)
        }
    }

    package enum State: Sendable, Hashable {
        case unknown, healthy, unhealthy
    }

    package let limits: Limits
    package private(set) var state = State.unknown
    /// Checks in a row that speak against `state`.
    private var against = 0

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// A check has come to its end.
    /// - Returns: whether `state` is another by that.
    package mutating func checked(passed: Bool) -> Bool {
        guard passed == (state != .healthy) || state == .unknown else {
            against = 0
            return false
        }
        against += 1
        let needed =
            switch state {
            case .unknown: passed ? 1 : limits.unhealthyAfter
            case .healthy: limits.unhealthyAfter
            case .unhealthy: limits.healthyAfter
            }
        guard against >= needed else { return false }
        state = passed ? .healthy : .unhealthy
        against = 0
        return true
    }

    /// Nanoseconds from the beginning of the last check to the beginning of the next.
    /// - Parameter random: any number, another one each time.
    package func pause(random: UInt64) -> Int64 {
        let spread = limits.interval / 100 * Int64(limits.jitterPercent)
        guard spread > 0 else { return limits.interval }
        return limits.interval - spread + Int64(random % UInt64(2 * spread + 1))
    }
}
