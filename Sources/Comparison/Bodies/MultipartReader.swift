/// `multipart/*` (RFC 2046 §5.1): parts by their field name if they have one (`form-data`, RFC 7578), and otherwise
/// by position. A part is `{type, filename, body}`; its body is read by its own media type, and one that cannot
/// be read is its size and keyed hash.
struct MultipartReader {
    /// Multipart bodies within multipart bodies.
    static let maximumNesting = 4
    private static let headerBytes = 16 * 1024

    private struct Part {
        var name: String?
        var filename: String?
        var type: MediaType?
        var body: ArraySlice<UInt8>
    }

    private let bytes: [UInt8]
    /// `--` and the boundary.
    private let delimiter: [UInt8]
    private let reader: BodyReader
    private let nesting: Int

    init(_ body: Body, _ reader: BodyReader, nesting: Int) throws(DocumentError) {
        guard let boundary = body.type?.boundary, (1...70).contains(boundary.utf8.count) else {
            throw DocumentError(code: .unexpectedByte, offset: 0)
        }
        guard nesting < MultipartReader.maximumNesting else { throw DocumentError(code: .tooDeep, offset: 0) }
        bytes = body.bytes
        delimiter = Array("--".utf8) + boundary.utf8
        self.reader = reader
        self.nesting = nesting
    }

    func document() throws(DocumentError) -> Document {
        let parts = try parts()
        let isNamed = !parts.isEmpty && parts.allSatisfy { $0.name != nil }
        var builder = DocumentBuilder(maximumDepth: reader.depth)
        if isNamed { builder.openObject() } else { builder.openArray() }
        for part in parts {
            if isNamed { builder.name((part.name ?? "").utf8) }
            builder.openObject()
            if !isNamed, let name = part.name {
                builder.name("name".utf8)
                builder.string(name.utf8)
            }
            builder.name("type".utf8)
            // Without a type a part is text (RFC 2046 §5.2).
            builder.string((part.type?.type ?? "text/plain").utf8)
            if let filename = part.filename {
                builder.name("filename".utf8)
                builder.string(filename.utf8)
            }
            builder.name("body".utf8)
            try append(part, to: &builder)
            builder.close()
        }
        builder.close()
        return try builder.finish()
    }

    private func append(_ part: Part, to builder: inout DocumentBuilder) throws(DocumentError) {
        let body = Body(Array(part.body), part.type ?? MediaType("text/plain"))
        do throws(DocumentError) {
            builder.append(try reader.document(body, as: body.format, nesting: nesting + 1))
        } catch {
            if error.code == .tooDeep || error.code == .tooLarge { throw error }
            builder.string(reader.redactor.summary(body.bytes).utf8)
        }
    }

    // MARK: - Parts

    /// What is before the first delimiter and after the last says nothing (§5.1.1).
    private func parts() throws(DocumentError) -> [Part] {
        var parts: [Part] = []
        var start: Int?
        var position = 0
        while position < bytes.count {
            let end = bytes[position...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            if let isLast = delimiter(in: position..<end) {
                if let start { parts.append(try part(in: start..<position)) }
                if isLast { return parts }
                start = end
            }
            position = end
        }
        throw DocumentError(code: .unexpectedEnd, offset: bytes.count)
    }

    /// Whether a line is the last delimiter; nil if it is none.
    private func delimiter(in line: Range<Int>) -> Bool? {
        guard bytes[line].starts(with: delimiter) else { return nil }
        let rest = bytes[(line.lowerBound + delimiter.count)..<line.upperBound]
        let isLast = rest.starts(with: "--".utf8)
        let isBlank = rest.dropFirst(isLast ? 2 : 0).allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        return isBlank ? isLast : nil
    }

    /// The line break before a delimiter belongs to the delimiter.
    private func part(in range: Range<Int>) throws(DocumentError) -> Part {
        var part = Part(body: [])
        var position = range.lowerBound
        while true {
            let end = bytes[position..<range.upperBound].firstIndex(of: 0x0A)
            guard let end, end - range.lowerBound < MultipartReader.headerBytes else {
                // Headers alone, without a line between them and a body.
                throw DocumentError(code: .unexpectedEnd, offset: position)
            }
            let line = bytes[position..<end]
            position = end + 1
            let field = line.last == 0x0D ? line.dropLast() : line
            if field.isEmpty { break }
            read(field, into: &part)
        }
        part.body = bytes[position..<range.upperBound]
        if part.body.last == 0x0A { part.body.removeLast() }
        if part.body.last == 0x0D { part.body.removeLast() }
        return part
    }

    private func read(_ field: ArraySlice<UInt8>, into part: inout Part) {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = String(decoding: field[..<colon], as: UTF8.self)
        let value = trimmedBlanks(String(decoding: field[(colon + 1)...], as: UTF8.self))
        if FieldList.isEqual(name, lowercase: "content-type") {
            part.type = MediaType(value)
        } else if FieldList.isEqual(name, lowercase: "content-disposition") {
            for parameter in FieldList.split(value, at: UInt8(ascii: ";")).dropFirst() {
                let pair = FieldList.pair(parameter.utf8[...])
                let text = pair.value.map(FieldList.unquoted)
                if FieldList.isEqual(pair.name, lowercase: "name") { part.name = text }
                if FieldList.isEqual(pair.name, lowercase: "filename") { part.filename = text }
            }
        }
    }
}
