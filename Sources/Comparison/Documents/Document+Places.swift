extension Document {
    /// A scalar that a pattern names, or one of the array that it names.
    package struct Place: Sendable {
        package let value: Value
        /// Which pattern; the first if several name it.
        package let pattern: Int
        /// The indices of the arrays on its way, from the outside.
        package let indices: [Int]
    }

    /// Numbers and strings at the places that some of the patterns name, in document order, each once. Of an array at such a
    /// place: its own elements, as a list of what the pattern names.
    package func places(named patterns: [PathPattern]) -> [Place] {
        var search = PlaceSearch(document: self, patterns: patterns)
        search.visit(root, patterns.map(\.initialStates))
        return search.found
    }
}

/// Recurses as deep as the document, whose reader bounds that.
private struct PlaceSearch {
    let document: Document
    let patterns: [PathPattern]
    var indices: [Int] = []
    var found: [Document.Place] = []

    mutating func visit(_ value: Document.Value, _ states: [PathPattern.States]) {
        let named = patterns.indices.first { patterns[$0].accepts(states[$0]) }
        switch document.kind(of: value) {
        case .number, .string:
            if let named { found.append(Document.Place(value: value, pattern: named, indices: indices)) }
        case .null, .true, .false: break
        case .object:
            guard mayMatchBelow(states) else { return }
            for (name, member) in document.members(of: value) {
                visit(member, advanced(states, by: .name(document.text(of: name))))
            }
        case .array:
            guard named != nil || mayMatchBelow(states) else { return }
            for (index, element) in document.elements(of: value).enumerated() {
                indices.append(index)
                let next = advanced(states, by: .index(index))
                let isNamedBelow = patterns.indices.contains { patterns[$0].accepts(next[$0]) }
                if let named, !isNamedBelow, [.number, .string].contains(document.kind(of: element)) {
                    found.append(Document.Place(value: element, pattern: named, indices: indices))
                } else {
                    visit(element, next)
                }
                indices.removeLast()
            }
        }
    }

    private func mayMatchBelow(_ states: [PathPattern.States]) -> Bool {
        patterns.indices.contains { patterns[$0].mayMatchBelow(states[$0]) }
    }

    private func advanced(_ states: [PathPattern.States], by segment: PathSegment) -> [PathPattern.States] {
        zip(patterns, states).map { $0.advanced($1, by: segment) }
    }
}

extension PathPattern {
    /// It is about JSON documents: `$…`.
    package var isInDocument: Bool { root == .document }

    /// `$..a.b`: the names one below the other, anywhere.
    package static func anywhere(_ names: [[UInt8]]) -> PathPattern {
        PathPattern(
            root: .document,
            steps: names.enumerated().map { Step(descendant: $0.offset == 0, selector: .name($0.element)) })
    }

    /// `$[*].a.b`: the names one below the other in every element.
    package static func inElements(_ names: [[UInt8]]) -> PathPattern {
        PathPattern(root: .document, steps: [Step(selector: .any)] + names.map { Step(selector: .name($0)) })
    }
}
