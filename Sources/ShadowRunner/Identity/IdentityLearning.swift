internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire

extension ShadowedExtraction {
    /// What two answers to one write say of one thing's two names. To be told to the `IdentityDirectory` at once, and to be
    /// written down with the delivery. Costs nothing where no rule maps.
    ///
    /// - Parameters:
    ///   - requestHead: as the answering side got it.
    ///   - side: who gave `answer`; the other one gave `other`.
    func identityPairs(requestHead: [UInt8], answer: Answer, from side: Side, other: Answer) -> [IdentityPair] {
        guard let identity, let request = ReadableHead(request: requestHead) else { return [] }
        return identity.pairs(
            method: request.method, target: Array(request.target.utf8), answer: answer, from: side, other: other)
    }
}
