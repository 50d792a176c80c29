import Extraction
import TestSupport
import Testing

@Suite struct LatencyBuckets {
    /// The first bucket whose bound is not below, by halving.
    private func searched(_ nanoseconds: Int64) -> Int {
        var low = 0
        var high = LatencyHistogram.bucketCount - 1
        while low < high {
            let middle = (low + high) / 2
            if LatencyHistogram.upperBounds[middle] >= nanoseconds { high = middle } else { low = middle + 1 }
        }
        return low
    }

    @Test func `the bucket is the one that a search finds`() {
        var times: [Int64] = [.min, -1, 0, 1, .max, .max - 1]
        for bound in LatencyHistogram.upperBounds { times += [bound - 1, bound, bound + 1] }
        for bit in 0..<63 { times += [(1 << bit) - 1, 1 << bit, (1 << bit) + 1] }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<100_000 {
            times.append(Int64.random(in: 0...Int64.max, using: &random) >> Int64.random(in: 0...62, using: &random))
        }
        for time in times { #expect(LatencyHistogram.bucket(of: time) == searched(time), "\(time)") }
    }
}
