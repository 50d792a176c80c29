package import Routing

/// A system behind the proxy, on one or several servers that are alike, spoken to in plain HTTP/1.1.
package struct UpstreamDefinition: Sendable, Hashable {
    /// The first in the file, for what speaks to one server only.
    package let first: ServerAddress
    /// The others in the order of the file, none twice.
    package let others: [ServerAddress]
    package var balancing: Balancing
    /// How often names are asked of DNS again. Above 0.
    package var resolveInterval: Duration
    /// Nil: not probed.
    package var health: HealthDefinition?
    /// Nil: no server is ejected.
    package var outlier: OutlierDefinition?
    /// Nil for the monolith: nothing could answer in its place.
    package var breaker: BreakerDefinition?
    /// Connections of the process to all servers together, idle ones among them.
    package var connections: Int
    /// Requests of the process that wait for a connection; 0: none waits.
    package var pending: Int

    /// Every address, at least one.
    package var addresses: [ServerAddress] { [first] + others }

    package init(
        first: ServerAddress, others: [ServerAddress] = [], balancing: Balancing = .roundRobin,
        resolveInterval: Duration = .seconds(30), health: HealthDefinition? = nil,
        outlier: OutlierDefinition? = OutlierDefinition(), breaker: BreakerDefinition? = nil, connections: Int = 1_024,
        pending: Int = 1_024
    ) {
        self.first = first
        self.others = others
        self.balancing = balancing
        self.resolveInterval = resolveInterval
        self.health = health
        self.outlier = outlier
        self.breaker = breaker
        self.connections = connections
        self.pending = pending
    }
}

/// Where a server listens. A name may stand for several addresses.
package struct ServerAddress: Sendable, Hashable {
    /// A name or an address; IPv6 without brackets.
    package let host: String
    /// 1…65535.
    package let port: Int
    package let location: SourceLocation

    package init(host: String, port: Int, location: SourceLocation) {
        self.host = host
        self.port = port
        self.location = location
    }
}

/// Which server gets the next request.
package enum Balancing: String, Sendable, CaseIterable {
    /// In turn.
    case roundRobin = "round-robin"
    /// The one with the fewest requests under way.
    case leastRequests = "least-requests"
}

/// Probes on a path of every server.
package struct HealthDefinition: Sendable, Hashable {
    /// Path and query of the probe; 2xx is well.
    package let path: String
    /// From the start of one probe to the start of the next. Above 0.
    package var interval: Duration
    /// Above 0, at most `interval`.
    package var timeout: Duration
    /// Good probes in a row after which a server gets requests again. At least 1.
    package var healthy: Int
    /// Bad probes in a row after which it gets none. At least 1.
    package var unhealthy: Int

    package init(
        path: String, interval: Duration = .seconds(5), timeout: Duration = .seconds(2), healthy: Int = 2,
        unhealthy: Int = 3
    ) {
        self.path = path
        self.interval = interval
        self.timeout = timeout
        self.healthy = healthy
        self.unhealthy = unhealthy
    }
}

/// When a server that fails real requests is left out for a while.
package struct OutlierDefinition: Sendable, Hashable {
    /// Failures in a row. At least 1.
    package var failures: Int
    /// How long it is left out the first time; the n-th time n times as long. Above 0.
    package var ejection: Duration
    /// And never longer than this. At least `ejection`.
    package var longest: Duration

    package init(failures: Int = 5, ejection: Duration = .seconds(30), longest: Duration = .seconds(300)) {
        self.failures = failures
        self.ejection = ejection
        self.longest = longest
    }
}

/// When requests are kept away from a whole service; the defaults are those of DESIGN §4.
package struct BreakerDefinition: Sendable, Hashable {
    /// Outcomes that are remembered at most, so the most that `calls` can ask for.
    package static let window = 100

    /// Share of failures, 1…100 percent, from which on it opens.
    package var failurePercent: Int
    /// Share of slow calls, 1…100 percent, from which on it opens.
    package var slowPercent: Int
    /// A call that took longer is slow. Above 0.
    package var slowAfter: Duration
    /// Fewer calls than this prove nothing. 1…`window`.
    package var calls: Int
    /// How long it stays open. Above 0.
    package var open: Duration
    /// Calls let out afterwards, on whose outcome it depends whether it closes. 1…100.
    package var probes: Int

    package init(
        failurePercent: Int = 50, slowPercent: Int = 75, slowAfter: Duration = .seconds(2), calls: Int = 10,
        open: Duration = .seconds(10), probes: Int = 3
    ) {
        self.failurePercent = failurePercent
        self.slowPercent = slowPercent
        self.slowAfter = slowAfter
        self.calls = calls
        self.open = open
        self.probes = probes
    }
}
