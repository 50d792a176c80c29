internal import Comparison

/// Markup, forms, multipart bodies and texts that mean the same, or differ in exactly one known way.
///
/// - Parameter bytes: choices, of which a body and its variants are made.
func checkOtherVariants(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    var choices = Choices(bytes)
    let which = choices.pick(6)
    let (one, other, changed): (Written, Written, Written?) =
        switch which {
        case 0, 1: xmlVariants(&choices)
        case 2: htmlVariants(&choices)
        case 3: formVariants(&choices)
        case 4: multipartVariants(&choices)
        default: textVariants(&choices)
        }
    for (left, right) in [(one, other), (other, one)] {
        let result = left.compared(with: right)
        try demand(result.verdict == .match, "\(left) and \(right): \(result.verdict), \(result.differences)")
        guard let changed else { continue }
        let found = left.compared(with: changed)
        try demand(found.differences.map(\.kind) == [.value], "\(left) and \(changed): \(found.differences), not one")
    }
    return changed == nil ? .refused : .accepted
}

/// A body with its media type.
private struct Written {
    let type: String
    let body: [UInt8]

    init(_ type: String, _ text: String) {
        self.type = type
        body = Array(text.utf8)
    }

    func compared(with other: Written) -> ComparisonResult {
        comparedBodies(type, body, as: other.type, other.body, .none)
    }
}

extension Written: CustomStringConvertible {
    var description: String { String(decoding: body, as: UTF8.self) }
}

private typealias Variants = (one: Written, other: Written, changed: Written?)

private func xmlVariants(_ choices: inout Choices) -> Variants {
    let tree = MarkupTree.random(
        depth: 5, names: ["a", "b", "c-d", "é"], attributeNames: ["k", "lang", "x", "_9", "ü"],
        namespaces: ["", "", "u", "urn:a:b"], &choices)
    let type = choices.pick(from: ["application/xml", "text/xml; charset=utf-8", "application/atom+xml"])
    let written = { (tree: MarkupTree, choices: inout Choices) in Written(type, tree.document(&choices)) }
    let changed = tree.changed(&choices)
    return (written(tree, &choices), written(tree, &choices), changed.map { written($0, &choices) })
}

private func htmlVariants(_ choices: inout Choices) -> Variants {
    let tree = MarkupTree.random(
        depth: 5, names: MarkupTree.htmlNames, attributeNames: MarkupTree.htmlAttributes, namespaces: [""], &choices)
    let changed = tree.changed(&choices)
    let written = { (tree: MarkupTree, choices: inout Choices) in Written("text/html", tree.html(&choices)) }
    return (written(tree, &choices), written(tree, &choices), changed.map { written($0, &choices) })
}

/// Fields in any order, but for those of one name; any byte escaped or not.
private func formVariants(_ choices: inout Choices) -> Variants {
    let names = ["a", "b c", "é", "x[]", "=", "&", "%41", ""]
    let first = choices.pick(names.count)
    let fields = (0..<choices.pick(names.count)).map { place in
        (
            name: names[(first + place) % names.count],
            values: (0...choices.pick(3)).map { _ in choices.pick(from: ["", "1", "b+c d", "ü%", "a=b&c", "\u{0}"]) }
        )
    }
    let written = { (fields: [(name: String, values: [String])], choices: inout Choices) in
        let escaped = { (text: String, choices: inout Choices) in
            text.utf8.map { byte in
                if byte == 0x20, choices.isChosen() { return "+" }
                let isPlain = byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
                guard !isPlain || choices.isChosen(oneIn: 3) else { return String(Unicode.Scalar(byte)) }
                let digits = String(byte, radix: 16, uppercase: choices.isChosen())
                return "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }.joined()
        }
        let parts = choices.shuffled(fields).map { field in
            field.values.map { escaped(field.name, &choices) + "=" + escaped($0, &choices) }.joined(separator: "&")
        }
        return Written("application/x-www-form-urlencoded", parts.joined(separator: choices.isChosen() ? "&&" : "&"))
    }
    var changed: [(name: String, values: [String])]?
    if !fields.isEmpty {
        var copy = fields
        let place = choices.pick(fields.count)
        copy[place].values[choices.pick(fields[place].values.count)] += "!"
        changed = copy
    }
    return (written(fields, &choices), written(fields, &choices), changed.map { written($0, &choices) })
}

/// Named parts in any order, between any boundaries.
private func multipartVariants(_ choices: inout Choices) -> Variants {
    let names = ["a", "b c", "é", "x[]"]
    let first = choices.pick(names.count)
    let parts = (0...choices.pick(names.count)).prefix(names.count).map { place in
        (
            name: names[(first + place) % names.count], isJSON: choices.isChosen(),
            tree: VariantTree.random(depth: 2, &choices)
        )
    }
    let written = { (parts: [(name: String, isJSON: Bool, tree: VariantTree)], choices: inout Choices) in
        let boundary = choices.pick(from: ["b", "----x", "'()+_,-./:=?"])
        let lines = choices.pick(from: ["\r\n", "\n"])
        var text = choices.pick(from: ["", "before\(lines)"])
        for part in choices.shuffled(parts) {
            // Of a text every character says something.
            var same = Choices(UnsafeRawBufferPointer(start: nil, count: 0))
            let body = part.isJSON ? part.tree.written(&choices) : part.tree.written(&same)
            let name = choices.isChosen() ? "Content-Disposition" : "content-disposition"
            text += "--\(boundary)\(lines)\(name): form-data; name=\"\(part.name)\"\(lines)"
            if part.isJSON { text += "Content-Type: application/json\(lines)" }
            text += "\(lines)\(body)\(lines)"
        }
        text += "--\(boundary)--" + choices.pick(from: ["", "\r\n", "\n after"])
        return Written("multipart/form-data; boundary=\"\(boundary)\"", text)
    }
    var changed = parts
    let place = choices.pick(parts.count)
    changed[place].tree = .array([.string("a"), changed[place].tree])
    var before = parts
    before[place].tree = .array([.string("b"), parts[place].tree])
    return (written(before, &choices), written(before, &choices), written(changed, &choices))
}

/// Lines, however they end.
private func textVariants(_ choices: inout Choices) -> Variants {
    let lines = (0..<choices.pick(12)).map { _ in choices.pick(from: ["", "a", "b c", "é", "[", "1,2"]) }
    let type = choices.pick(from: ["text/plain", "text/csv; charset=utf-8"])
    let written = { (lines: [String], choices: inout Choices) in
        let text = lines.enumerated().map { place, line in
            let isLast = place == lines.count - 1
            return line + choices.pick(from: ["\n", "\r\n"] + (isLast && !line.isEmpty ? [""] : []))
        }
        return Written(type, text.joined())
    }
    var changed: [String]?
    if !lines.isEmpty {
        var copy = lines
        copy[choices.pick(lines.count)] += "!"
        changed = copy
    }
    return (written(lines, &choices), written(lines, &choices), changed.map { written($0, &choices) })
}
