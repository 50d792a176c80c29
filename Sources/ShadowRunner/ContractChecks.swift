internal import Comparison
internal import Contract
internal import HTTPWire
internal import Upstreams

/// How many answers one loop gives to be held against contracts where nobody is shadowed. The first few of each tenth of a
/// second: all of a quiet extraction's, and of a busy one's too few to cost anything.
struct ContractChecks {
    /// Of one extraction, in a tenth of a second.
    private static let each = 5

    private var left: [Int] = []

    mutating func draw(_ slot: Int) -> Bool {
        guard slot >= 0 else { return false }
        while left.count <= slot { left.append(Self.each) }
        guard left[slot] > 0 else { return false }
        left[slot] &-= 1
        return true
    }

    mutating func refill() {
        for slot in left.indices { left[slot] = Self.each }
    }
}

extension PairComparison.Subject {
    /// Of shadowed exchanges one in sixteen, so that comparing costs little more. By the request's id, which is random.
    var isDrawnForContract: Bool {
        guard extraction.contract != nil, pair.primarySide == .monolith, pair.look == .first,
            let digit = pair.exchange.requestID.last
        else { return false }
        return digit & 0xF == 0
    }
}

extension PairComparison {
    /// Bytes that a body may have once it is decoded.
    private static let decodedBytes = 8 * 1024 * 1024

    /// Holds the monolith's answer against the contract.
    func checkContract(_ subject: Subject, in run: JudgingRun) {
        guard let contract = subject.extraction.contract else { return }
        let (request, method) = (subject.request, subject.request.method)
        let operation = contract.operation(method: method, path: request.path)
        // What the contract does not list goes by the name that its comparisons have, which is bounded.
        let endpoint = operation.map { contract.endpoint(of: $0, path: request.path) } ?? subject.endpoint
        let key = ConformanceKey(
            extraction: subject.extraction.name, contract: contract.fingerprint, endpoint: endpoint)
        switch finding(subject.pair.exchange, contract, request.method, request.path) {
        case .success(let finding): run.countConformance(key, ConformanceTally(finding))
        case .failure(let reason): run.countConformance(key, ConformanceTally(unchecked: reason.text))
        }
    }

    private struct Unchecked: Error {
        let text: String
    }

    private func finding(
        _ exchange: CapturedExchange, _ contract: ContractDocument, _ method: String, _ path: String
    ) -> Result<ContractFinding, Unchecked> {
        guard case .answered = exchange.outcome else { return .failure(Unchecked(text: "no-answer")) }
        guard !exchange.isTruncated, let answer = Answer(head: exchange.answerHead, body: exchange.answerBody),
            answer.bodyDigest == nil
        else { return .failure(Unchecked(text: NotComparedReason.bodyTooLarge.rawValue)) }
        guard let decoded = try? answer.decoded(limit: Self.decodedBytes) else {
            return .failure(Unchecked(text: NotComparedReason.contentEncoding.rawValue))
        }
        let hasBody = !decoded.body.isEmpty
        let type = decoded.values(of: "content-type").first
        let isJSON = type.map(ContractDocument.isJSON) ?? false
        let document = hasBody && isJSON ? try? Document(json: decoded.body) : nil
        return .success(
            contract.check(
                method: method, path: path, status: decoded.status, mediaType: type, body: document, hasBody: hasBody,
                isBroken: hasBody && isJSON && document == nil))
    }
}

extension ConformanceTally {
    fileprivate init(_ finding: ContractFinding) {
        self.init(
            checked: finding.unchecked == nil || !finding.violations.isEmpty ? 1 : 0,
            violations: finding.violations.map(\.description), unchecked: finding.unchecked?.rawValue)
    }

    fileprivate init(unchecked reason: String) {
        self.init(checked: 0, violations: [], unchecked: reason)
    }
}
