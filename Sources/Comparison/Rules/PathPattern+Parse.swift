/// Reads the text of a ``PathPattern`` code point by code point, so that the position in an error is the one
/// that the user counts.
struct PathPatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    mutating func pattern() throws(PathPatternError) -> PathPattern {
        if current == "$" {
            position += 1
            return PathPattern(root: .document, steps: try steps())
        }
        if scalars.elementsEqual("status".unicodeScalars) { return PathPattern(root: .status) }
        if scalars.elementsEqual("body".unicodeScalars) { return PathPattern(root: .body) }
        if scalars.starts(with: "header.".unicodeScalars) || scalars.starts(with: "header[".unicodeScalars) {
            return try header()
        }
        throw failure("a path starts with '$', or is 'status', 'body' or 'header.NAME'")
    }

    private mutating func steps() throws(PathPatternError) -> [PathPattern.Step] {
        var steps: [PathPattern.Step] = []
        while current != nil {
            guard steps.count < PathPattern.maximumSteps else {
                throw failure("more than \(PathPattern.maximumSteps) steps")
            }
            steps.append(try step())
        }
        return steps
    }

    /// A field name is a token (RFC 9110 §5.6.2). Without brackets it ends at the first dot.
    private mutating func header() throws(PathPatternError) -> PathPattern {
        let start = "header.".unicodeScalars.count
        position = start
        var name = ""
        if scalars[start - 1] == "[" {
            position = start - 1
            guard case .name(let quoted) = try bracket() else { throw failure("a header has a name", at: start) }
            name = String(decoding: quoted, as: UTF8.self)
        } else {
            while let scalar = current, scalar != ".", scalar != "[" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
        }
        for (offset, scalar) in name.unicodeScalars.enumerated() {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "!", "#"..."&", "*", "+", "-", ".", "^"..."`", "|", "~": break
            // The quote is one of a token's characters, too.
            case "'" where scalars[start - 1] == ".": break
            default: throw failure("'\(scalar)' cannot stand in a header name", at: start + offset)
            }
        }
        guard !name.isEmpty else { throw failure("a header name is missing after 'header.'") }
        return PathPattern(root: .header(FieldList.lowercased(name)), steps: try steps())
    }

    private mutating func step() throws(PathPatternError) -> PathPattern.Step {
        if current == "[" { return PathPattern.Step(selector: try bracket()) }
        guard current == "." else { throw failure("expected '.', '..' or '['") }
        position += 1
        let descendant = current == "."
        if descendant { position += 1 }
        if descendant, current == "[" { return PathPattern.Step(descendant: true, selector: try bracket()) }
        if current == "*" {
            position += 1
            return PathPattern.Step(descendant: descendant, selector: .any)
        }
        return PathPattern.Step(descendant: descendant, selector: .name(try plainName()))
    }

    private mutating func plainName() throws(PathPatternError) -> [UInt8] {
        var name: [UInt8] = []
        while let scalar = current, PathName.isPlain(scalar) {
            JSONText.appendScalar(scalar.value, to: &name)
            position += 1
        }
        guard name.isEmpty else { return name }
        throw failure("expected a name or '*'; names with other characters are written ['…']")
    }

    private mutating func bracket() throws(PathPatternError) -> PathPattern.Selector {
        position += 1
        let selector: PathPattern.Selector
        switch current {
        case "*":
            position += 1
            selector = .any
        case "'", "\"": selector = .name(try quotedName())
        case .some("0"..."9"): selector = .index(try index())
        case "-": throw failure("an index counts from the start; negative ones are not supported")
        default: throw failure("expected an index, '*' or a quoted name after '['")
        }
        guard current == "]" else { throw failure("expected ']'") }
        position += 1
        return selector
    }

    private mutating func index() throws(PathPatternError) -> Int {
        let start = position
        var value = 0
        while let scalar = current, case "0"..."9" = scalar {
            value = value * 10 + Int(scalar.value - 48)
            position += 1
            guard value <= Int(Int32.max) else { throw failure("the index is too large", at: start) }
        }
        return value
    }

    private mutating func quotedName() throws(PathPatternError) -> [UInt8] {
        let start = position
        let quote = current
        position += 1
        var name: [UInt8] = []
        while let scalar = current, scalar != quote {
            position += 1
            let point = scalar == "\\" ? try escape() : scalar.value
            JSONText.appendScalar(point, to: &name)
        }
        guard current != nil else { throw failure("the quoted name does not end", at: start) }
        position += 1
        return name
    }

    private mutating func escape() throws(PathPatternError) -> UInt32 {
        let start = position - 1
        guard let scalar = current else { throw failure("the escape does not end", at: start) }
        position += 1
        if scalar == "'" || scalar == "\"" || scalar == "\\" { return scalar.value }
        guard scalar == "u" else { throw failure("only \\', \\\", \\\\ and \\uXXXX can be escaped", at: start) }
        let unit = try hexUnit(from: start)
        guard 0xD800..<0xDC00 ~= unit, current == "\\", position + 1 < scalars.count, scalars[position + 1] == "u"
        else { return unit }
        let mark = position
        position += 2
        let low = try hexUnit(from: mark)
        if 0xDC00..<0xE000 ~= low { return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00) }
        position = mark
        return unit
    }

    private mutating func hexUnit(from start: Int) throws(PathPatternError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let scalar = current, scalar.isASCII, let digit = JSONText.hexDigit(UInt8(scalar.value)) else {
                throw failure("\\u needs four hexadecimal digits", at: start)
            }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func failure(_ message: String, at place: Int? = nil) -> PathPatternError {
        PathPatternError(message: message, position: (place ?? position) + 1)
    }
}
