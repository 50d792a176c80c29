package import FoundationEssentials

/// How one side answered at one endpoint in some span of time.
package struct EndpointTraffic: Sendable, Equatable {
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var traffic: SideTraffic
    /// Of answers' bodies.
    package var bytes: Int
    /// Sum of the times from sending a request to its answer's head.
    package var nanoseconds: Int64
    package var last: Date

    package init(endpoint: String, traffic: SideTraffic, bytes: Int, nanoseconds: Int64, last: Date) {
        self.endpoint = endpoint
        self.traffic = traffic
        self.bytes = bytes
        self.nanoseconds = nanoseconds
        self.last = last
    }

    package mutating func add(_ other: EndpointTraffic) {
        traffic.add(other.traffic)
        bytes &+= other.bytes
        nanoseconds &+= other.nanoseconds
        last = max(last, other.last)
    }

    package var isWrite: Bool { EndpointEvidence(endpoint: endpoint).isWrite }
}

/// A span of time with what was asked in it.
package struct TrafficSpan: Sendable, Equatable {
    package var began: Date
    package var ended: Date
    package var endpoints: [EndpointTraffic]

    package init(began: Date, ended: Date, endpoints: [EndpointTraffic]) {
        self.began = began
        self.ended = ended
        self.endpoints = endpoints
    }

    package var seconds: Double { max(0, ended.timeIntervalSince(began)) }
}
