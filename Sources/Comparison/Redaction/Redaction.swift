/// A redactor together with the places that one extraction's rules name.
struct Redaction: Sendable {
    let redactor: Redactor
    let patterns: [PathPattern]

    init(_ redactor: Redactor, _ rules: ComparisonRules) {
        self.init(redactor, patterns: rules.redact)
    }

    init(_ redactor: Redactor, patterns: [PathPattern]) {
        self.redactor = redactor
        self.patterns = patterns
    }

    var hidesBody: Bool { patterns.contains { $0.root == .body } }
    /// Any rule that is about a body: then a body that cannot be searched for its fields is not shown at all.
    var concernsBody: Bool { patterns.contains { $0.root == .body || $0.root == .document } }

    /// How many segments lead to the outermost redacted place on this path; nil if nothing on it is redacted.
    func firstCover(of path: [PathSegment]) -> Int? {
        hidesBody ? 0 : patterns.compactMap { $0.firstCover(of: path) }.min()
    }

    /// A value as it may be shown, as JSON text.
    /// - Parameter expectsContainer: another value for this place is a container, so a scalar here may be one
    ///   in disguise, with the redacted field inside.
    func text(
        of value: Document.Value, in document: Document, at path: [PathSegment], expectsContainer: Bool
    ) -> ArraySlice<UInt8> {
        if firstCover(of: path) != nil { return token(for: value, in: document)[...] }
        guard document.isText else {
            let text = document.jsonText(of: value)
            guard concernsBody else { return text[...] }
            guard let copy = try? Document(json: text) else { return token(for: value, in: document)[...] }
            return self.text(of: copy.root, in: copy, at: path, expectsContainer: expectsContainer)
        }
        guard concernsBody else { return document.lexeme(of: value) }
        let states = path.reduce(patterns.map(\.initialStates)) { advanced($0, by: $1) }
        let mayHoldMore = zip(patterns, states).contains { $0.mayMatchBelow($1) }
        if expectsContainer, mayHoldMore, isText(value, in: document) { return token(for: value, in: document)[...] }
        var edits: [Document.Edit] = []
        collect(value, in: document, states, into: &edits)
        return document.applying(edits, in: document.range(of: value))[...]
    }

    /// The whole document as it may be shown; untouched bytes keep their white space.
    func text(of document: Document) -> [UInt8] {
        Array(text(of: document.root, in: document, at: [], expectsContainer: false))
    }

    private func collect(
        _ value: Document.Value, in document: Document, _ states: [PathPattern.States],
        into edits: inout [Document.Edit]
    ) {
        let pairs = zip(patterns, states)
        let isExpectedContainer = isText(value, in: document) && pairs.contains { $0.expectsChild($1) }
        if isExpectedContainer || pairs.contains(where: { $0.accepts($1) }) {
            let token = token(for: value, in: document)
            edits.append(Document.Edit(range: document.range(of: value), replacement: token))
            return
        }
        guard pairs.contains(where: { $0.mayMatchBelow($1) }) else { return }
        for (name, member) in document.members(of: value) {
            collect(member, in: document, advanced(states, by: .name(document.text(of: name))), into: &edits)
        }
        for (index, element) in document.elements(of: value).enumerated() {
            collect(element, in: document, advanced(states, by: .index(index)), into: &edits)
        }
    }

    private func advanced(_ states: [PathPattern.States], by segment: PathSegment) -> [PathPattern.States] {
        zip(patterns, states).map { $0.advanced($1, by: segment) }
    }

    /// A string or a number: what could be a secret by itself.
    private func isText(_ value: Document.Value, in document: Document) -> Bool {
        let kind = document.kind(of: value)
        return kind == .string || kind == .number
    }

    // MARK: - Tokens

    /// A quoted token. Equal values give equal tokens however they are written; a string gives the token that
    /// its text gives in a query or header.
    private func token(for value: Document.Value, in document: Document) -> [UInt8] {
        var canonical: [UInt8] = []
        if document.kind(of: value).isContainer {
            appendCanonical(value, in: document, to: &canonical)
        } else {
            canonical = document.text(of: value)
        }
        return Array("\"\(redactor.token(canonical))\"".utf8)
    }

    /// An unambiguous form without white space, escapes and order of names.
    private func appendCanonical(_ value: Document.Value, in document: Document, to bytes: inout [UInt8]) {
        let kind = document.kind(of: value)
        bytes.append(kind.rawValue)
        switch kind {
        case .array:
            for element in document.elements(of: value) { appendCanonical(element, in: document, to: &bytes) }
            bytes.append(0xFF)
        case .object:
            let members = document.members(of: value).map { (document.text(of: $0.name), $0.value) }
            for (name, member) in members.sorted(by: { $0.0.lexicographicallyPrecedes($1.0) }) {
                appendSized(name, to: &bytes)
                appendCanonical(member, in: document, to: &bytes)
            }
            bytes.append(0xFF)
        default: appendSized(document.text(of: value), to: &bytes)
        }
    }

    private func appendSized(_ text: [UInt8], to bytes: inout [UInt8]) {
        bytes += Array("\(text.count):".utf8) + text
    }
}
