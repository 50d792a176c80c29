internal import Comparison
internal import FoundationEssentials
internal import HTTPWire
internal import NIOCore
internal import Routing
internal import Upstreams

/// Judges one pair and records what comes of it. On a worker thread: strings and trees are made here, not on a loop.
struct PairComparison: Sendable {
    let recorder: EvidenceRecorder

    enum Judgement {
        case counted
        /// A read that differed: perhaps the data changed between the two answers. Nothing was counted yet.
        case askAgain
    }

    func judge(_ pair: FinishedPair, now: Date) -> Judgement {
        let settings = pair.settings
        guard let extraction = settings.extractions[pair.exchange.extraction] else { return .counted }
        guard let request = ReadableHead(request: Array(pair.exchange.requestHead.readableBytesView)) else {
            let endpoint = overflow(pair.exchange.method)
            let reason = NotComparedReason.malformed.rawValue
            recorder.count(
                VerdictKey(extraction: extraction.name, endpoint: endpoint, verdict: .notCompared, reason: reason))
            return .counted
        }
        let exchange = pair.exchange
        let isWritten = settings.templates.isWritten(route: exchange.route, path: request.path)
        let endpoint = recorder.boundedEndpoint(
            settings.templates.endpoint(route: exchange.route, method: request.method, path: request.path),
            of: extraction.name, exists: exchange.outcome.foundSomething || (isWritten && exchange.method != .other),
            overflow: overflow(exchange.method), limit: settings.maximumEndpoints)
        func count(_ verdict: Verdict, _ reason: String? = nil) {
            recorder.count(
                VerdictKey(extraction: extraction.name, endpoint: endpoint, verdict: verdict, reason: reason))
        }
        switch pair.shadow {
        case .primaryFailed(let reason): count(.primaryFailed, reason)
        case .failed(let reason): count(.shadowFailed, reason)
        case .notSent(let reason): count(.notCompared, reason.rawValue)
        case .answered(let head, let body):
            guard let primary = Answer(head: pair.exchange.answerHead, body: pair.exchange.answerBody),
                let shadow = Answer(head: head, body: body)
            else {
                count(.notCompared, NotComparedReason.malformed.rawValue)
                return .counted
            }
            // Nobody at home is no answer: 500 is one, and may well be the difference that is looked for.
            if (502...504).contains(shadow.status) {
                count(.shadowFailed, "status-\(shadow.status)")
                return .counted
            }
            // Only when it was asked again: the first time, nothing is sent after such an answer.
            if primary.status >= 500 {
                count(.primaryFailed, "status-\(primary.status)")
                return .counted
            }
            let result = extraction.comparer.compare(primary: primary, shadow: shadow, now: now)
            guard result.verdict == .mismatch else {
                count(
                    pair.look == .second && result.verdict == .match ? .transient : result.verdict,
                    result.notCompared?.rawValue)
                return .counted
            }
            let signature = MismatchSignature(
                extraction: extraction.name, endpoint: endpoint, differences: result.differences)
            if pair.look == .first, !pair.isWrite, !recorder.isConfirmed(signature, now: now) { return .askAgain }
            count(.mismatch)
            recorder.mismatch(signature, isConfirmed: pair.look == .second, at: now) {
                record(pair, request, signature, result.differences, primary, shadow, extraction.rules, now)
            }
        }
        return .counted
    }

    /// What was not captured at all. It is counted under names that the files give.
    func count(_ skipped: [ShadowGate.Skip: Int], _ settings: ShadowSettings) {
        for (skip, times) in skipped {
            guard settings.extractions.indices.contains(skip.slot), let extraction = settings.extractions[skip.slot]
            else { continue }
            let template = settings.templates.name(route: skip.route, template: skip.template)
            let endpoint = recorder.boundedEndpoint(
                "\(skip.method.name) \(template)", of: extraction.name, exists: skip.method != .other,
                overflow: overflow(skip.method), limit: settings.maximumEndpoints)
            recorder.count(
                VerdictKey(
                    extraction: extraction.name, endpoint: endpoint, verdict: .notCompared,
                    reason: skip.reason.rawValue), times: times)
        }
    }

    /// Where endpoints beyond the limit are counted. A client can make up methods, too: they have one name.
    private func overflow(_ method: Method) -> String {
        method == .other ? "(other)" : method.name + " (other)"
    }

    private func record(
        _ pair: FinishedPair, _ request: ReadableHead, _ signature: MismatchSignature, _ differences: [Difference],
        _ primary: Answer, _ shadow: Answer, _ rules: ComparisonRules, _ now: Date
    ) -> MismatchRecord {
        let redactor = pair.settings.redactor
        return MismatchRecord(
            signature: signature, at: now, differences: differences,
            request: redactor.recorded(
                method: request.method, target: request.target,
                headers: request.fields.map { HeaderField(name: $0.name, value: $0.value) },
                body: pair.exchange.requestBody.joinedBytes, rules: rules),
            primary: redactor.recorded(answer: primary, rules: rules),
            shadow: redactor.recorded(answer: shadow, rules: rules))
    }
}

extension Answer {
    init?(head: ByteBuffer, body: CapturedBody) {
        guard let readable = ReadableHead(answer: Array(head.readableBytesView)) else { return nil }
        self.init(
            status: readable.status, headers: readable.fields.map { HeaderField(name: $0.name, value: $0.value) },
            body: body.parts.joinedBytes, bodyDigest: body.digest)
    }
}

extension CapturedExchange.Outcome {
    /// 404 and 405 say that there is no such thing (RFC 9110 §15.5.5, §15.5.6).
    fileprivate var foundSomething: Bool { self != .answered(status: 404) && self != .answered(status: 405) }
}
