/// Makes a ``Document`` of anything that is no JSON: a reader calls it in document order, as it reads.
///
/// It never traps, whatever the calls: what has no place is left out, what was left open is closed. Nesting and
/// size are bounded; what went beyond is said by ``finish()``.
package struct DocumentBuilder {
    private let maximumDepth: Int
    private var source: [UInt8] = []
    private var nodes: [Document.Node] = []
    /// Indices of the containers around the position, outermost first.
    private var open: [Int] = []
    /// Containers that were opened beyond `maximumDepth`, and are skipped with all that is in them.
    private var skipped = 0
    private var hasName = false
    private var failure: DocumentError.Code?

    /// - Parameter maximumDepth: containers within containers, 1...
    package init(maximumDepth: Int = 512) {
        self.maximumDepth = max(1, maximumDepth)
    }

    /// - Parameter isOrdered: the sequence of the members' names says something, as of the elements in XML.
    package mutating func openObject(isOrdered: Bool = false) {
        openContainer(.object, isOrdered ? .isOrdered : [])
    }

    package mutating func openArray() { openContainer(.array, []) }

    /// Of the member whose value comes next; only in an object. A name may be used again: its values are then
    /// compared like the elements of an array.
    package mutating func name(_ text: some Collection<UInt8>) {
        guard skipped == 0, let container = open.last, nodes[container].kind == .object, !hasName else { return }
        scalar(.string, .isRaw, text)
        nodes[nodes.count - 1].count = Document.nameHash(of: Array(text))
        hasName = true
    }

    /// - Parameter text: the content itself, without quotes and escapes; UTF-8.
    package mutating func string(_ text: some Collection<UInt8>) {
        if beginValue() { scalar(.string, .isRaw, text) }
    }

    /// - Parameter lexeme: a number as JSON writes it; anything else becomes a string.
    package mutating func number(_ lexeme: some Collection<UInt8>) {
        guard beginValue() else { return }
        let number = try? Document(json: Array(lexeme))
        if let number, number.kind(of: number.root) == .number, number.range(of: number.root).count == lexeme.count {
            scalar(.number, [], lexeme)
        } else {
            scalar(.string, .isRaw, lexeme)
        }
    }

    package mutating func boolean(_ value: Bool) {
        if beginValue() { scalar(value ? .true : .false, [], (value ? "true" : "false").utf8) }
    }

    package mutating func null() {
        if beginValue() { scalar(.null, [], "null".utf8) }
    }

    /// Another document as a value: a part of a multipart body.
    package mutating func append(_ document: Document) {
        guard beginValue() else { return }
        guard open.count + document.depth <= maximumDepth else { return fail(.tooDeep) }
        guard hasRoom(for: document.source.count, nodes: document.nodes.count) else { return }
        let (shift, first) = (Int32(source.count), Int32(nodes.count))
        source += document.source
        nodes.reserveCapacity(nodes.count + document.nodes.count)
        for var node in document.nodes {
            node.start += shift
            node.end += shift
            node.next += first
            nodes.append(node)
        }
    }

    /// Ends the innermost container.
    package mutating func close() {
        if skipped > 0 {
            skipped -= 1
            return
        }
        guard let container = open.popLast() else { return }
        if hasName {
            // A member needs a value.
            hasName = false
            scalar(.null, [], [])
        }
        nodes[container].end = Int32(source.count)
        nodes[container].next = Int32(nodes.count)
    }

    /// The document; `null` if nothing was written.
    package consuming func finish() throws(DocumentError) -> Document {
        skipped = 0
        while !open.isEmpty { close() }
        if let failure { throw DocumentError(code: failure, offset: source.count) }
        if nodes.isEmpty { null() }
        return Document(source: source, nodes: nodes, isText: false)
    }

    // MARK: - Nodes

    private mutating func openContainer(_ kind: Document.Kind, _ flags: Document.Flags) {
        guard skipped == 0, open.count < maximumDepth else {
            fail(.tooDeep)
            skipped += 1
            return
        }
        guard beginValue() else {
            skipped += 1
            return
        }
        open.append(nodes.count)
        scalar(kind, flags, [])
    }

    /// Counts a value in its container.
    /// - Returns: false if there is no place for one: below the depth limit, or after the root.
    private mutating func beginValue() -> Bool {
        guard skipped == 0 else { return false }
        guard let container = open.last else { return nodes.isEmpty }
        if nodes[container].kind == .object, !hasName { name([]) }
        hasName = false
        nodes[container].count += 1
        return true
    }

    private mutating func scalar(_ kind: Document.Kind, _ flags: Document.Flags, _ bytes: some Collection<UInt8>) {
        let start = Int32(source.count)
        if hasRoom(for: bytes.count, nodes: 1) { source += bytes }
        nodes.append(
            Document.Node(
                kind: kind, flags: flags, start: start, end: Int32(source.count), count: 0, next: Int32(nodes.count + 1)
            ))
    }

    private mutating func hasRoom(for bytes: Int, nodes count: Int) -> Bool {
        guard source.count + bytes < Int(Int32.max), nodes.count + count < Int(Int32.max) else {
            fail(.tooLarge)
            return false
        }
        return true
    }

    private mutating func fail(_ code: DocumentError.Code) { failure = failure ?? code }
}

extension Document {
    /// Containers within containers, the root included; 0 for a scalar.
    var depth: Int {
        var deepest = 0
        var open: [Int32] = []
        for (index, node) in nodes.enumerated() {
            while let end = open.last, end <= Int32(index) { open.removeLast() }
            guard node.kind.isContainer else { continue }
            open.append(node.next)
            deepest = max(deepest, open.count)
        }
        return deepest
    }
}
