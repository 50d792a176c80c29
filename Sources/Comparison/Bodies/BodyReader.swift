/// Reads a body as what its media type says, into a tree whose paths rules can name. Every reader is linear in the
/// bytes, bounded in depth, and refuses or repairs what is broken without trapping.
struct BodyReader {
    /// Containers within containers.
    let depth: Int
    /// For parts that are shown by a keyed hash.
    let redactor: Redactor

    func read(_ body: Body, as format: BodyFormat) -> Result<Document, DocumentError> {
        do throws(DocumentError) {
            return .success(try document(body, as: format, nesting: 0))
        } catch {
            return .failure(error)
        }
    }

    /// - Parameter nesting: multipart bodies around this one.
    func document(_ body: Body, as format: BodyFormat, nesting: Int) throws(DocumentError) -> Document {
        switch format {
        case .json: try Document(json: body.unmarked, maximumDepth: depth)
        case .jsonLines: try Document(jsonLines: body.unmarked, maximumDepth: depth)
        case .jsonSequence:
            // A record separator stands before each text, which is then ended by a line feed (RFC 7464 §2.2).
            try Document(jsonLines: body.unmarked.map { $0 == 0x1E ? 0x20 : $0 }, maximumDepth: depth)
        case .form: try FormReader.document(of: body.bytes, maximumDepth: depth)
        case .multipart: try MultipartReader(body, self, nesting: nesting).document()
        case .xml: try XMLReader.document(of: body.unmarked, maximumDepth: depth)
        case .html: try HTMLReader.document(of: body.unmarked, maximumDepth: depth)
        case .text: try TextReader.document(of: body.unmarked, maximumDepth: depth)
        case .opaque:
            try BodyReader.string(Array(redactor.summary(body.bytes).utf8), maximumDepth: depth)
        }
    }

    private static func string(_ text: [UInt8], maximumDepth: Int) throws(DocumentError) -> Document {
        var builder = DocumentBuilder(maximumDepth: maximumDepth)
        builder.string(text)
        return try builder.finish()
    }
}

/// `application/x-www-form-urlencoded` (WHATWG URL §5.1): names to strings. Nothing is refused.
enum FormReader {
    static func document(of bytes: [UInt8], maximumDepth: Int) throws(DocumentError) -> Document {
        var builder = DocumentBuilder(maximumDepth: maximumDepth)
        builder.openObject()
        for field in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? field.endIndex
            builder.name(UTF8Check.repaired(decoded(field[..<equals])))
            builder.string(decoded(field[equals...].dropFirst()))
        }
        builder.close()
        return try builder.finish()
    }

    /// Percent-encoding and `+` undone; what is no valid escape stays.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return Array(bytes) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = JSONText.hexDigit(rest[rest.startIndex]),
                let low = JSONText.hexDigit(rest[rest.startIndex + 1])
            {
                result.append(UInt8(truncatingIfNeeded: high << 4 | low))
                rest = rest.dropFirst(2)
            } else {
                result.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return result
    }
}

/// `text/*` in UTF-8: an array of lines. How a line ends, and whether the last one does, says nothing.
enum TextReader {
    static func document(of bytes: [UInt8], maximumDepth: Int) throws(DocumentError) -> Document {
        if let fault = UTF8Check.firstFault(in: bytes) { throw DocumentError(code: .invalidUTF8, offset: fault) }
        var builder = DocumentBuilder(maximumDepth: maximumDepth)
        builder.openArray()
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            let line = rest[..<end]
            builder.string(line.last == 0x0D ? line.dropLast() : line)
            rest = rest[end...].dropFirst()
        }
        builder.close()
        return try builder.finish()
    }
}

enum UTF8Check {
    /// The first byte that is part of no well-formed sequence.
    static func firstFault(in bytes: [UInt8]) -> Int? {
        var position = 0
        while position < bytes.count {
            if bytes[position] < 0x80 {
                position += 1
                continue
            }
            let length = JSONText.scalarLength(in: bytes, at: position)
            guard length > 0 else { return position }
            position += length
        }
        return nil
    }

    /// The text with `%FF` for each byte that is no UTF-8: for names, which have to be written in paths.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        guard firstFault(in: bytes) != nil else { return bytes }
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let length = bytes[position] < 0x80 ? 1 : JSONText.scalarLength(in: bytes, at: position)
            if length > 0 {
                result += bytes[position..<(position + length)]
            } else {
                result += Array("%".utf8) + Hexadecimal.text(of: [bytes[position]]).utf8
            }
            position += max(1, length)
        }
        return result
    }
}
