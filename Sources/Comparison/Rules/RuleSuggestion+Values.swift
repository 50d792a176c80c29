/// One side's value as a difference shows it, understood again.
struct SeenValue {
    let text: String
    private let document: Document?

    init(_ text: String) {
        self.text = text
        document = try? Document(json: Array(text.utf8), maximumDepth: 4)
    }

    private var kind: Document.Kind? { document.map { $0.kind(of: $0.root) } }

    var isAbsent: Bool { text == Printing.absent }
    var isNull: Bool { kind == .null }

    /// See ``Redactor/token(_:)``.
    var isRedacted: Bool {
        text.split(separator: "redacted:", omittingEmptySubsequences: false).dropFirst()
            .contains { $0.prefix(12).utf8.count(where: { JSONText.hexDigit($0) != nil }) == 12 }
    }

    /// `""`, `[]` or `{}`.
    var isEmpty: Bool {
        guard let document else { return false }
        switch kind {
        case .string: return document.text(of: document.root).isEmpty
        case .array, .object: return document.count(of: document.root) == 0
        default: return false
        }
    }

    var string: String? {
        guard let document, kind == .string else { return nil }
        return String(decoding: document.text(of: document.root), as: UTF8.self)
    }

    var number: ExactDecimal? { kind == .number ? ExactDecimal(text.utf8) : nil }

    /// A number, or a string that holds one.
    var numberInDisguise: ExactDecimal? {
        if let number { return number }
        guard let string, case let inner = SeenValue(string), inner.kind == .number else { return nil }
        return inner.number
    }
}

struct ValuePair {
    let primary: SeenValue
    let shadow: SeenValue

    var numbers: (ExactDecimal, ExactDecimal)? {
        guard let one = primary.number, let other = shadow.number else { return nil }
        return (one, other)
    }

    var strings: (String, String)? {
        guard let one = primary.string, let other = shadow.string else { return nil }
        return (one, other)
    }

    /// Either value is, or holds, a token in place of a value that nobody may see.
    var isRedacted: Bool { primary.isRedacted || shadow.isRedacted }

    /// Both values without the quotes of strings.
    var texts: [String] { [primary, shadow].map { $0.string ?? $0.text } }

    /// Within a hundredth of each other, or a hundredth of one apart: rounding, rather than another number.
    var areNear: Bool {
        guard let one = Double(primary.text), let other = Double(shadow.text), one.isFinite, other.isFinite else {
            return false
        }
        return abs(one - other) <= max(0.010_001, 0.01 * max(abs(one), abs(other)))
    }

    /// Of two RFC 3339 times.
    var secondsApart: Double? {
        guard let strings, let one = Timestamp(strings.0.utf8), let other = Timestamp(strings.1.utf8), one.hasOffset,
            other.hasOffset
        else { return nil }
        return one.distance(to: other)
    }
}

/// Bounds that people write: 1, 2 or 5 and zeros.
enum NumberBound {
    /// The least of them within which all pairs are; nil if none is.
    static func least(_ pairs: [(ExactDecimal, ExactDecimal)]) -> String? {
        for exponent in -12...12 {
            for digit in ["1", "2", "5"] {
                let text = written(digit, exponent)
                guard let bound = ExactDecimal(text.utf8) else { continue }
                if pairs.allSatisfy({ ExactDecimal.areClose($0.0, $0.1, within: bound) }) { return text }
            }
        }
        return nil
    }

    private static func written(_ digit: String, _ exponent: Int) -> String {
        exponent >= 0
            ? digit + String(repeating: "0", count: exponent)
            : "0." + String(repeating: "0", count: -exponent - 1) + digit
    }
}

/// What random identities look like.
enum ValueShape {
    /// An expression that all values match, and what it says in words; nil if they have no shape in common.
    static func expression(for pairs: [ValuePair], at path: String) -> (String, String)? {
        let values = pairs.flatMap(\.texts)
        guard !values.isEmpty, pairs.allSatisfy({ $0.strings != nil || $0.texts.allSatisfy(isDigits) }) else {
            return nil
        }
        if values.allSatisfy({ TextShapes.isUUID(Array($0.utf8)) }) {
            return ("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "UUIDs")
        }
        if pairs.allSatisfy({ $0.strings == nil }) {
            return namesIdentity(path) ? ("[0-9]+", "whole numbers that are identities") : nil
        }
        let prefix = commonPrefix(values)
        let rests = values.map { $0.dropFirst(prefix.count) }
        guard rests.allSatisfy({ !$0.isEmpty }) else { return nil }
        let start = prefix.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" ? String($0) : "\\\($0)" }
            .joined()
        if !prefix.isEmpty, rests.allSatisfy(isDigits) { return (start + "[0-9]+", "\(prefix) and digits") }
        let length = rests[0].count
        guard length >= 8, rests.allSatisfy({ hexLength($0) == length }) else { return nil }
        return (
            start + "[0-9a-fA-F]{\(length)}",
            "\(length) hexadecimal digits" + (prefix.isEmpty ? "" : " after \(prefix)")
        )
    }

    static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// A field whose numbers count nothing.
    static func namesIdentity(_ path: String) -> Bool {
        guard let name = (try? PathPattern(path))?.lastName else { return false }
        return isIdentity(name)
    }

    static func isIdentity(_ name: String) -> Bool {
        let lower = name.lowercased()
        return ["id", "uuid", "guid", "key"].contains(lower) || name.hasSuffix("Id") || name.hasSuffix("ID")
            || lower.hasSuffix("_id") || lower.hasSuffix("-id")
    }

    /// -1 for what is no hexadecimal number.
    private static func hexLength(_ text: some StringProtocol) -> Int {
        text.utf8.allSatisfy { JSONText.hexDigit($0) != nil } ? text.utf8.count : -1
    }

    /// Up to the last separator that all values have before they part: `ord_` of `ord_12` and `ord_13`. It begins with a
    /// letter: `149.98` and `2026-11-21` are no identities.
    private static func commonPrefix(_ values: [String]) -> String {
        guard let first = values.first else { return "" }
        let common = values.dropFirst().reduce(first) { String(zip($0, $1).prefix { $0 == $1 }.map(\.0)) }
        guard common.first?.isLetter == true, let end = common.lastIndex(where: { "_-:./".contains($0) }) else {
            return ""
        }
        let prefix = common[...end]
        return prefix.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? String(prefix) : ""
    }
}

/// Which member tells the elements of an array apart.
enum ArrayKeys {
    /// - Returns: a path relative to the element, `$.productId`, if in every array there every element has one of its own.
    static func key(at path: String, in examples: [RuleSuggestion.Example]) -> String? {
        guard let pattern = try? PathPattern(path) else { return nil }
        let bodies = examples.flatMap { [$0.primary, $0.shadow] }.compactMap { $0 }
        let arrays = bodies.flatMap { body -> [[[String: [UInt8]]]] in
            guard let document = try? Document(json: Array(body.utf8)) else { return [] }
            return elements(pattern, document)
        }.filter { !$0.isEmpty }
        guard let names = arrays.first?.first?.keys else { return nil }
        let candidates = names.filter { isKey($0) }.sorted { (rank($0), $0) < (rank($1), $1) }
        let name = candidates.first { name in
            arrays.allSatisfy { elements in
                let values = elements.compactMap { $0[name] }
                return values.count == elements.count && Set(values).count == values.count
            }
        }
        return name.map { PathPattern(root: .document, steps: [.init(selector: .name(Array($0.utf8)))]).description }
    }

    private static func isKey(_ name: String) -> Bool {
        ValueShape.isIdentity(name) || ["name", "code", "sku", "slug"].contains(name.lowercased())
    }

    private static func rank(_ name: String) -> Int {
        let lower = name.lowercased()
        return lower == "id" ? 0 : ValueShape.isIdentity(name) && lower != "key" ? 1 : lower == "key" ? 2 : 3
    }

    /// Of every array that the pattern names: its elements' scalar members; none for an array with anything but objects.
    private static func elements(_ pattern: PathPattern, _ document: Document) -> [[[String: [UInt8]]]] {
        var found: [[[String: [UInt8]]]] = []
        visit(document.root, in: document, pattern, pattern.initialStates) { array in
            let elements = document.elements(of: array)
            let isOfObjects = elements.allSatisfy { document.kind(of: $0) == .object }
            found.append(isOfObjects ? elements.map { members($0, document) } : [[:]])
        }
        return found
    }

    private static func members(_ object: Document.Value, _ document: Document) -> [String: [UInt8]] {
        var members: [String: [UInt8]] = [:]
        for (name, value) in document.members(of: object) {
            guard [.string, .number].contains(document.kind(of: value)) else { continue }
            members[String(decoding: document.text(of: name), as: UTF8.self)] = document.text(of: value)
        }
        return members
    }

    private static func visit(
        _ value: Document.Value, in document: Document, _ pattern: PathPattern, _ states: PathPattern.States,
        _ found: (Document.Value) -> Void
    ) {
        if pattern.accepts(states), document.kind(of: value) == .array { found(value) }
        guard pattern.mayMatchBelow(states) else { return }
        for (name, member) in document.members(of: value) {
            let next = pattern.advanced(states, by: .name(document.text(of: name)))
            visit(member, in: document, pattern, next, found)
        }
        for (index, element) in document.elements(of: value).enumerated() {
            visit(element, in: document, pattern, pattern.advanced(states, by: .index(index)), found)
        }
    }
}
