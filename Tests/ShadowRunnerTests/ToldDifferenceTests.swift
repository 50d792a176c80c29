import Comparison
import Testing

@testable import ShadowRunner

@Suite struct ToldDifferenceTests {
    private func difference(_ path: String) -> Difference {
        Difference(path: path, kind: .value, primary: "1", shadow: "2")
    }

    @Test func `a group tells of a bounded number of differences, and of a fault behind a long list`() {
        let all = (0..<10_000).map { difference("$.items[\($0)].price") } + [difference("$.total")]
        let told = NoiseSplit(all: all).told
        #expect(told.count == ComparisonLimits().differences)
        #expect(told.first == all.first && told.last == all.last)
        #expect(Set(told.map(\.pattern)) == ["$.items[*].price", "$.total"])
        #expect(NoiseSplit(all: Array(all.suffix(3))).told == all.suffix(3))
        #expect(NoiseSplit(all: []).told.isEmpty)
    }

    @Test func `names of any length take a bounded place`() {
        let long = String(repeating: "x", count: 20_000)
        let all = (0..<50).map { difference("$.\(long).n\($0)z") } + [difference("$.total")]
        let told = NoiseSplit(all: all).told
        #expect(told == [all[0], all[50]])
    }
}
