package import FoundationEssentials

/// A group of the monolith's paths that may be worth extracting, with what its traffic says for and against it.
package struct Candidate: Sendable, Codable, Equatable {
    /// Parts of all that the monolith is asked for and no extraction takes, 0…1.
    package struct Shares: Sendable, Codable, Equatable {
        package var requests: Double
        /// Of the sum of the times to answers' heads.
        package var time: Double
        package var errors: Double
        package var bytes: Double
    }

    package struct Endpoint: Sendable, Codable, Equatable {
        /// `GET /api/v1/orders/{id}`.
        package var endpoint: String
        package var requests: Int
        package var errors: Int
        /// Milliseconds, known to within a fifth; nil of nothing.
        package var p99: Double?
        package var last: Date
    }

    /// A reason of the decision matrix, and the numbers that speak for it in a sentence.
    package struct Argument: Sendable, Codable, Equatable {
        package var reason: Reason
        package var said: String
    }

    /// `/api/v1/orders`: everything below it is in the group.
    package var path: String
    package var requests: Int
    package var errors: Int
    package var writes: Int
    package var bytes: Int
    package var share: Shares
    /// Milliseconds, known to within a fifth.
    package var p50: Double?
    package var p99: Double?
    /// How much more was asked for in the second half of the time than in the first: 0.5 for half as much again. Nil where
    /// too little was seen to tell.
    package var growth: Double?
    /// The busiest first.
    package var endpoints: [Endpoint]
    package var reasons: [Argument]
    /// What speaks against it, a sentence each.
    package var against: [String]
    /// What the candidates are ranked by; see `Step1Candidates`.
    package var pull: Double
}

/// Ranks what could leave the monolith by what it is asked for. Pure; the same traffic, the same ranking.
///
/// A group's pull is the mean of its shares of requests and of time, times one more than the number of reasons that its
/// traffic speaks for, less up to half of it for writes, which both systems have to be kept in step for. Equal ones stand in
/// the order of their paths.
package enum Step1Candidates {
    /// A group has to have this part of requests or of time to count as large, and half as much again as an even share.
    static let largeShare = 0.25
    static let evenShares = 1.5
    /// Below this part of both, a module inside the monolith does as well.
    static let smallShare = 0.01
    /// Of growth, beyond that of all others.
    static let strongGrowth = 0.25
    /// Of the busiest span to the mean one, beside that of all others.
    static let unevenness = 2.0
    /// Seconds that growth and unevenness take to show: nights and days have to be in both halves.
    static let shortestForGrowth = 2 * 86_400.0
    /// Requests of each half.
    static let fewestForGrowth = 100
    static let fewestErrors = 10
    static let slowTimes = 4.0
    /// Nanoseconds: below it nothing is slow.
    static let slowest: Int64 = 100_000_000
    /// Seconds.
    static let longestProof = 30 * 86_400.0

    /// The reasons that no traffic shows, with the question that people have to answer.
    package static let forPeople: [(reason: Reason, question: String)] = [
        (.independentDeployment, "does its team wait for the monolith's releases, or have them waiting for it?"),
        (
            .teamSize,
            "do more people work on the monolith than can agree on one release, and would a team own this alone?"
        ),
        (.technologyDiversity, "does it need a language, a runtime or a kind of database that the monolith has not?"),
    ]

    /// - Parameters:
    ///   - spans: equally long ones, one after the other, of what the monolith answered and no extraction takes.
    ///   - group: the path of the group that an endpoint belongs to; nil for what belongs to none and still is traffic.
    package static func rank(_ spans: [TrafficSpan], group: (String) -> String?) -> [Candidate] {
        var all = Tally(spans: spans.count)
        var groups: [String: Tally] = [:]
        for (number, span) in spans.enumerated() {
            for endpoint in span.endpoints {
                all.add(endpoint, span: number)
                guard let path = group(endpoint.endpoint) else { continue }
                groups[path, default: Tally(spans: spans.count)].add(endpoint, span: number)
            }
        }
        let seconds = spans.reduce(0) { $0 + $1.seconds }
        return groups.map { path, tally in
            candidate(
                Look(
                    path: path, own: tally, others: all.without(tally), all: all, groups: groups.count, seconds: seconds
                ))
        }.sorted { ($1.pull, $0.path) < ($0.pull, $1.path) }
    }

    private static func candidate(_ look: Look) -> Candidate {
        let (own, all) = (look.own, look.all)
        let share = Candidate.Shares(
            requests: part(own.traffic.requests, of: all.traffic.requests),
            time: all.nanoseconds > 0 ? own.nanoseconds / all.nanoseconds : 0,
            errors: part(own.traffic.errors, of: all.traffic.errors), bytes: part(own.bytes, of: all.bytes))
        let reasons = scale(look, share) + isolation(look, share)
        let writes = part(own.writes, of: own.traffic.requests)
        return Candidate(
            path: look.path, requests: own.traffic.requests, errors: own.traffic.errors, writes: own.writes,
            bytes: own.bytes, share: share, p50: milliseconds(own.traffic.latency.quantile(0.5)),
            p99: milliseconds(own.traffic.latency.quantile(0.99)), growth: look.growth(of: own),
            endpoints: own.endpoints.values.sorted {
                ($1.traffic.requests, $0.endpoint) < ($0.traffic.requests, $1.endpoint)
            }.map(Candidate.Endpoint.init), reasons: reasons, against: against(look, share, writes: writes),
            pull: (share.requests + share.time) / 2 * Double(1 + Set(reasons.map(\.reason)).count) * (1 - writes / 2))
    }

    // MARK: For it

    private static func scale(_ look: Look, _ share: Candidate.Shares) -> [Candidate.Argument] {
        var said: [String] = []
        let large = max(largeShare, evenShares / Double(look.groups))
        if max(share.requests, share.time) >= large {
            said.append(
                "\(readablePart(share.requests)) of the requests and \(readablePart(share.time)) of the time are its own, "
                    + "as one of \(counted(look.groups, "group"))")
        }
        if let growth = look.growth(of: look.own) {
            let others = look.growth(of: look.others) ?? 0
            if growth >= strongGrowth, growth >= others + strongGrowth {
                let time = readableTime(seconds: look.seconds / 2)
                said.append(
                    "its requests grew by \(readablePart(growth)) within \(time), all others' by \(readablePart(others))"
                )
            }
        }
        if let uneven = look.unevenness(of: look.own), let others = look.unevenness(of: look.others),
            uneven >= others * unevenness
        {
            let span = readableTime(seconds: look.seconds / Double(look.own.spans.count))
            said.append(
                "its busiest \(span) had \(readableTimes(uneven)) times its mean, all others' \(readableTimes(others)) times"
            )
        }
        return said.map { Candidate.Argument(reason: .scaleVariance, said: $0) }
    }

    private static func isolation(_ look: Look, _ share: Candidate.Shares) -> [Candidate.Argument] {
        var said: [String] = []
        let (own, others) = (look.own.traffic, look.others.traffic)
        if own.errors >= fewestErrors, share.errors >= 0.5,
            ProportionTest.exceeds(own.errorShare, others.errorShare, error: 0.001)
        {
            said.append(
                "\(readablePart(share.errors)) of the errors are its own: \(readablePart(own.errorShare.rate)) of its "
                    + "requests fail, \(readablePart(others.errorShare.rate)) of all others")
        }
        if own.latency.total >= Guard.yardstick, others.latency.total >= Guard.yardstick,
            let p99 = own.latency.quantile(0.99), let other = others.latency.quantile(0.99), p99 >= slowest,
            Double(p99) >= slowTimes * Double(other)
        {
            said.append(
                "its p99 is \(readableMilliseconds(p99)), that of all others \(readableMilliseconds(other)): "
                    + "what waits for it holds what the others need")
        }
        return said.map { Candidate.Argument(reason: .faultIsolation, said: $0) }
    }

    // MARK: Against it

    private static func against(_ look: Look, _ share: Candidate.Shares, writes: Double) -> [String] {
        var against: [String] = []
        if share.requests < smallShare, share.time < smallShare {
            against.append(
                "\(readablePart(share.requests)) of the requests and \(readablePart(share.time)) of the time: a module "
                    + "inside the monolith does as well")
        }
        if writes > 0.5 {
            against.append(
                "\(readablePart(writes)) of its requests are writes: each has to reach both systems while it moves")
        }
        if let slow = slowToProve(look) { against.append(slow) }
        return against
    }

    /// Endpoints that are asked for so seldom that the gate to cutover would stay closed for months.
    private static func slowToProve(_ look: Look) -> String? {
        guard look.seconds >= 86_400, let needed = ProportionBound.needed(hits: 0, limit: Step5Cutover.mismatchLimit)
        else { return nil }
        let slow = look.own.endpoints.values.filter {
            Double($0.traffic.requests) * longestProof < Double(needed) * look.seconds
        }
        guard !slow.isEmpty else { return nil }
        let all = look.own.endpoints.count
        let which =
            all == 1
            ? "its endpoint"
            : slow.count == all ? "each of its \(all) endpoints" : "\(slow.count) of its \(all) endpoints"
        return
            "\(which) would take more than \(readableTime(seconds: longestProof)) to show the \(needed) clean comparisons "
            + "that cutover asks for: a replay or a waiver has to do"
    }

    private static func part(_ number: Int, of total: Int) -> Double {
        total > 0 ? min(1, Double(number) / Double(total)) : 0
    }
}

// MARK: - Sums

extension Step1Candidates {
    /// What a candidate is judged by.
    private struct Look {
        let path: String
        let own: Tally
        let others: Tally
        let all: Tally
        let groups: Int
        let seconds: Double

        func growth(of tally: Tally) -> Double? {
            let half = tally.spans.count / 2
            guard seconds >= shortestForGrowth, half > 0 else { return nil }
            let first = tally.spans[..<half].reduce(0, &+)
            let second = tally.spans[(tally.spans.count - half)...].reduce(0, &+)
            guard first >= fewestForGrowth, second >= fewestForGrowth else { return nil }
            return Double(second) / Double(first) - 1
        }

        /// How many times the mean the busiest span had.
        func unevenness(of tally: Tally) -> Double? {
            let requests = tally.traffic.requests
            guard seconds >= shortestForGrowth, let most = tally.spans.max(),
                requests >= fewestForGrowth &* tally.spans.count
            else { return nil }
            return Double(most) * Double(tally.spans.count) / Double(requests)
        }
    }

    private struct Tally {
        var traffic = SideTraffic()
        var writes = 0
        var bytes = 0
        /// Their sum over weeks and thousands of endpoints may be more than an integer holds.
        var nanoseconds = 0.0
        /// Requests by span.
        var spans: [Int]
        var endpoints: [String: EndpointTraffic] = [:]

        init(spans: Int) { self.spans = Array(repeating: 0, count: spans) }

        mutating func add(_ endpoint: EndpointTraffic, span: Int) {
            traffic.add(endpoint.traffic)
            if endpoint.isWrite { writes &+= endpoint.traffic.requests }
            bytes &+= endpoint.bytes
            nanoseconds += Double(endpoint.nanoseconds)
            spans[span] &+= endpoint.traffic.requests
            if endpoints[endpoint.endpoint]?.add(endpoint) == nil { endpoints[endpoint.endpoint] = endpoint }
        }

        /// Endpoints are not needed of the rest.
        func without(_ part: Tally) -> Tally {
            var rest = Tally(spans: spans.count)
            rest.traffic.requests = traffic.requests &- part.traffic.requests
            rest.traffic.errors = traffic.errors &- part.traffic.errors
            rest.traffic.latency = LatencyHistogram(
                counts: zip(traffic.latency.counts, part.traffic.latency.counts).map { $0 &- $1 })
            rest.spans = zip(spans, part.spans).map { $0 &- $1 }
            return rest
        }
    }

    /// Three decimals: microseconds.
    fileprivate static func milliseconds(_ nanoseconds: Int64?) -> Double? {
        nanoseconds.map { (Double($0) / 1000).rounded() / 1000 }
    }
}

extension Candidate.Endpoint {
    init(_ endpoint: EndpointTraffic) {
        self.init(
            endpoint: endpoint.endpoint, requests: endpoint.traffic.requests, errors: endpoint.traffic.errors,
            p99: Step1Candidates.milliseconds(endpoint.traffic.latency.quantile(0.99)), last: endpoint.last)
    }
}
