package import NIOCore
package import Resilience

/// Where an upstream listens.
package struct UpstreamAddress: Sendable, Hashable {
    /// A name or an address; IPv6 without brackets.
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, with brackets around an IPv6 literal: what a Host field holds (RFC 9110 §7.2).
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Nil for a name, which has to be resolved first.
    var literal: SocketAddress? { try? SocketAddress(ipAddress: host, port: port) }
}

/// One upstream as people define it: where it is, how requests are spread, when an endpoint is left alone, how much it may
/// get. All figures hold for the whole process; each event loop takes its share of those that are divisible.
package struct UpstreamSettings: Sendable, Hashable {
    /// For status and logs.
    package var name: String
    /// Each is one endpoint, or as many as its name has addresses. The first one's authority stands for a missing Host.
    package var addresses: [UpstreamAddress]
    package var balancing = LoadBalancer.Method.roundRobin
    /// How often names are resolved anew. Addresses never are.
    package var resolveEvery = TimeAmount.seconds(30)
    /// Nil: not probed.
    package var health: HealthCheckSettings?
    /// Nil: endpoints that fail are asked all the same.
    package var outlier: OutlierDetection.Limits? = OutlierDetection.Limits()
    /// Nil: none. A monolith better has none: nobody stands in for it.
    package var breaker: CircuitBreaker.Limits? = CircuitBreaker.Limits()
    package var retries = RetryBudget.Limits()
    /// Connections to all its endpoints together, idle ones among them. At least 1.
    package var connections = 1_024
    /// Exchanges that wait for a connection; 0: none waits.
    package var pending = 1_024
    /// Bytes of one request that wait for a slow endpoint before its client is no longer read from.
    package var buffer = 32 * 1024
    /// Nil: the proxy's.
    package var timeouts: UpstreamTimeouts?

    /// - Parameter name: the first address if left out.
    package init(name: String? = nil, addresses: [UpstreamAddress]) {
        self.name = name ?? addresses.first?.authority ?? ""
        self.addresses = addresses
    }

    package init(name: String? = nil, _ address: UpstreamAddress) {
        self.init(name: name, addresses: [address])
    }
}

/// How an upstream's endpoints are probed: GET `path`, and 2xx in time passes.
package struct HealthCheckSettings: Sendable, Hashable {
    /// Path and query.
    package var path: String
    /// Of the request; nil: the authority of the endpoint's address.
    package var host: String?
    /// From the connection's beginning to the answer's head.
    package var timeout: TimeAmount
    package var limits: HealthCheck.Limits

    package init(
        path: String, host: String? = nil, timeout: TimeAmount = .seconds(2),
        limits: HealthCheck.Limits = HealthCheck.Limits()
    ) {
        self.path = path
        self.host = host
        self.timeout = timeout
        self.limits = limits
    }
}

/// One event loop's part of what is limited for the process.
package struct LoopShare: Sendable, Hashable {
    private let index: Int
    private let count: Int

    /// - Parameter index: of the loop, below `count`.
    package init(index: Int, of count: Int) {
        self.count = max(count, 1)
        self.index = min(max(index, 0), self.count - 1)
    }

    /// For whoever has only one loop, or whose figures are each loop's already.
    package static let whole = LoopShare(index: 0, of: 1)

    /// At least 1 of what is not 0, so that a limit below the number of loops is exceeded rather than a loop left with
    /// nothing.
    package func of(_ total: Int) -> Int { total <= 0 ? 0 : max(1, total / count + (index < total % count ? 1 : 0)) }
}
