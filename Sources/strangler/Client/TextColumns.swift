// Text that has to fit a number of columns, whatever is in it.

extension TextLayout {
    /// How many columns of a terminal a text takes: two for the characters that East Asian writing and pictures use.
    static func columns(of text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + columns(of: $1) }
    }

    static func columns(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// Unicode's wide blocks (UAX #11), roughly: who shows them narrow leaves a gap, and nothing overlaps.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]

    /// At most so many columns of a line with colours in it, which take none and end with it.
    static func cutPainted(_ line: String, to width: Int) -> String {
        var result = ""
        var used = 0
        var isPainted = false
        var rest = line[...]
        while let character = rest.first {
            if character == "\u{1B}", let end = rest.firstIndex(of: "m") {
                let paint = rest[...end]
                isPainted = !paint.hasSuffix("[0m")
                result += paint
                rest = rest[rest.index(after: end)...]
                continue
            }
            let taken = columns(of: character)
            // Room for the mark is needed only if more than this character follows.
            guard used + taken <= width - 1 || (used + taken <= width && columns(ofPainted: rest.dropFirst()) == 0)
            else {
                return result + "…" + (isPainted ? "\u{1B}[0m" : "")
            }
            used += taken
            result.append(character)
            rest = rest.dropFirst()
        }
        return result
    }

    /// Without its colours.
    private static func columns(ofPainted text: Substring) -> Int {
        var used = 0
        var rest = text
        while let character = rest.first {
            if character == "\u{1B}", let end = rest.firstIndex(of: "m") {
                rest = rest[rest.index(after: end)...]
            } else {
                used += columns(of: character)
                rest = rest.dropFirst()
            }
        }
        return used
    }

    /// The longest beginning that takes at most so many columns.
    static func beginning(of text: some StringProtocol, columns limit: Int) -> String {
        var used = 0
        return String(
            text.prefix { character in
                used += columns(of: character)
                return used <= limit
            })
    }

    private static func ending(of text: some StringProtocol, columns limit: Int) -> String {
        var used = 0
        return String(
            text.reversed().prefix { character in
                used += columns(of: character)
                return used <= limit
            }.reversed())
    }

    /// At most so many columns; what is too long loses its middle, since a path says most at its ends.
    static func cutMiddle(_ text: String, to width: Int) -> String {
        let line = oneLine(text)
        guard columns(of: line) > width else { return line }
        let kept = max(0, width - 1)
        return beginning(of: line, columns: kept / 2) + "…" + ending(of: line, columns: kept - kept / 2)
    }

    /// Two texts in at most so many columns each. Where both begin alike, what is shown begins shortly before they part.
    static func cutAlike(_ left: String, _ right: String, to width: Int) -> (left: String, right: String) {
        guard columns(of: left) > width || columns(of: right) > width else { return (left, right) }
        let common = zip(left, right).prefix { $0 == $1 }.count
        let context = max(4, width / 2)
        let skipped = common > width - context ? max(0, common - context) : 0
        let shown = { (text: String) in
            cut((skipped > 0 ? "…" : "") + text.dropFirst(skipped), to: width)
        }
        return (shown(left), shown(right))
    }

    /// As many of the entries as fit the lines, and how many more there are.
    static func listed(_ entries: [String], width: Int, lines limit: Int) -> [String] {
        var lines: [String] = []
        for (index, entry) in entries.enumerated() {
            let rest = entries.count - index - 1
            let text = cutMiddle(entry, to: width - 16) + (rest > 0 ? "," : "")
            let reserve = rest > 0 ? columns(of: " and \(rest + 1) more") : 0
            let fitsLast = lines.last.map { columns(of: $0) + 1 + columns(of: text) } ?? .max
            let room = lines.count < limit ? width : width - reserve
            if fitsLast <= room {
                lines[lines.count - 1] += " " + text
            } else if lines.count < limit {
                lines.append(text)
            } else {
                lines[lines.count - 1] += " and \(rest + 1) more"
                return lines
            }
        }
        return lines
    }
}
