package import Extraction
internal import Resilience

/// Why an upstream attempt ended without an answer that can be used, in the words of the exchange.
package enum AttemptFailure: Sendable, Equatable {
    case refused
    case connectTimeout
    case noConnection
    /// There is nobody to ask: no endpoint is healthy, or the name is unknown.
    case noUpstream
    case circuitOpen
    case reset
    case malformed
    case firstByteTimeout
    /// The answer had begun, so the request was carried out, at least in part.
    case brokenOff

    var fallbackReason: FallbackReason {
        switch self {
        case .refused: .refused
        case .connectTimeout, .firstByteTimeout: .timeout
        case .noConnection, .noUpstream: .noConnection
        case .circuitOpen: .circuitOpen
        case .reset, .malformed, .brokenOff: .reset
        }
    }

    /// Statuses of DESIGN §4: nobody there 503, refused or broken 502, too slow 504.
    var status: Int {
        switch self {
        case .refused, .reset, .malformed, .brokenOff: 502
        case .noConnection, .noUpstream, .circuitOpen: 503
        case .connectTimeout, .firstByteTimeout: 504
        }
    }

    var detail: String {
        switch self {
        case .refused: "The upstream cannot be reached."
        case .connectTimeout: "The upstream did not accept a connection in time."
        case .noConnection, .noUpstream, .circuitOpen: "The upstream is not available."
        case .reset: "The upstream closed the connection."
        case .malformed: "The upstream's answer is malformed."
        case .firstByteTimeout: "The upstream did not answer in time."
        case .brokenOff: "The upstream's answer broke off."
        }
    }
}

/// Decides what becomes of one exchange when its upstream answers or fails. A value: no I/O, no clock.
///
/// `connecting` → `sent` (a byte of the request was handed to a connection) → `answering` (a byte of the answer was
/// handed to the client) → `ended`. Where the client asked for another protocol and got it, `tunnelling` stands between
/// `sent` and `ended`. Attempts may go back from `sent` to `connecting`, never from `answering`.
package struct ExchangeMachine: Sendable, Equatable {
    package enum Phase: Sendable, Equatable { case idle, connecting, sent, answering, tunnelling, ended }

    package enum FailureAction: Sendable, Equatable {
        /// Ask the same upstream again, on a fresh connection.
        case retry
        /// Ask the monolith instead of the service.
        case fallBack(FallbackReason)
        /// Tell the client.
        case answer(status: Int, detail: String)
        /// Part of an answer is out: only a broken connection tells the client that it is not whole.
        case abort
    }

    package enum HeadAction: Sendable, Equatable {
        case forward
        case fallBack(FallbackReason)
        /// 101, as asked: the client gets it, and both connections become one.
        case tunnel
    }

    package enum TunnelEnd: Sendable, Equatable { case client, upstream }

    package enum TunnelAction: Sendable, Equatable {
        /// Tell the other side that this one says nothing more.
        case passOn
        /// Both have said all.
        case finish
        case ignore
    }

    package private(set) var phase = Phase.idle
    package private(set) var decision = Decision.unmatched
    /// Set once the monolith stands in.
    package private(set) var fellBack: FallbackReason?
    private var isSafe = true
    private var isIdempotent = true
    private var hasBody = false
    /// Bytes of the request body have been handed on, and are kept nowhere.
    private var bodyHandedOn = false
    private var attempts = 0
    /// In any attempt a byte of the request was handed to a connection.
    package private(set) var wasSent = false
    /// The client asks for another protocol: not to be compared, and asked once only, on a connection of its own.
    package private(set) var wantsUpgrade = false
    private var endedSide: TunnelEnd?

    package init() {}

    /// Who is being asked now.
    package var side: Side { fellBack == nil ? decision.primary : .monolith }

    /// - Parameter isIdempotent: by method; left out, only safe ones are.
    package mutating func requestArrived(
        _ decision: Decision, isSafe: Bool, isIdempotent: Bool? = nil, hasBody: Bool, wantsUpgrade: Bool = false
    ) {
        self = ExchangeMachine()
        self.decision = decision
        // What a tunnel has begun cannot be begun again elsewhere, whatever the method says.
        self.isSafe = isSafe && !wantsUpgrade
        self.isIdempotent = (isIdempotent ?? isSafe) && !wantsUpgrade
        self.hasBody = hasBody
        self.wantsUpgrade = wantsUpgrade
        phase = .connecting
        attempts = 1
    }

    /// It has become stale since the decision.
    package mutating func monolithStaysOut() {
        decision = Decision(
            primary: decision.primary, shadow: decision.shadow, monolithMayAnswer: false, why: decision.why)
    }

    package mutating func headHandedOn() {
        phase = .sent
        wasSent = true
    }

    package mutating func bodyBytesHandedOn() { bodyHandedOn = true }

    /// A final head arrived.
    package mutating func answerHeadArrived(status: Int) -> HeadAction {
        if side == .service, let reason = FallbackReason.status(status), mayFallBack(reason) {
            return turnToMonolith(reason)
        }
        if status == 101, wantsUpgrade {
            phase = .tunnelling
            return .tunnel
        }
        phase = .answering
        return .forward
    }

    /// One side of a tunnel says nothing more (TCP half-close).
    package mutating func tunnelInputEnded(_ side: TunnelEnd) -> TunnelAction {
        guard phase == .tunnelling, endedSide != side else { return .ignore }
        if endedSide != nil {
            phase = .ended
            return .finish
        }
        endedSide = side
        return .passOn
    }

    /// - Parameter retryIsAffordable: the loop's retry budget has something left.
    package mutating func upstreamFailed(
        _ failure: AttemptFailure, reused: Bool, retryIsAffordable: Bool = true
    ) -> FailureAction {
        if phase == .answering || phase == .tunnelling {
            phase = .ended
            return .abort
        }
        if failure == .reset, retryIsAffordable, mayRetry(reused: reused) {
            attempts += 1
            phase = .connecting
            return .retry
        }
        let reason = failure.fallbackReason
        if side == .service, mayFallBack(reason) {
            _ = turnToMonolith(reason)
            return .fallBack(reason)
        }
        phase = .ended
        // Retired: nobody stands in any more, so a service that is not there means that nobody is (503), not that a gateway's
        // upstream is broken.
        if side == .service, !decision.monolithMayAnswer, failure == .refused || failure == .connectTimeout {
            return .answer(status: 503, detail: "The service is not available.")
        }
        return .answer(status: failure.status, detail: failure.detail)
    }

    package mutating func ended() { phase = .ended }

    /// Whether the request can be sent again should a kept connection turn out dead.
    var mayRepeat: Bool { isIdempotent && !hasBody }

    private func mayRetry(reused: Bool) -> Bool {
        RetryPolicy.mayRetry(
            isSafe: isSafe, isIdempotent: isIdempotent, hasBody: hasBody,
            certainlyUnsent: phase == .connecting && !bodyHandedOn,
            anyResponseByte: false, reusedConnection: reused, attempts: attempts)
    }

    private func mayFallBack(_ reason: FallbackReason) -> Bool {
        // Body bytes that were handed on are gone: another upstream would get a part of them.
        guard fellBack == nil, !bodyHandedOn else { return false }
        return FallbackPolicy.monolithMayAnswer(
            decision, reason: reason, isSafe: isSafe, certainlyUnsent: phase == .connecting && !wasSent)
    }

    private mutating func turnToMonolith(_ reason: FallbackReason) -> HeadAction {
        fellBack = reason
        phase = .connecting
        attempts = 1
        return .fallBack(reason)
    }
}
