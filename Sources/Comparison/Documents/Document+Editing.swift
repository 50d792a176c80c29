extension Document {
    /// New bytes in place of a range of the source.
    package struct Edit: Sendable {
        package var range: Range<Int>
        package var replacement: [UInt8]

        package init(range: Range<Int>, replacement: [UInt8]) {
            self.range = range
            self.replacement = replacement
        }
    }

    /// The source, or the part of it in `bounds`, with `edits` made and every other byte as it was. An edit
    /// that overlaps an earlier one, or leaves the bounds, is not made. Of use only if ``isText``.
    package func applying(_ edits: [Edit], in bounds: Range<Int>? = nil) -> [UInt8] {
        let bounds = (bounds ?? 0..<source.count).clamped(to: 0..<source.count)
        var result: [UInt8] = []
        result.reserveCapacity(bounds.count)
        var position = bounds.lowerBound
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
        where edit.range.lowerBound >= position && edit.range.upperBound <= bounds.upperBound {
            result += source[position..<edit.range.lowerBound]
            result += edit.replacement
            position = edit.range.upperBound
        }
        return result + source[position..<bounds.upperBound]
    }

    /// A text as a JSON string. Lone surrogates are escaped, as UTF-8 has no room for them; bytes that are no
    /// text at all become U+FFFD.
    package static func quoted(_ text: some Collection<UInt8>) -> [UInt8] {
        let text = Array(text)
        var result: [UInt8] = [UInt8(ascii: "\"")]
        var position = 0
        while position < text.count {
            let byte = text[position]
            let length = byte < 0x80 ? 1 : JSONText.scalarLength(in: text, at: position)
            if length == 0 {
                if JSONText.isSurrogate(text[position...]) {
                    result += JSONText.escaped(JSONText.surrogate(text[position...]))
                    position += 3
                } else {
                    result += [0xEF, 0xBF, 0xBD]
                    position += 1
                }
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { result.append(UInt8(ascii: "\\")) }
            if byte < 0x20 {
                result += JSONText.escaped(UInt16(byte))
            } else {
                result += text[position..<(position + length)]
            }
            position += length
        }
        return result + [UInt8(ascii: "\"")]
    }

    /// A value as JSON text: as it was written where it was, and otherwise in the shortest form.
    package func jsonText(of value: Value) -> [UInt8] {
        if isText { return Array(lexeme(of: value)) }
        var result: [UInt8] = []
        /// Containers around the position, outermost first: where they end, and what they end with.
        var open: [(end: Int, bracket: UInt8)] = []
        var index = value.index
        let end = Int(nodes[value.index].next)
        var isName = false
        while true {
            while let last = open.last, last.end == index {
                result.append(last.bracket)
                open.removeLast()
            }
            guard index < end else { return result }
            let node = nodes[index]
            if let last = result.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "["), last != UInt8(ascii: ":") {
                result.append(UInt8(ascii: ","))
            }
            isName = !isName && open.last?.bracket == UInt8(ascii: "}")
            switch node.kind {
            case .object, .array:
                result.append(node.kind == .object ? UInt8(ascii: "{") : UInt8(ascii: "["))
                open.append((Int(node.next), node.kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")))
                isName = false
            case .string where node.flags.contains(.isRaw): result += Document.quoted(text(of: Value(index: index)))
            case .string, .number: result += lexeme(of: Value(index: index))
            case .null: result += "null".utf8
            case .true: result += "true".utf8
            case .false: result += "false".utf8
            }
            if isName { result.append(UInt8(ascii: ":")) }
            index += 1
        }
    }
}
