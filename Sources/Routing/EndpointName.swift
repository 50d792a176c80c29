/// The name of an endpoint, taken apart: `GET /api/v1/orders/{id}`.
package struct EndpointName: Sendable, Hashable {
    package let method: String
    /// `/api/v1/orders/{id}`.
    package let template: String

    /// Nil for what has no path: `GET (not-found)`.
    package init?(_ endpoint: String) {
        guard let blank = endpoint.firstIndex(of: " ") else { return nil }
        method = String(endpoint[..<blank])
        template = String(endpoint[endpoint.index(after: blank)...])
        guard template.first == "/", !method.isEmpty else { return nil }
    }

    /// A path that the template stands for.
    package var sample: String {
        "/"
            + template.split(separator: "/").map { segment in
                segment == "**" || segment.first == "{" ? "1" : String(segment)
            }.joined(separator: "/")
    }
}
