/// Paths and values for people: bounded, and harmless to a terminal.
enum Printing {
    static let absent = "(absent)"

    static func path(_ segments: [PathSegment]) -> String {
        let steps = segments.map { segment in
            switch segment {
            case .name(let name): PathPattern.Step(selector: .name(name))
            case .index(let index): PathPattern.Step(selector: .index(index))
            }
        }
        return PathPattern(root: .document, steps: steps).description
    }

    /// Two values side by side, each in at most `limit` bytes. Where both are long and begin alike, what is
    /// shown begins shortly before they part.
    static func shortened(_ left: ArraySlice<UInt8>?, _ right: ArraySlice<UInt8>?, to limit: Int) -> (String, String) {
        var start = 0
        if let left, let right, max(left.count, right.count) > limit {
            let common = zip(left, right).prefix { $0 == $1 }.count
            if common > limit / 2 { start = common - limit / 4 }
        }
        return (shortened(left, from: start, to: limit), shortened(right, from: start, to: limit))
    }

    static func shortened(_ text: String, to limit: Int) -> String {
        shortened(Array(text.utf8)[...], from: 0, to: limit)
    }

    private static func shortened(_ bytes: ArraySlice<UInt8>?, from start: Int, to limit: Int) -> String {
        guard let bytes else { return absent }
        // A cut within a scalar would print as a replacement character: move on to the next whole one.
        let tail = bytes.dropFirst(start).drop { start > 0 && $0 & 0xC0 == 0x80 }
        var result = start > 0 && !bytes.isEmpty ? "…" : ""
        var size = result.utf8.count
        let ellipsis = "…".utf8.count
        let window = String(decoding: tail.prefix(limit + 4), as: UTF8.self).unicodeScalars
        var kept = result
        for scalar in window {
            let text = PathName.isInvisible(scalar) ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
            size += text.utf8.count
            guard size <= limit else { return kept + "…" }
            result += text
            if size <= limit - ellipsis { kept = result }
        }
        return tail.count > limit + 4 ? kept + "…" : result
    }
}
