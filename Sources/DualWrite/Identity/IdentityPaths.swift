internal import HTTPWire
internal import Routing

/// Which segments of a path are whose identity.
///
/// A segment is a rule's if the contract or a route calls it by a name that the rule knows, or if it stands right behind the
/// rule's collection and is no fixed part of a path that is written down. So `/orders/17` names an order, and `/orders/search`
/// does not if the contract has it.
struct IdentityPaths: Sendable {
    struct Place: Equatable {
        /// The value's bytes, without `;parameters`.
        let range: Range<Int>
        let rule: Int
    }

    private let rules: [IdentityMapping.Rule]
    /// Contract's paths and routes that take one path only.
    private let written: RouteTable?
    private let writtenPatterns: [RoutePattern]
    /// Routes with `/**`.
    private let open: RouteTable?
    private let openPatterns: [RoutePattern]

    init(rules: [IdentityMapping.Rule], routes: [RoutePattern], templates: [String]) {
        self.rules = rules
        (written, writtenPatterns) = Self.table(
            templates.compactMap { try? RoutePattern(parsing: $0) }.filter { !$0.matchesRest }
                + routes.filter { !$0.matchesRest })
        (open, openPatterns) = Self.table(routes.filter(\.matchesRest))
    }

    /// Of two patterns of one shape the first counts.
    private static func table(_ patterns: [RoutePattern]) -> (RouteTable?, [RoutePattern]) {
        var shapes: Set<[RoutePattern.Segment]> = []
        let kept = patterns.filter { pattern in
            shapes.insert(
                pattern.segments.map { segment in
                    switch segment {
                    case .parameter: .parameter("")
                    case .literal(let text): .literal(text.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 })
                    }
                }
            ).inserted
        }
        let here = SourceLocation(file: "", line: 0, column: 0)
        guard !kept.isEmpty, let table = try? RouteTable(kept.map { Route(pattern: $0, extraction: 0, location: here) })
        else { return (nil, []) }
        return (table, kept)
    }

    /// - Parameter path: normalised, without the query; of an answer's Location perhaps not.
    func places(in path: ArraySlice<UInt8>) -> [Place] {
        let segments = Self.segments(of: path)
        let pattern = pattern(of: path)
        var places: [Place] = []
        /// What the last fixed segment says, folded; nil behind an identity or a parameter.
        var previous: [UInt8]?
        for (index, segment) in segments.enumerated() {
            let fixed = pattern.flatMap { $0.segments.indices.contains(index) ? $0.segments[index] : nil }
            var name: String?
            switch fixed {
            case .literal(let text):
                previous = IdentityWords.folded(text)
                continue
            case .parameter(let text): name = text
            case nil: break
            }
            let isPrefixed = rule(endingAt: index, segments)
            if let rule = isPrefixed ?? rule(of: name, behind: previous) {
                if !rules[rule].isAdopted, !segment.value.isEmpty {
                    places.append(Place(range: segment.range, rule: rule))
                }
                previous = nil
            } else {
                previous = fixed == nil ? IdentityWords.folded(segment.value) : nil
            }
        }
        return places
    }

    /// The path ends with a rule's collection.
    func isCollection(_ path: ArraySlice<UInt8>, of rule: Int) -> Bool {
        guard let last = Self.segments(of: path).last(where: { !$0.value.isEmpty }) else { return false }
        return rules[rule].collections.contains(IdentityWords.folded(last.value))
    }

    /// Whether a pattern takes a path, whatever the other routes do.
    static func matches(_ pattern: RoutePattern, _ path: ArraySlice<UInt8>) -> Bool {
        let segments = segments(of: path).filter { !$0.value.isEmpty }
        guard
            segments.count == pattern.segments.count || (pattern.matchesRest && segments.count > pattern.segments.count)
        else { return false }
        return takes(pattern, segments)
    }

    // MARK: -

    private struct Segment {
        let range: Range<Int>
        /// With its escapes decoded.
        let value: [UInt8]
    }

    private static func segments(of path: ArraySlice<UInt8>) -> [Segment] {
        var segments: [Segment] = []
        for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true) {
            let value = part.prefix { $0 != UInt8(ascii: ";") }
            segments.append(Segment(range: value.startIndex..<value.endIndex, value: PercentEncoding.decoded(value)))
        }
        return segments
    }

    private func pattern(of path: ArraySlice<UInt8>) -> RoutePattern? {
        let found = { (table: RouteTable?, patterns: [RoutePattern]) -> RoutePattern? in
            guard let table else { return nil }
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            let index = path.withUnsafeBytes { table.match(method: .get, methodToken: none, path: $0, host: none) }
            return patterns.indices.contains(index) ? patterns[index] : nil
        }
        return found(written, writtenPatterns) ?? found(open, openPatterns)
    }

    /// One whose own path ends with this segment.
    private func rule(endingAt index: Int, _ segments: [Segment]) -> Int? {
        rules.indices.first { rule in
            rules[rule].prefixes.contains { $0.segments.count == index + 1 && Self.takes($0, segments) }
        }
    }

    private static func takes(_ pattern: RoutePattern, _ segments: [Segment]) -> Bool {
        guard segments.count >= pattern.segments.count else { return false }
        return zip(pattern.segments, segments).allSatisfy { wanted, segment in
            switch wanted {
            case .parameter: !segment.value.isEmpty
            case .literal(let text):
                text.count == segment.value.count
                    && zip(text, segment.value).allSatisfy { Self.lowercased($0) == Self.lowercased($1) }
            }
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }

    /// Names before collections; of several rules the first.
    private func rule(of name: String?, behind previous: [UInt8]?) -> Int? {
        if let name {
            if let rule = rules.firstIndex(where: { $0.parameters?.contains(name) == true }) { return rule }
            let folded = IdentityWords.folded(name.utf8)
            if let rule = rules.firstIndex(where: { $0.parameters == nil && $0.name == folded }) { return rule }
        }
        guard let previous else { return nil }
        return rules.firstIndex { $0.parameters == nil && $0.collections.contains(previous) }
    }
}
