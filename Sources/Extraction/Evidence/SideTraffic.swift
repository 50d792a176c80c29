/// How one side answered clients, at one endpoint or at all, in some span of time. Summed over replicas.
package struct SideTraffic: Sendable, Equatable {
    /// Requests that it was asked as primary; those that the client abandoned are not among them.
    package var requests: Int
    /// Of `requests`, those answered 5xx, not answered in time or not at all: also where the other side stood in.
    package var errors: Int
    /// From sending the request to the answer's head. Requests without an answer are not in it.
    package var latency: LatencyHistogram

    package init(requests: Int = 0, errors: Int = 0, latency: LatencyHistogram = LatencyHistogram()) {
        self.requests = requests
        self.errors = errors
        self.latency = latency
    }

    package mutating func add(_ other: SideTraffic) {
        requests &+= other.requests
        errors &+= other.errors
        latency.merge(other.latency)
    }

    package var errorShare: Share { Share(errors, of: requests) }
}

/// Both sides at the same time: what a guard compares.
package struct TrafficPair: Sendable, Equatable {
    package var monolith: SideTraffic
    package var service: SideTraffic

    package init(monolith: SideTraffic = SideTraffic(), service: SideTraffic = SideTraffic()) {
        self.monolith = monolith
        self.service = service
    }

    package mutating func add(_ other: TrafficPair) {
        monolith.add(other.monolith)
        service.add(other.service)
    }

    package subscript(_ side: Side) -> SideTraffic {
        get { side == .monolith ? monolith : service }
        set { if side == .monolith { monolith = newValue } else { service = newValue } }
    }
}
