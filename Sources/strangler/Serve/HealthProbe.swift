import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import ProxyConfiguration
import Upstreams

/// Asks a service whether it is well: 2xx on its health path within two seconds. Off the data plane's loops.
struct HealthProbe: Sendable {
    static let timeout = TimeAmount.seconds(2)

    /// Nil when the service names no health path, so that nobody can tell.
    func isHealthy(_ service: UpstreamDefinition?) async -> Bool? {
        guard let service, let path = service.healthPath else { return nil }
        let request = HTTPClientRequest(url: "http://\(UpstreamAddress(service).authority)\(path)")
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: HealthProbe.timeout)
            return (200..<300).contains(response.status.code)
        } catch {
            return false
        }
    }
}
