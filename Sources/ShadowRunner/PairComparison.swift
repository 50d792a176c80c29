internal import Comparison
internal import HTTPWire
internal import NIOCore
internal import Routing
internal import Upstreams

internal import struct FoundationEssentials.Date

/// Judges pairs and records what comes of them. On a worker thread: strings and trees are made here, not on a loop.
struct PairComparison: Sendable {
    let recorder: EvidenceRecorder
    let identities: IdentityDirectory

    /// Why a pair is to be looked at again.
    enum Suspicion: Sendable {
        /// Perhaps the data changed between the two answers.
        case difference(MismatchSignature)
        /// Only where the primary may differ from itself, as far as is known.
        case unknownNoise

        var signature: MismatchSignature? {
            if case .difference(let signature) = self { signature } else { nil }
        }
    }

    /// What is to become of a pair.
    struct Judgement: Sendable {
        /// A read that differed. Its verdict has not been counted yet.
        var askAgain: Suspicion?
        /// The primary is to be asked the same once more: too little is known of its noise.
        var wantsTwin = false
    }

    /// - Returns: a judgement for each pair.
    func judge(_ pairs: [FinishedPair], now: Date) -> [Judgement] {
        let run = JudgingRun(recorder: recorder, now: now)
        let judgements = pairs.map { judge($0, in: run) }
        run.finish()
        return judgements
    }

    /// A pair with its names.
    struct Subject {
        let pair: FinishedPair
        let extraction: ShadowedExtraction
        let request: ReadableHead
        let endpoint: String

        /// nil: this pair is judged without looking at noise. Writes are not asked twice.
        var scope: NoiseScope? {
            guard extraction.learnsNoise, !pair.isWrite else { return nil }
            return NoiseScope(extraction: extraction.name, endpoint: endpoint, side: pair.primarySide)
        }

        func key(_ verdict: Verdict, _ reason: String? = nil) -> VerdictKey {
            VerdictKey(
                extraction: extraction.name, endpoint: endpoint, verdict: verdict, reason: reason,
                statusClass: pair.exchange.outcome.statusClass)
        }
    }

    private func judge(_ pair: FinishedPair, in run: JudgingRun) -> Judgement {
        let (settings, exchange) = (pair.settings, pair.exchange)
        guard let extraction = settings.extractions[exchange.extraction] else { return Judgement() }
        guard let request = ReadableHead(request: Array(exchange.requestHead.readableBytesView)) else {
            run.count(
                VerdictKey(
                    extraction: extraction.name, endpoint: overflow(exchange.method), verdict: .notCompared,
                    reason: NotComparedReason.malformed.rawValue, statusClass: exchange.outcome.statusClass))
            return Judgement()
        }
        let isWritten = settings.templates.isWritten(route: exchange.route, path: request.path)
        let endpoint = run.boundedEndpoint(
            pair.endpoint
                ?? settings.templates.endpoint(route: exchange.route, method: request.method, path: request.path),
            of: extraction.name, exists: exchange.outcome.foundSomething || (isWritten && exchange.method != .other),
            overflow: overflow(exchange.method), limit: settings.maximumEndpoints)
        let subject = Subject(pair: pair, extraction: extraction, request: request, endpoint: endpoint)
        switch pair.shadow {
        case .primaryFailed(let reason): run.count(subject.key(.primaryFailed, reason))
        case .failed(let reason): run.count(subject.key(.shadowFailed, reason))
        case .notSent(let reason): run.count(subject.key(.notCompared, reason.rawValue))
        case .contract: checkContract(subject, in: run)
        case .answered(let head, let body):
            let primary = Answer(head: exchange.answerHead, body: exchange.answerBody)
            let other = Answer(head: head, body: body)
            if subject.isDrawnForContract { checkContract(subject, in: run) }
            if pair.look == .twin {
                if let primary, let other { learn(subject, primary, other, in: run) }
            } else if let primary, let other {
                return judge(subject, primary, other, in: run)
            } else {
                run.count(subject.key(.notCompared, NotComparedReason.malformed.rawValue))
            }
        }
        return Judgement()
    }

    private func judge(
        _ subject: Subject, _ primary: Answer, _ shadow: Answer, in run: JudgingRun
    ) -> Judgement {
        let pair = subject.pair
        // Nobody at home is no answer: 500 is one, and may well be the difference that is looked for.
        if (502...504).contains(shadow.status) {
            run.count(subject.key(.shadowFailed, "status-\(shadow.status)"))
            return Judgement()
        }
        // Only when it was asked again: the first time, nothing is sent after such an answer.
        if primary.status >= 500 {
            run.count(subject.key(.primaryFailed, "status-\(primary.status)"))
            return Judgement()
        }
        let (shadow, isUncertain) = inPrimarysWords(subject, shadow)
        let result = compare(subject, primary, shadow, in: run)
        if pair.look == .first { countAnswers(subject, result, in: run) }
        if result.verdict == .mismatch, isUncertain {
            if pair.look == .first, !pair.isWrite { return Judgement(askAgain: .unknownNoise) }
            run.count(subject.key(.notCompared, NotComparedReason.identityUnmapped.rawValue))
            return Judgement()
        }
        var judgement = Judgement()
        if pair.look == .first { judgement.wantsTwin = learn(subject, result, in: run) }
        guard result.verdict == .mismatch else {
            let isTransient = pair.look == .second && result.verdict == .match
            run.count(subject.key(isTransient ? .transient : result.verdict, result.notCompared?.rawValue))
            return judgement
        }
        let split = split(subject, result.differences, primary, in: run)
        judgement.askAgain = settle(subject, split, result, primary, shadow, in: run)
        return judgement
    }

    /// Counts the verdict of a pair that differs, or says why it is to be looked at again first.
    private func settle(
        _ subject: Subject, _ split: NoiseSplit, _ result: ComparisonResult, _ primary: Answer, _ shadow: Answer,
        in run: JudgingRun
    ) -> Suspicion? {
        let pair = subject.pair
        let mayAskAgain = pair.look == .first && !pair.isWrite
        let name = subject.extraction.name
        if !split.reported.isEmpty {
            let told = split.told
            let signature = MismatchSignature(extraction: name, endpoint: subject.endpoint, differences: told)
            let isKnown = pair.isWrite || pair.look == .second || run.isConfirmed(signature)
            if mayAskAgain, !isKnown { return .difference(signature) }
            if isKnown {
                let group = run.mismatch(signature, isConfirmed: pair.look == .second) { group in
                    record(subject, group, told, primary, shadow, run.now)
                }
                // By group, so that a gate can leave out what somebody has accepted.
                run.count(subject.key(.mismatch, group.hex))
            } else {
                run.count(subject.key(.notCompared, NotComparedReason.unsettled.rawValue))
            }
        } else if !split.unknown.isEmpty {
            if mayAskAgain { return .unknownNoise }
            run.count(subject.key(.notCompared, NotComparedReason.baselineUnknown.rawValue))
        } else if let reason = result.notCompared {
            run.count(subject.key(.notCompared, reason.rawValue))
        } else if result.truncated {
            // What is noise has left no room for what may not be.
            run.count(subject.key(.notCompared, NotComparedReason.baselineUnknown.rawValue))
        } else {
            let isGone = pair.look == .second && pair.suspicion?.signature != nil
            run.count(subject.key(isGone ? .transient : .match))
        }
        if !split.hidden.isEmpty {
            run.countHidden(RuleKey(extraction: name, rule: RuleKey.noise), differences: split.hidden.count)
        }
        return nil
    }

    /// What is known of every pair with two answers, once.
    private func countAnswers(_ subject: Subject, _ result: ComparisonResult, in run: JudgingRun) {
        let (pair, name) = (subject.pair, subject.extraction.name)
        let shadowSide: ComparedSide = pair.primarySide == .monolith ? .service : .monolith
        for (side, nanoseconds) in [
            (pair.primarySide, pair.exchange.primaryNanoseconds), (shadowSide, pair.shadowNanoseconds),
        ] {
            run.countLatency(
                LatencyKey(extraction: name, endpoint: subject.endpoint, side: side), nanoseconds: nanoseconds)
        }
        guard result.hiddenByRule.contains(where: { $0 > 0 }) else { return }
        for (rule, hidden) in zip(subject.extraction.rules.names, result.hiddenByRule) where hidden > 0 {
            run.countHidden(RuleKey(extraction: name, rule: rule), differences: hidden)
        }
    }

    /// Where endpoints beyond the limit are counted. A client can make up methods, too: they have one name.
    func overflow(_ method: Method) -> String {
        method == .other ? "(other)" : method.name + " (other)"
    }

    private func record(
        _ subject: Subject, _ signature: MismatchSignature, _ differences: [Difference], _ primary: Answer,
        _ shadow: Answer, _ now: Date
    ) -> MismatchRecord {
        let (exchange, request, rules) = (subject.pair.exchange, subject.request, subject.extraction.rules)
        let redactor = subject.pair.settings.redactor
        return MismatchRecord(
            signature: signature, at: now, differences: differences,
            request: redactor.recorded(
                method: request.method, target: request.target,
                headers: request.fields.map { HeaderField(name: $0.name, value: $0.value) },
                body: exchange.requestBody.joinedBytes, rules: rules),
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

    /// 1...5 (RFC 9110 §15); 0: no answer, or none that is known.
    fileprivate var statusClass: Int {
        guard case .answered(let status) = self, (100...599).contains(status) else { return 0 }
        return status / 100
    }
}
