import Resilience
import Testing

@Suite struct LoadBalancerTests {
    @Test(arguments: [1, 2, 3, 7])
    func roundRobinGivesEachItsTurn(count: Int) {
        var balancer = LoadBalancer(seed: 5)
        let picks = (0..<count * 10).map { _ in balancer.pick(count) { _ in 0 } }
        for start in stride(from: 0, to: picks.count, by: count) {
            #expect(Set(picks[start..<start + count]).count == count)
        }
    }

    @Test func endpointsThatComeAndGoAreNeverOutOfReach() {
        for method in LoadBalancer.Method.allCases {
            var balancer = LoadBalancer(method: method, seed: .max)
            for count in [5, 2, 1, 9, 3, 1, 100, 4] {
                for _ in 0..<50 { #expect((0..<count).contains(balancer.pick(count) { $0 })) }
            }
        }
    }

    @Test func aSecondAttemptGoesElsewhereAndTakesNobodysTurn() {
        var balancer = LoadBalancer(seed: 9)
        #expect((0..<10).map { _ in balancer.pickOther(than: 0, of: 1) } == Array(repeating: 0, count: 10))
        var seen: [Int: Int] = [:]
        var turns: [Int] = []
        for _ in 0..<4_000 {
            turns.append(balancer.pick(5) { _ in 0 })
            seen[balancer.pickOther(than: 2, of: 5), default: 0] += 1
        }
        #expect(Set(seen.keys) == [0, 1, 3, 4])
        #expect(seen.values.allSatisfy { (800...1_200).contains($0) })
        #expect(zip(turns, turns.dropFirst()).allSatisfy { ($0 + 1) % 5 == $1 })
    }

    @Test func ofTwoTheLessBusyGetsIt() {
        var balancer = LoadBalancer(method: .leastRequests, seed: 3)
        for _ in 0..<100 { #expect(balancer.pick(2) { [7, 6][$0] } == 1) }
        for _ in 0..<100 { #expect(balancer.pick(2) { [0, 6][$0] } == 0) }
    }

    @Test func asBusyAsEachOtherTheyTakeTurns() {
        for count in [2, 3, 8] {
            var balancer = LoadBalancer(method: .leastRequests, seed: 11)
            let picks = (0..<count * 4).map { _ in balancer.pick(count) { _ in 4 } }
            #expect(Set(picks[..<count]).count == count)
            #expect(Array(picks[..<count]) == Array(picks[count..<2 * count]))
        }
    }

    /// Ten endpoints, one of which takes fifty times as long: it must not collect requests.
    @Test func aSlowOneIsLeftAlone() {
        func mostActive(_ method: LoadBalancer.Method) -> Int {
            var balancer = LoadBalancer(method: method, seed: 17)
            var ends: [[Int]] = Array(repeating: [], count: 10)
            var most = 0
            for now in 0..<20_000 {
                for index in ends.indices { ends[index].removeAll { $0 <= now } }
                let index = balancer.pick(10) { ends[$0].count }
                ends[index].append(now + (index == 4 ? 1_000 : 20))
                most = max(most, ends[4].count)
            }
            return most
        }
        #expect(mostActive(.roundRobin) == 100)
        #expect(mostActive(.leastRequests) < 15)
    }

    @Test func theBusiestOfManyIsNeverPicked() {
        var balancer = LoadBalancer(method: .leastRequests, seed: 29)
        var seen = Set<Int>()
        for _ in 0..<2_000 { seen.insert(balancer.pick(6) { $0 == 2 ? 1 : 0 }) }
        #expect(seen == [0, 1, 3, 4, 5])
    }
}
