import Resilience
import TestSupport
import Testing

@Suite struct HealthCheckTests {
    @Test func unknownUntilTheFirstPass() {
        var check = HealthCheck()
        #expect(check.state == .unknown)
        #expect(check.checked(passed: true) == true)
        #expect(check.state == .healthy)
    }

    @Test func unknownTurnsUnhealthyOnlyAfterThreeFailures() {
        var check = HealthCheck()
        #expect(check.checked(passed: false) == false)
        #expect(check.checked(passed: false) == false)
        #expect(check.state == .unknown)
        #expect(check.checked(passed: false) == true)
        #expect(check.state == .unhealthy)
    }

    @Test func threeFailuresInARowAndThenTwoPassesInARow() {
        var check = HealthCheck()
        var states: [HealthCheck.State] = []
        for passed in "+--+---+-++-".map({ $0 == "+" }) {
            _ = check.checked(passed: passed)
            states.append(check.state)
        }
        #expect(
            states == [
                .healthy, .healthy, .healthy, .healthy, .healthy, .healthy, .unhealthy, .unhealthy, .unhealthy,
                .unhealthy, .healthy, .healthy,
            ])
    }

    /// A model that looks at the last results of a long run: the machine agrees at each step, and tells every change once.
    @Test(arguments: 0..<20)
    func itAgreesWithAReadingOfTheWholeHistory(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limits = HealthCheck.Limits(
            unhealthyAfter: Int.random(in: 1...4, using: &generator),
            healthyAfter: Int.random(in: 1...4, using: &generator))
        var check = HealthCheck(limits: limits)
        var history: [Bool] = []
        var state = HealthCheck.State.unknown
        for _ in 0..<500 {
            let passed = Bool.random(using: &generator)
            history.append(passed)
            let before = state
            let fails = history.suffix(limits.unhealthyAfter)
            let passes = history.suffix(limits.healthyAfter)
            switch state {
            case .unknown where passed: state = .healthy
            case .healthy, .unknown:
                if fails.count == limits.unhealthyAfter, fails.allSatisfy({ !$0 }) { state = .unhealthy }
            case .unhealthy:
                if passes.count == limits.healthyAfter, passes.allSatisfy({ $0 }) { state = .healthy }
            }
            #expect(check.checked(passed: passed) == (state != before))
            #expect(check.state == state)
        }
    }

    @Test func pausesSpreadByATenthBothWays() {
        let check = HealthCheck(limits: .init(interval: 5_000_000_000))
        var generator = SeededGenerator(seed: 1)
        let pauses = (0..<1_000).map { _ in check.pause(random: generator.next()) }
        #expect(pauses.allSatisfy { (4_500_000_000...5_500_000_000).contains($0) })
        #expect((pauses.min() ?? 0) < 4_520_000_000 && (pauses.max() ?? 0) > 5_480_000_000)
        #expect(HealthCheck(limits: .init(jitterPercent: 0)).pause(random: .max) == 5_000_000_000)
    }

    @Test func strangeFiguresDoNotTrap() {
        for figure in [Int.min, 0, .max] {
            let limits = HealthCheck.Limits(
                interval: Int64(figure), jitterPercent: figure, unhealthyAfter: figure, healthyAfter: figure)
            var check = HealthCheck(limits: limits)
            for passed in [true, false, true] { _ = check.checked(passed: passed) }
            #expect(check.pause(random: .max) > 0)
        }
    }
}
