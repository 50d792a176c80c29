import Extraction
import FoundationEssentials
import TestSupport
import Testing

/// How soon the guard finds what is wrong, and how seldom it finds what is not.
@Suite struct GuardPowerTests {
    /// Requests of both sides at one weight, look after look, as the guard sees them.
    private struct Watch {
        let share: Double
        let rate: Double
        let monolithErrors: Double
        var generator: SeededGenerator
        /// By five seconds, the last two minutes.
        private var recent: [TrafficPair] = []
        private(set) var step = TrafficPair()

        init(share: Double, rate: Double, monolithErrors: Double, seed: UInt64) {
            (self.share, self.rate, self.monolithErrors) = (share, rate, monolithErrors)
            generator = SeededGenerator(seed: seed)
        }

        mutating func live(_ seconds: Int, serviceErrors: Double) {
            for part in stride(from: 0, to: seconds, by: 5).map({ min(5, seconds - $0) }) {
                let service = generator.poisson(rate * share * Double(part))
                let monolith = generator.poisson(rate * (1 - share) * Double(part))
                let pair = TrafficPair(
                    monolith: SideTraffic(
                        requests: monolith, errors: generator.binomial(monolith, monolithErrors)),
                    service: SideTraffic(requests: service, errors: generator.binomial(service, serviceErrors)))
                recent.append(pair)
                step.add(pair)
            }
            recent.removeFirst(max(0, recent.count - 24))
        }

        var findings: GuardFindings {
            let sum = recent.reduce(into: TrafficPair()) { $0.add($1) }
            return judge(recent: span(["GET /": sum]), step: span(["GET /": step]))
        }
    }

    private static let weights = [0.01, 0.5, 1] as [Double]
    private static let rates = [5, 50, 5_000] as [Double]

    /// A service that dies for good is given up at the second look after it; where next to nobody asks it, at the
    /// look after the sixth failure that makes it certain, and no client has seen more.
    @Test(arguments: weights, rates)
    func aDeadServiceIsGivenUpWithinTwoLooks(share: Double, rate: Double) {
        for seed in 1...5 as ClosedRange<UInt64> {
            var watch = Watch(share: share, rate: rate, monolithErrors: 0.0001, seed: seed)
            // Weeks of good answers in ten minutes' worth.
            watch.live(600, serviceErrors: 0.0001)
            #expect(watch.findings.breaches.isEmpty)
            let before = watch.step.service.errors
            var looks = 0
            var missed = 0
            while watch.findings.breaches.isEmpty, looks < 200 {
                missed = watch.step.service.errors - before
                watch.live(5, serviceErrors: 1)
                looks += 1
            }
            #expect(looks <= 2 || missed < 6, "\(share) of \(rate)/s: \(looks) looks, \(missed) failures known before")
        }
    }

    /// Half a percent against a hundredth: how many requests of the service it takes, at most.
    @Test(arguments: [(0.01, 6_000), (0.05, 6_500), (0.25, 9_000), (0.5, 16_000)])
    func oneErrorInTwoHundredIsFound(share: Double, requests: Int) {
        for seed in 1...5 as ClosedRange<UInt64> {
            var watch = Watch(share: share, rate: 100 / share, monolithErrors: 0.0001, seed: seed)
            while watch.findings.breaches.isEmpty, watch.step.service.requests < 100_000 {
                watch.live(5, serviceErrors: 0.005)
            }
            #expect(watch.step.service.requests <= requests, "at \(share): \(watch.step.service.requests)")
        }
    }

    /// Four looks a day, at the last minutes and at all since the beginning.
    @Test func aYearBesideAMonolithThatIsNoBetterEndsWithoutARollback() {
        var watch = Watch(share: 0.5, rate: 20, monolithErrors: 0.002, seed: 7)
        for look in 0..<1_460 {
            watch.live(5, serviceErrors: 0.002)
            let findings = watch.findings
            #expect(findings.breaches.isEmpty, "look \(look)")
        }
    }

    /// Where nothing is beside it, the route file's limit is all there is: under 1 % it may fail.
    @Test func atTheWholeWeightHalfAPercentIsUnderTheLimit() {
        var watch = Watch(share: 1, rate: 100, monolithErrors: 0, seed: 1)
        for _ in 0..<100 {
            watch.live(60, serviceErrors: 0.005)
            #expect(watch.findings.breaches.isEmpty)
        }
        #expect(
            judge(
                step: span(["GET /": watch.step]), limits: GuardLimits(errorRate: Weight(clamping: 10))
            ).breaches.count == 1)
    }

    /// A service exactly as good as the monolith, watched at every weight: 22 tests a look, 2,000 looks at traffic of
    /// their own, errors from one in a hundred thousand to two in a hundred.
    @Test(arguments: [0.01, 0.05, 0.25, 0.5, 0.99])
    func aServiceAsGoodAsTheMonolithIsNeverRolledBack(share: Double) {
        var generator = SeededGenerator(seed: UInt64(share * 1_000))
        for look in 0..<400 {
            // Over the limit of 1 %, the monolith has to be asked enough to be seen to do no better.
            let errors = [0.00001, 0.0001, 0.001, 0.005, share > 0.5 ? 0.008 : 0.02][look % 5]
            var endpoints: [String: TrafficPair] = [:]
            for endpoint in 0..<10 {
                let requests = [3, 40, 600, 9_000, 120_000][endpoint % 5]
                let service = generator.binomial(requests, share)
                let monolith = requests - service
                endpoints["GET /\(endpoint)"] = TrafficPair(
                    monolith: SideTraffic(
                        requests: monolith, errors: generator.binomial(monolith, errors),
                        latency: generator.latencies(monolith, 20)),
                    service: SideTraffic(
                        requests: service, errors: generator.binomial(service, errors),
                        latency: generator.latencies(service, 20)))
            }
            let findings = judge(recent: span(endpoints))
            #expect(findings.breaches.isEmpty, "look \(look)")
        }
    }
}
