package import ContentCoding
package import Extraction

/// One header field as it was received: the name keeps its spelling, the value has no surrounding blanks.
package struct HeaderField: Sendable, Equatable, Codable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// One side's complete answer, as far as the capture cap allowed.
package struct Answer: Sendable {
    package var status: Int
    package var headers: [HeaderField]
    package var body: [UInt8]
    /// Set when the body was larger than the capture cap: then `body` is empty.
    package var bodyDigest: BodyDigest?

    package init(status: Int, headers: [HeaderField], body: [UInt8], bodyDigest: BodyDigest? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.bodyDigest = bodyDigest
    }

    /// The values of every field with this name (any spelling), in the order received.
    package func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return headers.filter { $0.name.lowercased() == wanted }.map { trimmedBlanks($0.value) }
    }

    var mediaType: MediaType? { values(of: "content-type").first.flatMap(MediaType.init) }

    /// The content codings that were applied, without `identity`, which is none (RFC 9110 §8.4).
    var contentCodings: [String] {
        values(of: "content-encoding")
            .flatMap { $0.split(separator: ",") }
            .map { trimmedBlanks(String($0)).lowercased() }
            .filter { !$0.isEmpty && $0 != "identity" }
    }

    /// With its body as it was before it was encoded. The headers stay, and still name the codings.
    package func decoded(limit: Int) throws(ContentCodingError) -> Answer {
        var answer = self
        answer.body = try ContentCoding.decoded(body, codings: contentCodings, limit: limit)
        return answer
    }
}

/// `type/subtype; name=value` (RFC 9110 §8.3.1) in a form in which equal types are equal values.
struct MediaType: Equatable {
    let type: String
    /// Sorted, lower-case, unquoted `name=value` pairs.
    let parameters: [String]

    init?(_ text: String) {
        let parts = MediaType.split(text)
        guard let first = parts.first, first.contains("/") else { return nil }
        type = trimmedBlanks(first).lowercased()
        parameters = parts.dropFirst().map(MediaType.normalised).filter { !$0.isEmpty }.sorted()
    }

    /// `application/json` and every `…+json` (RFC 6839 §3.1).
    var isJSON: Bool { type == "application/json" || type.hasSuffix("+json") }

    private static func normalised(_ parameter: String) -> String {
        let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2 else { return trimmedBlanks(parameter).lowercased() }
        var value = trimmedBlanks(String(pair[1])).lowercased()
        if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            value = String(value.dropFirst().dropLast())
        }
        return trimmedBlanks(String(pair[0])).lowercased() + "=" + value
    }

    /// Splits at `;` outside of quoted strings.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var quoted = false
        var escaped = false
        for character in text {
            if character == ";", !quoted {
                parts.append("")
                continue
            }
            if character == "\"", !escaped { quoted.toggle() }
            escaped = quoted && character == "\\" && !escaped
            parts[parts.count - 1].append(character)
        }
        return parts
    }
}

/// Without leading and trailing spaces and tabs (OWS, RFC 9110 §5.6.3).
func trimmedBlanks(_ text: String) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let first = text.utf8.first, let last = text.utf8.last, isBlank(first) || isBlank(last) else { return text }
    var rest = text.utf8[...]
    while let byte = rest.first, isBlank(byte) { rest.removeFirst() }
    while let byte = rest.last, isBlank(byte) { rest.removeLast() }
    return String(decoding: rest, as: UTF8.self)
}
