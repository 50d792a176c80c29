import AdminAPI
import Comparison

/// Two answers in two columns, so that equal lines face each other and long equal stretches are folded.
struct SideBySide {
    enum Mark: String, CaseIterable {
        case equal = "│"
        case differs = "≠"
        case onlyPrimary = "<"
        case onlyShadow = ">"
        case noise = "~"
        /// Another text that a rule or the comparison lets pass.
        case hidden = "·"

        var meaning: String? {
            switch self {
            case .equal: nil
            case .differs: "differs"
            case .onlyPrimary: "only the primary"
            case .onlyShadow: "only the shadow"
            case .noise: "noise"
            case .hidden: "not counted as different"
            }
        }
    }

    struct Row: Equatable {
        var left: String
        var right: String
        var mark: Mark
    }

    enum Piece: Equatable {
        case row(Row)
        case folded(Int)
    }

    /// Equal lines shown around a difference.
    private static let context = 3
    /// ` ≠ `
    private static let gutter = 3

    private(set) var rows: [Row] = []

    mutating func add(_ left: String, _ right: String, _ mark: Mark) {
        rows.append(Row(left: left, right: right, mark: mark))
    }

    mutating func add(_ left: [BodyLine], _ right: [BodyLine]) {
        for pair in LineAlignment.pairs(left.map(\.text), right.map(\.text)) {
            let one = pair.left.map { left[$0] }
            let other = pair.right.map { right[$0] }
            add(one?.text ?? "", other?.text ?? "", Self.mark(one, other))
        }
    }

    private static func mark(_ left: BodyLine?, _ right: BodyLine?) -> Mark {
        let lines = [left, right].compactMap { $0 }
        let text = { (line: BodyLine) in line.text.hasSuffix(",") ? String(line.text.dropLast()) : line.text }
        if let left, let right, text(left) == text(right) { return .equal }
        if lines.contains(where: { $0.differs && !$0.isNoise }) {
            return left == nil ? .onlyShadow : right == nil ? .onlyPrimary : .differs
        }
        return lines.contains { $0.isNoise } ? .noise : .hidden
    }

    static func folded(_ rows: [Row]) -> [Piece] {
        var pieces: [Piece] = []
        var index = 0
        while index < rows.count {
            guard rows[index].mark == .equal else {
                pieces.append(.row(rows[index]))
                index += 1
                continue
            }
            let end = rows[index...].firstIndex { $0.mark != .equal } ?? rows.count
            let before = index == 0 ? 0 : context
            let after = end == rows.count ? 0 : context
            let hidden = end - index - before - after
            if hidden > 1 {
                pieces += rows[index..<(index + before)].map(Piece.row)
                pieces.append(.folded(hidden))
                pieces += rows[(end - after)..<end].map(Piece.row)
            } else {
                pieces += rows[index..<end].map(Piece.row)
            }
            index = end
        }
        return pieces
    }

    /// - Parameter width: of both columns and what is between them.
    func write(width: Int, to terminal: Terminal) {
        let column = (width - Self.gutter) / 2
        for piece in Self.folded(rows) {
            switch piece {
            case .folded(let count):
                terminal.write(terminal.paint("… \(ReportText.count(count)) equal lines …", .dim))
            case .row(let row): write(row, column: column, to: terminal)
            }
        }
        let legend = Mark.allCases.compactMap { mark in
            rows.contains { $0.mark == mark } ? mark.meaning.map { "\(mark.rawValue) \($0)" } : nil
        }
        if !legend.isEmpty { terminal.write(terminal.paint(legend.joined(separator: "   "), .dim)) }
    }

    private func write(_ row: Row, column: Int, to terminal: Terminal) {
        let texts = row.mark == .equal ? (row.left, row.right) : Self.parted(row.left, row.right, column)
        let left = Self.wrapped(texts.0, width: column)
        let right = Self.wrapped(texts.1, width: column)
        let paints: (Terminal.Paint, Terminal.Paint)? =
            switch row.mark {
            case .equal: nil
            case .noise, .hidden: (.dim, .dim)
            default: (.green, .red)
            }
        for index in 0..<max(left.count, right.count) {
            let one = TextLayout.padded(index < left.count ? left[index] : "", to: column)
            let other = index < right.count ? right[index] : ""
            let mark = terminal.paint(row.mark.rawValue, paints == nil ? .dim : .yellow)
            let line =
                (paints.map { terminal.paint(one, $0.0) } ?? one) + " \(mark) "
                + (paints.map { terminal.paint(other, $0.1) } ?? other)
            terminal.write(other.isEmpty && !terminal.isColoured ? Self.withoutBlanksAtEnd(line) : line)
        }
    }

    private static func withoutBlanksAtEnd(_ line: String) -> String {
        var line = line
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }

    /// A word that is wider than the column and begins alike on both sides is shown from shortly before they part.
    private static func parted(_ left: String, _ right: String, _ width: Int) -> (String, String) {
        let longest = [left, right].flatMap { $0.split(separator: " ") }.map { TextLayout.columns(of: $0) }.max() ?? 0
        guard longest > width - 4 else { return (left, right) }
        let indent = String(left.prefix { $0 == " " })
        guard right.hasPrefix(indent) else { return (left, right) }
        let names = [left, right].map { text in
            text.firstRange(of: "\": ").map { String(text[..<$0.upperBound]) } ?? indent
        }
        let name = names[0] == names[1] && TextLayout.columns(of: names[0]) < width / 2 ? names[0] : indent
        let cut = TextLayout.cutAlike(
            String(left.dropFirst(name.count)), String(right.dropFirst(name.count)),
            to: max(8, width - TextLayout.columns(of: name)))
        return (name + cut.left, name + cut.right)
    }

    /// Broken at blanks, further lines indented as the first one is and two more; a word that is too wide is cut.
    static func wrapped(_ text: String, width: Int) -> [String] {
        guard TextLayout.columns(of: text) > width else { return [text] }
        let blanks = min(text.prefix { $0 == " " }.count, width / 2)
        let indent = String(repeating: " ", count: blanks)
        let words = TextLayout.wrapped(text, width: width - blanks - 2)
        return words.enumerated().map { index, line in
            TextLayout.cut(indent + (index > 0 ? "  " : "") + line, to: width)
        }
    }
}
