/// Reads the field lines of a head, each byte once, however the bytes are split into reads.
///
/// It answers for line ends, names, values, and for what the fields say together about framing and persistence. It keeps
/// offsets only; the caller keeps the bytes, and hands in the same head from its first byte each time, grown at the end.
package struct HeadScanner: Sendable {
    package private(set) var fields: [FieldLine] = []
    package private(set) var facts = HeadFacts()
    /// Start of the line being read, and how far its end has been looked for.
    private var lineStart = 0
    private var searched = 0

    package init() {
        fields.reserveCapacity(32)
    }

    /// Ready for the next head; keeps its memory.
    package mutating func reset() {
        fields.removeAll(keepingCapacity: true)
        facts = HeadFacts()
        lineStart = 0
        searched = 0
    }

    enum Line: Equatable {
        case incomplete
        /// `start..<end` without CRLF.
        case line(start: Int, end: Int)
    }

    /// The next line that ends with CRLF. A bare LF, and a CR that no LF follows, are refused (RFC 9112 §2.2).
    mutating func nextLine(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) -> Line {
        let feed = bytes.index(of: 0x0A, from: searched)
        guard feed >= 0 else {
            searched = bytes.count
            return .incomplete
        }
        guard feed > lineStart, bytes[feed - 1] == 0x0D else { throw .bareLineFeed }
        let line = Line.line(start: lineStart, end: feed - 1)
        lineStart = feed + 1
        searched = lineStart
        return line
    }

    /// Nothing of the head has been looked at.
    package var isFresh: Bool { lineStart == 0 && searched == 0 }

    /// Bytes of the head that were taken so far.
    var consumed: Int { lineStart }

    /// Field lines up to and with the empty line. Returns the head's length, or nil while it is incomplete.
    mutating func scanFields(_ bytes: UnsafeRawBufferPointer, limits: HeadLimits) throws(ParseFailure) -> Int? {
        while true {
            guard case .line(let start, let end) = try nextLine(bytes) else {
                // One more than the limit: the last byte may be the CR of a line that is just short enough.
                if bytes.count > limits.head || bytes.count - lineStart > limits.field &+ 1 { throw .headTooLarge }
                return nil
            }
            if lineStart > limits.head { throw .headTooLarge }
            if start == end { return lineStart }
            if end - start > limits.field || fields.count >= limits.fields { throw .headTooLarge }
            try append(lineFrom: start, to: end, in: bytes)
        }
    }

    private mutating func append(lineFrom start: Int, to end: Int, in bytes: UnsafeRawBufferPointer)
        throws(ParseFailure)
    {
        if bytes[start] == 0x20 || bytes[start] == 0x09 { throw .foldedField }
        // A colon is no token character, so the name's end and its characters are looked for in one pass.
        let line = bytes.part(start, end)
        var nameLength = ByteClass.prefix(of: line, that: ByteClass.plainToken)
        let isUnusual = nameLength < line.count && line[nameLength] == 0x5F
        if isUnusual { nameLength = ByteClass.prefix(of: line, that: ByteClass.token) }
        guard nameLength > 0, nameLength < line.count, line[nameLength] == 0x3A else { throw .badField }
        let colon = start + nameLength
        let name = bytes.part(start, colon)
        if isUnusual, KnownField.isImitated(by: name) { facts.imitationFound() }
        var valueStart = colon + 1
        var valueEnd = end
        while valueStart < valueEnd, bytes[valueStart] == 0x20 || bytes[valueStart] == 0x09 { valueStart += 1 }
        while valueEnd > valueStart, bytes[valueEnd - 1] == 0x20 || bytes[valueEnd - 1] == 0x09 { valueEnd -= 1 }
        let value = bytes.part(valueStart, valueEnd)
        guard ByteClass.isFieldValue(value) else { throw .badField }
        let field = KnownField(name: name)
        fields.append(
            FieldLine(
                nameStart: UInt32(truncatingIfNeeded: start), nameEnd: UInt32(truncatingIfNeeded: colon),
                valueStart: UInt32(truncatingIfNeeded: valueStart), valueEnd: UInt32(truncatingIfNeeded: valueEnd),
                lineEnd: UInt32(truncatingIfNeeded: end + 2), field: field))
        if field != .other {
            try facts.fieldFound(field, index: fields.count - 1, value: value)
        }
    }
}
