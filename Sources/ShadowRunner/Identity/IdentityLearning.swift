internal import Comparison
internal import DualWrite
internal import Extraction

extension ShadowedExtraction {
    /// What two answers to one write say of one thing's two names. To be told to the `IdentityDirectory` at once, and to be
    /// written down with the delivery.
    ///
    /// - Parameters:
    ///   - requestHead: as the answering side got it.
    ///   - side: who gave the first answer; the other one gave `other`.
    func identityPairs(
        requestHead: [UInt8], answer: Answer, from side: Side, other: Answer
    ) -> [IdentityPair] {
        []
    }
}
