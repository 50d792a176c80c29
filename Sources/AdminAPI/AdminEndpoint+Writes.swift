import FoundationEssentials
import HTTPTypes
import Hummingbird

extension AdminHandlers {
    /// The list of writes, and what people decide about them.
    func writes(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        guard endpoint != .writes else {
            let name = try request.parameter("name")
            return try .json(try await backend.writes(of: name, try Self.query(request)))
        }
        let id = try request.parameter("id")
        guard let reason = try AdminRequest.reason(try await request.body(DecisionBody.self).reason) else {
            throw AdminError(
                .refused, "write \(id): refused", reasons: ["a decision about a write needs a reason: it is kept"])
        }
        return try .json(
            try await backend.decide(
                endpoint == .retryWrite ? .retry : .settle, write: id, reason: reason, actor: request.actor))
    }

    private static func query(_ request: AdminRequest) throws -> WritesQuery {
        let kind = try request.query("state").map { text in
            guard let kind = WritesQuery.Kind(rawValue: text) else {
                let known = WritesQuery.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw AdminError(.invalid, "\(text) is not a state that can be asked for; those are \(known)")
            }
            return kind
        }
        return WritesQuery(
            kind: kind, endpoint: request.query("endpoint"),
            after: request.query("after") ?? request.query("before"),
            limit: try request.limit(default: 100))
    }
}

/// The body of `retry` and `settle`: `{"reason": …}`.
private struct DecisionBody: Decodable {
    var reason: String?

    private enum CodingKeys: String, CodingKey, CaseIterable { case reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        reason = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .reason)
    }
}
