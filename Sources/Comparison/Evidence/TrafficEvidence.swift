package import Extraction
package import FoundationEssentials

/// Which requests a traffic counter counts. Requests that no extraction takes have an empty extraction, and learned
/// templates as endpoints.
package struct TrafficKey: Hashable, Sendable {
    package var extraction: String
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var side: Side

    package init(extraction: String, endpoint: String, side: Side) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.side = side
    }
}

/// How one side answered clients.
package struct TrafficTally: Sendable, Equatable {
    package var traffic: SideTraffic
    /// Of answers' bodies.
    package var bytes: Int
    /// Sum of the times from sending a request to its answer's head.
    package var nanoseconds: Int
    package var last: Date

    package init(traffic: SideTraffic, bytes: Int, nanoseconds: Int, last: Date) {
        self.traffic = traffic
        self.bytes = bytes
        self.nanoseconds = nanoseconds
        self.last = last
    }

    package mutating func merge(_ other: TrafficTally) {
        traffic.add(other.traffic)
        bytes &+= other.bytes
        nanoseconds &+= other.nanoseconds
        last = max(last, other.last)
    }
}
