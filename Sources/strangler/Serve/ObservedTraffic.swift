import Comparison
import Extraction
import Foundation
import PostgresStore
import Routing
import ShadowRunner
import Synchronization

/// Counts the requests that no route takes, under names that it learns from them: what candidates are found from.
///
/// Names are taken over from the store, so that they are the same over restarts and, after a while, on all replicas.
final class ObservedTraffic: Sendable {
    /// As far back as names are taken over.
    private static let remembered = 28 * 86_400.0
    private static let learningInterval = Duration.seconds(300)

    private let templates = Mutex(LearnedTemplates())
    private let recorder: EvidenceRecorder
    private let store: StoreLink

    init(recorder: EvidenceRecorder, store: StoreLink) {
        self.recorder = recorder
        self.store = store
    }

    /// Off the event loops.
    func take(_ observed: [ObservedRequest]) {
        let now = Date()
        let tallies = templates.withLock { templates in Self.tallies(observed, &templates, now: now) }
        recorder.count(traffic: tallies, fallbacks: [:], at: now)
    }

    static func tallies(
        _ observed: [ObservedRequest], _ templates: inout LearnedTemplates, now: Date
    ) -> [TrafficKey: TrafficTally] {
        var sums: [String: Sum] = [:]
        for request in observed where request.weight > 0 {
            let endpoint = templates.endpoint(
                method: request.method, path: request.path, status: request.status, weight: request.weight)
            sums[endpoint, default: Sum()].add(request)
        }
        // Names that collapsed while they were given are one now.
        return sums.reduce(into: [:]) { tallies, sum in
            let key = TrafficKey(extraction: "", endpoint: templates.current(sum.key), side: .monolith)
            let tally = sum.value.tally(last: now)
            if tallies[key]?.merge(tally) == nil { tallies[key] = tally }
        }
    }

    /// Requests of one endpoint.
    private struct Sum {
        var requests = 0
        var errors = 0
        var bytes = 0
        var nanoseconds = 0
        var latency = [Int](repeating: 0, count: LatencyHistogram.bucketCount)

        mutating func add(_ request: ObservedRequest) {
            requests &+= request.weight
            if request.status == 0 || request.status >= 500 { errors &+= request.weight }
            bytes &+= max(0, request.bytes) &* request.weight
            guard request.status != 0 else { return }
            nanoseconds &+= max(0, Int(request.nanoseconds)) &* request.weight
            latency[LatencyHistogram.bucket(of: request.nanoseconds)] &+= request.weight
        }

        func tally(last: Date) -> TrafficTally {
            TrafficTally(
                traffic: SideTraffic(
                    requests: requests, errors: errors, latency: LatencyHistogram(counts: latency)),
                bytes: bytes, nanoseconds: nanoseconds, last: last)
        }
    }

    /// Learns from the store once it is there and now and then, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let hasLearned = await learn()
            guard (try? await Task.sleep(for: hasLearned ? Self.learningInterval : .seconds(1))) != nil else { return }
        }
    }

    private func learn() async -> Bool {
        let now = Date()
        guard
            let stored = try? await store.answering().trafficSummary(
                extraction: "", since: now.addingTimeInterval(-Self.remembered), until: now)
        else { return false }
        let counts = Dictionary(stored.map { ($0.endpoint, $0.requests) }, uniquingKeysWith: &+)
        templates.withLock { $0.learn(counts) }
        return true
    }

    /// Counters of before under the names of now.
    func current(_ stored: [EndpointTraffic]) -> [EndpointTraffic] {
        let templates = templates.withLock { $0 }
        var merged: [String: EndpointTraffic] = [:]
        for var traffic in stored {
            traffic.endpoint = templates.current(traffic.endpoint)
            if merged[traffic.endpoint]?.add(traffic) == nil { merged[traffic.endpoint] = traffic }
        }
        return merged.values.sorted { $0.endpoint < $1.endpoint }
    }
}
