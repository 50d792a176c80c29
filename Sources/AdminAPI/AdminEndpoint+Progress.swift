import Extraction
import FoundationEssentials
import Hummingbird

extension AdminHandlers {
    /// Candidates, burn-down and reports of retirement.
    func progress(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        switch endpoint {
        case .candidates:
            return try .json(
                try await backend.candidates(
                    since: try request.span("since", default: 7 * 86_400), paths: request.queries("path"),
                    limit: try request.limit(default: 10)))
        case .burnDown:
            return try .json(try await backend.burnDown(unusedFor: try request.span("unused", default: 30 * 86_400)))
        default: return try .json(try await backend.retireReport(name: try request.parameter("name")))
        }
    }
}

extension AdminRequest {
    /// A span of time of the query, in seconds.
    fileprivate func span(_ name: String, default standard: Double) throws(Problem) -> Double {
        guard let text = query(name) else { return standard }
        guard let seconds = SpanText.seconds(text) else {
            throw Problem(.badRequest, "`\(name)` is a span of time such as 90m, 12h or 7d, ten years at most")
        }
        return seconds
    }

    /// All values of a name that may be there several times.
    fileprivate func queries(_ name: String) -> [String] {
        request.uri.queryParameters[values: name[...]].map { String($0) }.filter { !$0.isEmpty }
    }
}
