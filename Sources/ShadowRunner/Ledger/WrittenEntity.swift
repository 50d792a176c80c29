internal import Contract
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// Where what was written can be read again, on the side that answered: for reconciling.
struct WrittenEntity {
    private let method: Method
    private let path: String
    private let answer: ReadableHead

    /// - Returns: nil where one of the heads cannot be read.
    init?(_ exchange: CapturedExchange) {
        guard let request = ReadableHead(request: Array(exchange.requestHead.readableBytesView)),
            let answer = ReadableHead(answer: Array(exchange.answerHead.readableBytesView))
        else { return nil }
        method = exchange.method
        path = request.path
        self.answer = answer
    }

    /// - Returns: nil: none is known.
    func path(_ extraction: ShadowedExtraction, _ pairs: [IdentityPair], _ side: Side) -> String? {
        if answer.status == 201, let location { return location }
        switch method {
        case .put, .patch: return path
        case .delete: return nil
        default: break
        }
        // What was created in a collection stands below it, by the identity that it got. Where the contract knows of nothing to
        // be read, nothing is guessed.
        guard let contract = extraction.contract else { return nil }
        let below = path.hasSuffix("/") ? path : path + "/"
        let candidates = answer.status == 201 ? pairs.map { below + $0.value(at: side) } : [path]
        return candidates.first { contract.operation(method: "GET", path: $0) != nil }
    }

    /// Of the answer's `Location` (RFC 9110 §10.2.2) what stands behind the authority.
    private var location: String? {
        guard let value = answer.fields.first(where: { $0.name.lowercased() == "location" })?.value else { return nil }
        if value.hasPrefix("/"), !value.hasPrefix("//") { return value }
        guard let authority = value.firstRange(of: "://") else { return nil }
        let rest = value[authority.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) }
    }
}
