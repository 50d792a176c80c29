internal import Comparison
internal import DualWrite
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// The request that the shadow gets: the primary's, marked, and for writes with the identity that the primary gave.
struct ShadowRequest {
    let head: ByteBuffer
    let body: [ByteBuffer]

    /// 201 (RFC 9110 §15.3.2): only a creation makes an identity up.
    private static let created = 201
    /// Bytes that an answer with an identity in it may have once it is decoded. That is done on the loop.
    private static let decodedBytes = 1024 * 1024

    /// - Throws: why the shadow cannot be asked. `identity-missing`: a creation whose identity could not be carried over
    ///   would make up one of its own, and from then on the two systems would speak of different things.
    init(_ exchange: CapturedExchange, isWrite: Bool, rules: ComparisonRules) throws(NotComparedReason) {
        var body = exchange.requestBody
        var adopted: [(name: String, value: String)] = []
        if isWrite, !rules.identity.isEmpty {
            let answer = Answer(head: exchange.answerHead, body: exchange.answerBody)
            let decoded = try? answer?.decoded(limit: ShadowRequest.decodedBytes)
            let identity = IdentityAdoption.apply(
                rules: rules.identity, primaryAnswer: decoded?.body ?? [],
                shadowRequestBody: exchange.requestBody.joinedBytes)
            if case .answered(ShadowRequest.created) = exchange.outcome,
                !identity.missing.isEmpty || !identity.unplaced.isEmpty
            {
                throw .identityMissing
            }
            body = identity.body.isEmpty ? [] : [ByteBuffer(bytes: identity.body)]
            adopted = identity.headers.map { ($0.name, $0.value) }
        }
        let size = body.reduce(0) { $0 + $1.readableBytes }
        let forwarding = ShadowForwarding(
            bodyBytes: size, requestID: exchange.requestID, isWrite: isWrite, adopted: adopted)
        guard let head = forwarding.head(from: Array(exchange.requestHead.readableBytesView)) else {
            throw .malformed
        }
        self.head = ByteBuffer(bytes: head)
        self.body = body
    }
}

extension [ByteBuffer] {
    var joinedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reduce(0) { $0 + $1.readableBytes })
        for part in self { bytes.append(contentsOf: part.readableBytesView) }
        return bytes
    }
}
