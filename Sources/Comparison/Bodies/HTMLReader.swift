/// HTML as browsers forgive it: any bytes give a tree. A subset of the WHATWG parser: void elements, the end tags
/// that may be left out, raw text in scripts, attributes in any quoting, the common entities. Elements that
/// a page leaves out altogether (`html`, `body`, `tbody`) are not made up.
///
/// White space is one blank at most, and none next to a block; only in `pre`, `textarea`, `script` and `style` it
/// stays. The order of attributes says nothing, nor that of the words in `class`. Comments are no content.
struct HTMLReader {
    let bytes: [UInt8]
    let maximumDepth: Int
    var position = 0
    var writer: MarkupWriter
    /// Open elements, outermost first.
    var open: [HTMLElement] = []
    /// Where those of each name stand in `open`, ascending.
    var openPlaces: [HTMLElement: [Int]] = [:]
    /// Between the last tag and the position, with references replaced.
    private var text: [UInt8] = []
    /// The last tag belongs to running text, so a blank after it shows.
    private var followsInline = false
    private var followsPreStart = false

    static func document(of bytes: [UInt8], maximumDepth: Int) throws(DocumentError) -> Document {
        var reader = HTMLReader(bytes: bytes, maximumDepth: maximumDepth)
        reader.run()
        return try reader.writer.finish()
    }

    private init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        writer = MarkupWriter(maximumDepth: maximumDepth)
    }

    private mutating func run() {
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") || !markup() { character() }
        }
        flush(beforeInline: false)
        while !open.isEmpty { closeLast() }
    }

    /// Reads what begins with `<`; false if that is only a character.
    private mutating func markup() -> Bool {
        let next = position + 1 < bytes.count ? bytes[position + 1] : 0
        switch next {
        case UInt8(ascii: "!"):
            if Markup.starts(bytes, at: position, with: "<!--") { comment() } else { skip(through: UInt8(ascii: ">")) }
        case UInt8(ascii: "?"): skip(through: UInt8(ascii: ">"))
        case UInt8(ascii: "/"):
            guard position + 2 < bytes.count else { return false }
            if HTMLReader.isLetter(bytes[position + 2]) { endTag() } else { skip(through: UInt8(ascii: ">")) }
        case let byte where HTMLReader.isLetter(byte): startTag()
        default: return false
        }
        return true
    }

    // MARK: - Tags

    private mutating func startTag() {
        position += 1
        let element = HTMLElement(tagName())
        // A tag that does not end is none.
        guard let (attributes, isSelfClosing) = attributes() else { return }
        flush(beforeInline: element.isInline)
        let isForeign = isOpen(.svg) || isOpen(.math)
        start(element, attributes, isEmpty: element.isVoid || (isForeign && isSelfClosing))
        followsInline = element.isInline
        followsPreStart = element == .pre
        if !isForeign, element.holdsRawText, open.last == element { rawText(of: element) }
    }

    private mutating func endTag() {
        position += 2
        let element = HTMLElement(tagName())
        guard attributes() != nil else { return }
        flush(beforeInline: element.isInline)
        end(element)
        followsInline = element.isInline
        followsPreStart = false
    }

    private mutating func tagName() -> [UInt8] {
        let start = position
        while position < bytes.count, !HTMLReader.endsName(bytes[position]) { position += 1 }
        return UTF8Check.repaired(bytes[start..<position].map { FieldList.lowercased($0) })
    }

    /// Up to the end of the tag, sorted; of two with one name, the first. Nil if the tag does not end.
    private mutating func attributes() -> (attributes: [MarkupWriter.Attribute], isSelfClosing: Bool)? {
        var found: [MarkupWriter.Attribute] = []
        while true {
            while position < bytes.count, Markup.isBlank(bytes[position]) || bytes[position] == UInt8(ascii: "/") {
                position += 1
            }
            guard position < bytes.count else { return nil }
            if bytes[position] == UInt8(ascii: ">") { break }
            guard let attribute = attribute() else { return nil }
            found.append(attribute)
        }
        let isSelfClosing = bytes[position - 1] == UInt8(ascii: "/")
        position += 1
        guard found.count > 1 else { return (found, isSelfClosing) }
        let order = found.indices.sorted {
            found[$0].name == found[$1].name ? $0 < $1 : found[$0].name.lexicographicallyPrecedes(found[$1].name)
        }
        var result: [MarkupWriter.Attribute] = []
        for index in order where result.last?.name != found[index].name { result.append(found[index]) }
        return (result, isSelfClosing)
    }

    private mutating func attribute() -> MarkupWriter.Attribute? {
        let start = position
        position += 1
        while position < bytes.count, !HTMLReader.endsName(bytes[position]), bytes[position] != UInt8(ascii: "=") {
            position += 1
        }
        let name = UTF8Check.repaired(bytes[start..<position].map { FieldList.lowercased($0) })
        skipBlanks()
        guard position < bytes.count else { return nil }
        guard bytes[position] == UInt8(ascii: "=") else { return (name, []) }
        position += 1
        skipBlanks()
        guard position < bytes.count else { return nil }
        let quote = bytes[position]
        let isQuoted = quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        var end: Int?
        if isQuoted {
            position += 1
            end = bytes[position...].firstIndex(of: quote)
        } else {
            end = bytes[position...].firstIndex { Markup.isBlank($0) || $0 == UInt8(ascii: ">") }
        }
        guard let end else {
            position = bytes.count
            return nil
        }
        let value = HTMLReader.decoded(bytes[position..<end])
        position = isQuoted ? end + 1 : end
        return (name, HTMLElement.normalised(attribute: name, value))
    }

    // MARK: - Text

    private mutating func character() {
        let byte = bytes[position]
        if byte == UInt8(ascii: "&"), let (characters, end) = HTMLReader.reference(bytes, at: position) {
            text += characters
            position = end
        } else {
            text.append(byte)
            position += 1
        }
    }

    /// Everything up to the end tag of this element, and without one everything.
    private mutating func rawText(of element: HTMLElement) {
        let start = position
        var end = bytes.count
        while let mark = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
            position = mark + 1
            guard position < bytes.count, bytes[position] == UInt8(ascii: "/") else { continue }
            let name = bytes[(position + 1)...].prefix(element.name.count)
            let after = position + 1 + element.name.count
            guard name.count == element.name.count,
                zip(name, element.name).allSatisfy({ FieldList.lowercased($0) == $1 }),
                after == bytes.count || HTMLReader.endsName(bytes[after])
            else { continue }
            end = mark
            break
        }
        position = end
        let content = bytes[start..<end]
        text = element.holdsReferences ? HTMLReader.decoded(content) : Array(content)
    }

    /// Writes the text before a tag.
    private mutating func flush(beforeInline: Bool) {
        defer { text.removeAll(keepingCapacity: true) }
        guard !text.isEmpty else { return }
        if open.last?.holdsRawText == true && open.last != .title || isOpen(.pre) {
            let isFirst = followsPreStart || open.last == .textarea
            let lines = HTMLReader.withoutCarriageReturns(text)
            return writer.text(isFirst && lines.first == 0x0A ? Array(lines.dropFirst()) : lines)
        }
        var collapsed: [UInt8] = []
        collapsed.reserveCapacity(text.count)
        var hasBlank = false
        for byte in text {
            if Markup.isBlank(byte) {
                hasBlank = true
                continue
            }
            if hasBlank, !collapsed.isEmpty || followsInline { collapsed.append(0x20) }
            hasBlank = false
            collapsed.append(byte)
        }
        if hasBlank, beforeInline, !collapsed.isEmpty || followsInline { collapsed.append(0x20) }
        writer.text(collapsed)
    }

    private static func withoutCarriageReturns(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x0D) else { return text }
        var result: [UInt8] = []
        for (index, byte) in text.enumerated() {
            if byte != 0x0D {
                result.append(byte)
            } else if index + 1 == text.count || text[index + 1] != 0x0A {
                result.append(0x0A)
            }
        }
        return result
    }

    // MARK: - What is skipped

    private mutating func comment() {
        position += 4
        if Markup.starts(bytes, at: position, with: ">") || Markup.starts(bytes, at: position, with: "->") {
            return skip(through: UInt8(ascii: ">"))
        }
        while position < bytes.count, !Markup.starts(bytes, at: position, with: "-->") { position += 1 }
        position = min(bytes.count, position + 3)
    }

    private mutating func skip(through byte: UInt8) {
        position = bytes[position...].firstIndex(of: byte).map { $0 + 1 } ?? bytes.count
    }

    private mutating func skipBlanks() {
        while position < bytes.count, Markup.isBlank(bytes[position]) { position += 1 }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { FieldList.lowercased(byte) &- UInt8(ascii: "a") < 26 }

    private static func endsName(_ byte: UInt8) -> Bool {
        Markup.isBlank(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ">")
    }
}
