/// What a body says, as one tree whatever its media type: JSON is one way in (``init(json:maximumDepth:)``), and
/// every other reader makes one with a ``DocumentBuilder``.
///
/// The tree is one flat array in document order: a container is followed by its children, an object's
/// children are name, value, name, value. A text keeps its source, so number lexemes stay exact, every value
/// knows its bytes, and editing one value leaves all other bytes as they were. It answers for what the text
/// says; what counts as a difference is `DocumentComparison`'s.
package struct Document: Sendable {
    package enum Kind: UInt8, Sendable {
        case null, `false`, `true`, number, string, array, object
    }

    /// A value's place; it means something only to the document that gave it out.
    package struct Value: Sendable, Hashable {
        let index: Int
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The string holds at least one escape, so its text is not its bytes.
        static let hasEscapes = Flags(rawValue: 1)
        /// The string's range is its content, without quotes and escapes.
        static let isRaw = Flags(rawValue: 2)
        /// The sequence of the object's names says something: elements of XML and HTML.
        static let isOrdered = Flags(rawValue: 4)
    }

    /// Twenty bytes a value; positions are 32 bits wide, which whoever makes a document guarantees to be enough.
    struct Node: Sendable {
        var kind: Kind
        var flags: Flags
        var start: Int32
        var end: Int32
        /// Elements or members; of a member's name its ``Document/nameHash(of:in:)``; 0 for other scalars.
        var count: Int32
        /// The node after this value's whole subtree.
        var next: Int32
    }

    package let source: [UInt8]
    let nodes: [Node]
    /// The source is a text in which every value, containers too, stands as it was written. Otherwise only
    /// scalars have bytes.
    package let isText: Bool

    /// - Parameter maximumDepth: containers within containers, 1...; deeper is `DocumentError.Code.tooDeep`.
    package init(json source: [UInt8], maximumDepth: Int = 512) throws(DocumentError) {
        let nodes = try JSONParser.nodes(of: source, maximumDepth: maximumDepth, isLines: false)
        self.init(source: source, nodes: nodes, isText: true)
    }

    /// JSON texts one after another, each ended by a line feed (NDJSON, JSON Lines), as one array of them.
    /// Blank lines say nothing.
    package init(jsonLines source: [UInt8], maximumDepth: Int = 512) throws(DocumentError) {
        let nodes = try JSONParser.nodes(of: source, maximumDepth: maximumDepth, isLines: true)
        self.init(source: source, nodes: nodes, isText: true)
    }

    init(source: [UInt8], nodes: [Node], isText: Bool) {
        self.source = source
        self.nodes = nodes
        self.isText = isText
    }

    /// Equal for names that say the same, however they are written.
    static func nameHash(of name: Node, in bytes: UnsafePointer<UInt8>) -> Int32 {
        let quotes = name.flags.contains(.isRaw) ? 0 : 1
        let start = bytes + Int(name.start) + quotes
        let count = Int(name.end - name.start) - 2 * quotes
        guard name.flags.contains(.hasEscapes) else { return nameHash(of: start, count: count) }
        return nameHash(of: JSONText.decoded(Array(UnsafeBufferPointer(start: start, count: count))[...]))
    }

    static func nameHash(of text: [UInt8]) -> Int32 {
        text.withUnsafeBufferPointer { text in
            text.baseAddress.map { nameHash(of: $0, count: text.count) } ?? 0
        }
    }

    private static func nameHash(of text: UnsafePointer<UInt8>, count: Int) -> Int32 {
        guard count > 0 else { return 0 }
        return Int32(truncatingIfNeeded: Bytes.hash(text, count: count, seed: Bytes.tableSeed))
    }

    package var root: Value { Value(index: 0) }

    package func kind(of value: Value) -> Kind { nodes[value.index].kind }

    /// The value's bytes in `source`, including a string's quotes and a container's brackets. Of a container in
    /// a document that is no text: nothing of use.
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
        let content = content(of: value)
        return node.flags.contains(.hasEscapes) ? JSONText.decoded(content) : Array(content)
    }

    /// A string's bytes without its quotes; any other value's bytes.
    func content(of value: Value) -> ArraySlice<UInt8> {
        let node = nodes[value.index]
        let quotes = node.kind == .string && !node.flags.contains(.isRaw) ? 1 : 0
        return source[(Int(node.start) + quotes)..<(Int(node.end) - quotes)]
    }

    /// Whether two strings say the same, however they are written.
    func sameText(_ value: Value, as other: Value, in document: Document) -> Bool {
        if nodes[value.index].flags.union(document.nodes[other.index].flags).isDisjoint(with: .hasEscapes) {
            return content(of: value) == document.content(of: other)
        }
        return text(of: value) == document.text(of: other)
    }
}

/// Why bytes are not what they were to be read as, and where.
package struct DocumentError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unexpectedEnd, unexpectedByte, invalidNumber, invalidEscape, invalidUTF8, controlCharacter
        /// Not a fault of the text: it exceeds what the reader was told to accept.
        case tooDeep, tooLarge
    }

    package let code: Code
    /// The first offending byte, from 0.
    package let offset: Int

    package init(code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }

    package var description: String { "\(code.rawValue) at byte \(offset)" }
}
