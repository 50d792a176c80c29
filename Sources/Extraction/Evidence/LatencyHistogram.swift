/// How long answers took, in buckets four to an octave from 100 µs on, so that a quantile is known to within a fifth.
/// Adding two is adding their counts: a minute's is the sum over replicas.
package struct LatencyHistogram: Sendable, Equatable {
    /// Of ``counts``; the last one takes everything above 1,000 s or so.
    package static let bucketCount = 96
    /// Nanoseconds: the upper bound of the first bucket.
    private static let first = 100_000.0

    /// Always ``bucketCount`` of them.
    package private(set) var counts = [Int](repeating: 0, count: bucketCount)

    package init() {}

    /// - Parameter counts: as stored; more or fewer than ``bucketCount`` are cut or filled up, negative ones are 0.
    package init(counts stored: [Int]) {
        for (bucket, count) in stored.prefix(Self.bucketCount).enumerated() { counts[bucket] = max(0, count) }
    }

    package var total: Int { counts.reduce(0, &+) }

    package mutating func record(nanoseconds: Int64) { counts[Self.bucket(of: nanoseconds)] += 1 }

    package mutating func merge(_ other: LatencyHistogram) {
        for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
    }

    /// The upper bound, in nanoseconds, of the bucket in which the quantile lies; nil while nothing was recorded.
    /// - Parameter quantile: 0...1.
    package func quantile(_ quantile: Double) -> Int64? {
        let total = total
        guard total > 0 else { return nil }
        let rank = max(1, Int((Double(total) * min(max(quantile, 0), 1)).rounded(.up)))
        var seen = 0
        for (bucket, count) in counts.enumerated() {
            seen &+= count
            if seen >= rank { return Self.upperBounds[bucket] }
        }
        return Self.upperBounds.last
    }

    /// Those that surely took longer than this: the bucket in which the bound itself lies is not among them.
    package func slower(than nanoseconds: Int64) -> Share {
        let bound = Self.bucket(of: nanoseconds)
        return Share(counts[(bound + 1)...].reduce(0, &+), of: total)
    }

    /// The first bucket whose upper bound is not below. Made for every request: the highest bit says where to begin, and
    /// from there it is four buckets at most.
    package static func bucket(of nanoseconds: Int64) -> Int {
        guard nanoseconds > 0 else { return 0 }
        var bucket = firstOfOctave[63 &- nanoseconds.leadingZeroBitCount]
        while bucket < bucketCount &- 1, upperBounds[bucket] < nanoseconds { bucket &+= 1 }
        return bucket
    }

    /// By the number of the highest bit: the bucket of the smallest such time.
    private static let firstOfOctave: [Int] = (0..<63).map { bit in
        upperBounds.firstIndex { $0 >= 1 << Int64(bit) } ?? bucketCount - 1
    }

    /// Nanoseconds.
    package static let upperBounds: [Int64] = {
        // 2^(1/4), so that four buckets double.
        let step = 2.0.squareRoot().squareRoot()
        var bound = first
        return (0..<bucketCount).map { _ in
            defer { bound *= step }
            return Int64(bound)
        }
    }()
}
