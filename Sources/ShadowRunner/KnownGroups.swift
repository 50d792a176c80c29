internal import Comparison

/// The groups of mismatches that this process has counted, so that a storm of ever new ones costs a bounded number of
/// rows, whatever the two systems answer. (It forgets them when it ends: another start may add as many.)
struct KnownGroups {
    static let maximumPerEndpoint = 200
    static let maximumPerExtraction = 2_000

    private struct Extraction {
        /// Signatures in hexadecimal, by endpoint.
        var endpoints: [String: Set<String>] = [:]
        var count = 0
    }

    private var extractions: [String: Extraction] = [:]

    /// The group that a mismatch is counted in: its own, or the endpoint's one for all that are too many.
    func group(of signature: MismatchSignature) -> MismatchSignature {
        guard let known = extractions[signature.extraction] else { return signature }
        let ofEndpoint = known.endpoints[signature.endpoint] ?? []
        if ofEndpoint.contains(signature.hex) { return signature }
        let hasRoom =
            ofEndpoint.count < KnownGroups.maximumPerEndpoint && known.count < KnownGroups.maximumPerExtraction
        return hasRoom ? signature : .overflow(extraction: signature.extraction, endpoint: signature.endpoint)
    }

    /// The same, and it is known from now on.
    mutating func admit(_ signature: MismatchSignature) -> MismatchSignature {
        let group = group(of: signature)
        guard group == signature else { return group }
        let isNew = extractions[signature.extraction, default: Extraction()]
            .endpoints[signature.endpoint, default: []].insert(signature.hex).inserted
        if isNew { extractions[signature.extraction]?.count += 1 }
        return group
    }
}

extension MismatchSignature {
    /// Stands for all groups of an endpoint beyond the limits. Its examples say what differed.
    static func overflow(extraction: String, endpoint: String) -> MismatchSignature {
        MismatchSignature(
            extraction: extraction, endpoint: endpoint,
            differences: [
                Difference(
                    path: NoiseTally.otherFields.path, kind: NoiseTally.otherFields.kind, primary: "", shadow: "")
            ])
    }
}
