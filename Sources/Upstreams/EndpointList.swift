package import NIOCore

/// Where an upstream's endpoints are, and which of them fail their health checks: what the directory tells every loop.
package struct EndpointList: Sendable, Equatable {
    package struct Endpoint: Sendable, Equatable {
        package var address: SocketAddress
        package var isUnhealthy = false

        package init(address: SocketAddress, isUnhealthy: Bool = false) {
            self.address = address
            self.isUnhealthy = isUnhealthy
        }
    }

    /// Each address once.
    package private(set) var endpoints: [Endpoint]

    package init(endpoints: [Endpoint]) {
        self.endpoints = []
        for endpoint in endpoints where !self.endpoints.contains(where: { $0.address == endpoint.address }) {
            self.endpoints.append(endpoint)
        }
    }
}
