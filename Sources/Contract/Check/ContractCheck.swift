package import Comparison

/// One way in which an answer does not keep the contract.
package struct ContractViolation: Sendable, Hashable, Codable {
    package enum What: String, Sendable, Hashable, Codable {
        case status
        case mediaType = "media-type"
        case type, value, range, missing, extra, alternatives
    }

    /// `GET /orders/{id} 200 application/json $.items[*].price`
    package let place: String
    package let what: What
    /// What is wrong there, without any value of the answer.
    package let sentence: String

    package init(place: String, what: What, sentence: String) {
        self.place = place
        self.what = what
        self.sentence = sentence
    }

    package var description: String { place + " " + sentence }
}

/// What holding one answer against the contract came to.
package struct ContractFinding: Sendable, Equatable {
    /// Why something of an answer could not be held against the contract.
    package enum Unchecked: String, Sendable, Codable, CaseIterable {
        /// The contract does not speak of such requests.
        case notListed = "not-in-contract"
        /// Nobody lists what happens when a server fails: no word about the contract.
        case failed = "server-error"
        /// The contract describes a body, and it could not be read.
        case body
        /// Values too deep, too large or too entangled.
        case tooComplex = "too-complex"
    }

    /// Of the contract, with a base path: `/api/v1/orders/{id}`; nil if it does not list the request.
    package let operation: String?
    /// At most 32.
    package let violations: [ContractViolation]
    package let unchecked: Unchecked?
}

extension ContractDocument {
    /// Holds an answer against the contract.
    ///
    /// Looked at: the status, the media type, and of JSON bodies the schema but for what ``ignored`` names. The status
    /// 304 and answers to `HEAD` have no body.
    ///
    /// - Parameters:
    ///   - path: of the request, or the endpoint's template; without the query.
    ///   - mediaType: of the answer, parameters and all; nil if it has none.
    ///   - body: what the body says, if it is JSON; nil: no body, or one that was not read.
    ///   - hasBody: whether there was one.
    ///   - isBroken: the body is not what its media type says.
    package func check(
        method: String, path: String, status: Int, mediaType: String?, body: Document?, hasBody: Bool = true,
        isBroken: Bool = false
    ) -> ContractFinding {
        guard let operation = operation(method: method, path: path) else {
            return ContractFinding(operation: nil, violations: [], unchecked: .notListed)
        }
        let place = "\(method) \(operation.path) \(status)"
        guard let response = operation.response("\(status)") else {
            guard status < 500 else {
                return ContractFinding(operation: operation.path, violations: [], unchecked: .failed)
            }
            let listed = operation.responses.map(\.status)
            let known = listed.isEmpty ? "no status at all" : ContractText.list(listed)
            let violation = ContractViolation(
                place: place, what: .status, sentence: "is no status of the contract, which lists \(known)")
            return ContractFinding(operation: operation.path, violations: [violation], unchecked: nil)
        }
        guard hasBody, method != "HEAD", status != 204, status != 304, !response.content.isEmpty else {
            return ContractFinding(operation: operation.path, violations: [], unchecked: nil)
        }
        guard let mediaType, let media = response.media(for: mediaType) else {
            let types = ContractText.list(response.content.map(\.type))
            let violation = ContractViolation(
                place: place, what: .mediaType,
                sentence: "is \(mediaType.map(MediaRange.essence) ?? "of no media type"), the contract says \(types)")
            return ContractFinding(operation: operation.path, violations: [violation], unchecked: nil)
        }
        let spot = place + " " + MediaRange.essence(mediaType)
        guard !isBroken else {
            let violation = ContractViolation(
                place: spot, what: .mediaType, sentence: "cannot be read as what its media type says")
            return ContractFinding(operation: operation.path, violations: [violation], unchecked: nil)
        }
        return check(body, media, spot, operation)
    }

    private func check(
        _ body: Document?, _ media: ContractMedia, _ place: String, _ operation: ContractOperation
    ) -> ContractFinding {
        guard let schema = media.schema, MediaRange.isJSON(place.split(separator: " ").last.map(String.init) ?? "")
        else { return ContractFinding(operation: operation.path, violations: [], unchecked: nil) }
        guard let body else {
            return ContractFinding(operation: operation.path, violations: [], unchecked: .body)
        }
        var check = SchemaCheck(schemas: schemas, document: body)
        check.run(schema)
        let violations = check.findings.map {
            ContractViolation(place: place + " " + $0.path, what: $0.what, sentence: $0.sentence)
        }
        return ContractFinding(
            operation: operation.path, violations: violations, unchecked: check.isComplete ? nil : .tooComplex)
    }
}

extension ContractDocument {
    /// Whether schemas speak of bodies of this media type.
    package static func isJSON(_ mediaType: String) -> Bool { MediaRange.isJSON(MediaRange.essence(mediaType)) }
}

extension ContractResponse {
    /// The most specific media type that takes this one.
    func media(for type: String) -> ContractMedia? {
        let essence = MediaRange.essence(type)
        return content.first { $0.type == essence }
            ?? content.first { $0.type.hasSuffix("/*") && $0.type != "*/*" && MediaRange($0.type).covers(essence) }
            ?? content.first { $0.type == "*/*" }
    }
}

/// A media type or a range of them: `text/*`, `*/*`.
struct MediaRange {
    private let text: String

    init(_ text: String) { self.text = text }

    func covers(_ type: String) -> Bool {
        text == "*/*" || text == type || text.hasSuffix("/*") && type.hasPrefix(text.dropLast())
    }

    /// In lower case and without parameters (RFC 9110 §8.3.1).
    static func essence(_ type: String) -> String {
        let essence = type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace && !$0.isNewline }
        return essence.count > 100 ? essence.prefix(100) + "…" : essence
    }

    static func isJSON(_ essence: String) -> Bool {
        essence == "application/json" || essence.hasSuffix("+json") || essence == "text/json"
    }
}
