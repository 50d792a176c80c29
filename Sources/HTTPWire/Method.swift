/// A request method, RFC 9110 §9. The registered ones that a proxy treats specially have a case; every other token is
/// `.other` and is forwarded byte for byte from the request line.
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, trace, connect, other

    /// The token of a known method; empty for `.other`.
    package var name: String { token.description }

    var token: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: ""
        }
    }

    /// The known method with exactly this token (methods are case-sensitive, RFC 9110 §9.1), else `.other`.
    package init(token: String) {
        self = Method.allCases.first { $0 != .other && $0.name == token } ?? .other
    }

    /// Safe by RFC 9110 §9.2.1: a request that asks for no change, so it may be asked of both sides and asked again.
    package var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        default: false
        }
    }

    /// Idempotent by RFC 9110 §9.2.2: sending it twice has the effect of sending it once.
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .options, .trace, .put, .delete: true
        default: false
        }
    }
}
