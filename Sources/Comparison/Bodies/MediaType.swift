/// `type/subtype; name=value` (RFC 9110 §8.3.1) in a form in which equal types are equal values.
struct MediaType: Equatable {
    /// Lower-case: `text/html`.
    let type: String
    /// Sorted, lower-case, unquoted `name=value` pairs, without the boundary.
    let parameters: [String]
    /// Of a multipart type, as written. Every message makes up its own, so it is no part of what is compared.
    let boundary: String?

    init?(_ text: String) {
        let parts = FieldList.split(text, at: UInt8(ascii: ";"))
        guard let first = parts.first, first.utf8.contains(UInt8(ascii: "/")) else { return nil }
        type = FieldList.lowercased(first)
        guard parts.count > 1 else {
            parameters = []
            boundary = nil
            return
        }
        var parameters: [String] = []
        var boundary: String?
        for part in parts.dropFirst() {
            let pair = FieldList.pair(part.utf8[...])
            let name = FieldList.lowercased(pair.name)
            let value = pair.value.map(FieldList.unquoted)
            if name == "boundary", type.utf8.starts(with: "multipart/".utf8) {
                boundary = value
            } else {
                parameters.append(value.map { name + "=" + FieldList.lowercased($0) } ?? name)
            }
        }
        self.parameters = parameters.sorted()
        self.boundary = boundary
    }

    static func == (left: MediaType, right: MediaType) -> Bool {
        left.type == right.type && left.parameters == right.parameters
    }

    /// The bytes can be read as UTF-8.
    var isUTF8: Bool {
        parameters.allSatisfy {
            !$0.utf8.starts(with: "charset=".utf8)
                || ["charset=utf-8", "charset=utf8", "charset=us-ascii"].contains($0)
        }
    }
}

/// How a body is read.
enum BodyFormat: Equatable {
    case json, jsonLines, jsonSequence, form, multipart, xml, html
    /// Texts of different kinds are not each other's.
    case text(String)
    /// Only its bytes are known.
    case opaque(String)

    init(_ type: MediaType) {
        switch type.type {
        case "application/json": self = .json
        case "application/x-ndjson", "application/jsonl", "application/x-jsonlines": self = .jsonLines
        case "application/json-seq": self = .jsonSequence
        case "application/x-www-form-urlencoded": self = .form
        case "text/html": self = .html
        case "application/xml", "text/xml": self = type.isUTF8 ? .xml : .opaque(type.type)
        case let name where name.utf8.starts(with: "multipart/".utf8): self = .multipart
        case let name where BodyFormat.saysJSON(name): self = .json
        case let name where BodyFormat.hasSuffix(name, "+xml"): self = type.isUTF8 ? .xml : .opaque(type.type)
        case let name where name.utf8.starts(with: "text/".utf8) && type.isUTF8: self = .text(name)
        default: self = .opaque(type.type)
        }
    }

    /// What a body's first characters say (RFC 9110 §8.3 lets a recipient look); nil if nothing.
    init?(sniffing bytes: [UInt8]) {
        let blanks: Set<UInt8> = [0x20, 0x0A, 0x0D, 0x09, 0xEF, 0xBB, 0xBF]
        guard let start = bytes.firstIndex(where: { !blanks.contains($0) }) else { return nil }
        switch bytes[start] {
        case UInt8(ascii: "{"), UInt8(ascii: "["): self = .json
        case UInt8(ascii: "<"): self = BodyFormat.beginsAsXML(bytes[start...]) ? .xml : .html
        default: return nil
        }
    }

    /// With its declaration, or with an element that HTML does not have.
    private static func beginsAsXML(_ markup: ArraySlice<UInt8>) -> Bool {
        if markup.starts(with: "<?xml".utf8) { return true }
        let name = markup.dropFirst().prefix(while: Markup.isNameByte)
        return name.first.map(Markup.isNameStart) == true && !HTMLElement.exists(name.map { FieldList.lowercased($0) })
    }

    /// `…+json` (RFC 6839 §3.1), and names of one's own such as `application/x-amz-json-1.1`.
    private static func saysJSON(_ name: String) -> Bool {
        name.utf8.split { !($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) && !($0 >= 0x30 && $0 <= 0x39) }
            .contains { $0.elementsEqual("json".utf8) }
    }

    /// Of the name of a media type, RFC 6839.
    private static func hasSuffix(_ name: String, _ suffix: String) -> Bool {
        name.utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    var isReadable: Bool { if case .opaque = self { false } else { true } }
    /// Its media type leaves no doubt of how it is to be read.
    var isStructured: Bool {
        switch self {
        case .json, .jsonLines, .jsonSequence, .form, .multipart, .xml: true
        case .html, .text, .opaque: false
        }
    }
    var isJSON: Bool { self == .json || self == .jsonLines || self == .jsonSequence }

    /// A field's value is found under the field's name, so a rule can say which one is a secret.
    var hasNamedFields: Bool {
        switch self {
        case .json, .jsonLines, .jsonSequence, .form, .xml, .multipart: true
        case .html, .text, .opaque: false
        }
    }

    var name: String {
        switch self {
        case .json: "JSON"
        case .jsonLines: "JSON lines"
        case .jsonSequence: "JSON sequence"
        case .form: "form"
        case .multipart: "multipart"
        case .xml: "XML"
        case .html: "HTML"
        case .text: "text"
        case .opaque: "bytes"
        }
    }
}
