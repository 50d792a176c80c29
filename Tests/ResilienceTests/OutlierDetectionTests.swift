import Resilience
import TestSupport
import Testing

@Suite struct OutlierDetectionTests {
    private let second: Int64 = 1_000_000_000

    private func fail(_ endpoint: inout OutlierDetection, at now: Int64, times: Int = 5) {
        for _ in 0..<times where endpoint.failed() { endpoint.eject(now: now) }
    }

    @Test func theFifthFailureInARowEjects() {
        var endpoint = OutlierDetection()
        for _ in 0..<4 { #expect(endpoint.failed() == false) }
        #expect(endpoint.failed() == true)
        endpoint.eject(now: 0)
        #expect(endpoint.isEjected)
    }

    @Test func oneSuccessSetsTheCountBack() {
        var endpoint = OutlierDetection()
        for _ in 0..<100 {
            for _ in 0..<4 { #expect(endpoint.failed() == false) }
            endpoint.succeeded()
        }
        #expect(endpoint.failed() == false)
    }

    @Test func itReturnsAfterThirtySecondsAndNeedsFiveNewFailures() {
        var endpoint = OutlierDetection()
        fail(&endpoint, at: 7 * second)
        #expect(endpoint.tick(now: 37 * second - 1) == false)
        #expect(endpoint.isEjected)
        #expect(endpoint.tick(now: 37 * second) == true)
        #expect(!endpoint.isEjected)
        #expect(endpoint.tick(now: 38 * second) == false)
        fail(&endpoint, at: 38 * second, times: 4)
        #expect(!endpoint.isEjected)
    }

    @Test func eachEjectionIsLongerUpToFiveMinutes() {
        var endpoint = OutlierDetection()
        var now: Int64 = 0
        var lengths: [Int64] = []
        for _ in 0..<14 {
            fail(&endpoint, at: now)
            let began = now
            while !endpoint.tick(now: now) { now += second }
            lengths.append((now - began) / second)
        }
        #expect(lengths == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300, 300])
    }

    @Test func timeInUseIsForgiven() {
        var endpoint = OutlierDetection()
        var now: Int64 = 0
        for _ in 0..<3 {
            fail(&endpoint, at: now)
            while !endpoint.tick(now: now) { now += second }
        }
        #expect(endpoint.ejections(now) == 3)
        #expect(endpoint.ejections(now + 30 * second) == 2)
        #expect(endpoint.ejections(now + 3_600 * second) == 0)
        // Two of the three are forgiven, so the next is the second again: a minute.
        now += 60 * second
        fail(&endpoint, at: now)
        #expect(endpoint.tick(now: now + 60 * second - 1) == false)
        #expect(endpoint.tick(now: now + 60 * second) == true)
    }

    @Test func failuresThatWereNotActedUponCountOn() {
        var endpoint = OutlierDetection()
        for _ in 0..<50 { _ = endpoint.failed() }
        #expect(!endpoint.isEjected)
        #expect(endpoint.failed() == true)
        endpoint.succeeded()
        #expect(endpoint.failed() == false)
    }

    @Test func nothingCountsWhileEjected() {
        var endpoint = OutlierDetection()
        fail(&endpoint, at: 0)
        for _ in 0..<50 { #expect(endpoint.failed() == false) }
        endpoint.eject(now: 20 * second)
        #expect(endpoint.tick(now: 30 * second) == true)
        #expect(endpoint.failed() == false)
    }

    @Test func oneMayAlwaysGoHalfAtMostAndNeverTheLast() {
        let limits = OutlierDetection.Limits()
        #expect(limits.allowEjection(total: 2, ejected: 0, othersInUse: 1))
        #expect(!limits.allowEjection(total: 1, ejected: 0, othersInUse: 0))
        // The other one is unhealthy.
        #expect(!limits.allowEjection(total: 2, ejected: 0, othersInUse: 0))
        #expect(limits.allowEjection(total: 3, ejected: 0, othersInUse: 2))
        #expect(!limits.allowEjection(total: 3, ejected: 1, othersInUse: 1))
        #expect(limits.allowEjection(total: 4, ejected: 1, othersInUse: 2))
        #expect(!limits.allowEjection(total: 4, ejected: 2, othersInUse: 1))
        let none = OutlierDetection.Limits(ejectedPercent: 0)
        #expect(!none.allowEjection(total: 9, ejected: 0, othersInUse: 8))
        let all = OutlierDetection.Limits(ejectedPercent: 100)
        #expect(all.allowEjection(total: 9, ejected: 7, othersInUse: 1))
        #expect(!all.allowEjection(total: 9, ejected: 8, othersInUse: 0))
    }

    /// A hundred endpoints that fail by chance for an hour: whatever happens, the share holds and somebody is left.
    @Test(arguments: [1, 2, 3, 10, 100])
    func theShareHoldsAtEveryMoment(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let limits = OutlierDetection.Limits()
        var endpoints = [OutlierDetection](repeating: OutlierDetection(limits: limits), count: count)
        var ejections = 0
        for now in stride(from: Int64(0), to: 3_600 * second, by: Int(second / 2)) {
            for index in endpoints.indices { _ = endpoints[index].tick(now: now) }
            for _ in 0..<count {
                let index = Int.random(in: 0..<count, using: &generator)
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    endpoints[index].succeeded()
                    continue
                }
                let ejected = endpoints.count(where: \.isEjected)
                let others = count - ejected - (endpoints[index].isEjected ? 0 : 1)
                if endpoints[index].failed(),
                    limits.allowEjection(total: count, ejected: ejected, othersInUse: others)
                {
                    endpoints[index].eject(now: now)
                    ejections += 1
                }
            }
            #expect(endpoints.count(where: \.isEjected) <= (count < 2 ? 0 : max(1, count / 2)))
        }
        #expect(count < 2 ? ejections == 0 : ejections > 10)
    }

    @Test func strangeFiguresAndTimesDoNotTrap() {
        let limits = OutlierDetection.Limits(
            consecutiveFailures: .min, base: .max, longest: .min, ejectedPercent: .max)
        var endpoint = OutlierDetection(limits: limits)
        for now in [Int64.min, -1, 0, .max, .min] {
            if endpoint.failed() { endpoint.eject(now: now) }
            _ = endpoint.ejections(now)
            _ = endpoint.tick(now: now)
            _ = endpoint.tick(now: .max)
        }
    }
}
