/// Matching a JSON pattern while walking down a document: a set of states, one bit per number of steps
/// taken, moves on with every segment. Cost per segment: the number of steps; no allocation.
extension PathPattern {
    typealias States = UInt64

    /// Before the first segment; no state at all if the pattern is not about JSON.
    var initialStates: States { root == .document ? 1 : 0 }

    func advanced(_ states: States, by segment: PathSegment) -> States {
        guard states != 0 else { return 0 }
        var result: States = 0
        for (number, step) in steps.enumerated() where states & 1 << number != 0 {
            if step.descendant { result |= 1 << number }
            if step.accepts(segment) { result |= 1 << (number + 1) }
        }
        return result
    }

    /// All steps are taken: the pattern names this very place.
    func accepts(_ states: States) -> Bool { states & 1 << steps.count != 0 }

    /// The pattern may name a place further down.
    func mayMatchBelow(_ states: States) -> Bool { states & ~(1 << steps.count) != 0 }

    /// The pattern's next step is directly below this place, so this place was expected to be a container.
    func expectsChild(_ states: States) -> Bool {
        steps.indices.contains { states & 1 << $0 != 0 && !steps[$0].descendant }
    }

    func matches(_ path: [PathSegment]) -> Bool {
        accepts(path.reduce(initialStates) { advanced($0, by: $1) })
    }

    /// How many segments lead to the outermost named place on this path; nil if it names none of them.
    func firstCover(of path: [PathSegment]) -> Int? {
        var states = initialStates
        if accepts(states) { return 0 }
        for (offset, segment) in path.enumerated() {
            states = advanced(states, by: segment)
            if accepts(states) { return offset + 1 }
            if states == 0 { return nil }
        }
        return nil
    }

    /// Whether the pattern names this place outside documents.
    func names(_ root: Root, _ path: [PathSegment]) -> Bool {
        self.root == root && accepts(path.reduce(1) { advanced($0, by: $1) })
    }

    /// Whether the pattern names this place outside documents, or one around it.
    func covers(_ root: Root, _ path: [PathSegment]) -> Bool {
        guard self.root == root else { return false }
        var states: States = 1
        if accepts(states) { return true }
        for segment in path {
            states = advanced(states, by: segment)
            if accepts(states) { return true }
        }
        return false
    }

    /// The first value below `value`, in document order, that the pattern names when `value` is its `$`.
    func firstMatch(in document: Document, below value: Document.Value) -> Document.Value? {
        firstMatch(in: document, at: value, states: initialStates)
    }

    private func firstMatch(
        in document: Document, at value: Document.Value, states: States
    ) -> Document.Value? {
        if accepts(states) { return value }
        guard states != 0 else { return nil }
        for (name, member) in document.members(of: value) {
            let next = advanced(states, by: .name(document.text(of: name)))
            if let found = firstMatch(in: document, at: member, states: next) { return found }
        }
        for (index, element) in document.elements(of: value).enumerated() {
            let next = advanced(states, by: .index(index))
            if let found = firstMatch(in: document, at: element, states: next) { return found }
        }
        return nil
    }
}

extension PathPattern.Step {
    func accepts(_ segment: PathSegment) -> Bool {
        switch (selector, segment) {
        case (.any, _): true
        case (.name(let wanted), .name(let name)): wanted == name
        case (.index(let wanted), .index(let index)): wanted == index
        default: false
        }
    }
}
