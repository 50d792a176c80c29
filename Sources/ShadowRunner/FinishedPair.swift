internal import Comparison
internal import NIOCore
internal import Upstreams

/// Both sides of one exchange, as far as there are two, on their way to the comparison.
struct FinishedPair: Sendable {
    enum Shadow: Sendable {
        case answered(head: ByteBuffer, body: CapturedBody)
        case failed(String)
        case notSent(NotComparedReason)
        case primaryFailed(String)
        /// Nobody is to be asked: the monolith's answer is held against the contract.
        case contract

        init(_ result: ShadowCall.Result) {
            switch result {
            case .answered(let head, let body): self = .answered(head: head, body: body)
            case .answerTooLarge: self = .notSent(.bodyTooLarge)
            case .notAsked(let reason): self = .notSent(reason)
            case .failed(let failure): self = .failed(failure.reason)
            }
        }
    }

    /// How far a difference between the two can be trusted.
    enum Look: Sendable {
        /// A read that differs is asked again.
        case first
        /// Both sides were asked again after a first difference: what they say now counts.
        case second
        /// Differed, and could not be asked again: counts as a mismatch only if others of its kind were confirmed within
        /// the last minute, and confirms nothing about them. Else it is ``NotComparedReason/unsettled``.
        case only
        /// No pair: both answers are the primary's own, to learn how far it agrees with itself.
        case twin
    }

    /// What the primary had answered at first, beside a second look.
    struct Earlier: Sendable {
        let head: ByteBuffer
        let body: CapturedBody
    }

    let exchange: CapturedExchange
    /// That the exchange was decided by.
    let settings: ShadowSettings
    let shadow: Shadow
    let isWrite: Bool
    var look = Look.first
    /// Nanoseconds from sending to the shadow's last byte; 0 without an answer.
    var shadowNanoseconds: Int64 = 0
    /// Of a write: the name that it has in the ledger, whatever the present configuration would call it.
    var endpoint: String?
    /// The primary is being asked a second time already.
    var hasTwin = false
    /// Why it is looked at again.
    var suspicion: PairComparison.Suspicion?
    /// Only where noise is learned.
    var earlier: Earlier?

    /// Who gave the first answer.
    var primarySide: ComparedSide { exchange.shadowIsService ? .monolith : .service }

    var isAnswered: Bool {
        switch shadow {
        case .answered, .contract: true
        case .failed, .notSent, .primaryFailed: false
        }
    }

    /// Bytes of memory that it keeps alive, roughly.
    var heldBytes: Int {
        guard case .answered(let head, let body) = shadow else { return exchange.heldBytes }
        let ofExchange = exchange.heldBytes + (earlier?.heldBytes ?? 0)
        return body.parts.reduce(ofExchange + head.readableBytes) { $0 + $1.readableBytes }
    }

    /// As it is, without another look.
    var final: FinishedPair {
        var pair = self
        pair.look = .only
        return pair
    }
}

extension FinishedPair.Earlier {
    fileprivate var heldBytes: Int { body.parts.reduce(head.readableBytes) { $0 + $1.readableBytes } }
}

extension CapturedExchange {
    /// Bytes of memory that it keeps alive, roughly.
    var heldBytes: Int {
        var sum = 1_024 + requestHead.readableBytes + answerHead.readableBytes
        for bytes in requestBody { sum += bytes.readableBytes }
        for bytes in answerBody.parts { sum += bytes.readableBytes }
        return sum
    }

    /// As much of it as being counted takes.
    var withoutBodies: CapturedExchange {
        var exchange = self
        exchange.requestBody = []
        exchange.answerBody = .whole([])
        exchange.answerHead = ByteBuffer()
        return exchange
    }
}

extension UpstreamFailure {
    /// Public name, as a reason beside the verdict `shadow-failed`.
    var reason: String {
        switch self {
        case .refused: "connect-refused"
        case .connectTimeout, .firstByteTimeout, .idleTimeout: "timeout"
        case .noConnection, .noneHealthy: "no-connection"
        case .closedBeforeHead, .truncated: "reset"
        case .malformed: "malformed"
        }
    }
}
