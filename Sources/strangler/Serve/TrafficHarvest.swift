import Comparison
import Extraction
import Foundation
import ProxyServer
import Routing
import ShadowRunner

/// Brings what the event loops have counted to the recorder, under names: before each of its flushes, so once a second and
/// before each report. The loops give their numbers away; all else is done here.
actor TrafficHarvest {
    private let server: ProxyServer
    private let observed: @Sendable ([ObservedRequest]) -> Void
    private var last: Task<Void, Never>?

    /// - Parameter observed: takes the requests that no route took. Each stands for as many as its weight says.
    init(server: ProxyServer, observed: @escaping @Sendable ([ObservedRequest]) -> Void = { _ in }) {
        self.server = server
        self.observed = observed
    }

    /// One after the other: whoever reports what is stored must have waited for what another one is bringing.
    func gather(into recorder: EvidenceRecorder) async {
        let before = last
        let task = Task { [server, observed] in
            await before?.value
            let harvests = await server.harvest()
            let (traffic, fallbacks) = Self.named(harvests, at: Date())
            recorder.count(traffic: traffic, fallbacks: fallbacks, at: Date())
            let requests = harvests.flatMap(\.observed)
            if !requests.isEmpty { observed(requests) }
        }
        last = task
        await task.value
    }

    /// The sum over the loops.
    static func named(
        _ harvests: [LoopHarvest], at now: Date
    ) -> (traffic: [TrafficKey: TrafficTally], fallbacks: [FallbackKey: Int]) {
        var traffic: [TrafficKey: TrafficTally] = [:]
        var fallbacks: [FallbackKey: Int] = [:]
        for harvest in harvests {
            harvest.forEach { counted in
                let key = TrafficKey(
                    extraction: counted.extraction, endpoint: counted.endpoint, side: counted.side)
                let tally = TrafficTally(
                    traffic: counted.traffic, bytes: counted.bytes, nanoseconds: counted.nanoseconds, last: now)
                if traffic[key]?.merge(tally) == nil { traffic[key] = tally }
                for (reason, count) in counted.fellBack {
                    let key = FallbackKey(
                        extraction: counted.extraction, endpoint: counted.endpoint, reason: reason.rawValue)
                    fallbacks[key, default: 0] += count
                }
            }
        }
        return (traffic, fallbacks)
    }
}
