import AsyncHTTPClient
import DemoShop
import NIOCore
import NIOHTTP1

/// The demo's clients speak to the proxy as any program would: over HTTP with keep-alive, without retries or redirects.
struct ProxyCaller: HTTPCaller {
    let client: HTTPClient
    let base: String

    static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        // A retry of the client's would hide an error of the proxy's.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func call(_ request: ShopRequest) async throws -> ShopResponse {
        var outgoing = HTTPClientRequest(url: base + request.path)
        outgoing.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if let body = request.body { outgoing.body = .bytes(ByteBuffer(string: body)) }
        let response = try await client.execute(outgoing, timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 4 * 1024 * 1024)
        return ShopResponse(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
            body: Array(body.readableBytesView))
    }
}
