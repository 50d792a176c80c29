internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// The request that one side gets after the other: the same, marked, for writes with the identity that the other side gave,
/// and with every identity that it names translated.
struct ShadowRequest {
    let head: ByteBuffer
    let body: [ByteBuffer]

    /// What came of making one.
    enum Made {
        case ready(ShadowRequest)
        /// Identities of the answering side that stand in the request and whose partners are not known (yet): it must not be
        /// sent. They are being asked for; see `IdentityDirectory.wait`.
        case unmapped([IdentityQuestion])
        /// It can never be sent. `identity-missing`: a creation whose identity could not be carried over would make up one of
        /// its own, and from then on the two systems would speak of different things.
        case impossible(NotComparedReason)
    }

    /// What the answering side got, and what it said.
    struct Original {
        /// As the answering side got it.
        var requestHead: [UInt8]
        var requestBody: [UInt8]
        /// That the request goes by in both systems.
        var requestID: [UInt8]
        var isWrite: Bool
        /// Of a write.
        var answer: Answer?

        init(requestHead: [UInt8], requestBody: [UInt8], requestID: [UInt8], isWrite: Bool, answer: Answer? = nil) {
            self.requestHead = requestHead
            self.requestBody = requestBody
            self.requestID = requestID
            self.isWrite = isWrite
            self.answer = answer
        }
    }

    /// 201 (RFC 9110 §15.3.2): only a creation makes an identity up.
    private static let created = 201
    /// Bytes that an answer with an identity in it may have once it is decoded. That is done on the loop.
    private static let decodedBytes = 1024 * 1024

    /// - Parameters:
    ///   - side: who answered the original.
    ///   - target: who is to get it. The same as `side`: it is asked once more, and nothing is translated.
    static func make(
        _ original: Original, from side: Side, to target: Side, in extraction: ShadowedExtraction,
        identities: IdentityDirectory
    ) -> Made {
        var forwarding = ShadowForwarding(
            bodyBytes: 0, requestID: original.requestID, isWrite: original.isWrite)
        var body = original.requestBody
        if side != target {
            let rules = extraction.rules.identity
            if original.isWrite, rules.contains(where: { $0.adoption != nil }) {
                guard adopt(rules, original, &body, &forwarding) else { return .impossible(.identityMissing) }
            }
            if let mapping = extraction.identity {
                let made = translate(original, mapping, extraction.name, side, identities, &body, &forwarding)
                if let made { return made }
            }
        }
        forwarding.bodyBytes = body.count
        guard let head = forwarding.head(from: original.requestHead) else { return .impossible(.malformed) }
        return .ready(
            ShadowRequest(head: ByteBuffer(bytes: head), body: body.isEmpty ? [] : [ByteBuffer(bytes: body)]))
    }

    /// - Returns: false if an identity that a creation gave could not be carried over.
    private static func adopt(
        _ rules: [IdentityRule], _ original: Original, _ body: inout [UInt8], _ forwarding: inout ShadowForwarding
    ) -> Bool {
        let decoded = try? original.answer?.decoded(limit: decodedBytes)
        let identity = IdentityAdoption.apply(rules: rules, primaryAnswer: decoded?.body ?? [], shadowRequestBody: body)
        guard original.answer?.status != created || (identity.missing.isEmpty && identity.unplaced.isEmpty) else {
            return false
        }
        body = identity.body
        forwarding.adopted = identity.headers.map { ($0.name, $0.value) }
        return true
    }

    /// - Returns: nil: everything is translated.
    private static func translate(
        _ original: Original, _ mapping: IdentityMapping, _ extraction: String, _ side: Side,
        _ identities: IdentityDirectory, _ body: inout [UInt8], _ forwarding: inout ShadowForwarding
    ) -> Made? {
        guard let readable = ReadableHead(request: original.requestHead) else { return .impossible(.malformed) }
        let target = Array(readable.target.utf8)
        let request = IdentityMapping.Request(
            target: target, fields: readable.fields.map { HeaderField(name: $0.name, value: $0.value) }, body: body)
        let translated = mapping.translated(request, from: side, find: identities.find(in: extraction))
        guard translated.unmapped.isEmpty else {
            return .unmapped(
                translated.unmapped.map {
                    IdentityQuestion(extraction: extraction, kind: $0.kind, side: side, value: $0.value)
                })
        }
        if translated.isUnreadable { return .impossible(.identityUnreadable) }
        body = translated.body
        forwarding.target = translated.target == target ? nil : translated.target
        forwarding.values = translated.values
        forwarding.isDecoded = translated.isDecoded
        return nil
    }
}

extension IdentityDirectory {
    /// Never waits; what is not at hand is asked for.
    func find(in extraction: String) -> IdentityMapping.Find {
        { kind, side, value in
            switch self.lookup(IdentityQuestion(extraction: extraction, kind: kind, side: side, value: value)) {
            case .known(let pair): .known(pair)
            case .notYetKnown: .unknown(isFinal: false)
            case .unknown: .unknown(isFinal: true)
            }
        }
    }
}

extension ShadowRequest.Original {
    init(_ exchange: CapturedExchange, isWrite: Bool) {
        self.init(
            requestHead: Array(exchange.requestHead.readableBytesView), requestBody: exchange.requestBody.joinedBytes,
            requestID: exchange.requestID, isWrite: isWrite,
            answer: isWrite ? Answer(head: exchange.answerHead, body: exchange.answerBody) : nil)
    }
}

extension CapturedExchange {
    /// Who is asked after the side that answered.
    var shadowSide: Side { shadowIsService ? .service : .monolith }
}

extension [ByteBuffer] {
    var joinedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reduce(0) { $0 + $1.readableBytes })
        for part in self { bytes.append(contentsOf: part.readableBytesView) }
        return bytes
    }
}
