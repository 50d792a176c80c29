package import Comparison
package import Extraction
internal import Routing

extension IdentityMapping {
    /// A request as one side got it.
    package struct Request: Sendable {
        /// The path with the query, as in the request line.
        package var target: [UInt8]
        package var fields: [HeaderField]
        package var body: [UInt8]

        package init(target: [UInt8], fields: [HeaderField], body: [UInt8]) {
            self.target = target
            self.fields = fields
            self.body = body
        }
    }

    /// What the other side is to get.
    package struct TranslatedRequest: Sendable, Equatable {
        package var target: [UInt8]
        /// New values of fields, by their place among the request's.
        package var values: [Int: String] = [:]
        package var body: [UInt8]
        /// The body was encoded, and is not any more.
        package var isDecoded = false
        /// Identities without a known partner: the request must not be sent.
        package var unmapped: [Reference] = []
        /// Whether identities stand in the body cannot be found out, or one cannot stand where it would have to: the request
        /// must not be sent.
        package var isUnreadable = false
    }

    package struct Reference: Sendable, Hashable {
        package var kind: String
        package var value: String

        package init(kind: String, value: String) {
            self.kind = kind
            self.value = value
        }
    }

    /// Bytes that an encoded body may have once it is decoded.
    static let decodedBytes = 1024 * 1024

    /// Everything that is no identity stays as it is, byte by byte.
    /// - Parameter side: who got the request; the other one is to get the result.
    package func translated(_ request: Request, from side: Side, find: Find) -> TranslatedRequest {
        var run = TranslationRun(mapping: self, side: side)
        var result = TranslatedRequest(target: run.target(request.target, find), body: request.body)
        for (index, field) in request.fields.enumerated() {
            guard let rule = rule(ofHeader: field.name) else { continue }
            switch run.replacement(of: field.value.utf8, rule, find) {
            case .with(let text, _):
                guard text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }), text.first != " ", text.last != " " else {
                    result.isUnreadable = true
                    continue
                }
                result.values[index] = text
            case .none: break
            }
        }
        translate(request, &result, &run, find)
        result.unmapped = run.unmapped
        return result
    }

    private func translate(
        _ request: Request, _ result: inout TranslatedRequest, _ run: inout TranslationRun, _ find: Find
    ) {
        guard !request.body.isEmpty, !requestPatterns.isEmpty || rules.contains(where: { !$0.query.isEmpty }) else {
            return
        }
        let message = Answer(status: 0, headers: request.fields, body: request.body)
        guard let plain = message.plain(limit: Self.decodedBytes) else {
            result.isUnreadable = !requestPatterns.isEmpty
            return
        }
        switch plain.editableBody {
        case .json, .jsonLines:
            guard !requestPatterns.isEmpty else { return }
            guard let document = plain.editableBody.document(plain.body) else {
                result.isUnreadable = true
                return
            }
            let edits = run.edits(of: document, patterns: requestPatterns, rules: requestRules, find)
            guard !edits.isEmpty else { return }
            result.body = document.applying(edits)
            result.isDecoded = message.isEncoded
        case .form:
            let body = run.parameters(plain.body[...], find)
            guard body != plain.body else { return }
            result.body = body
            result.isDecoded = message.isEncoded
        case .structured: result.isUnreadable = !requestPatterns.isEmpty
        case .opaque: break
        }
    }

    func rule(ofHeader name: String) -> Int? {
        guard rules.contains(where: { !$0.headers.isEmpty }) else { return nil }
        let name = name.lowercased()
        return rules.firstIndex { $0.headers.contains(name) }
    }

    func rule(ofParameter name: ArraySlice<UInt8>) -> Int? {
        let folded = IdentityWords.folded(IdentityText.decodedComponent(name))
        return rules.firstIndex { $0.query.contains(folded) }
    }
}

/// One message's translation under way.
struct TranslationRun {
    enum Replacement {
        /// - Parameter isNumber: how the target writes it in JSON; nil: not known.
        case with(String, pair: IdentityPair)
        case none
    }

    let mapping: IdentityMapping
    /// Whose identities are replaced.
    let side: Side
    private(set) var unmapped: [IdentityMapping.Reference] = []

    init(mapping: IdentityMapping, side: Side) {
        self.mapping = mapping
        self.side = side
    }

    /// What stands in the place of a value from now on; notes it down when that is not known.
    mutating func replacement(of bytes: some Collection<UInt8>, _ rule: Int, _ find: IdentityMapping.Find)
        -> Replacement
    {
        guard !bytes.isEmpty, !mapping.isSame(rule, bytes) else { return .none }
        let kind = mapping.rules[rule].kind
        if let text = IdentityText.text(bytes), case .known(let pair) = find(kind, side, text),
            // Strings are equal in Swift however their accents are composed; identities are bytes.
            pair.value(at: side).utf8.elementsEqual(text.utf8)
        {
            return .with(pair.value(at: side.other), pair: pair)
        }
        let reference = IdentityMapping.Reference(
            kind: kind, value: IdentityText.text(bytes) ?? IdentityText.shown(bytes))
        if !unmapped.contains(reference) { unmapped.append(reference) }
        return .none
    }

    /// Path and query.
    mutating func target(_ target: [UInt8], _ find: IdentityMapping.Find) -> [UInt8] {
        let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        var result: [UInt8] = []
        var position = 0
        for place in mapping.paths.places(in: target[..<end]) {
            let value = target[place.range]
            guard case .with(let text, _) = replacement(of: PercentEncoding.decoded(value), place.rule, find) else {
                continue
            }
            result += target[position..<place.range.lowerBound] + IdentityText.segment(text)
            position = place.range.upperBound
        }
        result += target[position..<end]
        if end < target.endIndex { result += [target[end]] + parameters(target[(end + 1)...], find) }
        return result
    }

    /// `name=value&…`.
    mutating func parameters(_ text: ArraySlice<UInt8>, _ find: IdentityMapping.Find) -> [UInt8] {
        var result: [UInt8] = []
        for (offset, field) in text.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).enumerated() {
            if offset > 0 { result.append(UInt8(ascii: "&")) }
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")),
                let rule = mapping.rule(ofParameter: field[..<equals]),
                case .with(let value, _) = replacement(
                    of: IdentityText.decodedComponent(field[(equals + 1)...]), rule, find)
            else {
                result += field
                continue
            }
            result += field[...equals] + IdentityText.component(value)
        }
        return result
    }

    mutating func edits(
        of document: Document, patterns: [PathPattern], rules: [Int], _ find: IdentityMapping.Find
    ) -> [Document.Edit] {
        document.places(named: patterns).compactMap { place in
            guard
                case .with(let text, let pair) = replacement(
                    of: document.text(of: place.value), rules[place.pattern], find)
            else { return nil }
            let isNumber = document.kind(of: place.value) == .number
            return Document.Edit(
                range: document.range(of: place.value),
                replacement: lexeme(text, isNumber: self.isNumber(pair, replacing: isNumber, text)))
        }
    }

    /// A partner is written as its side writes it; but where the value is written otherwise than its own side's answers do, the
    /// place is one for the other kind, too.
    private func isNumber(_ pair: IdentityPair, replacing wasNumber: Bool, _ text: String) -> Bool {
        guard IdentityText.isNumber(text) else { return false }
        guard let own = pair.spelling.isNumber(at: side), own == wasNumber else { return wasNumber }
        return pair.spelling.isNumber(at: side.other) ?? wasNumber
    }

    private func lexeme(_ text: String, isNumber: Bool) -> [UInt8] {
        isNumber ? Array(text.utf8) : Document.quoted(text.utf8)
    }
}
