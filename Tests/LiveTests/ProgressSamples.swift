import AdminAPI
import Extraction
import Foundation

// A small shop: search is most of the traffic, orders are under way.
extension SampleBackend {
    func candidates(since: Double, paths: [String], limit: Int) async throws(AdminError) -> CandidatesReport {
        if let failure { throw failure }
        let text = paths.first
        let traffic = { (endpoint: String, requests: Int, errors: Int, milliseconds: Int64) in
            var latency = [Int](repeating: 0, count: LatencyHistogram.bucketCount)
            latency[LatencyHistogram.bucket(of: milliseconds * 1_000_000)] = requests
            return EndpointTraffic(
                endpoint: endpoint,
                traffic: SideTraffic(
                    requests: requests, errors: errors, latency: LatencyHistogram(counts: latency)),
                bytes: 500 * requests, nanoseconds: Int64(requests) * milliseconds * 1_000_000, last: Self.time)
        }
        let span = TrafficSpan(
            began: Self.time.addingTimeInterval(-since), ended: Self.time,
            endpoints: [
                traffic("GET /api/v1/search", 9_000, 12, 90), traffic("GET /api/v1/users/{id}", 2_000, 1, 10),
                traffic("GET /api/v1/orders/{id}/items/{id}", 900, 0, 12), traffic("POST /api/v1/orders", 300, 0, 30),
                traffic("HEAD /api/v1/orders", 10, 0, 30), traffic("GET /api/v1/orders", 10, 0, 30),
                traffic("GET (not-found)", 40, 0, 1),
            ])
        let ranked = Step1Candidates.rank([span]) { endpoint in
            guard let path = endpoint.split(separator: " ").last, path.hasPrefix("/") else { return nil }
            if let text, path.hasPrefix("/api/v1/orders") { return text }
            return path.split(separator: "/").prefix(3).reduce("") { $0 + "/" + $1 }
        }
        return CandidatesReport(
            since: span.began, until: span.ended, countingSince: span.began, requests: 12_260, notFound: 40,
            ranked: text == nil ? ranked : ranked.filter { $0.path == text }, limit: limit)
    }

    func burnDown(unusedFor: Double) async throws(AdminError) -> BurnDown {
        if let failure { throw failure }
        let ended = { (weeks: Double) in Self.time.addingTimeInterval(-weeks * 604_800) }
        return BurnDown(
            countingSince: ended(6),
            day: [
                .init(extraction: "", monolith: 600, service: 0),
                .init(extraction: "orders", monolith: 100, service: 300),
            ],
            week: [
                .init(extraction: "", monolith: 6_000, service: 0),
                .init(extraction: "orders", monolith: 4_000, service: 0),
            ],
            course: [
                .init(ended: ended(2), requests: 900, monolith: 900),
                .init(ended: ended(1), requests: 1_000, monolith: 920),
                .init(ended: ended(0), requests: 1_000, monolith: 700),
            ], stages: ["orders": .cutover],
            endpoints: [
                .init(endpoint: "GET /legacy/report", extraction: nil, last: ended(5), requests: 12),
                .init(endpoint: "PUT /api/v1/orders/{id}", extraction: "orders", last: ended(5.5), requests: 3),
                .init(endpoint: "GET /api/v1/orders", extraction: "orders", last: ended(0), requests: 3),
            ], unusedFor: unusedFor, now: Self.time)
    }

    func retireReport(name: String) async throws(AdminError) -> RetireAnswer {
        if let failure { throw failure }
        let isRetired = report.stage == .retired
        return RetireAnswer(
            preview: !isRetired, stage: report.stage, gate: isRetired ? nil : report.gate,
            report: RetireReport(
                extraction: name, at: Self.time, countingSince: Self.time.addingTimeInterval(-90 * 86_400),
                routes: [.init(path: "/api/v1/orders/**", methods: ["GET", "POST"], hosts: [])],
                unreachable: [
                    .init(
                        endpoint: "GET /api/v1/orders/{id}", lastAnswered: Self.time.addingTimeInterval(-31 * 86_400),
                        requestsBefore: 120_400, route: "/api/v1/orders/**"),
                    .init(
                        endpoint: "POST /api/v1/orders", lastAnswered: nil, requestsBefore: 0,
                        route: "/api/v1/orders/**"),
                ], stillAsked: ["DELETE /api/v1/orders/{id}": 12]))
    }
}
