extension DocumentComparison {
    /// Reports a difference at the current place, unless a rule hides it.
    mutating func found(_ kind: DifferenceKind, _ left: Int, _ right: Int) {
        var kind = kind
        if let rule = ruleHiding(&kind, left, right) {
            findings.hiddenByRule[rule] += 1
            if isQuiet { quietlyHidden.append(Int32(truncatingIfNeeded: rule)) }
            return
        }
        if isQuiet {
            hasQuietDifference = true
            return
        }
        if kind == .value, primary.kind(left) == .string, TextShapes.areApart(primary.text(left), shadow.text(right)) {
            kind = .format
        }
        guard let difference = printed(kind, left, right), findings.differences.last != difference else { return }
        guard findings.differences.count < limits.differences else {
            findings.truncated = true
            return
        }
        findings.differences.append(difference)
    }

    /// The nodes after so many places, the root's for none.
    private func nodes(at depth: Int) -> (primary: Int, shadow: Int) {
        depth > 0 ? (path[depth - 1].primary, path[depth - 1].shadow) : (0, 0)
    }

    /// - Returns: nil below a place that was just named for another one in it: all differences there print the same, and
    ///   printing it once for each would be quadratic.
    private mutating func printed(_ kind: DifferenceKind, _ left: Int, _ right: Int) -> Difference? {
        if let standIn, standIn.depth < path.count, standIn.nodes == nodes(at: standIn.depth) { return nil }
        var (kind, left, right) = (kind, left, right)
        var (place, pattern, ends) = printedPath
        var depth = ends.count
        if let cover = redaction.firstCover(of: place), cover < place.count {
            // The names below a redacted place are part of what it keeps to itself. A member among others of its
            // name is one place and two segments.
            depth = cover == 0 ? 0 : ends.firstIndex { $0 >= cover }.map { $0 + 1 } ?? 0
            place.removeLast(place.count - (depth > 0 ? ends[depth - 1] : 0))
            pattern.removeLast(pattern.count - depth)
            kind = .value
        }
        if depth < path.count {
            (left, right) = nodes(at: depth)
            standIn = (depth, (left, right))
            kind = .value
        }
        let (first, second) = (left < 0 ? nil : Value(index: left), right < 0 ? nil : Value(index: right))
        let expectsContainer =
            first.map { primaryDocument.kind(of: $0).isContainer } == true
            || second.map { shadowDocument.kind(of: $0).isContainer } == true
        let texts = Printing.shortened(
            first.map { redaction.text(of: $0, in: primaryDocument, at: place, expectsContainer: expectsContainer) },
            second.map { redaction.text(of: $0, in: shadowDocument, at: place, expectsContainer: expectsContainer) },
            to: limits.renderedBytes)
        return Difference(
            path: Printing.path(place), pattern: PathPattern(root: .document, steps: pattern).description, kind: kind,
            primary: texts.0, shadow: texts.1)
    }

    /// The current place as names and indices, as what it has in common with others of its kind, and how many
    /// segments there are after each place. The pattern has one step per place. What is too deep for any rule to name
    /// is left out: the last place around it that a rule can name stands for it.
    private var printedPath: (segments: [PathSegment], pattern: [PathPattern.Step], ends: [Int]) {
        var segments: [PathSegment] = []
        var pattern: [PathPattern.Step] = []
        var ends: [Int] = []
        for place in path {
            // Whatever a place takes, so that all below one are left out, or none.
            guard segments.count + 2 <= PathPattern.maximumSteps else { break }
            let name: [UInt8]?
            switch place.step {
            case .primaryMember(let node): name = primary.name(node).text
            case .shadowMember(let node): name = shadow.name(node).text
            case .element: name = nil
            }
            if let name { segments.append(.name(name)) }
            if place.index >= 0 { segments.append(.index(place.index)) }
            pattern.append(PathPattern.Step(grouping: name))
            ends.append(segments.count)
        }
        return (segments, pattern, ends)
    }
}
