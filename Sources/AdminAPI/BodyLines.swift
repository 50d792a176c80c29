package import Comparison

/// A recorded body as lines for people: JSON indented, and every line marked that belongs to a difference.
package struct BodyLine: Sendable, Equatable {
    package var text: String
    package var differs: Bool
    /// It differs, but so does the primary from itself.
    package var isNoise: Bool

    package init(text: String, differs: Bool, isNoise: Bool = false) {
        self.text = text
        self.differs = differs
        self.isNoise = isNoise
    }
}

package enum BodySide: Sendable {
    case primary, shadow
}

package enum BodyLines {
    /// - Parameter body: as recorded: redacted, and maybe cut, so that it is JSON no more.
    /// - Parameter noise: the differences' fields in which the primary disagrees with itself.
    /// - Returns: no lines for no body.
    package static func lines(
        _ body: String?, _ differences: [Difference], noise: Set<GroupedDifference> = [], side: BodySide
    ) -> [BodyLine] {
        guard !noise.isEmpty else { return lines(body, differences, side: side) }
        let isNoise = { (difference: Difference) in noise.contains(GroupedDifference(difference)) }
        let all = lines(body, differences, side: side)
        let real = lines(body, differences.filter { !isNoise($0) }, side: side)
        return zip(all, real).map { BodyLine(text: $0.text, differs: $0.differs, isNoise: $0.differs && !$1.differs) }
    }

    private static func lines(_ body: String?, _ differences: [Difference], side: BodySide) -> [BodyLine] {
        guard let body, !body.isEmpty else { return [] }
        let whole = differences.contains { $0.path == "body" }
        // Deeper than this nobody reads, and indentation would grow with the square of the depth.
        guard let document = try? Document(json: Array(body.utf8), maximumDepth: 64) else {
            return body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                .map { BodyLine(text: String($0), differs: whole) }
        }
        var printer = JSONLinePrinter(document: document, differences: differences, side: side)
        printer.print(document.root, path: "$", label: "", tail: "", depth: 0, differs: whole)
        return printer.lines
    }
}

/// Writes one value per line and knows the path of each.
private struct JSONLinePrinter {
    let document: Document
    /// What the differences say about this side, by path.
    let rendered: [String: String]
    var lines: [BodyLine] = []

    init(document: Document, differences: [Difference], side: BodySide) {
        self.document = document
        rendered = Dictionary(
            differences.map { ($0.path, side == .primary ? $0.primary : $0.shadow) },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func print(
        _ value: Document.Value, path: String, label: String, tail: String, depth: Int, differs: Bool
    ) {
        let differs = differs || isMarked(value, path: path)
        let kind = document.kind(of: value)
        guard kind == .object || kind == .array, document.count(of: value) > 0 else {
            add(label + text(document.lexeme(of: value)) + tail, depth: depth, differs: differs)
            return
        }
        add(label + (kind == .object ? "{" : "["), depth: depth, differs: differs)
        let count = document.count(of: value)
        for (index, member) in document.members(of: value).enumerated() {
            print(
                member.value, path: path + Self.step(document.text(of: member.name)),
                label: text(document.lexeme(of: member.name)) + ": ", tail: index + 1 < count ? "," : "",
                depth: depth + 1, differs: differs)
        }
        for (index, element) in document.elements(of: value).enumerated() {
            print(
                element, path: path + "[\(index)]", label: "", tail: index + 1 < count ? "," : "", depth: depth + 1,
                differs: differs)
        }
        add((kind == .object ? "}" : "]") + tail, depth: depth, differs: differs)
    }

    /// A path counts positions of one side only where elements were paired by key, so the value has to be the one
    /// that the difference shows, too. Containers and long values are shown shortened there.
    private func isMarked(_ value: Document.Value, path: String) -> Bool {
        guard let shown = rendered[path] else { return false }
        switch document.kind(of: value) {
        case .object, .array: return true
        default: return shown.contains("…") || shown == text(document.lexeme(of: value))
        }
    }

    private mutating func add(_ text: String, depth: Int, differs: Bool) {
        lines.append(BodyLine(text: String(repeating: "  ", count: depth) + text, differs: differs))
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// One step of a path as `Difference.path` writes it. Names with invisible characters, which it escapes, are
    /// merely not marked.
    private static func step(_ name: [UInt8]) -> String {
        let text = String(decoding: name, as: UTF8.self)
        let isPlain =
            !name.isEmpty
            && name.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...: true
                default: false
                }
            }
        if isPlain { return "." + text }
        return "['" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "']"
    }
}
