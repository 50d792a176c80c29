package import Comparison
package import Extraction

extension IdentityMapping {
    /// An answer in the other side's words.
    package struct TranslatedAnswer: Sendable {
        package var answer: Answer
        /// Partners of some identities may turn up yet.
        package var isUncertain = false
    }

    private static let locations: Set<String> = ["location", "content-location"]
    /// Bytes that an encoded body may have once it is decoded.
    private static let answerBytes = 16 * 1024 * 1024

    /// With the identities of `side` replaced by their partners, so that it can be compared with an answer of the other side:
    /// partners count as equal. One without a partner stays, and differs from whatever the other side says, unless neither side
    /// knows it by another name.
    package func translated(_ answer: Answer, from side: Side, find: Find) -> TranslatedAnswer {
        var translated = answer
        var isUncertain = false
        let find: Find = { kind, side, value in
            let partner = find(kind, side, value)
            switch partner {
            case .known: return partner
            case .unknown(isFinal: false):
                isUncertain = true
                return partner
            case .unknown(isFinal: true):
                // The other side's own name has no business here.
                let reverse = find(kind, side.other, value)
                if reverse == .unknown(isFinal: false) { isUncertain = true }
                guard case .known(let pair) = reverse, pair.value(at: side) != value else { return partner }
                var misnamed = pair
                let text = "\(value) (at the \(side.other): \(pair.value(at: side)) here)"
                if side == .monolith {
                    (misnamed.monolith, misnamed.service) = (value, text)
                } else {
                    (misnamed.monolith, misnamed.service) = (text, value)
                }
                return .known(misnamed)
            }
        }
        var run = TranslationRun(mapping: self, side: side)
        translateHeaders(&translated, &run, find)
        translateBody(&translated, &run, find)
        return TranslatedAnswer(answer: translated, isUncertain: isUncertain)
    }

    private func translateHeaders(_ answer: inout Answer, _ run: inout TranslationRun, _ find: Find) {
        for index in answer.headers.indices {
            let (name, value) = (answer.headers[index].name, answer.headers[index].value)
            if Self.locations.contains(name.lowercased()) {
                answer.headers[index].value = location(value, &run, find)
            } else if let rule = rule(ofHeader: name),
                case .with(let text, _) = run.replacement(of: value.utf8, rule, find)
            {
                answer.headers[index].value = text
            }
        }
    }

    private func location(_ value: String, _ run: inout TranslationRun, _ find: Find) -> String {
        guard rules.contains(where: { !$0.isAdopted && $0.hasLocation }) else { return value }
        let parts = URIParts(value)
        return parts.prefix + String(decoding: run.target(parts.target, find), as: UTF8.self) + parts.fragment
    }

    private func translateBody(_ answer: inout Answer, _ run: inout TranslationRun, _ find: Find) {
        guard !answer.body.isEmpty, !answerPatterns.isEmpty, let plain = answer.plain(limit: Self.answerBytes),
            let document = plain.editableBody.document(plain.body)
        else { return }
        let edits = run.edits(of: document, patterns: answerPatterns, rules: answerRules, find)
        guard !edits.isEmpty else { return }
        answer = plain
        answer.body = document.applying(edits)
    }
}

/// A URI reference (RFC 3986 §4.1) with its path and query cut out.
struct URIParts {
    /// Scheme and authority.
    let prefix: String
    let target: [UInt8]
    let fragment: String

    init(_ text: String) {
        let bytes = Array(text.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        var start = 0
        let scheme = bytes[..<end].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        if scheme.last == UInt8(ascii: ":") { start = scheme.endIndex }
        if bytes[start..<end].starts(with: "//".utf8) {
            start = bytes[(start + 2)..<end].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? end
        } else {
            start = 0
        }
        prefix = String(decoding: bytes[..<start], as: UTF8.self)
        target = Array(bytes[start..<end])
        fragment = String(decoding: bytes[end...], as: UTF8.self)
    }

    var path: ArraySlice<UInt8> { target.prefix { $0 != UInt8(ascii: "?") } }
}
