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
    /// The codings that `headers` name have been undone.
    var isPlain = false

    package init(status: Int, headers: [HeaderField], body: [UInt8], bodyDigest: BodyDigest? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.bodyDigest = bodyDigest
    }

    /// The values of every field with this name (any spelling), in the order received.
    package func values(of name: String) -> [String] {
        let wanted = FieldList.lowercased(name)
        var values: [String] = []
        var start = 0
        while let index = field(named: wanted, from: start) {
            values.append(trimmedBlanks(headers[index].value))
            start = index + 1
        }
        return values
    }

    var mediaType: MediaType? {
        field(named: "content-type", from: 0).flatMap { MediaType(headers[$0].value) }
    }

    /// The content codings that were applied, without `identity`, which is none (RFC 9110 §8.4).
    var contentCodings: [String] {
        guard !isPlain, field(named: "content-encoding", from: 0) != nil else { return [] }
        return values(of: "content-encoding")
            .flatMap { FieldList.split($0, at: UInt8(ascii: ",")) }
            .map { FieldList.lowercased($0) }
            .filter { $0 != "identity" }
    }

    /// With its body as it was before it was encoded. The headers stay, and still name the codings.
    package func decoded(limit: Int) throws(ContentCodingError) -> Answer {
        var answer = self
        answer.body = try ContentCoding.decoded(body, codings: contentCodings, limit: limit)
        return answer
    }

    /// The index of the next field with this lower-case name.
    func field(named name: String, from start: Int) -> Int? {
        var index = start
        while index < headers.count {
            if FieldList.isEqual(headers[index].name, lowercase: name) { return index }
            index += 1
        }
        return nil
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
