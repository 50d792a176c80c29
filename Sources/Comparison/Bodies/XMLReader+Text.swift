/// Texts, references, and what is passed over.
extension XMLReader {
    mutating func characters() throws(DocumentError) {
        let start = position
        while let byte = current, byte != UInt8(ascii: "<") {
            if byte == UInt8(ascii: "&") {
                guard !open.isEmpty else { throw failure(.unexpectedByte) }
                text += try reference()
            } else {
                text.append(byte == 0x0D ? lineEnd(as: 0x0A) : byte)
                position += 1
            }
        }
        guard open.isEmpty else { return }
        guard bytes[start..<position].allSatisfy(Markup.isBlank) else { throw failure(.unexpectedByte, at: start) }
        text = []
    }

    mutating func characterData() throws(DocumentError) {
        guard !open.isEmpty else { throw failure(.unexpectedByte) }
        let start = position + 9
        try skip("<![CDATA[", through: "]]>")
        let end = position
        position = start
        while position < end - 3 {
            text.append(bytes[position] == 0x0D ? lineEnd(as: 0x0A) : bytes[position])
            position += 1
        }
        position = end
    }

    /// A carriage return is a line end, with the line feed after it or without (§2.11); in an attribute any line
    /// end is a blank (§3.3.3). Stops at its last byte.
    private mutating func lineEnd(as byte: UInt8) -> UInt8 {
        if position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
        return byte
    }

    /// What is only white space was put there to be read by people.
    mutating func flush() {
        if !text.allSatisfy(Markup.isBlank) { writer.text(text) }
        text.removeAll(keepingCapacity: true)
    }

    mutating func attributeValue() throws(DocumentError) -> [UInt8] {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw failure(.unexpectedByte)
        }
        position += 1
        var value: [UInt8] = []
        while let byte = current, byte != quote {
            switch byte {
            case UInt8(ascii: "<"): throw failure(.unexpectedByte)
            case UInt8(ascii: "&"): value += try reference()
            case 0x0D:
                value.append(lineEnd(as: 0x20))
                position += 1
            case 0x09, 0x0A:
                value.append(0x20)
                position += 1
            default:
                value.append(byte)
                position += 1
            }
        }
        guard current == quote else { throw failure(.unexpectedEnd) }
        position += 1
        return value
    }

    private mutating func reference() throws(DocumentError) -> [UInt8] {
        let start = position
        let limit = min(bytes.count, start + 64)
        guard let end = bytes[start..<limit].firstIndex(of: UInt8(ascii: ";")) else { throw failure(.invalidEscape) }
        let name = bytes[(start + 1)..<end]
        position = end + 1
        if let point = Markup.numericReference(name), Markup.isXMLCharacter(point) {
            var text: [UInt8] = []
            JSONText.appendScalar(point, to: &text)
            return text
        }
        if let character = Markup.predefined(name) { return [character] }
        // Defined where nobody looks: it stands for itself.
        if hasTypeDefinition, let first = name.first, Markup.isNameStart(first) { return Array(bytes[start...end]) }
        throw failure(.invalidEscape, at: start)
    }

    // MARK: - What is skipped

    /// Only an encoding that is UTF-8 can be read.
    mutating func declaration() throws(DocumentError) {
        guard starts(with: "<?xml"), position + 5 < bytes.count, Markup.isBlank(bytes[position + 5]) else { return }
        let start = position
        try skip("<?", through: "?>")
        let text = FieldList.lowercased(String(decoding: bytes[start..<position], as: UTF8.self))
        guard let mark = text.firstRange(of: "encoding") else { return }
        let value = text[mark.upperBound...].drop { " \t\r\n=".contains($0) }
        guard ["utf-8", "us-ascii"].contains(where: { value.dropFirst().hasPrefix($0) }) else {
            throw failure(.invalidUTF8, at: start)
        }
    }

    /// `<!DOCTYPE … [ … ]>`: to its end, past quoted texts and comments.
    mutating func typeDefinition() throws(DocumentError) {
        guard !hasRoot, !hasTypeDefinition else { throw failure(.unexpectedByte) }
        hasTypeDefinition = true
        var brackets = 0
        position += 2
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                position += 1
                guard let end = bytes[position...].firstIndex(of: byte) else { throw failure(.unexpectedEnd) }
                position = end + 1
                continue
            case UInt8(ascii: "<") where starts(with: "<!--"):
                try skip("<!--", through: "-->")
                continue
            case UInt8(ascii: "<") where starts(with: "<?"):
                try skip("<?", through: "?>")
                continue
            case UInt8(ascii: "["): brackets += 1
            case UInt8(ascii: "]"): brackets -= 1
            case UInt8(ascii: ">") where brackets <= 0:
                position += 1
                return
            default: break
            }
            position += 1
        }
        throw failure(.unexpectedEnd)
    }

    mutating func skip(_ opening: StaticString, through closing: StaticString) throws(DocumentError) {
        position += opening.utf8CodeUnitCount
        while position < bytes.count {
            if starts(with: closing) {
                position += closing.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw failure(.unexpectedEnd)
    }
}
