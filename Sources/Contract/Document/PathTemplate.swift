/// A path of a contract or a route as segments: names of parameters say nothing.
struct PathTemplate: Sendable, Hashable {
    /// Depth bound of whoever walks over one.
    static let maximumSegments = 64

    enum Segment: Sendable, Hashable {
        case literal(String)
        /// A parameter with what stands around it, both mostly empty: `{id}`, `{name}.pdf`.
        case template(prefix: String, suffix: String)

        var isWholeParameter: Bool { self == .template(prefix: "", suffix: "") }

        /// Whether whatever the other stands for is also what this one stands for.
        func covers(_ other: Segment) -> Bool { self == other || isWholeParameter }

        /// Whether there is text that both stand for; certain for what fills its segment.
        func meets(_ other: Segment) -> Bool {
            switch (self, other) {
            case (.literal(let text), .literal(let otherText)): return text == otherText
            case (.literal(let text), .template(let prefix, let suffix)),
                (.template(let prefix, let suffix), .literal(let text)):
                return text.utf8.count > prefix.utf8.count + suffix.utf8.count && text.hasPrefix(prefix)
                    && text.hasSuffix(suffix)
            case (.template, .template): return true
            }
        }
    }

    let segments: [Segment]
    /// The names of its parameters, from the left.
    let parameters: [String]
    /// Ends in `/**`.
    let takesRest: Bool

    init(_ text: String) {
        var parts = text.split(separator: "/")
        takesRest = parts.last == "**"
        if takesRest { parts.removeLast() }
        var parameters: [String] = []
        segments = parts.map { part in
            guard let open = part.firstIndex(of: "{"), let close = part.lastIndex(of: "}"), open < close else {
                return .literal(String(part))
            }
            parameters.append(String(part[part.index(after: open)..<close]))
            return .template(prefix: String(part[..<open]), suffix: String(part[part.index(after: close)...]))
        }
        self.parameters = parameters
    }

    static func == (left: PathTemplate, right: PathTemplate) -> Bool {
        left.segments == right.segments && left.takesRest == right.takesRest
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(segments)
        hasher.combine(takesRest)
    }
}
