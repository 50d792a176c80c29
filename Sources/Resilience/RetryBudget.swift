/// Keeps retries a small share of the requests: an upstream that fails for everybody must not be asked twice as often.
///
/// Of what was asked within the last window, retries may be a fifth; a few are always allowed, or a quiet upstream's
/// only request of the minute could not be retried. (A share of the requests that are under way at one moment, as Envoy
/// counts, lets fast failures through without bound: each is over before the next one is counted.)
///
/// Pure: time is passed in, in nanoseconds of one monotonic clock, by `advance`, not with each request. Allocates
/// nothing. The window slides by halves: what the previous one held counts for the share of it that is still inside.
package struct RetryBudget: Sendable {
    package struct Limits: Sendable, Hashable {
        /// 0 … 100, retries in percent of requests.
        package let percent: Int
        /// Retries of each window that need no requests.
        package let minimum: Int
        /// Nanoseconds.
        package let window: Int64

        /// Figures outside their range are taken as the nearest one inside.
        package init(percent: Int = 20, minimum: Int = 3, window: Int64 = 10_000_000_000) {
            self.percent = min(max(percent, 0), 100)
            self.minimum = min(max(minimum, 0), 1_000_000)
            self.window = min(max(window, 1), 3_600_000_000_000)
        }
    }

    package let limits: Limits
    private var began: Int64
    private var now: Int64
    @usableFromInline var requests = 0
    private var retries = 0
    private var earlierRequests = 0
    private var earlierRetries = 0

    package init(limits: Limits = Limits(), now: Int64 = 0) {
        self.limits = limits
        began = now
        self.now = now
    }

    /// Time has gone on. Called by a tick, a few times in each window.
    package mutating func advance(to time: Int64) {
        now = time
        let passed = time &- began
        guard passed >= limits.window || passed < 0 else { return }
        let isNext = passed >= 0 && passed < 2 &* limits.window
        earlierRequests = isNext ? requests : 0
        earlierRetries = isNext ? retries : 0
        requests = 0
        retries = 0
        began = isNext ? began &+ limits.window : time
    }

    /// A request that is no retry.
    @inlinable
    package mutating func requestStarted() { requests &+= 1 }

    /// Whether one more retry keeps within the share.
    package var isAffordable: Bool {
        let passed = min(max(now &- began, 0), limits.window)
        // In thousandths, rounded up for retries: a window that has just begun forgets nothing.
        let left = Int((limits.window &- passed) / max(limits.window / 1_000, 1))
        let asked = requests &+ earlierRequests / 1_000 &* left &+ earlierRequests % 1_000 &* left / 1_000
        let made = retries &+ earlierRetries / 1_000 &* left &+ (earlierRetries % 1_000 &* left &+ 999) / 1_000
        return made < max(limits.minimum, asked / 100 &* limits.percent &+ asked % 100 &* limits.percent / 100)
    }

    /// A retry was made and is paid for.
    package mutating func retryMade() { retries &+= 1 }
}
