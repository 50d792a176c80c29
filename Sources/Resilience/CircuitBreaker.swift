/// Keeps requests away from an upstream that fails or crawls, so that it can recover and callers do not wait.
///
/// - closed: calls pass, the last `window` outcomes are remembered. Left to open when, with at least `minimumCalls`
///   remembered, too many failed or were slow.
/// - open: calls are refused. Left to half-open by the first `admit` after `openFor`, or after `heardOfAnswer`.
/// - half-open: up to `probes` calls pass, the rest is refused. Left to closed when all probes have come back well
///   enough, to open as soon as they cannot any more. Probes that never come back are given up after `openFor`, or
///   after `heardOfAnswer`, and new ones are let out.
///
/// Pure: time is passed in, in nanoseconds of one monotonic clock. Allocates nothing. One breaker belongs to one
/// upstream and one event loop.
package struct CircuitBreaker: Sendable {
    /// When to open and how long; the defaults are those of DESIGN §4.
    package struct Limits: Sendable, Hashable {
        /// 1 … 128, outcomes remembered.
        package let window: Int
        /// Fewer remembered outcomes than this prove nothing.
        package let minimumCalls: Int
        /// Share of failures, in percent, from which on it opens.
        package let failurePercent: Int
        /// Share of slow calls, in percent, from which on it opens.
        package let slowPercent: Int
        /// A call that took longer is slow, failed or not. Nanoseconds.
        package let slowAfter: Int64
        /// Nanoseconds.
        package let openFor: Int64
        /// Calls let out when half-open.
        package let probes: Int

        /// Figures outside their range are taken as the nearest one inside.
        package init(
            window: Int = 100, minimumCalls: Int = 10, failurePercent: Int = 50, slowPercent: Int = 75,
            slowAfter: Int64 = 2_000_000_000, openFor: Int64 = 10_000_000_000, probes: Int = 3
        ) {
            self.window = min(max(window, 1), 128)
            self.minimumCalls = min(max(minimumCalls, 1), self.window)
            self.failurePercent = min(max(failurePercent, 1), 100)
            self.slowPercent = min(max(slowPercent, 1), 100)
            self.slowAfter = max(slowAfter, 0)
            self.openFor = max(openFor, 0)
            self.probes = min(max(probes, 1), 100)
        }
    }

    package enum State: Sendable, Equatable {
        case closed, open, halfOpen
    }

    package enum Admission: Sendable, Equatable {
        case admitted
        /// Passes, and its outcome decides whether the others may.
        case probe
        /// The caller answers at once: circuit open.
        case refused
    }

    package enum Outcome: Sendable, Equatable {
        case success, failure
    }

    /// What an outcome led to.
    package enum Change: Sendable, Equatable {
        case none, opened, closed
    }

    package let limits: Limits
    package private(set) var state = State.closed

    /// When the present state was entered. Calls that began earlier say nothing about it.
    private var enteredAt = Int64.min
    private var recent: RecentOutcomes
    /// Somebody else has had an answer from the upstream since the present state was entered.
    private var isSaidToAnswer = false
    private var probesOut = 0
    private var probeResults: RecentOutcomes

    package init(limits: Limits = Limits()) {
        self.limits = limits
        recent = RecentOutcomes(capacity: limits.window)
        probeResults = RecentOutcomes(capacity: limits.probes)
    }

    /// A request wants to go to the upstream. Each admitted one is followed by one `completed` or `cancelled`.
    package mutating func admit(now: Int64) -> Admission {
        if wouldRefuse(now: now) { return .refused }
        switch state {
        case .closed: return .admitted
        case .open: enterHalfOpen(now)
        case .halfOpen: if probesOut >= limits.probes { enterHalfOpen(now) }
        }
        probesOut += 1
        return .probe
    }

    /// What `admit` would say to `refused`, without asking for a place.
    package func wouldRefuse(now: Int64) -> Bool {
        switch state {
        case .closed: false
        case .open: !mayTry(now)
        // A probe may hang for longer than anybody wants to wait, or its outcome may have been lost.
        case .halfOpen: probesOut >= limits.probes && !mayTry(now)
        }
    }

    /// An admitted call has come to its end.
    ///
    /// - Parameter nanoseconds: since it was admitted. From it follows when the call began: what began before the
    ///   breaker's present state is not counted, or late failures from before would answer for the probes.
    @discardableResult
    package mutating func completed(_ outcome: Outcome, took nanoseconds: Int64, now: Int64) -> Change {
        guard now &- nanoseconds >= enteredAt else { return .none }
        let failed = outcome == .failure
        let slow = nanoseconds > limits.slowAfter
        switch state {
        case .open:
            return .none
        case .closed:
            recent.append(failed: failed, slow: slow)
            guard recent.count >= limits.minimumCalls, isBad(recent, of: recent.count) else { return .none }
            enterOpen(now)
            return .opened
        case .halfOpen:
            probeResults.append(failed: failed, slow: slow)
            if isBad(probeResults, of: limits.probes) {
                enterOpen(now)
                return .opened
            }
            guard probeResults.count >= limits.probes else { return .none }
            enterClosed(now)
            return .closed
        }
    }

    /// An admitted call was given up for a reason of the client's; it says nothing about the upstream.
    package mutating func cancelled(took nanoseconds: Int64, now: Int64) {
        // What began in half-open was a probe: another one may go in its place.
        guard state == .halfOpen, now &- nanoseconds >= enteredAt else { return }
        probesOut = max(probesOut - 1, probeResults.count)
    }

    /// Another caller, with a breaker of its own, has had an answer from the upstream: probes need not wait any longer. Whether it
    /// is well enough, they show as always.
    package mutating func heardOfAnswer() {
        guard state != .closed else { return }
        isSaidToAnswer = true
    }

    private func isBad(_ outcomes: RecentOutcomes, of total: Int) -> Bool {
        outcomes.failures * 100 >= limits.failurePercent * total
            || outcomes.slow * 100 >= limits.slowPercent * total
    }

    private func mayTry(_ now: Int64) -> Bool { isSaidToAnswer || now &- enteredAt >= limits.openFor }

    private mutating func enterOpen(_ now: Int64) {
        state = .open
        enteredAt = now
        isSaidToAnswer = false
    }

    private mutating func enterHalfOpen(_ now: Int64) {
        state = .halfOpen
        enteredAt = now
        isSaidToAnswer = false
        probesOut = 0
        probeResults.removeAll()
    }

    private mutating func enterClosed(_ now: Int64) {
        state = .closed
        enteredAt = now
        isSaidToAnswer = false
        recent.removeAll()
    }
}

/// The last outcomes, one bit each: the newest is the lowest bit, the oldest falls off at the top. Counting them is
/// counting bits, so there is no index to keep and nothing to allocate.
struct RecentOutcomes: Sendable {
    private let mask: UInt128
    private let capacity: Int
    private var failedBits: UInt128 = 0
    private var slowBits: UInt128 = 0
    private(set) var count = 0

    /// - Parameter capacity: 1 … 128.
    init(capacity: Int) {
        self.capacity = min(max(capacity, 1), 128)
        mask = UInt128.max >> (128 - self.capacity)
    }

    var failures: Int { failedBits.nonzeroBitCount }
    var slow: Int { slowBits.nonzeroBitCount }

    mutating func append(failed: Bool, slow: Bool) {
        failedBits = ((failedBits << 1) | (failed ? 1 : 0)) & mask
        slowBits = ((slowBits << 1) | (slow ? 1 : 0)) & mask
        count = min(count + 1, capacity)
    }

    mutating func removeAll() {
        failedBits = 0
        slowBits = 0
        count = 0
    }
}
