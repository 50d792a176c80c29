import FoundationEssentials
import TestSupport
import Testing

@testable import Extraction

@Suite struct CandidatesTests {
    /// Seven days in spans of six hours.
    private let spans = 28
    private let length = 6 * hour

    /// - Parameter requests: by number of the span.
    private func traffic(
        _ endpoint: String, milliseconds: Int64 = 20, failing: Int = 0, bytes: Int = 500,
        _ requests: @escaping (Int) -> Int
    ) -> (Int) -> EndpointTraffic {
        let (start, length) = (Date.start, length)
        return { span in
            let count = requests(span)
            var latency = [Int](repeating: 0, count: LatencyHistogram.bucketCount)
            latency[LatencyHistogram.bucket(of: milliseconds * 1_000_000)] = count
            return EndpointTraffic(
                endpoint: endpoint,
                traffic: SideTraffic(
                    requests: count, errors: min(count, failing), latency: LatencyHistogram(counts: latency)),
                bytes: bytes * count, nanoseconds: Int64(count) * milliseconds * 1_000_000,
                last: start.addingTimeInterval(Double(span + 1) * length))
        }
    }

    private func rank(_ endpoints: [(Int) -> EndpointTraffic], spans: Int? = nil) -> [Candidate] {
        let spans = (0..<(spans ?? self.spans)).map { number in
            TrafficSpan(
                began: .start.addingTimeInterval(Double(number) * length),
                ended: .start.addingTimeInterval(Double(number + 1) * length),
                endpoints: endpoints.map { $0(number) })
        }
        return Step1Candidates.rank(spans) { endpoint in
            let path = endpoint.drop { $0 != " " }.dropFirst()
            return path.hasPrefix("/") ? "/" + (path.split(separator: "/").first ?? "") : nil
        }
    }

    private func reasons(_ candidate: Candidate?) -> [String] {
        (candidate?.reasons ?? []).map { "\($0.reason.rawValue): \($0.said)" }
    }

    @Test func aLargeGroupComesFirstAndSaysWhy() {
        let ranked = rank([
            traffic("GET /search", milliseconds: 80) { _ in 600 }, traffic("GET /users/{id}") { _ in 300 },
            traffic("GET /orders/{id}") { _ in 200 }, traffic("POST /orders") { _ in 50 },
            traffic("GET /help") { _ in 5 }, traffic("GET (not-found)") { _ in 45 },
        ])
        #expect(ranked.map(\.path) == ["/search", "/users", "/orders", "/help"])
        #expect(
            reasons(ranked.first) == [
                "scale-variance: 50% of the requests and 80% of the time are its own, as one of 4 groups"
            ])
        #expect(ranked[2].endpoints.map(\.endpoint) == ["GET /orders/{id}", "POST /orders"])
        #expect(ranked[2].writes == 50 * spans)
        #expect(ranked[2].share.requests == 250.0 / 1200)
        #expect(
            ranked[3].against == [
                "0.42% of the requests and 0.17% of the time: a module inside the monolith does as well",
                "its endpoint would take more than 30 d to show the 2995 clean comparisons that cutover asks for: "
                    + "a replay or a waiver has to do",
            ])
    }

    @Test func growthAndPeaksAreVariance() {
        let ranked = rank([
            traffic("GET /reports") { $0 < 14 ? 100 : 180 }, traffic("GET /tickets") { $0 == 20 ? 2_000 : 100 },
            traffic("GET /a") { _ in 1_000 }, traffic("GET /b") { _ in 1_000 }, traffic("GET /c") { _ in 1_000 },
        ])
        let byPath = Dictionary(ranked.map { ($0.path, $0) }) { $1 }
        #expect(
            reasons(byPath["/reports"]) == [
                "scale-variance: its requests grew by 80% within 3 d 12 h, all others' by 4.4%"
            ])
        #expect(byPath["/reports"]?.growth == 0.8)
        #expect(
            reasons(byPath["/tickets"]).last
                == "scale-variance: its busiest 6 h had 12 times its mean, all others' 1 times")
        #expect(
            reasons(byPath["/a"]) == [
                "scale-variance: 30% of the requests and 30% of the time are its own, as one of 5 groups"
            ])
    }

    @Test func errorsAndSlownessOfOneGroupAreIsolation() {
        let ranked = rank([
            traffic("GET /export", milliseconds: 2_000, failing: 1) { _ in 100 }, traffic("GET /a") { _ in 1_000 },
            traffic("GET /b") { _ in 1_000 },
        ])
        let export = ranked.first { $0.path == "/export" }
        #expect(
            reasons(export).filter { $0.hasPrefix("fault") } == [
                "fault-isolation: 100% of the errors are its own: 1% of its requests fail, 0% of all others",
                "fault-isolation: its p99 is 2.3 s, that of all others 22 ms: what waits for it holds what the others need",
            ])
        #expect(ranked.first?.path == "/export")
    }

    @Test func writesWeighAgainst() {
        let ranked = rank([
            traffic("POST /events") { _ in 500 }, traffic("GET /events/{id}") { _ in 100 },
            traffic("GET /pages") { _ in 600 },
        ])
        #expect(ranked.map(\.path) == ["/pages", "/events"])
        #expect(ranked[1].against == ["83% of its requests are writes: each has to reach both systems while it moves"])
    }

    @Test func aloneNothingIsLargeNorUneven() {
        let ranked = rank([traffic("GET /all") { $0 == 3 ? 90_000 : 200 }])
        #expect(ranked.map(\.reasons) == [[]])
    }

    @Test func tooLittleTimeOrTrafficHasNoGrowth() {
        #expect(rank([traffic("GET /a") { $0 }], spans: 6).first?.growth == nil)
        #expect(rank([traffic("GET /a") { $0 < 14 ? 1 : 900 }]).first?.growth == nil)
        #expect(rank([]).isEmpty)
        #expect(rank([traffic("GET /a") { _ in 0 }]).first?.pull == 0)
    }

    @Test("Ranking does not depend on the order in which endpoints come, and shares add up", arguments: 0..<10)
    func order(seed: Int) {
        var chance = SeededGenerator(seed: UInt64(seed))
        var endpoints = (0..<30).map { number in
            let count = Int.random(in: 0...2_000, using: &chance)
            return traffic(
                "\(["GET", "POST"][number % 2]) /g\(number % 7)/\(number)",
                milliseconds: Int64.random(in: 1...3_000, using: &chance),
                failing: Int.random(in: 0...9, using: &chance)
            ) { span in count / (1 + span % 3) }
        }
        let ranked = rank(endpoints)
        endpoints.shuffle(using: &chance)
        let again = rank(endpoints)
        #expect(again.map(\.path) == ranked.map(\.path))
        #expect(again.map(\.reasons) == ranked.map(\.reasons))
        #expect(abs(ranked.reduce(0) { $0 + $1.share.requests } - 1) < 1e-9)
        #expect(abs(ranked.reduce(0) { $0 + $1.share.time } - 1) < 1e-9)
        #expect(zip(ranked, ranked.dropFirst()).allSatisfy { $0.pull >= $1.pull })
        #expect(ranked.allSatisfy { $0.pull >= 0 && $0.pull <= 3 })
    }

    @Test func numbersNobodyExpectsDoNotTrap() {
        let most = EndpointTraffic(
            endpoint: "GET /a",
            traffic: SideTraffic(
                requests: .max, errors: .max, latency: LatencyHistogram(counts: Array(repeating: .max / 96, count: 96))),
            bytes: .max, nanoseconds: .max, last: .distantFuture)
        let spans = [TrafficSpan(began: .start, ended: .distantPast, endpoints: [most, most])]
        #expect(Step1Candidates.rank(spans) { _ in "/a" }.count == 1)
    }
}
