internal import Extraction

/// From live messages to records: nothing that a rule or a convention calls secret gets past here.
extension Redactor {
    /// Bytes kept of a body, of a target and of one header value; what is cut ends in `…`.
    static let recordedBodyBytes = 16 * 1024
    static let recordedTargetBytes = 4 * 1024
    static let recordedHeaderBytes = 1024
    static let recordedHeaders = 100
    /// Bytes of a body whose content codings are undone for a record.
    static let decodedBytes = 16 * 1024 * 1024

    /// - Parameter body: nil if there was none.
    package func recorded(
        method: String, target: String, headers: [HeaderField], body: [UInt8]?, rules: ComparisonRules
    ) -> RecordedRequest {
        let redaction = Redaction(self, rules)
        let content = Answer(status: 0, headers: headers, body: body ?? [])
        return RecordedRequest(
            method: method, target: recordedText(redaction.target(target), limit: Redactor.recordedTargetBytes),
            headers: recorded(headers, redaction), body: recordedBody(of: content, redaction))
    }

    package func recorded(answer: Answer, rules: ComparisonRules) -> RecordedAnswer {
        let redaction = Redaction(self, rules)
        return RecordedAnswer(
            status: answer.status, headers: recorded(answer.headers, redaction),
            body: recordedBody(of: answer, redaction), bodyBytes: answer.bodyDigest?.length ?? answer.body.count)
    }

    private func recorded(_ headers: [HeaderField], _ redaction: Redaction) -> [HeaderField] {
        headers.prefix(Redactor.recordedHeaders).map { field in
            let value = recordedText(redaction.value(of: field), limit: Redactor.recordedHeaderBytes)
            return HeaderField(name: field.name, value: value)
        }
    }

    /// A body with fields that have names, without its secrets; other text only if no rule could be about something
    /// inside it. What is not JSON is then shown as the JSON that it was read as. Content codings are undone.
    private func recordedBody(of message: Answer, _ redaction: Redaction) -> String? {
        guard !message.body.isEmpty else { return nil }
        let decoded = try? message.decoded(limit: Redactor.decodedBytes)
        if redaction.concernsBody {
            if let decoded, let text = searched(decoded, redaction) {
                return recordedText(text, limit: Redactor.recordedBodyBytes)
            }
            return "\(token(message.body)) (\(message.body.count) bytes)"
        }
        guard let decoded, isText(decoded.body) else { return nil }
        return recordedText(decoded.body, limit: Redactor.recordedBodyBytes)
    }

    /// The body with its secrets replaced; nil if it cannot be searched for them.
    private func searched(_ message: Answer, _ redaction: Redaction) -> [UInt8]? {
        guard !redaction.hidesBody else { return nil }
        let body = Body(message.body, message.mediaType)
        let format = !body.format.isStructured && body.look == .json ? .json : body.format
        let reader = BodyReader(depth: ComparisonLimits().depth, redactor: self)
        guard format.hasNamedFields, case .success(let document) = reader.read(body, as: format) else { return nil }
        return redaction.widened(for: format, document).text(of: document)
    }

    /// UTF-8 without control characters other than white space.
    private func isText(_ body: [UInt8]) -> Bool {
        var position = 0
        while position < body.count {
            let byte = body[position]
            if byte < 0x80 {
                guard byte >= 0x20 && byte != 0x7F || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return false }
                position += 1
            } else {
                let length = JSONText.scalarLength(in: body, at: position)
                guard length > 0 else { return false }
                position += length
            }
        }
        return true
    }

    private func recordedText(_ text: String, limit: Int) -> String {
        text.utf8.count <= limit ? text : recordedText(Array(text.utf8), limit: limit)
    }

    /// The beginning of a text, cut between scalars.
    private func recordedText(_ bytes: [UInt8], limit: Int) -> String {
        guard bytes.count > limit else { return String(decoding: bytes, as: UTF8.self) }
        var end = limit
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + "…"
    }
}
