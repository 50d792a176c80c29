internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// A write with its primary's answer, as delivering and comparing it takes: from memory, or read back from the log.
struct HeldWrite {
    /// Its slot and side are set anew for each delivery, for a reload may have moved them.
    var exchange: CapturedExchange
    let success: StatusSet
    /// Without one a person has it delivered: there is nothing to compare then.
    let hasOutcome: Bool

    /// Of an exchange that has just ended.
    init(_ exchange: CapturedExchange, success: StatusSet) {
        self.exchange = exchange
        self.success = success
        hasOutcome = true
    }

    /// - Returns: nil where the captured head cannot be read.
    init?(_ write: OpenWrite) {
        guard let method = write.intent.requestHead.method else { return nil }
        let outcome = write.outcome
        var body = CapturedBody.whole([])
        if let bytes = outcome?.answerBody, !bytes.isEmpty {
            body = .whole([ByteBuffer(bytes: bytes)])
        } else if let digest = outcome?.answerDigest {
            body = .hashed(digest)
        }
        let facts = write.intent.facts
        exchange = CapturedExchange(
            extraction: 0, route: -1, method: method, requestHead: ByteBuffer(bytes: write.intent.requestHead),
            requestBody: write.intent.requestBody.isEmpty ? [] : [ByteBuffer(bytes: write.intent.requestBody)],
            answerHead: ByteBuffer(bytes: outcome?.answerHead ?? []), answerBody: body,
            isTruncated: outcome.map { $0.answerBody == nil && $0.answerDigest == nil } ?? false,
            outcome: .answered(status: outcome?.status ?? 0), shadowIsService: write.answeredBy == .monolith,
            lane: facts.lane, requestID: Array(facts.id.description.utf8),
            primaryNanoseconds: outcome?.nanoseconds ?? 0, answeredBy: write.answeredBy)
        success = write.intent.success
        hasOutcome = outcome != nil
    }

    var outcome: WriteOutcome? {
        guard hasOutcome, let status = exchange.knownStatus else { return nil }
        return WriteOutcome(
            answeredBy: exchange.answeredBy, status: status, nanoseconds: exchange.primaryNanoseconds,
            answerHead: Array(exchange.answerHead.readableBytesView),
            answerBody: exchange.hasWholeAnswer && exchange.answerBody.digest == nil
                ? exchange.answerBody.parts.joinedBytes : nil,
            answerDigest: exchange.hasWholeAnswer ? exchange.answerBody.digest : nil)
    }

    /// Where what it made or changed can be read again, on the side that has answered.
    func entity(_ endpoint: String, in extraction: ShadowedExtraction) -> String? {
        EntityPath.of(
            requestHead: Array(exchange.requestHead.readableBytesView), endpoint: endpoint,
            status: hasOutcome ? exchange.knownStatus : nil, answerHead: Array(exchange.answerHead.readableBytesView),
            answerBody: outcome?.answerBody, rules: extraction.rules.identity, in: extraction.readable)
    }

    func open(_ write: LedgerIndex.Write) -> OpenWrite {
        OpenWrite(
            intent: WriteIntent(
                facts: write.facts, success: success, requestHead: Array(exchange.requestHead.readableBytesView),
                requestBody: exchange.requestBody.joinedBytes),
            outcome: outcome, attempts: write.attempts, isRetried: write.isRetried)
    }
}

extension CapturedExchange {
    /// Of the answer's head, if one came. The answer may have broken off behind it: the primary has decided by then.
    var knownStatus: Int? {
        switch outcome {
        case .answered(let status): return status
        case .neverSent, .upgrade: return nil
        case .failed, .abandoned:
            guard answerHead.readableBytes > 0 else { return nil }
            return ReadableHead(answer: Array(answerHead.readableBytesView))?.status
        }
    }

    var hasWholeAnswer: Bool {
        if case .answered = outcome { !isTruncated } else { false }
    }
}

extension [UInt8] {
    /// Of a request's head.
    fileprivate var method: Method? {
        guard let end = firstIndex(of: 0x20) else { return nil }
        return Method(token: String(decoding: self[..<end], as: UTF8.self))
    }
}
