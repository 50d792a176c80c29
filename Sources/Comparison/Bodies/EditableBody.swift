/// What can be changed in a body without understanding more of it than where single values stand.
package enum EditableBody: Sendable, Equatable {
    case json, jsonLines, form
    /// Has named fields, which cannot be changed one by one here.
    case structured
    /// Texts, pictures and the like.
    case opaque

    /// - Parameter contentType: the field's value; nil: what the first characters say.
    package init(contentType: String?, _ body: [UInt8]) {
        let format = contentType.flatMap { MediaType($0) }.map { BodyFormat($0) } ?? BodyFormat(sniffing: body)
        switch format {
        case .json: self = .json
        case .jsonLines: self = .jsonLines
        case .form: self = .form
        case .jsonSequence, .multipart, .xml: self = .structured
        case .html, .text, .opaque, nil: self = .opaque
        }
    }

    /// Nil: it is no JSON, or broken.
    package func document(_ body: [UInt8]) -> Document? {
        switch self {
        case .json: try? Document(json: body)
        case .jsonLines: try? Document(jsonLines: body)
        case .form, .structured, .opaque: nil
        }
    }
}

extension Answer {
    /// How its body is to be read, when no coding is applied to it any more.
    package var editableBody: EditableBody { EditableBody(contentType: values(of: "content-type").first, body) }

    /// Content codings are applied to its body.
    package var isEncoded: Bool { !contentCodings.isEmpty }

    /// With its body as it was before it was encoded, and nothing said of that any more to those who read it.
    package func plain(limit: Int) -> Answer? {
        guard isEncoded else { return self }
        guard var answer = try? decoded(limit: limit) else { return nil }
        answer.isPlain = true
        return answer
    }
}
