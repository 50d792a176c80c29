internal import NIOCore
package import Resilience

/// How one upstream stands, for people.
package struct UpstreamStatus: Sendable, Equatable {
    package struct Endpoint: Sendable, Equatable {
        /// Address and port.
        package let address: String
        /// Of the address as it was written.
        package let authority: String
        /// By active checks; unknown where there are none.
        package let health: HealthCheck.State
        /// How long `health` has been so, or how long the endpoint has been known.
        package let sinceNanoseconds: Int64
        /// Of the last check that failed, or else of the last request that did.
        package internal(set) var lastError: String?
        /// Event loops that leave it alone at present because requests failed there.
        package internal(set) var ejectedOnLoops = 0
        package internal(set) var activeRequests = 0
        package internal(set) var connections = 0
        /// Requests and connections that failed here, as outlier detection counts them.
        package internal(set) var faults = 0

        init(
            address: String, authority: String, health: HealthCheck.State, sinceNanoseconds: Int64, lastError: String?
        ) {
            self.address = address
            self.authority = authority
            self.health = health
            self.sinceNanoseconds = sinceNanoseconds
            self.lastError = lastError
        }

        /// In one word.
        package var state: String {
            switch health {
            case .unhealthy: "unhealthy"
            case _ where ejectedOnLoops > 0: "ejected"
            case .healthy: "healthy"
            case .unknown: "unknown"
            }
        }
    }

    package let name: String
    package private(set) var endpoints: [Endpoint]
    package let failedResolutions: Int
    /// Of a name that cannot be resolved at present.
    package let resolutionError: String?
    /// Those to endpoints that have vanished among them.
    package private(set) var connections = 0
    /// Exchanges that wait for a connection.
    package private(set) var pending = 0
    /// Event loops whose breaker keeps requests away.
    package private(set) var openBreakers = 0

    init(name: String, endpoints: [Endpoint], failedResolutions: Int, resolutionError: String?) {
        self.name = name
        self.endpoints = endpoints
        self.failedResolutions = failedResolutions
        self.resolutionError = resolutionError
    }

    mutating func add(_ part: UpstreamLoopStatus) {
        connections += part.connections
        pending += part.pending
        openBreakers += part.isBreakerOpen ? 1 : 0
        for one in part.endpoints {
            guard let index = endpoints.firstIndex(where: { $0.address == one.address }) else { continue }
            endpoints[index].ejectedOnLoops += one.isEjected ? 1 : 0
            endpoints[index].activeRequests += one.activeRequests
            endpoints[index].connections += one.connections
            endpoints[index].faults += one.faults
            endpoints[index].lastError = endpoints[index].lastError ?? one.lastFault?.description
        }
    }
}

/// One loop's part of it.
struct UpstreamLoopStatus: Sendable {
    struct Endpoint: Sendable {
        let address: String
        let isEjected: Bool
        let activeRequests: Int
        let connections: Int
        let faults: Int
        let lastFault: EndpointFault?
    }

    let endpoints: [Endpoint]
    let connections: Int
    let pending: Int
    let isBreakerOpen: Bool
}

extension Upstream {
    func loopStatus() -> UpstreamLoopStatus {
        UpstreamLoopStatus(
            endpoints: pools.map { pool in
                UpstreamLoopStatus.Endpoint(
                    address: pool.address.place, isEjected: pool.outlier.isEjected,
                    activeRequests: pool.activeRequests, connections: pool.connections, faults: pool.faults,
                    lastFault: pool.lastFault)
            },
            connections: connections, pending: waiting.count { $0.consumer != nil },
            isBreakerOpen: isBreakerOpen(now: .now()))
    }
}

extension SocketAddress {
    /// Address and port, as an authority is written.
    var place: String { UpstreamAddress(host: ipAddress ?? description, port: port ?? 0).authority }
}

extension UpstreamFailure {
    /// For people who run the proxy.
    var description: String {
        switch self {
        case .refused: "no connection"
        case .connectTimeout: "no connection in time"
        case .noConnection: "all connections busy"
        case .noneHealthy: "no healthy endpoint"
        case .closedBeforeHead: "closed before an answer"
        case .truncated: "answer broke off"
        case .malformed: "malformed answer"
        case .firstByteTimeout: "no answer in time"
        case .idleTimeout: "answer stood still"
        }
    }
}

extension EndpointFault {
    var description: String {
        switch self {
        case .failure(let failure): failure.description
        case .status(let status): "status \(status)"
        }
    }
}
