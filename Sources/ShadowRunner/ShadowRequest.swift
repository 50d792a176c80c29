internal import Comparison
internal import DualWrite
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// The request that the shadow gets: the primary's, marked, and for writes with the identity that the primary gave.
struct ShadowRequest {
    let head: ByteBuffer
    let body: [ByteBuffer]

    /// Nil when the captured head is not one, which would be a fault of ours.
    init?(_ exchange: CapturedExchange, isWrite: Bool, rules: ComparisonRules) {
        var body = exchange.requestBody
        var adopted: [(name: String, value: String)] = []
        if isWrite, !rules.identity.isEmpty {
            let identity = IdentityAdoption.apply(
                rules: rules.identity, primaryAnswer: exchange.answerBody.joinedBytes,
                shadowRequestBody: exchange.requestBody.joinedBytes)
            body = identity.body.isEmpty ? [] : [ByteBuffer(bytes: identity.body)]
            adopted = identity.headers.map { ($0.name, $0.value) }
        }
        let size = body.reduce(0) { $0 + $1.readableBytes }
        let forwarding = ShadowForwarding(
            bodyBytes: size, requestID: exchange.requestID, isWrite: isWrite, adopted: adopted)
        guard let head = forwarding.head(from: Array(exchange.requestHead.readableBytesView)) else { return nil }
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
