import Extraction
import ProxyServer
import Routing

/// What a proxy has counted, over all of its harvests.
struct Harvested: Equatable {
    struct Key: Hashable {
        var extraction = "orders"
        let endpoint: String
        let side: Side
    }

    struct Counts: Equatable {
        var requests = 0
        var errors = 0
        var bytes = 0
        /// Whose time to the answer's head was taken.
        var timed = 0
    }

    var traffic: [Key: Counts] = [:]
    /// By endpoint and reason.
    var fellBack: [String: [FallbackReason: Int]] = [:]
    var observed: [ObservedRequest] = []
    var unmatched = 0
    /// Sum of all times.
    var nanoseconds = 0

    mutating func add(_ harvests: [LoopHarvest]) {
        for harvest in harvests {
            harvest.forEach { counted in
                let key = Key(extraction: counted.extraction, endpoint: counted.endpoint, side: counted.side)
                traffic[key, default: Counts()].requests += counted.traffic.requests
                traffic[key, default: Counts()].errors += counted.traffic.errors
                traffic[key, default: Counts()].bytes += counted.bytes
                traffic[key, default: Counts()].timed += counted.traffic.latency.total
                nanoseconds += counted.nanoseconds
                for (reason, count) in counted.fellBack {
                    fellBack[counted.endpoint, default: [:]][reason, default: 0] += count
                }
            }
            observed += harvest.observed
            unmatched += harvest.unmatched
        }
    }

    subscript(endpoint: String, side: Side) -> Counts? { traffic[Key(endpoint: endpoint, side: side)] }
}

extension ProxyUnderTest {
    func harvest() async -> Harvested {
        var harvested = Harvested()
        harvested.add(await server.harvest())
        return harvested
    }
}
