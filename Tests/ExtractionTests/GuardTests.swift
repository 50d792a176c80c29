import Extraction
import FoundationEssentials
import TestSupport
import Testing

/// Requests and errors of one side; all answers took as long.
func side(_ requests: Int, _ errors: Int = 0, milliseconds: Int64 = 20) -> SideTraffic {
    var counts = [Int](repeating: 0, count: LatencyHistogram.bucketCount)
    counts[LatencyHistogram.bucket(of: milliseconds * 1_000_000)] = requests - errors
    return SideTraffic(requests: requests, errors: errors, latency: LatencyHistogram(counts: counts))
}

func judge(
    recent: GuardEvidence.Span = GuardEvidence.Span(), step: GuardEvidence.Span = GuardEvidence.Span(),
    limits: GuardLimits = GuardLimits(), _ change: (inout GuardEvidence) -> Void = { _ in }
) -> GuardFindings {
    var evidence = GuardEvidence(recent: recent, step: step)
    change(&evidence)
    return Guard.judge(evidence, limits: limits, now: .start)
}

func span(_ endpoints: [String: TrafficPair], differing: [String: Share] = [:]) -> GuardEvidence.Span {
    GuardEvidence.Span(endpoints: endpoints, differing: differing)
}

func span(monolith: SideTraffic = SideTraffic(), service: SideTraffic) -> GuardEvidence.Span {
    span(["GET /orders": TrafficPair(monolith: monolith, service: service)])
}

@Suite struct GuardTests {
    @Test func nothingSeenIsNothingWrong() {
        let findings = judge()
        #expect(findings.breaches.isEmpty && findings.cautions.isEmpty)
        #expect(findings.service.requests == 0 && findings.service.p99 == nil)
    }

    @Test func moreErrorsThanTheMonolithAreABreachWithItsNumbers() {
        #expect(
            judge(step: span(monolith: side(10_000, 1), service: side(10_000, 100))).breaches == [
                "GET /orders: the service fails on 100 of 10000 requests (1%) at this weight, "
                    + "the monolith on 1 of 10000 (0.01%)"
            ])
    }

    @Test func oneInAThousandMoreIsToleratedHoweverSure() {
        let findings = judge(step: span(monolith: side(10_000_000, 1_000), service: side(10_000_000, 10_000)))
        #expect(findings.breaches.isEmpty)
        #expect(!judge(step: span(monolith: side(1_000_000, 100), service: side(1_000_000, 2_000))).breaches.isEmpty)
    }

    /// 0.1 % above tolerance is kept on average; whoever keeps it is not rolled back for a bad hour.
    @Test func aServiceThatJustKeepsTheToleranceIsNotRolledBackByChance() {
        #expect(judge(step: span(monolith: side(100_000, 10), service: side(100_000, 115))).breaches.isEmpty)
    }

    @Test func whatLooksWorseHoldsTheWeight() {
        let findings = judge(step: span(monolith: side(30_000), service: side(300, 2)))
        #expect(findings.breaches.isEmpty)
        #expect(
            findings.cautions == [
                "GET /orders: the service fails on 2 of 300 requests (0.67%) at this weight, the monolith on 0 of "
                    + "30000 (0%); too few to be sure"
            ])
        // One error is nobody's fault.
        #expect(judge(step: span(monolith: side(30_000), service: side(300, 1))).cautions.isEmpty)
    }

    @Test func atTheWholeWeightTheLimitAloneCounts() {
        #expect(judge(step: span(service: side(10_000, 100))).breaches.isEmpty)
        #expect(
            judge(recent: span(service: side(600, 30))).breaches == [
                "GET /orders: the service fails on 30 of 600 requests (5%) in the last minutes; at most 1% may fail"
            ])
        #expect(
            judge(recent: span(service: side(600, 30)), limits: GuardLimits(errorRate: weight(10))).breaches.isEmpty)
    }

    @Test func aMonolithThatIsAsBadIsNoRefuge() {
        let findings = judge(step: span(monolith: side(1_000, 300), service: side(1_000, 330)))
        #expect(findings.breaches.isEmpty)
        #expect(
            findings.cautions == [
                "GET /orders: the service fails on 330 of 1000 requests (33%) at this weight, the monolith on 300 of "
                    + "1000 (30%); at most 1% may fail, but the monolith does no better"
            ])
        // One failure of two says nothing about the monolith.
        #expect(!judge(step: span(monolith: side(2, 1), service: side(1_000, 1_000))).breaches.isEmpty)
    }

    @Test func slowAnswersAreABreachAgainstTheBudget() {
        let limits = GuardLimits(p99: .milliseconds(200))
        #expect(
            judge(recent: span(monolith: side(1_000), service: side(1_000, milliseconds: 900)), limits: limits).breaches
                == [
                    "GET /orders: the service's p99 is 974 ms in the last minutes, the monolith's 22 ms; "
                        + "the budget is 200 ms"
                ])
        let shared = judge(
            recent: span(monolith: side(1_000, milliseconds: 900), service: side(1_000, milliseconds: 900)),
            limits: limits)
        #expect(shared.breaches.isEmpty && shared.cautions.count == 1)
        // Fast enough for its budget, though not as fast as the monolith.
        #expect(
            judge(step: span(monolith: side(1_000), service: side(1_000, milliseconds: 150)), limits: limits).isFine)
        // One slow answer of the monolith is no excuse.
        #expect(
            !judge(
                step: span(monolith: side(1, milliseconds: 900), service: side(1_000, milliseconds: 900)),
                limits: limits
            ).breaches.isEmpty)
    }

    @Test func withoutABudgetTwiceTheMonolithIsTheLimit() {
        let slow = side(1_000, milliseconds: 90)
        #expect(
            judge(step: span(monolith: side(1_000), service: slow)).breaches == [
                "GET /orders: the service's p99 is 102 ms at this weight, the monolith's 22 ms; "
                    + "at most twice the monolith's may be"
            ])
        #expect(judge(step: span(monolith: side(1_000), service: side(1_000, milliseconds: 38))).isFine)
        // 299 answers of the monolith are no yardstick.
        #expect(judge(step: span(monolith: side(299), service: slow)).isFine)
    }

    /// Two in a hundred answers of both are slow; of 300, that may well be two.
    @Test func aYardstickOfFewAnswersIsNotTakenForTheTruth() {
        let mixed = { (count: Int, slow: Int) in
            var traffic = side(count - slow, milliseconds: 10)
            traffic.add(side(slow, milliseconds: 1_000))
            return traffic
        }
        #expect(judge(recent: span(monolith: mixed(300, 2), service: mixed(6_000, 120))).breaches.isEmpty)
        #expect(!judge(recent: span(monolith: mixed(6_000, 6), service: mixed(6_000, 180))).breaches.isEmpty)
    }

    @Test func oneBadEndpointAmongTwentyIsNamed() {
        var endpoints: [String: TrafficPair] = [:]
        for number in 1...20 {
            endpoints["GET /\(number)"] = TrafficPair(monolith: side(10_000, 1), service: side(10_000, 1))
        }
        endpoints["GET /7"]?.service = side(100, 30)
        #expect(
            judge(step: span(endpoints)).breaches == [
                "GET /7: the service fails on 30 of 100 requests (30%) at this weight, the monolith on 1 of 10000 (0.01%)"
            ])
        // Wrong everywhere is said once.
        for number in 1...20 { endpoints["GET /\(number)"]?.service = side(100, 30) }
        #expect(
            judge(step: span(endpoints)).breaches == [
                "the service fails on 600 of 2000 requests (30%) at this weight, the monolith on 20 of 200000 (0.01%)"
            ])
    }

    /// At each alone too few, together surely wrong.
    @Test func whatIsSpreadOverAllEndpointsIsSeenInTheirSum() {
        var endpoints: [String: TrafficPair] = [:]
        for number in 1...50 {
            endpoints["GET /\(number)"] = TrafficPair(monolith: side(300), service: side(300, 2))
        }
        #expect(
            judge(step: span(endpoints)).breaches == [
                "the service fails on 100 of 15000 requests (0.67%) at this weight, the monolith on 0 of 15000 (0%)"
            ])
    }

    /// A doubt about the whole, or about the last minutes, used to hide what is sure.
    @Test func aDoubtNeverHidesABreach() {
        let doubtful = span(monolith: side(100), service: side(100, 3))
        let sure = span(monolith: side(10_000), service: side(10_000, 300))
        #expect(judge(recent: doubtful, step: sure).breaches.count == 1)
        #expect(judge(recent: doubtful, step: sure).cautions.isEmpty)
        let endpoints = [
            "GET /bad": TrafficPair(monolith: side(5_000), service: side(50, 50)),
            "GET /shaky": TrafficPair(monolith: side(5_000, 200), service: side(5_000, 150)),
        ]
        #expect(
            judge(recent: span(endpoints)).breaches == [
                "GET /bad: the service fails on 50 of 50 requests (100%) in the last minutes, the monolith on 0 of 5000 (0%)"
            ])
    }

    /// Half the writes and one in twenty reads go to the service; writes fail and are slow on both sides alike.
    @Test func anotherMixOfReadsAndWritesIsNoFault() {
        let endpoints = [
            "GET /orders": TrafficPair(monolith: side(95_000, 9), service: side(5_000, 1)),
            "POST /orders": TrafficPair(
                monolith: side(5_000, 100, milliseconds: 300), service: side(5_000, 103, milliseconds: 300)),
        ]
        let limits = GuardLimits(errorRate: weight(5))
        #expect(judge(recent: span(endpoints), step: span(endpoints), limits: limits).isFine)
        var broken = endpoints
        broken["POST /orders"]?.service = side(5_000, 1_000, milliseconds: 300)
        #expect(
            judge(step: span(broken), limits: limits).breaches == [
                "POST /orders: the service fails on 1000 of 5000 requests (20%) at this weight, "
                    + "the monolith on 100 of 5000 (2%)"
            ])
    }

    @Test func answersThatDifferAreABreach() {
        let differing = { (hits: Int, total: Int) in
            judge(step: span([:], differing: ["GET /orders": Share(hits, of: total)]))
        }
        #expect(
            differing(30, 1_000).breaches == [
                "GET /orders: 30 of 1000 answers (3%) differ at this weight, at most 0.1% may"
            ])
        #expect(differing(4, 1_000).breaches.isEmpty && differing(4, 1_000).cautions.isEmpty)
        #expect(differing(6, 1_000).breaches.isEmpty && differing(6, 1_000).cautions.count == 1)
        #expect(differing(100, 100_000).isFine)
    }

    @Test func anOpenBreakerAndABacklogAreBreachesUnlessTheMonolithIsDown() {
        let broken = { (change: (inout GuardEvidence) -> Void) in
            judge {
                $0.openBreakers = ["a", "b", "c", "d"]
                $0.backlog = 1_001
                change(&$0)
            }
        }
        #expect(
            broken { _ in }.breaches == [
                "the service's circuit breaker is open at a, b, c and 1 more",
                "1001 writes wait for the other side, at most 1000 may",
            ])
        let down = broken { $0.failingMonolith = ["a"] }
        #expect(down.breaches.isEmpty)
        #expect(down.cautions.allSatisfy { $0.hasSuffix(", but the monolith fails too") } && down.cautions.count == 2)
        #expect(broken { $0.recent = span(monolith: side(20, 20), service: side(20)) }.breaches.isEmpty)
        #expect(judge(limits: GuardLimits(backlog: 0)) { $0.backlog = 1 }.breaches.count == 1)
    }

    @Test func replicasThatAreNotHeardOfHoldTheWeight() {
        let findings = judge {
            $0.silentReplicas = ["a"]
            $0.laggingReplicas = ["b", "c"]
        }
        #expect(findings.breaches.isEmpty)
        #expect(findings.cautions == ["not heard of: a", "not at the present weight yet: b, c"])
    }

    @Test func absurdCountsTrapNowhere() {
        var huge = SideTraffic(requests: .max, errors: .max)
        huge.latency = LatencyHistogram(counts: [Int](repeating: .max, count: 200))
        let odd = SideTraffic(requests: -5, errors: 9, latency: LatencyHistogram(counts: [-1, -2]))
        for (first, second) in [(huge, huge), (huge, odd), (odd, huge), (odd, odd)] {
            let pair = span(["": TrafficPair(monolith: first, service: second), "POST /": TrafficPair(service: huge)])
            _ = judge(recent: pair, step: pair)
            _ = judge(step: pair, limits: GuardLimits(errorRate: Weight.none, p99: .zero, mismatch: Weight.none))
            _ = judge(step: pair, limits: GuardLimits(errorRate: .all, p99: .seconds(1 << 60), backlog: .min))
        }
    }
}

extension GuardFindings {
    var isFine: Bool { breaches.isEmpty && cautions.isEmpty }
}
