/// Paths of an extraction at which something can be read: of the `GET` operations of its contract, or of its routes where it
/// has none. `{name}` stands for a segment or a part of one, `/**` at the end for any segments, none too.
package struct ReadablePaths: Sendable, Equatable {
    /// Depth bound of what is looked at; deeper paths name nothing here.
    static let maximumSegments = 64

    enum Segment: Sendable, Equatable {
        case literal(Substring)
        case parameter(name: Substring, prefix: Substring, suffix: Substring)

        init(_ text: Substring) {
            let bytes = text.utf8
            guard let open = bytes.firstIndex(of: UInt8(ascii: "{")),
                let close = bytes.lastIndex(of: UInt8(ascii: "}")), open < close
            else {
                self = .literal(text)
                return
            }
            self = .parameter(
                name: text[bytes.index(after: open)..<close], prefix: text[..<open],
                suffix: text[bytes.index(after: close)...])
        }

        var parameter: Substring? { if case .parameter(let name, _, _) = self { name } else { nil } }

        func takes(_ segment: Substring) -> Bool {
            switch self {
            case .literal(let text): text == segment
            case .parameter(_, let prefix, let suffix):
                segment.utf8.count > prefix.utf8.count + suffix.utf8.count && segment.hasPrefix(prefix)
                    && segment.hasSuffix(suffix)
            }
        }
    }

    struct Template: Sendable, Equatable {
        let text: String
        let segments: [Segment]
        let takesRest: Bool

        init(_ text: String) {
            self.text = text
            var parts = text.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
            takesRest = parts.last == "**"
            if takesRest { parts.removeLast() }
            segments = parts.map(Segment.init)
        }

        /// As the beginning of a path.
        func takesBelow(_ path: ArraySlice<Substring>) -> Bool {
            path.count >= segments.count && zip(segments, path).allSatisfy { $0.takes($1) }
        }

        var literals: Int { segments.count { $0.parameter == nil } }
        var namesSomething: Bool { segments.contains { $0.parameter != nil } }

        /// - Parameter shape: of the request's endpoint, where it is known: what is a word there is no parameter here.
        func takes(_ path: ArraySlice<Substring>, shape: [Segment]?) -> Bool {
            guard segments.count == path.count else { return false }
            for (place, (segment, text)) in zip(segments, path).enumerated() {
                guard segment.takes(text) else { return false }
                if let shape, shape.indices.contains(place), segment.parameter != nil,
                    shape[place].parameter == nil
                {
                    return false
                }
            }
            return true
        }
    }

    /// Most words first: `/orders/mine` is itself before it is an `/orders/{id}`.
    private let templates: [Template]
    private let rests: [Template]

    package init(_ paths: some Sequence<String>) {
        let all = paths.map(Template.init).filter { $0.segments.count <= Self.maximumSegments }
        templates = all.filter { !$0.takesRest }.sorted { $0.literals > $1.literals }
        rests = all.filter(\.takesRest)
    }

    package var isEmpty: Bool { templates.isEmpty && rests.isEmpty }

    /// What takes a path: `/api/v1/orders/{id}`. Nil: nothing is read there.
    package func template(of path: String) -> String? {
        let segments = path.prefix { $0 != "?" }.split(separator: "/")
        return (template(of: segments[...]) ?? rests.first { $0.takesBelow(segments[...]) })?.text
    }

    /// Where a thing is read that an identity of this name names: for `orderId` the one path that has no parameter but its last
    /// segment, be it called `{orderId}` or stand behind `orders`. Nil if there is none, or several.
    package func path(of identity: EntityPath.Identity) -> String? {
        guard let segment = EntityPath.encoded(identity.value) else { return nil }
        let ending = templates.filter { template in
            guard case .parameter(_, "", "") = template.segments.last else { return false }
            return template.literals == template.segments.count - 1
        }
        let name = Array(identity.name.utf8)
        let collections = IdentityWords.stem(of: name).map(IdentityWords.collections) ?? []
        let named = ending.filter { template in
            let parameter = template.segments.last?.parameter.map { IdentityWords.folded($0.utf8) }
            if parameter == IdentityWords.folded(name) { return true }
            guard case .literal(let collection) = template.segments.dropLast().last else { return false }
            return collections.contains(IdentityWords.folded(collection.utf8))
        }
        guard let template = named.first, named.count == 1 else { return nil }
        let words = template.segments.dropLast().compactMap { segment -> Substring? in
            if case .literal(let text) = segment { text } else { nil }
        }
        return "/" + (words + [segment[...]]).joined(separator: "/")
    }

    /// The template of just this path.
    func template(of path: ArraySlice<Substring>, shape: [Segment]? = nil) -> Template? {
        templates.first { $0.takes(path, shape: shape) }
    }

    /// Whether a `/**` covers it.
    func coversBelow(_ path: ArraySlice<Substring>) -> Bool {
        rests.contains { $0.takesBelow(path) }
    }
}
