import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import ProxyConfiguration
import Upstreams

/// Asks a service whether it is well: 2xx on the health path of each of its servers. Off the data plane's loops.
struct HealthProbe: Sendable {
    /// Nil when the service names no health path, so that nobody can tell.
    func isHealthy(_ service: UpstreamDefinition?) async -> Bool? {
        guard let service, let health = service.health else { return nil }
        for server in service.addresses {
            let request = HTTPClientRequest(url: "http://\(UpstreamAddress(server).authority)\(health.path)")
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(health.timeout))
                guard (200..<300).contains(response.status.code) else { return false }
            } catch {
                return false
            }
        }
        return true
    }
}
