/// One request of a shopper. The caller knows the address; the path begins with `/` and may have a query.
package struct ShopRequest: Sendable, Equatable {
    package let method: String
    package let path: String
    package let headers: [String: String]
    package let body: String?

    package init(method: String, path: String, headers: [String: String], body: String?) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }
}

package struct ShopResponse: Sendable, Equatable {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    package let body: [UInt8]

    /// `headers` may have names in any case.
    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        self.body = body
    }
}

/// The HTTP client that the traffic goes through: keep-alive, no retries, no redirects.
package protocol HTTPCaller: Sendable {
    func call(_ request: ShopRequest) async throws -> ShopResponse
}
