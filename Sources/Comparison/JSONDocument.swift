/// A parsed JSON text (RFC 8259) that keeps its source: number lexemes stay exact, every value knows its
/// bytes, and editing one value leaves all other bytes as they were.
///
/// The tree is one flat array in document order: a container is followed by its children, an object's
/// children are key, value, key, value. It answers for what the text says; what counts as a difference is
/// `DocumentComparison`'s.
package struct JSONDocument: Sendable {
    package enum Kind: UInt8, Sendable {
        case null, `false`, `true`, number, string, array, object
    }

    /// A value's place; it means something only to the document that gave it out.
    package struct Value: Sendable, Hashable {
        let index: Int
    }

    /// Twenty bytes a value; positions are 32 bits wide, which `JSONParser` guarantees to be enough.
    struct Node: Sendable {
        var kind: Kind
        /// The string holds at least one escape, so its text is not its bytes.
        var hasEscapes: Bool
        var start: Int32
        var end: Int32
        /// Elements or members; 0 for scalars.
        var count: Int32
        /// The node after this value's whole subtree.
        var next: Int32
    }

    package let source: [UInt8]
    let nodes: [Node]

    /// - Parameter maximumDepth: containers within containers, 1...; deeper is `JSONError.Code.tooDeep`.
    package init(parsing source: [UInt8], maximumDepth: Int = 512) throws(JSONError) {
        var parser = JSONParser(bytes: source, maximumDepth: maximumDepth)
        try parser.run()
        self.source = source
        self.nodes = parser.nodes
    }

    package var root: Value { Value(index: 0) }

    package func kind(of value: Value) -> Kind { nodes[value.index].kind }

    /// The value's bytes in `source`, including a string's quotes and a container's brackets.
    package func range(of value: Value) -> Range<Int> {
        Int(nodes[value.index].start)..<Int(nodes[value.index].end)
    }

    /// The value's bytes as they were written.
    package func lexeme(of value: Value) -> ArraySlice<UInt8> { source[range(of: value)] }

    /// Elements of an array, members of an object.
    package func count(of value: Value) -> Int { Int(nodes[value.index].count) }

    package func elements(of array: Value) -> [Value] {
        guard kind(of: array) == .array else { return [] }
        var result: [Value] = []
        result.reserveCapacity(count(of: array))
        var child = array.index + 1
        for _ in 0..<count(of: array) {
            result.append(Value(index: child))
            child = Int(nodes[child].next)
        }
        return result
    }

    /// Every member in document order, repeated names included; the name is a string value.
    package func members(of object: Value) -> [(name: Value, value: Value)] {
        guard kind(of: object) == .object else { return [] }
        var result: [(name: Value, value: Value)] = []
        result.reserveCapacity(count(of: object))
        var name = object.index + 1
        for _ in 0..<count(of: object) {
            result.append((Value(index: name), Value(index: name + 1)))
            name = Int(nodes[name + 1].next)
        }
        return result
    }

    /// A string's content with escapes decoded, as UTF-8. A lone surrogate, which RFC 8259 §8.2 lets
    /// through, becomes the three bytes that UTF-8 would give it if it could (WTF-8), so it equals only itself.
    /// Of any other value: its bytes as written.
    package func text(of value: Value) -> [UInt8] {
        let node = nodes[value.index]
        guard node.kind == .string else { return Array(lexeme(of: value)) }
        let content = source[(Int(node.start) + 1)..<(Int(node.end) - 1)]
        return node.hasEscapes ? JSONText.decoded(content) : Array(content)
    }

    /// Whether two strings say the same, however they are escaped.
    func sameText(_ value: Value, as other: Value, in document: JSONDocument) -> Bool {
        if !nodes[value.index].hasEscapes, !document.nodes[other.index].hasEscapes {
            return lexeme(of: value) == document.lexeme(of: other)
        }
        return text(of: value) == document.text(of: other)
    }
}

extension JSONDocument {
    /// New bytes in place of a range of the source.
    package struct Edit: Sendable {
        package var range: Range<Int>
        package var replacement: [UInt8]

        package init(range: Range<Int>, replacement: [UInt8]) {
            self.range = range
            self.replacement = replacement
        }
    }

    /// The source, or the part of it in `bounds`, with `edits` made and every other byte as it was. An edit
    /// that overlaps an earlier one, or leaves the bounds, is not made.
    package func applying(_ edits: [Edit], in bounds: Range<Int>? = nil) -> [UInt8] {
        let bounds = (bounds ?? 0..<source.count).clamped(to: 0..<source.count)
        var result: [UInt8] = []
        result.reserveCapacity(bounds.count)
        var position = bounds.lowerBound
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
        where edit.range.lowerBound >= position && edit.range.upperBound <= bounds.upperBound {
            result += source[position..<edit.range.lowerBound]
            result += edit.replacement
            position = edit.range.upperBound
        }
        return result + source[position..<bounds.upperBound]
    }
}

/// Why a text is not a JSON text, and where.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unexpectedEnd, unexpectedByte, invalidNumber, invalidEscape, invalidUTF8, controlCharacter
        /// Not a fault of the text: it exceeds what the reader was told to accept.
        case tooDeep, tooLarge
    }

    package let code: Code
    /// The first offending byte, from 0.
    package let offset: Int

    package var description: String { "\(code.rawValue) at byte \(offset)" }
}

extension JSONDocument {
    /// A text as a JSON string. Lone surrogates are escaped, as UTF-8 has no room for them.
    package static func quoted(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        var position = 0
        while position < text.count {
            let byte = text[position]
            let length = byte < 0x80 ? 1 : JSONText.scalarLength(in: text, at: position)
            if length == 0 {
                result += JSONText.escaped(JSONText.surrogate(text[position...]))
                position += 3
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { result.append(UInt8(ascii: "\\")) }
            if byte < 0x20 {
                result += JSONText.escaped(UInt16(byte))
            } else {
                result += text[position..<(position + length)]
            }
            position += length
        }
        return result + [UInt8(ascii: "\"")]
    }
}
