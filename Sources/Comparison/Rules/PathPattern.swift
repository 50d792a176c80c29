/// Which places of an answer a rule is about: `$.items[*].price`, `$..etag`, `$['any name'][3]`, `status`,
/// `header.location`, `header.set-cookie.session.path`, or `body` (the body as a whole, whatever it is).
///
/// The name of a header ends at the first dot; what follows are steps to a part of its value, written as in JSON.
/// A header whose name has a dot is `header['x.y']`.
///
/// The JSON part is a subset of JSONPath (RFC 9535): names, indices, `[*]` or `.*` for any child, and
/// `..name` for a descendant. Within `['…']`, `\'`, `\\` and `\uXXXX` stand for one character.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    enum Root: Sendable, Hashable {
        case document, status, body
        /// Lower-case.
        case header(String)
    }

    enum Selector: Sendable, Hashable {
        /// UTF-8, as `Document.text(of:)` gives it.
        case name([UInt8])
        case index(Int)
        case any
    }

    struct Step: Sendable, Hashable {
        /// At any depth below, not only directly (`..`).
        var descendant = false
        var selector: Selector
    }

    /// `states` holds one bit per step and one for having taken them all.
    static let maximumSteps = 60

    let root: Root
    let steps: [Step]

    init(root: Root, steps: [Step] = []) {
        self.root = root
        self.steps = steps
    }

    /// The pattern that names exactly this place.
    init(root: Root, _ path: [PathSegment]) {
        self.init(
            root: root,
            steps: path.map { segment in
                switch segment {
                case .name(let name): Step(selector: .name(name))
                case .index(let index): Step(selector: .index(index))
                }
            })
    }

    package init(_ text: String) throws(PathPatternError) {
        var parser = PathPatternParser(text)
        self = try parser.pattern()
    }

    package var description: String {
        let start =
            switch root {
            case .status: "status"
            case .body: "body"
            case .header(let name): name.contains(".") ? "header['" + name + "']" : "header." + name
            case .document: "$"
            }
        return steps.reduce(into: start) { text, step in
            if step.descendant { text += ".." }
            switch step.selector {
            case .any: text += step.descendant ? "*" : "[*]"
            case .index(let index): text += "[\(index)]"
            case .name(let name):
                let (written, isPlain) = PathName.written(name)
                text += isPlain ? (step.descendant ? "" : ".") + written : "['" + written + "']"
            }
        }
    }

    /// The names from the root on if the pattern names exactly one field of nested objects: `$.a.b` gives
    /// `[a, b]`. Otherwise nil: for `$` itself, indices, wildcards, descendants, headers.
    package var memberNames: [[UInt8]]? {
        guard root == .document, !steps.isEmpty else { return nil }
        var names: [[UInt8]] = []
        for step in steps {
            guard !step.descendant, case .name(let name) = step.selector else { return nil }
            names.append(name)
        }
        return names
    }

    /// The name nearest to the end: `card` for `$.card[*]`. Used to find the same field in a query.
    var lastName: String? {
        guard root == .document else { return nil }
        for step in steps.reversed() {
            if case .name(let name) = step.selector { return String(decoding: name, as: UTF8.self) }
        }
        return nil
    }
}

/// Why a text is not a path pattern, and at which character.
package struct PathPatternError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    /// The character, counted from 1; one past the last if something is missing at the end.
    package let position: Int

    package init(message: String, position: Int) {
        self.message = message
        self.position = position
    }

    package var description: String { "\(message) (at character \(position))" }
}

/// One step of a concrete path.
enum PathSegment: Hashable {
    case name([UInt8])
    case index(Int)
}

/// How a member's name is written in a path.
enum PathName {
    /// Whether a code point may stand in `.name`; everything else needs `['…']`.
    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: scalar.value >= 0x80 && !isInvisible(scalar)
        }
    }

    /// Control and formatting characters could rearrange a terminal's line, so they are written as escapes.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// - Returns: the name ready for its place, and whether that is `.name` rather than `['name']`.
    static func written(_ name: [UInt8]) -> (text: String, isPlain: Bool) {
        var text = ""
        var plain = !name.isEmpty
        var position = 0
        while position < name.count {
            let length = name[position] < 0x80 ? 1 : JSONText.scalarLength(in: name, at: position)
            guard length > 0 else {
                plain = false
                text += escaped(JSONText.surrogate(name[position...]))
                position += 3
                continue
            }
            for scalar in String(decoding: name[position..<(position + length)], as: UTF8.self).unicodeScalars {
                plain = plain && isPlain(scalar)
                text += written(scalar)
            }
            position += length
        }
        return (text, plain)
    }

    private static func written(_ scalar: Unicode.Scalar) -> String {
        if scalar == "'" || scalar == "\\" { return "\\" + String(scalar) }
        guard isInvisible(scalar) else { return String(scalar) }
        return String(scalar).utf16.map { escaped($0) }.joined()
    }

    private static func escaped(_ unit: UInt16) -> String {
        String(decoding: JSONText.escaped(unit), as: UTF8.self)
    }
}
