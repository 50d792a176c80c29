/// Which element is in which.
extension HTMLReader {
    mutating func start(_ element: HTMLElement, _ attributes: [MarkupWriter.Attribute], isEmpty: Bool) {
        closeImplied(by: element)
        writer.start(element.name, attributes)
        // Beyond the limit an element is closed at once: what it would hold stands beside it.
        guard !isEmpty, open.count + 2 < maximumDepth else { return writer.end() }
        openPlaces[element, default: []].append(open.count)
        open.append(element)
    }

    /// An end tag without its element says nothing.
    mutating func end(_ element: HTMLElement) {
        guard isOpen(element) else { return }
        while let last = open.last {
            closeLast()
            if last == element { return }
        }
    }

    mutating func closeLast() {
        guard let last = open.popLast() else { return }
        _ = openPlaces[last]?.popLast()
        writer.end()
    }

    /// Closes what cannot go on when this element begins: `<li>` ends the item before it, but not one around
    /// its list (HTML §13.1.2.4).
    private mutating func closeImplied(by element: HTMLElement) {
        guard let rule = element.closing else { return }
        // By name and not by a walk over all that is open: each of a million tags may stand five hundred deep.
        let boundary = rule.boundaries.reduce(-1) { max($0, openPlaces[$1]?.last ?? -1) }
        let lowest = rule.closed.compactMap { firstPlace(of: $0, from: boundary) }.min()
        guard let lowest else { return }
        while open.count > lowest { closeLast() }
    }

    func isOpen(_ element: HTMLElement) -> Bool { openPlaces[element]?.isEmpty == false }

    /// The outermost open element of a name at a place in `open` or further in.
    private func firstPlace(of element: HTMLElement, from start: Int) -> Int? {
        guard let places = openPlaces[element], let last = places.last, last >= start else { return nil }
        var (low, high) = (0, places.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < start { low = middle + 1 } else { high = middle }
        }
        return places[low]
    }
}

/// An element by its lower-case name.
struct HTMLElement: Hashable {
    let name: [UInt8]
    private let traits: Traits

    init(_ name: [UInt8]) {
        self.name = name
        traits = HTMLElement.known[name] ?? []
    }

    static func == (left: HTMLElement, right: HTMLElement) -> Bool { left.name == right.name }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    static let svg = HTMLElement(Array("svg".utf8))
    static let math = HTMLElement(Array("math".utf8))
    static let pre = HTMLElement(Array("pre".utf8))
    static let textarea = HTMLElement(Array("textarea".utf8))
    static let title = HTMLElement(Array("title".utf8))

    /// It has no content and no end tag.
    var isVoid: Bool { traits.contains(.void) }
    /// It is part of running text.
    var isInline: Bool { traits.contains(.inline) }
    var holdsRawText: Bool { traits.contains(.raw) }
    /// Raw but for references.
    var holdsReferences: Bool { traits.contains(.references) }
    var closing: Closing? { traits.contains(.closing) ? HTMLElement.closings[self] : nil }

    private struct Traits: OptionSet {
        let rawValue: UInt8
        static let void = Traits(rawValue: 1)
        static let inline = Traits(rawValue: 2)
        static let raw = Traits(rawValue: 4)
        static let references = Traits(rawValue: 8)
        static let closing = Traits(rawValue: 16)
    }

    private static let known: [[UInt8]: Traits] = {
        let names: [(Traits, String)] = [
            (.void, "area base br col embed hr img input link meta param source track wbr"),
            (.raw, "script style textarea title xmp iframe noembed noframes"), (.references, "textarea title"),
            (
                .inline,
                """
                a abbr acronym b bdi bdo big button cite code data del dfn em font i img input ins kbd label mark meter \
                output progress q ruby s samp select small span strike strong sub sup svg math time tt u var wbr
                """
            ),
            (.closing, closingRules.map(\.names).joined(separator: " ")),
        ]
        var result: [[UInt8]: Traits] = [:]
        for (trait, list) in names {
            for name in list.split(separator: " ") { result[Array(name.utf8), default: []].insert(trait) }
        }
        return result
    }()

    /// What an element's start ends, unless one of the boundaries is nearer.
    struct Closing {
        let closed: Set<HTMLElement>
        let boundaries: Set<HTMLElement>
    }

    private static func set(_ names: String) -> Set<HTMLElement> {
        Set(names.split(separator: " ").map { HTMLElement(Array($0.utf8)) })
    }

    private static let closingRules: [(names: String, closed: String, boundaries: String)] = [
        ("li", "li", "ul ol menu td th table template"), ("dt dd", "dt dd", "dl td th table template"),
        ("option", "option", "select datalist optgroup"), ("optgroup", "option optgroup", "select"),
        ("td th", "td th", "tr table template"), ("tr", "tr td th", "thead tbody tfoot table template"),
        ("thead tbody tfoot", "thead tbody tfoot tr td th caption colgroup", "table template"),
        ("rt rp", "rt rp", "ruby"),
        (
            """
            address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer \
            form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre section summary table ul
            """, "p", "button td th caption object table template"
        ),
    ]

    private static let closings: [HTMLElement: Closing] = {
        var result: [HTMLElement: Closing] = [:]
        for rule in closingRules {
            for element in set(rule.names) {
                result[element] = Closing(closed: set(rule.closed), boundaries: set(rule.boundaries))
            }
        }
        return result
    }()

    // MARK: - Attributes

    private static let boolean = Set(
        """
        allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate hidden \
        inert ismap itemscope loop multiple muted nomodule novalidate open playsinline readonly required \
        reversed selected
        """.split(separator: " ").map { Array($0.utf8) })
    private static let className = Array("class".utf8)

    /// A boolean attribute is true however it is written; the words of `class` are a set.
    static func normalised(attribute name: [UInt8], _ value: [UInt8]) -> [UInt8] {
        if name == className {
            let words = Set(value.split(whereSeparator: Markup.isBlank).map { Array($0) })
            return Array(words.sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: [0x20]))
        }
        return boolean.contains(name) && (value == name || value.isEmpty) ? [] : value
    }
}

// MARK: - Character references

extension HTMLReader {
    static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.contains(UInt8(ascii: "&")) else { return Array(text) }
        let bytes = Array(text)
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "&"), let (characters, end) = reference(bytes, at: position) {
                result += characters
                position = end
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return result
    }

    /// What a reference stands for and where it ends; nil if it is none that is known. Without a semicolon it is
    /// none: `?a=1&copy=2` is an address.
    static func reference(_ bytes: [UInt8], at start: Int) -> (characters: [UInt8], end: Int)? {
        let limit = min(bytes.count, start + 12)
        guard let end = bytes[start..<limit].firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let name = bytes[(start + 1)..<end]
        let point: UInt32
        if name.first == UInt8(ascii: "#") {
            guard let number = Markup.numericReference(name) else { return nil }
            point = number
        } else if let byte = Markup.predefined(name) {
            point = UInt32(byte)
        } else {
            guard let known = entities[Array(name)] else { return nil }
            point = known
        }
        var characters: [UInt8] = []
        JSONText.appendScalar(point == 0 ? 0xFFFD : point, to: &characters)
        return (characters, end + 1)
    }

    private static let entities: [[UInt8]: UInt32] = {
        // U+00A0 to U+00FF in their order, then those beyond that pages use.
        let latin = """
            nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
            micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring \
            AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml \
            times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
            egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash \
            ugrave uacute ucirc uuml yacute thorn yuml
            """
        var result: [[UInt8]: UInt32] = [
            Array("ndash".utf8): 0x2013, Array("mdash".utf8): 0x2014, Array("lsquo".utf8): 0x2018,
            Array("rsquo".utf8): 0x2019, Array("sbquo".utf8): 0x201A, Array("ldquo".utf8): 0x201C,
            Array("rdquo".utf8): 0x201D, Array("bdquo".utf8): 0x201E, Array("bull".utf8): 0x2022,
            Array("hellip".utf8): 0x2026, Array("lsaquo".utf8): 0x2039, Array("rsaquo".utf8): 0x203A,
            Array("euro".utf8): 0x20AC, Array("trade".utf8): 0x2122, Array("larr".utf8): 0x2190,
            Array("rarr".utf8): 0x2192, Array("minus".utf8): 0x2212, Array("check".utf8): 0x2713,
        ]
        for (offset, name) in latin.split(separator: " ").enumerated() {
            result[Array(name.utf8)] = 0xA0 + UInt32(offset)
        }
        return result
    }()
}
