internal import HTTPWire
internal import NIOCore

/// What the proxy answers alone, with no upstream asked: loops, bodies that are too large, OPTIONS that may go no further.
extension HTTP1ClientConnection {
    /// Cheap, for every request: whether a closer look is needed.
    func mayAnswerAlone(_ request: RequestHead) -> Bool {
        parser.facts.hasVia || request.method == .options || context.settings.bodyLimit != nil
    }

    /// - Returns: whether it did.
    func answerAlone(_ bytes: inout ByteBuffer) -> Bool {
        let request = parser.head
        if case .length(let length) = request.framing, length > context.settings.bodyLimit ?? .max {
            refuseBody()
            return true
        }
        // 508 (RFC 5842 §7.2): this very process has forwarded the request before.
        if parser.facts.hasVia,
            bytes.withUnsafeReadableBytes({ parser.hasPassed(through: context.pseudonym, $0) })
        {
            refuse(status: 508, detail: "The request has come back to where it was sent from.")
            return true
        }
        guard request.method == .options, parser.facts.maxForwards == 0 else { return false }
        bytes.moveReaderIndex(forwardBy: min(request.length, bytes.readableBytes))
        inbound = bytes
        receiving = .nothing
        // What follows such a request may be its body, which nobody takes.
        closesAfterAnswer =
            !request.keepsAlive || isDraining || request.framing != .none || request.minorVersion == 0
        outbound.writeBytes(ErrorAnswer.options(keepsAlive: !closesAfterAnswer, date: date))
        answerWritten()
        return true
    }

    func refuseBody() { refuse(status: 413, detail: "The request body is larger than is accepted here.") }

    /// Whose connection this is, as far as origins, affinity and trust are concerned.
    func peerIs(_ address: SocketAddress) {
        peer = address
        factsAreOf = context.configurations
        forwardingFacts = ForwardingFacts(
            clientAddress: Array((address.ipAddress ?? "unknown").utf8),
            peerIsTrusted: context.settings.trustedProxies.contains { $0.contains(address) },
            pseudonym: context.pseudonym)
    }
}
