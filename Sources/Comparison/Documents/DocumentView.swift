/// A document's memory for the time of one walk: no reference counting, no bounds checks. Indices come from the document
/// itself, which was built with them in range.
struct DocumentView {
    let nodes: UnsafePointer<Document.Node>
    let bytes: UnsafePointer<UInt8>
    let isText: Bool

    /// A member's name.
    struct Name {
        let hash: Int32
        fileprivate let start: UnsafePointer<UInt8>
        fileprivate let count: Int
        fileprivate let hasEscapes: Bool

        var text: [UInt8] {
            let content = Array(UnsafeBufferPointer(start: start, count: count))
            return hasEscapes ? JSONText.decoded(content[...]) : content
        }

        func equals(_ text: [UInt8]) -> Bool {
            if hasEscapes { return self.text == text }
            return count == text.count
                && text.withUnsafeBufferPointer { $0.baseAddress.map { Bytes.equal(start, $0, count: count) } ?? true }
        }

        func equals(_ other: Name) -> Bool {
            guard hash == other.hash else { return false }
            if hasEscapes || other.hasEscapes { return text == other.text }
            return count == other.count && Bytes.equal(start, other.start, count: count)
        }

        func hash(seed: UInt64) -> UInt64 {
            guard hasEscapes else { return Bytes.hash(start, count: count, seed: seed) }
            return text.withUnsafeBufferPointer { text in
                text.baseAddress.map { Bytes.hash($0, count: text.count, seed: seed) } ?? seed
            }
        }
    }

    func kind(_ index: Int) -> Document.Kind { nodes[index].kind }
    func isScalar(_ index: Int) -> Bool { !nodes[index].kind.isContainer }
    func count(_ index: Int) -> Int { Int(nodes[index].count) }
    func next(_ index: Int) -> Int { Int(nodes[index].next) }

    /// A string without its quotes, any other scalar whole.
    func content(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let node = nodes[index]
        let quotes = node.kind == .string && !node.flags.contains(.isRaw) ? 1 : 0
        return UnsafeBufferPointer(
            start: bytes + Int(node.start) + quotes, count: Int(node.end &- node.start) &- 2 &* quotes)
    }

    /// A string's text, any other scalar as it was written.
    func text(_ index: Int) -> [UInt8] {
        let content = Array(content(index))
        return nodes[index].flags.contains(.hasEscapes) ? JSONText.decoded(content[...]) : content
    }

    func name(_ index: Int) -> Name {
        let content = content(index)
        return Name(
            hash: nodes[index].count, start: content.baseAddress ?? bytes, count: content.count,
            hasEscapes: nodes[index].flags.contains(.hasEscapes))
    }

    /// Whether two scalars, or two names, are written the same but for quotes.
    func sameContent(_ index: Int, as other: Int, in view: DocumentView) -> Bool {
        let (one, two) = (content(index), view.content(other))
        guard one.count == two.count, let first = one.baseAddress, let second = two.baseAddress else {
            return one.count == two.count
        }
        return Bytes.equal(first, second, count: one.count)
    }

    /// Whether two values are written the same, byte for byte, and so are equal under any rules. Not being so says
    /// nothing.
    func sameBytes(_ index: Int, as other: Int, in view: DocumentView) -> Bool {
        guard isText, view.isText else { return false }
        let (one, two) = (nodes[index], view.nodes[other])
        let count = one.end &- one.start
        return count == two.end &- two.start
            && Bytes.equal(bytes + Int(one.start), view.bytes + Int(two.start), count: Int(count))
    }

    /// Whether two strings say the same, however they are written.
    func sameText(_ index: Int, as other: Int, in view: DocumentView) -> Bool {
        if nodes[index].flags.union(view.nodes[other].flags).isDisjoint(with: .hasEscapes) {
            return sameContent(index, as: other, in: view)
        }
        return text(index) == view.text(other)
    }

    /// `""`, `[]`, `{}` or `null`.
    func isEmpty(_ index: Int) -> Bool {
        switch nodes[index].kind {
        case .null: true
        case .string: content(index).isEmpty
        case .array, .object: nodes[index].count == 0
        default: false
        }
    }
}
