import FoundationEssentials

/// Step 5, stage `fallback`: the service answers everything, the monolith stands by for the window (30 days).
///
/// Gate: the weight reached 100 % and held for the bake time; entered by itself then, unless something holds. Entering starts the window. Left by `retire`, by
/// `cutover` to less than 100 % (the window ends and starts anew the next time), by a rollback to `shadow`, or by the guard to `cutover` at 0 %.
///
/// Traffic: the service answers, the monolith is shadowed so that its data stays fresh, and answers where the service
/// fails (`FallbackPolicy`).
enum Step5Fallback: Step {
    static let stage = Stage.fallback

    static func requirements(_ facts: GateFacts) -> [Requirement] {
        let weights = facts.state.weights
        guard weights == .all else {
            return [.missing("weight", "the service answers \(weights.ofKeys), fallback needs 100%")]
        }
        let bake = facts.definition.bake.inSeconds
        let held = facts.now.timeIntervalSince(facts.state.bakingSince)
        return [
            .met("weight", "the service answers 100% of the keys"),
            held < bake
                ? .missing(
                    "bake",
                    "100% has to hold for \(readableTime(seconds: bake)), \(readableTime(seconds: bake - held)) left")
                : .met("bake", "100% has held for \(readableTime(seconds: held))"),
        ]
    }

    static func traffic(weights: Weights) -> StageTraffic {
        StageTraffic(
            serviceShares: .all, shadows: true, keepsMonolith: true, whyMonolith: .fallback, whyService: .fallback)
    }
}

/// Why the service's answer could not be used. The raw value is the public name: in `Strangler-Served-By`, in
/// metrics, in counters.
package enum FallbackReason: String, CaseIterable, Codable, Sendable {
    case refused = "connect-refused"
    case timeout
    case badGateway = "status-502"
    case unavailable = "status-503"
    case gatewayTimeout = "status-504"
    case circuitOpen = "circuit-open"
    /// The connection broke before the answer began.
    case reset
    /// None to be had: the pool is at its limit, or the address is unknown.
    case noConnection = "no-connection"

    /// The reason that an answer's status stands for, or nil when the status is an answer: a 500 or a 404 may well be
    /// what the service means, 502, 503 and 504 say that nobody is at home.
    package static func status(_ code: Int) -> FallbackReason? {
        switch code {
        case 502: .badGateway
        case 503: .unavailable
        case 504: .gatewayTimeout
        default: nil
        }
    }

    /// Whether the service got the request for certain, since it answered it.
    var serviceAnswered: Bool {
        switch self {
        case .badGateway, .unavailable, .gatewayTimeout: true
        case .refused, .timeout, .circuitOpen, .reset, .noConnection: false
        }
    }
}

/// Whether the monolith answers a request on which the service failed.
package enum FallbackPolicy {
    /// - Parameters:
    ///   - decision: must allow it (`monolithMayAnswer`): in `retired` the monolith gets nothing any more.
    ///   - isSafe: by method (RFC 9110 §9.2.1). Asking twice does no harm.
    ///   - certainlyUnsent: no byte of the request was handed to a connection to the service. A write may be carried
    ///     out twice otherwise: a timeout does not say whether the service has done it.
    package static func monolithMayAnswer(
        _ decision: Decision, reason: FallbackReason, isSafe: Bool, certainlyUnsent: Bool
    ) -> Bool {
        guard decision.monolithMayAnswer else { return false }
        return isSafe || (certainlyUnsent && !reason.serviceAnswered)
    }
}
