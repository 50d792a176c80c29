/// Elements as a tree: an element is an object with a member `@name` per attribute, one per child element under the
/// child's name, and `#text` for what stands between them. An element with nothing but text is a string.
struct MarkupWriter {
    typealias Attribute = (name: [UInt8], value: [UInt8])

    private var builder: DocumentBuilder
    /// The innermost element has no attributes and no children yet, so it may become a string.
    private var isPending = false
    private var held: [UInt8] = []

    private static let textName = Array("#text".utf8)

    init(maximumDepth: Int) {
        builder = DocumentBuilder(maximumDepth: maximumDepth)
        builder.openObject(isOrdered: true)
    }

    /// - Parameter attributes: sorted by the caller in the order that is to count as theirs.
    mutating func start(_ name: some Collection<UInt8>, _ attributes: [Attribute]) {
        open()
        builder.name(name)
        isPending = attributes.isEmpty
        if !isPending { builder.openObject(isOrdered: true) }
        for attribute in attributes {
            builder.name([UInt8(ascii: "@")] + attribute.name)
            builder.string(attribute.value)
        }
    }

    /// A run of text between two tags; an empty one is none.
    mutating func text(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        if isPending {
            held += text
        } else {
            builder.name(MarkupWriter.textName)
            builder.string(text)
        }
    }

    mutating func end() {
        if isPending {
            builder.string(held)
            held = []
            isPending = false
        } else {
            builder.close()
        }
    }

    consuming func finish() throws(DocumentError) -> Document {
        if isPending { end() }
        return try builder.finish()
    }

    /// The innermost element gets a child, so it is no string.
    private mutating func open() {
        guard isPending else { return }
        isPending = false
        builder.openObject(isOrdered: true)
        let text = held
        held = []
        self.text(text)
    }
}
