/// A header field that is compared, and how: fields differ in what their values mean.
struct ComparedHeader: Sendable {
    enum Syntax {
        /// Nothing is known: the same values in the same order.
        case lines
        case mediaType
        /// `Set-Cookie`: cookies by name, their attributes in any order.
        case cookies
        /// `Location`, `Content-Location`: equivalent URIs are equal.
        case uri
        /// A list whose order means nothing.
        case tokens(ignoringCase: Bool)
        /// `Cache-Control`: directives by name, in any order.
        case directives
    }

    /// Lower-case.
    let name: String
    let syntax: Syntax

    init(_ name: String) {
        self.name = name
        syntax =
            switch name {
            case "content-type": .mediaType
            case "set-cookie": .cookies
            case "location", "content-location": .uri
            // Methods are case-sensitive (RFC 9110 §9.1), field names and range units are not (§5.1, §14.1).
            case "allow", "access-control-allow-methods": .tokens(ignoringCase: false)
            case "vary", "accept-ranges", "access-control-allow-headers", "access-control-expose-headers":
                .tokens(ignoringCase: true)
            case "cache-control": .directives
            default: .lines
            }
    }

    /// How the values of this field differ; none if they mean the same.
    func differences(_ left: [String], _ right: [String]) -> [HeaderDifference] {
        if left.isEmpty || right.isEmpty {
            return left.isEmpty == right.isEmpty ? [] : [HeaderDifference(right.isEmpty ? .missing : .extra)]
        }
        switch syntax {
        case .lines: return HeaderDifference.lines(left, right)
        case .mediaType: return HeaderDifference.mediaTypes(left, right)
        case .cookies: return HeaderDifference.cookies(left, right) ?? HeaderDifference.lines(left, right)
        case .uri:
            guard left.count == 1, right.count == 1 else { return HeaderDifference.lines(left, right) }
            return HeaderDifference.uris(URIReference(left[0]), URIReference(right[0]))
        case .tokens(let ignoringCase):
            let elements = { (values: [String]) in FieldList.elements(of: values, ignoringCase: ignoringCase) }
            return HeaderDifference.members(elements(left), elements(right))
        case .directives:
            return HeaderDifference.members(FieldList.directives(of: left), FieldList.directives(of: right))
        }
    }
}

/// One difference of one field: at a part of its value, or of the field as a whole.
struct HeaderDifference: Equatable {
    /// What a part's value may show.
    enum Shown { case plainly, asToken, asURI }

    var kind: DifferenceKind
    /// Empty for the field as a whole, whose values are then those of the field.
    var steps: [String] = []
    var primary: String?
    var shadow: String?
    var shown = Shown.plainly

    init(
        _ kind: DifferenceKind, at steps: [String] = [], _ primary: String? = nil, _ shadow: String? = nil,
        shown: Shown = .plainly
    ) {
        self.kind = kind
        self.steps = steps
        self.primary = primary
        self.shadow = shadow
        self.shown = shown
    }

    /// A part that may be on one side only, or nil if both are equal byte for byte.
    static func part(
        _ steps: [String], _ primary: String?, _ shadow: String?, shown: Shown = .plainly
    ) -> HeaderDifference? {
        switch (primary, shadow) {
        case (nil, nil): nil
        case (nil, _): HeaderDifference(.extra, at: steps, primary, shadow, shown: shown)
        case (_, nil): HeaderDifference(.missing, at: steps, primary, shadow, shown: shown)
        case (let one?, let other?):
            one.utf8.elementsEqual(other.utf8)
                ? nil : HeaderDifference(.value, at: steps, primary, shadow, shown: shown)
        }
    }

    static func joined(_ lines: [String]) -> String? { lines.isEmpty ? nil : lines.joined(separator: ", ") }

    static func lines(_ left: [String], _ right: [String]) -> [HeaderDifference] {
        let (first, second) = (left.map { Array($0.utf8) }, right.map { Array($0.utf8) })
        if first == second { return [] }
        if first.count != second.count { return [HeaderDifference(.length)] }
        let sorted = { (lines: [[UInt8]]) in lines.sorted { $0.lexicographicallyPrecedes($1) } }
        return [HeaderDifference(sorted(first) == sorted(second) ? .order : .value)]
    }

    static func mediaTypes(_ left: [String], _ right: [String]) -> [HeaderDifference] {
        guard left.count == 1, right.count == 1 else { return lines(left, right) }
        let (one, other) = (MediaType(left[0]), MediaType(right[0]))
        if let one, one == other { return [] }
        return [HeaderDifference(one?.type == other?.type ? .value : .format)]
    }

    /// Elements by name, each with the value it has, if any.
    static func members(_ left: [String: String], _ right: [String: String]) -> [HeaderDifference] {
        Set(left.keys).union(right.keys).sorted().compactMap { name in
            part([name], left[name], right[name])
        }
    }
}

// MARK: - One comparison's headers

extension PairComparison {
    /// Cost when nothing differs: a look at each field, without allocating.
    mutating func compareHeader(_ header: ComparedHeader) {
        guard !primary.hasSameFields(named: header.name, as: shadow) else { return }
        let (left, right) = (primary.values(of: header.name), shadow.values(of: header.name))
        let found = header.differences(left, right)
        guard !found.isEmpty else { return }
        let whole = (print(header.name, left), print(header.name, right))
        for difference in found {
            let path = difference.steps.map { PathSegment.name(Array($0.utf8)) }
            let raw =
                path.isEmpty
                ? (HeaderDifference.joined(left), HeaderDifference.joined(right))
                : (difference.primary, difference.shadow)
            if let rule = rules.rule(hiding: .header(header.name), path, primary: raw.0, shadow: raw.1) {
                result.hiddenByRule[rule] += 1
                continue
            }
            let cover = redaction.firstCover(of: header.name, path)
            if cover == 0, !path.isEmpty {
                // What the parts are called may be part of the secret: one difference of the whole field says it.
                return append(.value, at: PathPattern(root: .header(header.name)), whole)
            }
            let shown = cover == nil ? difference.shown : .asToken
            let texts =
                path.isEmpty ? whole : (print(difference.primary, shown), print(difference.shadow, shown))
            let place = PathPattern(root: .header(header.name), Array(path.prefix(cover ?? path.count)))
            append(cover ?? path.count < path.count ? .value : difference.kind, at: place, texts)
        }
    }

    private func print(_ name: String, _ values: [String]) -> String {
        values.isEmpty
            ? Printing.absent
            : values.map { redaction.value(of: HeaderField(name: name, value: $0)) }.joined(separator: ", ")
    }

    private func print(_ value: String?, _ shown: HeaderDifference.Shown) -> String {
        guard let value else { return Printing.absent }
        switch shown {
        case .plainly: return value
        case .asToken: return redaction.redactor.token(value.utf8)
        case .asURI: return redaction.target(value)
        }
    }
}

extension Redaction {
    /// How many steps lead to the outermost redacted part of a field on this path; nil if none is.
    func firstCover(of header: String, _ path: [PathSegment]) -> Int? {
        guard patterns.contains(where: { $0.root == .header(header) }) else { return nil }
        return (0...path.count).first { length in
            patterns.contains { $0.covers(.header(header), Array(path.prefix(length))) }
        }
    }
}

extension Answer {
    /// Whether both have the same values of a field in the same order, byte for byte.
    /// - Parameter name: lower-case.
    func hasSameFields(named name: String, as other: Answer) -> Bool {
        var (left, right) = (0, 0)
        while true {
            let (one, two) = (field(named: name, from: left), other.field(named: name, from: right))
            guard let one, let two else { return one == nil && two == nil }
            guard headers[one].value.utf8.elementsEqual(other.headers[two].value.utf8) else { return false }
            (left, right) = (one + 1, two + 1)
        }
    }
}
