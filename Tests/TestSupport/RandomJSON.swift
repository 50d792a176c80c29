/// A JSON value that can be written in many ways that mean the same.
package indirect enum RandomJSON: Equatable {
    case literal(String)
    case string(String)
    case array([RandomJSON])
    /// Names are distinct.
    case object([(name: String, value: RandomJSON)])

    package static func == (left: RandomJSON, right: RandomJSON) -> Bool {
        switch (left, right) {
        case (.literal(let one), .literal(let other)), (.string(let one), .string(let other)): one == other
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)):
            one.count == other.count
                && one.allSatisfy { member in
                    other.contains { $0.name == member.name && $0.value == member.value }
                }
        default: false
        }
    }

    private static let literals = [
        "null", "true", "false", "0", "-0", "1", "1.0", "1e3", "-12.50", "9007199254740993", "9007199254740992",
    ]
    private static let strings = ["", "a", "b", "é", "\u{1F600}", "tab\tline\n", "quote\"\\/", "1", "null"]
    private static let names = ["id", "name", "a b", "it's", "items", "ü", "x.y", "[0]", "\u{7F}", "", "\\"]

    package static func random(depth: Int, using generator: inout SeededGenerator) -> RandomJSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 4), using: &generator) {
        case 0, 1: .literal(literals.randomElement(using: &generator) ?? "null")
        case 2, 3: .string(strings.randomElement(using: &generator) ?? "")
        case 4, 5:
            .array(
                (0..<Int.random(in: 0..<5, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            .object(
                names.shuffled(using: &generator).prefix(Int.random(in: 0..<5, using: &generator)).map {
                    ($0, random(depth: depth - 1, using: &generator))
                })
        }
    }

    /// A copy with something changed, most of the time.
    package func changed(using generator: inout SeededGenerator) -> RandomJSON {
        switch self {
        case .array(var elements) where !elements.isEmpty:
            let index = elements.indices.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: elements.remove(at: index)
            case 1: elements.shuffle(using: &generator)
            default: elements[index] = elements[index].changed(using: &generator)
            }
            return .array(elements)
        case .object(var members) where !members.isEmpty:
            let index = members.indices.randomElement(using: &generator) ?? 0
            if Int.random(in: 0..<3, using: &generator) == 0 {
                members.remove(at: index)
            } else {
                members[index].value = members[index].value.changed(using: &generator)
            }
            return .object(members)
        default: return .random(depth: 2, using: &generator)
        }
    }

    /// A copy with one element or member more somewhere; nil if there is no container.
    package func inserting(using generator: inout SeededGenerator) -> RandomJSON? {
        let value = RandomJSON.random(depth: 1, using: &generator)
        switch self {
        case .array(var elements):
            if let index = elements.indices.randomElement(using: &generator), Bool.random(using: &generator),
                let inner = elements[index].inserting(using: &generator)
            {
                elements[index] = inner
            } else {
                elements.insert(value, at: Int.random(in: 0...elements.count, using: &generator))
            }
            return .array(elements)
        case .object(var members):
            if let index = members.indices.randomElement(using: &generator), Bool.random(using: &generator),
                let inner = members[index].value.inserting(using: &generator)
            {
                members[index].value = inner
            } else {
                members.append(("a new name", value))
            }
            return .object(members)
        default: return nil
        }
    }

    /// Members in any order, blanks anywhere, any character of a string escaped or not.
    package func text(using generator: inout SeededGenerator) -> String {
        func blank() -> String { ["", "", "", " ", "\n", "\t"].randomElement(using: &generator) ?? "" }
        func quoted(_ text: String) -> String {
            let units = text.unicodeScalars.map { scalar in
                let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
                guard mustEscape || Int.random(in: 0..<4, using: &generator) == 0 else { return String(scalar) }
                return String(scalar).utf16.map { unit in
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &generator))
                    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }.joined()
            }
            return "\"" + units.joined() + "\""
        }
        switch self {
        case .literal(let text): return text
        case .string(let text): return quoted(text)
        case .array(let elements):
            let parts = elements.map { blank() + $0.text(using: &generator) + blank() }
            return "[" + (parts.isEmpty ? blank() : parts.joined(separator: ",")) + "]"
        case .object(let members):
            let parts = members.shuffled(using: &generator).map { member in
                blank() + quoted(member.name) + blank() + ":" + blank() + member.value.text(using: &generator) + blank()
            }
            return "{" + (parts.isEmpty ? blank() : parts.joined(separator: ",")) + "}"
        }
    }
}
