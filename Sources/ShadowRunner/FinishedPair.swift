internal import Comparison
internal import NIOCore
internal import Upstreams

/// Both sides of one exchange, as far as there are two, on their way to the comparison.
struct FinishedPair: Sendable {
    enum Shadow: Sendable {
        case answered(head: ByteBuffer, body: [ByteBuffer])
        case failed(String)
        case notSent(NotComparedReason)
        case primaryFailed(String)

        init(_ result: ShadowCall.Result) {
            switch result {
            case .answered(let head, let body): self = .answered(head: head, body: body)
            case .answerTooLarge: self = .notSent(.bodyTooLarge)
            case .failed(let failure): self = .failed(failure.reason)
            }
        }
    }

    let exchange: CapturedExchange
    let shadow: Shadow
    let isWrite: Bool
    /// Both sides were asked again after a first difference, or could not be: what it says counts.
    var isSecondLook = false
}

extension UpstreamFailure {
    /// Public name, as a reason beside the verdict `shadow-failed`.
    var reason: String {
        switch self {
        case .refused: "connect-refused"
        case .connectTimeout, .firstByteTimeout, .idleTimeout: "timeout"
        case .noConnection: "no-connection"
        case .closedBeforeHead, .truncated: "reset"
        case .malformed: "malformed"
        }
    }
}
