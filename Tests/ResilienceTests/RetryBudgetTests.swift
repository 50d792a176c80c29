import Resilience
import TestSupport
import Testing

@Suite struct RetryBudgetTests {
    private let second: Int64 = 1_000_000_000

    @Test func threeRetriesAreHadWithoutAnyRequestAndNoFourth() {
        var budget = RetryBudget()
        #expect((0..<100).count { _ in budget.retryWanted() } == 3)
    }

    @Test func ofManyRequestsAFifthMayBeRetried() {
        var budget = RetryBudget()
        for _ in 0..<1_000 { budget.requestStarted() }
        #expect((0..<1_000).count { _ in budget.retryWanted() } == 200)
    }

    /// Every request fails, for ten minutes: the upstream is asked a fifth more often, not twice as often.
    @Test func underLastingFailureRetriesStayAFifth() {
        var budget = RetryBudget()
        var retries = 0
        for tick in 0..<6_000 {
            budget.advance(to: Int64(tick) * second / 10)
            for _ in 0..<20 {
                budget.requestStarted()
                if budget.retryWanted() { retries += 1 }
            }
        }
        #expect(retries > 6_000 * 20 * 19 / 100)
        #expect(retries <= 6_000 * 20 * 21 / 100)
    }

    @Test func whatWasAskedLongAgoEarnsNothing() {
        var budget = RetryBudget()
        for _ in 0..<1_000 { budget.requestStarted() }
        budget.advance(to: 20 * second)
        #expect((0..<100).count { _ in budget.retryWanted() } == 3)
    }

    @Test func theWindowSlides() {
        var budget = RetryBudget()
        for _ in 0..<1_000 { budget.requestStarted() }
        budget.advance(to: 15 * second)
        // Half of the window before lies within the last ten seconds.
        #expect((0..<1_000).count { _ in budget.retryWanted() } == 100)
        var spent = RetryBudget()
        #expect((0..<9).count { _ in spent.retryWanted() } == 3)
        spent.advance(to: 12 * second)
        #expect(spent.retryWanted() == false)
        spent.advance(to: 20 * second)
        #expect((0..<9).count { _ in spent.retryWanted() } == 3)
    }

    /// Never more retries in any stretch of one window than its share, with the little that the sliding estimate may err.
    @Test(arguments: 0..<20)
    func chanceDoesNotGetAroundIt(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var budget = RetryBudget()
        var made: [(at: Int64, requests: Int, retries: Int)] = []
        var now: Int64 = 0
        for _ in 0..<600 {
            now += Int64.random(in: 1...(second / 2), using: &generator)
            budget.advance(to: now)
            let requests = Int.random(in: 0...50, using: &generator)
            for _ in 0..<requests { budget.requestStarted() }
            let retries = (0..<Int.random(in: 0...50, using: &generator)).count { _ in budget.retryWanted() }
            made.append((now, requests, retries))
            // Two windows hold at most both shares and both minimums.
            let recent = made.filter { $0.at > now - 20 * second }
            let earlier = made.filter { $0.at > now - 30 * second }
            let retried = recent.map(\.retries).reduce(0, +)
            #expect(retried <= earlier.map(\.requests).reduce(0, +) / 5 + 9)
        }
    }

    @Test func strangeFiguresAndTimesDoNotTrap() {
        for limits in [
            RetryBudget.Limits(percent: .max, minimum: .max, window: .max),
            RetryBudget.Limits(percent: .min, minimum: .min, window: .min),
        ] {
            var budget = RetryBudget(limits: limits, now: .max)
            for time in [Int64.min, -1, 0, .max, .min] {
                budget.requestStarted()
                budget.advance(to: time)
                _ = budget.retryWanted()
            }
        }
    }
}

extension RetryBudget {
    /// Makes a retry if it may be made.
    fileprivate mutating func retryWanted() -> Bool {
        guard isAffordable else { return false }
        retryMade()
        return true
    }
}
