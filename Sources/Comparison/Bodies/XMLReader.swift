/// XML 1.0 with namespaces, in UTF-8: strict about what is well-formed, blind to what only the serialiser chose:
/// prefixes, the order of attributes, white space between elements, CDATA, comments, processing instructions.
///
/// An element is named by its local name; where its namespace is not its parent's, `@xmlns` says which one it is.
/// So `<a:x xmlns:a="u"/>` equals `<x xmlns="u"/>`. A document type definition is skipped, never expanded and never
/// fetched: of entities, only the five predefined ones and characters by number are known.
struct XMLReader {
    struct Element {
        /// As written, for its end tag.
        var name: Range<Int>
        var namespace: [UInt8]
        /// Prefixes that the element has bound.
        var bound: [[UInt8]]
    }

    let bytes: [UInt8]
    private let maximumDepth: Int
    var position = 0
    var writer: MarkupWriter
    var open: [Element] = []
    var text: [UInt8] = []
    var hasRoot = false
    var hasTypeDefinition = false
    /// Namespaces by prefix, innermost last; the empty prefix is the default.
    private var namespaces: [[UInt8]: [[UInt8]]] = [:]

    static func document(of bytes: [UInt8], maximumDepth: Int) throws(DocumentError) -> Document {
        if let fault = UTF8Check.firstFault(in: bytes) { throw DocumentError(code: .invalidUTF8, offset: fault) }
        if let fault = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
            throw DocumentError(code: .controlCharacter, offset: fault)
        }
        var reader = XMLReader(bytes: bytes, maximumDepth: maximumDepth)
        try reader.run()
        return try reader.writer.finish()
    }

    private init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        writer = MarkupWriter(maximumDepth: maximumDepth)
    }

    private mutating func run() throws(DocumentError) {
        try declaration()
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") {
                try characters()
            } else if starts(with: "</") {
                try endTag()
            } else if starts(with: "<!--") {
                try skip("<!--", through: "-->")
            } else if starts(with: "<?") {
                try skip("<?", through: "?>")
            } else if starts(with: "<![CDATA[") {
                try characterData()
            } else if starts(with: "<!DOCTYPE") {
                try typeDefinition()
            } else {
                try startTag()
            }
        }
        guard hasRoot, open.isEmpty else { throw failure(.unexpectedEnd) }
    }

    // MARK: - Elements

    private mutating func startTag() throws(DocumentError) {
        guard !open.isEmpty || !hasRoot else { throw failure(.unexpectedByte) }
        guard open.count + 1 < maximumDepth else { throw failure(.tooDeep) }
        flush()
        hasRoot = true
        position += 1
        let name = try name()
        var attributes: [(name: Range<Int>, value: [UInt8])] = []
        var bound: [[UInt8]] = []
        while true {
            let hadBlank = skipBlanks()
            guard let byte = current else { throw failure(.unexpectedEnd) }
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { break }
            guard hadBlank else { throw failure(.unexpectedByte) }
            let attribute = try self.name()
            skipBlanks()
            try expect("=")
            skipBlanks()
            let value = try attributeValue()
            if let prefix = declaredPrefix(attribute) {
                bound.append(prefix)
                namespaces[prefix, default: []].append(XMLReader.shortened(value))
            } else {
                attributes.append((attribute, value))
            }
        }
        let sorted = bound.sorted { $0.lexicographicallyPrecedes($1) }
        guard !zip(sorted, sorted.dropFirst()).contains(where: ==) else { throw failure(.unexpectedByte) }
        let (local, namespace) = qualified(name, isAttribute: false)
        let written = try named(attributes, namespace == open.last?.namespace ?? [] ? nil : namespace)
        writer.start(local, written)
        open.append(Element(name: name, namespace: namespace, bound: bound))
        if current == UInt8(ascii: "/") {
            position += 1
            closeElement()
        }
        try expect(">")
    }

    /// Sorted, so that their order means nothing. A name given twice is a fault.
    private func named(
        _ attributes: [(name: Range<Int>, value: [UInt8])], _ namespace: [UInt8]?
    ) throws(DocumentError) -> [MarkupWriter.Attribute] {
        var result: [MarkupWriter.Attribute] = []
        result.reserveCapacity(attributes.count + 1)
        for attribute in attributes {
            let (local, namespace) = qualified(attribute.name, isAttribute: true)
            let full =
                namespace.isEmpty ? Array(local) : [UInt8(ascii: "{")] + namespace + [UInt8(ascii: "}")] + local
            result.append((full, attribute.value))
        }
        result.sort { $0.name.lexicographicallyPrecedes($1.name) }
        for (one, other) in zip(result, result.dropFirst()) where one.name == other.name {
            throw failure(.unexpectedByte)
        }
        if let namespace { result.insert((Array("xmlns".utf8), namespace), at: 0) }
        return result
    }

    private mutating func endTag() throws(DocumentError) {
        position += 2
        let name = try name()
        skipBlanks()
        guard let element = open.last, bytes[element.name] == bytes[name] else { throw failure(.unexpectedByte) }
        try expect(">")
        flush()
        closeElement()
    }

    private mutating func closeElement() {
        writer.end()
        guard let element = open.popLast() else { return }
        for prefix in element.bound { _ = namespaces[prefix]?.popLast() }
    }

    // MARK: - Namespaces

    /// The prefix that `xmlns` or `xmlns:p` binds; nil for any other attribute.
    private func declaredPrefix(_ name: Range<Int>) -> [UInt8]? {
        let text = bytes[name]
        if text.elementsEqual("xmlns".utf8) { return [] }
        return text.starts(with: "xmlns:".utf8) ? Array(text.dropFirst(6)) : nil
    }

    /// The local name and its namespace. A prefix that is bound to nothing stays part of the name.
    private func qualified(_ name: Range<Int>, isAttribute: Bool) -> (local: ArraySlice<UInt8>, namespace: [UInt8]) {
        let text = bytes[name]
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            return (text, isAttribute ? [] : namespaces[[]]?.last ?? [])
        }
        guard let namespace = namespaces[Array(text[..<colon])]?.last, !namespace.isEmpty else { return (text, []) }
        return (text[(colon + 1)...], namespace)
    }

    /// A long name is written with every element that changes to it, so the tree could outgrow the text.
    private static func shortened(_ namespace: [UInt8]) -> [UInt8] {
        guard namespace.count > 128 else { return namespace }
        return namespace.prefix(96) + Array("…".utf8) + Array(Hexadecimal.sha256(of: namespace).utf8)
    }

    // MARK: - Bytes

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func starts(with text: StaticString) -> Bool { Markup.starts(bytes, at: position, with: text) }

    @discardableResult
    private mutating func skipBlanks() -> Bool {
        let start = position
        while let byte = current, Markup.isBlank(byte) { position += 1 }
        return position > start
    }

    mutating func expect(_ text: StaticString) throws(DocumentError) {
        guard starts(with: text) else { throw failure(.unexpectedByte) }
        position += text.utf8CodeUnitCount
    }

    private mutating func name() throws(DocumentError) -> Range<Int> {
        let start = position
        guard let first = current, Markup.isNameStart(first) else { throw failure(.unexpectedByte) }
        while let byte = current, Markup.isNameByte(byte) { position += 1 }
        return start..<position
    }

    func failure(_ code: DocumentError.Code, at offset: Int? = nil) -> DocumentError {
        DocumentError(code: position < bytes.count ? code : .unexpectedEnd, offset: offset ?? position)
    }
}
