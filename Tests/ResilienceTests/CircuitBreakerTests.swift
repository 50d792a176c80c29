import Resilience
import TestSupport
import Testing

@Suite struct CircuitBreakerTests {
    private let second: Int64 = 1_000_000_000
    private let quick: Int64 = 1_000_000

    /// A breaker that ten failures have opened at `now`.
    private func opened(now: Int64 = 0) -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<10 { breaker.completed(.failure, took: quick, now: now) }
        return breaker
    }

    @Test func nineFailuresProveNothingTheTenthOpens() {
        var breaker = CircuitBreaker()
        for _ in 0..<9 {
            #expect(breaker.admit(now: 0) == .admitted)
            #expect(breaker.completed(.failure, took: quick, now: 0) == .none)
        }
        #expect(breaker.completed(.failure, took: quick, now: 0) == .opened)
        #expect(breaker.state == .open)
        #expect(breaker.admit(now: 1) == .refused)
    }

    @Test func halfOfTheCallsFailingOpensAndFewerDoNot() {
        var breaker = CircuitBreaker()
        for call in 0..<1_000 {
            // 48 of each 100, after two successes so that no beginning reaches a half.
            let fails = call % 2 == 1 && call % 100 != 1 && call % 100 != 99
            breaker.completed(fails ? .failure : .success, took: quick, now: 0)
        }
        #expect(breaker.completed(.failure, took: quick, now: 0) == .none)
        #expect(breaker.completed(.failure, took: quick, now: 0) == .opened)
    }

    @Test func threeQuartersSlowOpensThoughAllSucceed() {
        var breaker = CircuitBreaker()
        for call in 0..<12 {
            breaker.completed(.success, took: call < 3 ? 2 * second : 2 * second + 1, now: 20 * second)
        }
        #expect(breaker.state == .open)
        breaker = CircuitBreaker()
        for call in 0..<100 {
            breaker.completed(.success, took: call % 4 < 2 ? quick : 3 * second, now: 20 * second)
        }
        #expect(breaker.state == .closed)
    }

    @Test func exactlyTwoSecondsIsNotSlow() {
        var breaker = CircuitBreaker()
        for _ in 0..<100 { breaker.completed(.success, took: 2 * second, now: 20 * second) }
        #expect(breaker.state == .closed)
        for _ in 0..<75 { breaker.completed(.success, took: 2 * second + 1, now: 20 * second) }
        #expect(breaker.state == .open)
    }

    @Test func afterTenSecondsThreeProbesPassAndTheRestWaits() {
        var breaker = opened()
        #expect(breaker.admit(now: 10 * second - 1) == .refused)
        for _ in 0..<3 { #expect(breaker.admit(now: 10 * second) == .probe) }
        #expect(breaker.admit(now: 10 * second) == .refused)
        #expect(breaker.state == .halfOpen)
    }

    @Test func anAnswerThatSomebodyElseHadLetsProbesOutAtOnceAndNothingMore() {
        var breaker = opened()
        #expect(breaker.admit(now: 1) == .refused)
        breaker.heardOfAnswer()
        #expect(!breaker.wouldRefuse(now: 1))
        for _ in 0..<3 { #expect(breaker.admit(now: 1) == .probe) }
        #expect(breaker.admit(now: 1) == .refused)
        // Those hang; another answer is heard of.
        breaker.heardOfAnswer()
        for _ in 0..<3 { #expect(breaker.admit(now: second) == .probe) }
        #expect(breaker.completed(.failure, took: quick, now: 2 * second) == .none)
        #expect(breaker.completed(.failure, took: quick, now: 2 * second) == .opened)
        // What was heard before says nothing about now.
        #expect(breaker.admit(now: 12 * second - 1) == .refused)
        #expect(breaker.admit(now: 12 * second) == .probe)
    }

    @Test func anAnswerHeardOfWhileClosedIsForgotten() {
        var breaker = CircuitBreaker()
        breaker.heardOfAnswer()
        for _ in 0..<10 { breaker.completed(.failure, took: quick, now: 0) }
        #expect(breaker.admit(now: 1) == .refused)
    }

    @Test func threeGoodProbesCloseAndForgetTheFailures() {
        var breaker = opened()
        for _ in 0..<3 { _ = breaker.admit(now: 10 * second) }
        #expect(breaker.completed(.success, took: quick, now: 11 * second) == .none)
        #expect(breaker.completed(.failure, took: quick, now: 11 * second) == .none)
        #expect(breaker.completed(.success, took: quick, now: 11 * second) == .closed)
        for _ in 0..<9 { #expect(breaker.completed(.failure, took: quick, now: 12 * second) == .none) }
        #expect(breaker.admit(now: 12 * second) == .admitted)
    }

    @Test func twoBadProbesOpenAtOnceForAnotherTenSeconds() {
        var breaker = opened()
        for _ in 0..<3 { _ = breaker.admit(now: 10 * second) }
        #expect(breaker.completed(.failure, took: quick, now: 11 * second) == .none)
        #expect(breaker.completed(.failure, took: quick, now: 11 * second) == .opened)
        #expect(breaker.completed(.success, took: quick, now: 11 * second) == .none)
        #expect(breaker.admit(now: 21 * second - 1) == .refused)
        #expect(breaker.admit(now: 21 * second) == .probe)
    }

    @Test func callsFromBeforeDoNotAnswerForTheProbes() {
        var breaker = opened()
        #expect(breaker.admit(now: 10 * second) == .probe)
        for _ in 0..<5 {
            #expect(breaker.completed(.failure, took: 12 * second, now: 11 * second) == .none)
        }
        #expect(breaker.state == .halfOpen)
    }

    @Test func aCancelledProbeMakesRoomForAnother() {
        var breaker = opened()
        for _ in 0..<3 { _ = breaker.admit(now: 10 * second) }
        breaker.cancelled(took: 12 * second, now: 11 * second)
        #expect(breaker.admit(now: 11 * second) == .refused)
        breaker.cancelled(took: second, now: 11 * second)
        #expect(breaker.admit(now: 11 * second) == .probe)
        #expect(breaker.admit(now: 11 * second) == .refused)
    }

    @Test func probesThatNeverComeBackAreReplaced() {
        var breaker = opened()
        for _ in 0..<3 { _ = breaker.admit(now: 10 * second) }
        #expect(breaker.admit(now: 20 * second - 1) == .refused)
        #expect(breaker.admit(now: 20 * second) == .probe)
        #expect(breaker.completed(.failure, took: 10 * second + 1, now: 20 * second) == .none)
        #expect(breaker.completed(.failure, took: 9 * second, now: 20 * second) == .none)
        #expect(breaker.state == .halfOpen)
    }

    @Test func aCancelledCallIsNotCounted() {
        var breaker = CircuitBreaker()
        for _ in 0..<50 { breaker.cancelled(took: 5 * second, now: 20 * second) }
        for _ in 0..<9 { breaker.completed(.failure, took: quick, now: 20 * second) }
        #expect(breaker.state == .closed)
    }

    @Test func strangeFiguresAndTimesDoNotTrap() {
        var breaker = CircuitBreaker(
            limits: .init(
                window: .max, minimumCalls: .min, failurePercent: .max, slowPercent: .min, slowAfter: .min,
                openFor: .max, probes: .max))
        for now in [Int64.min, -1, 0, .max] {
            for took in [Int64.min, -1, 0, .max] {
                _ = breaker.admit(now: now)
                breaker.completed(.failure, took: took, now: now)
                breaker.cancelled(took: took, now: now)
            }
        }
    }

    /// The bits agree with a plain array of the last outcomes, whatever the window.
    @Test(arguments: [1, 2, 10, 63, 64, 65, 100, 127, 128])
    func theWindowIsTheLastOutcomes(window: Int) {
        var generator = SeededGenerator(seed: UInt64(window))
        for _ in 0..<40 {
            var breaker = CircuitBreaker(limits: .init(window: window, minimumCalls: 10))
            var model: [(failed: Bool, slow: Bool)] = []
            for _ in 0..<400 {
                let failed = Int.random(in: 0..<100, using: &generator) < 42
                let slow = Int.random(in: 0..<100, using: &generator) < 66
                model = Array((model + [(failed, slow)]).suffix(window))
                let isBad =
                    model.count >= min(10, window)
                    && (model.count(where: \.failed) * 100 >= 50 * model.count
                        || model.count(where: \.slow) * 100 >= 75 * model.count)
                let change = breaker.completed(
                    failed ? .failure : .success, took: slow ? 3 * second : quick, now: 10 * second)
                #expect((change == .opened) == isBad)
                if isBad { break }
            }
        }
    }
}
