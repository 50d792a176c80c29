/// Hands out the input's bytes as choices, and zeros when they are used up, so that every input means something.
struct Choices {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    /// - Parameter count: 1...256
    mutating func pick(_ count: Int) -> Int { Int(rest.popFirst() ?? 0) % count }

    mutating func isChosen(oneIn count: Int = 2) -> Bool { pick(count) == 1 }

    mutating func pick<Element>(from elements: [Element]) -> Element { elements[pick(elements.count)] }

    /// Fisher–Yates.
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for last in elements.indices.dropFirst().reversed() { elements.swapAt(last, pick(min(256, last + 1))) }
        return elements
    }
}

/// A JSON value that can be written in many ways that mean the same. Numbers of one value have one spelling here, so that
/// `==` says what the comparison has to say.
indirect enum VariantTree: Equatable {
    case null, yes, no
    case number(Int)
    case string(String)
    case array([VariantTree])
    /// Names are distinct.
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: VariantTree

        static func == (left: Member, right: Member) -> Bool {
            left.name.unicodeScalars.elementsEqual(right.name.unicodeScalars) && left.value == right.value
        }
    }

    static func == (left: VariantTree, right: VariantTree) -> Bool {
        switch (left, right) {
        case (.null, .null), (.yes, .yes), (.no, .no): true
        case (.number(let one), .number(let other)): one == other
        case (.string(let one), .string(let other)): one.unicodeScalars.elementsEqual(other.unicodeScalars)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): one.count == other.count && one.allSatisfy(other.contains)
        default: false
        }
    }

    private static let strings = [
        "", "a", "b", "é", "e\u{301}", "\u{1F600}", "tab\tline\n", "quote\"\\/", "1", "null", "\u{7F}\u{2028}",
        "ord_123",
    ]
    private static let names = [
        "id", "name", "a b", "it's", "items", "ü", "x.y", "[0]", "\u{7F}", "", "\\", "0", "ord_123", "u\u{308}", "$",
        "*",
        "\u{202E}", "\u{1F600}",
    ]

    static func random(depth: Int, _ choices: inout Choices) -> VariantTree {
        switch choices.pick(depth > 0 ? 10 : 6) {
        case 0: return .null
        case 1: return choices.isChosen() ? .yes : .no
        case 2, 3: return .number(choices.pick(12))
        case 4, 5: return .string(choices.pick(from: strings))
        case 6, 7: return .array((0..<choices.pick(9)).map { _ in random(depth: depth - 1, &choices) })
        default:
            let first = choices.pick(names.count)
            return .object(
                (0..<choices.pick(12)).map { place in
                    Member(
                        name: names[(first + place) % names.count], value: random(depth: depth - 1, &choices))
                })
        }
    }

    var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    var typeName: Int {
        switch self {
        case .null: 0
        case .yes, .no: 1
        case .number: 2
        case .string: 3
        case .array: 4
        case .object: 5
        }
    }

    /// The same with every value changed that `change` knows another one for, from the inside out.
    func mapped(_ change: (VariantTree) -> VariantTree) -> VariantTree {
        switch self {
        case .array(let elements): change(.array(elements.map { $0.mapped(change) }))
        case .object(let members):
            change(.object(members.map { Member(name: $0.name, value: $0.value.mapped(change)) }))
        default: change(self)
        }
    }

    /// A copy with something else at one place, the place as a path, and what stood there.
    ///
    /// - Parameter change: given the value that is there.
    func edited(
        _ choices: inout Choices, path: String = "$", _ change: (VariantTree, inout Choices) -> VariantTree
    ) -> (tree: VariantTree, path: String, before: VariantTree, after: VariantTree) {
        switch self {
        case .array(var elements) where !elements.isEmpty && choices.pick(4) > 0:
            let place = choices.pick(elements.count)
            let inner = elements[place].edited(&choices, path: path + "[\(place)]", change)
            elements[place] = inner.tree
            return (.array(elements), inner.path, inner.before, inner.after)
        case .object(var members) where !members.isEmpty && choices.pick(4) > 0:
            let place = choices.pick(members.count)
            let step = "['" + VariantTree.escaped(members[place].name) + "']"
            let inner = members[place].value.edited(&choices, path: path + step, change)
            members[place].value = inner.tree
            return (.object(members), inner.path, inner.before, inner.after)
        default:
            let after = change(self, &choices)
            return (after, path, self, after)
        }
    }

    // MARK: - Text

    /// Every code unit as `\uXXXX`: one spelling that needs no knowledge of which characters need it.
    private static func escaped(_ text: String) -> String { text.utf16.map { escaped($0) }.joined() }

    private static func escaped(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16, uppercase: unit & 1 == 0)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Members in any order, blanks anywhere, any character of a string escaped or not.
    func written(_ choices: inout Choices) -> String {
        let blanks = ["", "", "", " ", "\n", "\t\r\n "]
        switch self {
        case .null: return "null"
        case .yes: return "true"
        case .no: return "false"
        case .number(let number): return "\(number)"
        case .string(let text): return VariantTree.quoted(text, &choices)
        case .array(let elements):
            let parts = elements.map {
                choices.pick(from: blanks) + $0.written(&choices) + choices.pick(from: blanks)
            }
            return "[" + (parts.isEmpty ? choices.pick(from: blanks) : parts.joined(separator: ",")) + "]"
        case .object(let members):
            let parts = choices.shuffled(members).map { member in
                choices.pick(from: blanks) + VariantTree.quoted(member.name, &choices) + choices.pick(from: blanks)
                    + ":" + member.value.written(&choices) + choices.pick(from: blanks)
            }
            return "{" + (parts.isEmpty ? choices.pick(from: blanks) : parts.joined(separator: ",")) + "}"
        }
    }

    private static func quoted(_ text: String, _ choices: inout Choices) -> String {
        let short: [Unicode.Scalar: String] = ["\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\t": "\\t", "/": "\\/"]
        let parts = text.unicodeScalars.map { scalar in
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            switch choices.pick(3) {
            case 0 where !mustEscape: return String(scalar)
            case 1: return escaped(String(scalar))
            default: return short[scalar] ?? (mustEscape ? escaped(String(scalar)) : String(scalar))
            }
        }
        return "\"" + parts.joined() + "\""
    }
}
