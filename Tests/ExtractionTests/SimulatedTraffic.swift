import Extraction
import FoundationEssentials
import TestSupport

/// How one side answers one endpoint at one moment.
struct Behaviour {
    /// 0...1, of requests that fail with a status of 500.
    var errors = 0.0001
    /// The median; 1 of 100 answers takes about five times as long.
    var milliseconds = 20.0
    /// 0...1, of answers that differ from the other side's.
    var differing = 0.0
    /// Whether nobody is at home: all requests fail, and the other side stands in where it may.
    var isDown = false
}

/// Two systems, and who asks them. Random, and the same for the same seed.
struct World {
    /// Requests a second by endpoint.
    var rates: [String: Double] = ["GET /orders": 20, "GET /orders/{id}": 40, "POST /orders": 10]
    /// At a time since the start, in seconds, while the service answers these weights.
    var monolith: (_ endpoint: String, _ time: Double) -> Behaviour = { _, _ in Behaviour() }
    var service: (_ endpoint: String, _ time: Double, _ weights: Weights) -> Behaviour = { _, _, _ in Behaviour() }
    var isAsked: (_ time: Double) -> Bool = { _ in true }
    var generator: SeededGenerator

    init(seed: UInt64 = 1) { generator = SeededGenerator(seed: seed) }

    /// What was counted in a stretch of time in which nothing changes.
    struct Counted {
        var traffic: [String: TrafficPair] = [:]
        var differing: [String: Share] = [:]
        /// The service was down, and the monolith stood in.
        var fellBack = 0

        mutating func add(_ other: Counted) {
            traffic.merge(other.traffic) { first, second in
                var sum = first
                sum.add(second)
                return sum
            }
            differing.merge(other.differing) { Share($0.hits + $1.hits, of: $0.total + $1.total) }
            fellBack += other.fellBack
        }

        var isEmpty: Bool { traffic.isEmpty }
        var span: GuardEvidence.Span { GuardEvidence.Span(endpoints: traffic, differing: differing) }
    }

    /// - Parameter part: 0...1, of all traffic: one replica's.
    mutating func live(
        from time: Double, for seconds: Double, weights: Weights, isCompared: Bool = true, part: Double = 1
    ) -> Counted {
        var counted = Counted()
        guard isAsked(time) else { return counted }
        for (endpoint, rate) in rates.sorted(by: { $0.key < $1.key }) {
            let share = (endpoint.hasPrefix("GET ") ? weights.reads : weights.writes).percent / 100
            var pair = TrafficPair()
            var differing = Share(0, of: 0)
            for (side, part) in [(Side.service, share * part), (.monolith, (1 - share) * part)] {
                let requests = generator.poisson(rate * seconds * part)
                guard requests > 0 else { continue }
                let behaviour =
                    side == .service ? service(endpoint, time, weights) : monolith(endpoint, time)
                let errors =
                    behaviour.isDown ? requests : generator.binomial(requests, behaviour.errors)
                let fine = requests - errors
                pair[side] = SideTraffic(
                    requests: requests, errors: errors,
                    latency: generator.latencies(behaviour.isDown ? 0 : fine, behaviour.milliseconds))
                if side == .service, behaviour.isDown { counted.fellBack += requests }
                if isCompared {
                    let other = side == .service ? monolith(endpoint, time) : service(endpoint, time, weights)
                    guard !other.isDown, !behaviour.isDown else { continue }
                    differing = Share(
                        differing.hits + generator.binomial(fine, max(behaviour.differing, other.differing)),
                        of: differing.total + fine)
                }
            }
            counted.traffic[endpoint] = pair
            if differing.total > 0 { counted.differing[endpoint] = differing }
        }
        return counted
    }
}

extension SeededGenerator {
    mutating func uniform() -> Double { Double.random(in: 0..<1, using: &self) }

    /// By the sum of four uniforms, each of variance 1/12: near enough for counts above thirty.
    private mutating func normal() -> Double {
        (uniform() + uniform() + uniform() + uniform() - 2) * 3.0.squareRoot()
    }

    mutating func poisson(_ mean: Double) -> Int {
        guard mean > 0 else { return 0 }
        guard mean < 30 else { return max(0, Int((mean + normal() * mean.squareRoot()).rounded())) }
        var count = 0
        var product = uniform()
        let bound = Self.powerOfE(-mean)
        while product > bound {
            count += 1
            product *= uniform()
        }
        return count
    }

    mutating func binomial(_ count: Int, _ chance: Double) -> Int {
        guard count > 0, chance > 0 else { return 0 }
        if chance >= 1 { return count }
        if chance > 0.5 { return count - binomial(count, 1 - chance) }
        let mean = Double(count) * chance
        if mean >= 30 {
            let deviation = (mean * (1 - chance)).squareRoot()
            return min(count, max(0, Int((mean + normal() * deviation).rounded())))
        }
        if count <= 60 { return (0..<count).count { _ in uniform() < chance } }
        return min(count, poisson(mean))
    }

    /// Twelve classes of answers, from half the median to ten times it.
    mutating func latencies(_ count: Int, _ median: Double) -> LatencyHistogram {
        var histogram = [Int](repeating: 0, count: LatencyHistogram.bucketCount)
        var (left, mass) = (count, 1.0)
        for (factor, weight) in Self.shape {
            let part = mass <= weight ? left : binomial(left, weight / mass)
            histogram[LatencyHistogram.bucket(of: Int64(factor * median * 1e6))] += part
            left -= part
            mass -= weight
        }
        return LatencyHistogram(counts: histogram)
    }

    private static let shape: [(factor: Double, weight: Double)] = [
        (0.5, 0.08), (0.7, 0.17), (0.9, 0.25), (1.1, 0.2), (1.4, 0.12), (1.8, 0.08), (2.3, 0.05), (3, 0.03),
        (4, 0.01), (5, 0.006), (7, 0.003), (10, 0.001),
    ]

    /// Without a C library: halved until the series is short.
    private static func powerOfE(_ exponent: Double) -> Double {
        let small = exponent / 1_024
        var value = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
        for _ in 0..<10 { value *= value }
        return value
    }
}
