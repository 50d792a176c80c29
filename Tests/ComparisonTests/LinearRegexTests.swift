import Comparison
import TestSupport
import Testing

struct LinearRegexTests {
    private func matches(_ expression: String, _ text: String) throws -> Bool {
        try LinearRegex(expression).matches(text.utf8)
    }

    @Test(arguments: [
        ("abc", ["abc"], ["", "ab", "abcd", "xabc"]), ("", [""], ["a"]), ("a|b|", ["a", "b", ""], ["ab", "c"]),
        ("^ord_[0-9a-f]{4,6}$", ["ord_00ff", "ord_00ff00"], ["ord_00f", "ord_00ff000", "ord_00fg", "x-ord_00ff"]),
        ("^a$|^b$", ["a", "b"], ["^a", "ab"]), ("a?b*c+", ["c", "abbcc", "bc"], ["a", "ab", "aac"]),
        ("(ab|c){2}", ["abab", "cab", "cc"], ["ab", "ababab"]), ("(?:a|b)*", ["", "abba"], ["abc"]),
        ("a{0}", [""], ["a"]), ("a{2,}", ["aa", "aaaaa"], ["a"]), ("(a*)*", ["", "aaa"], ["b"]),
        ("(a|b*)+c", ["c", "abbac"], ["ab"]), (".", ["a", "é", "\u{1F600}", "\r"], ["\n", "", "ab"]),
        ("[^a-c]", ["d", "é", "\n"], ["a", "c", ""]), ("[a\\-z]", ["a", "-", "z"], ["b"]),
        ("[-az]", ["-", "a"], ["b"]),
        ("[a-]", ["-", "a"], ["b"]), ("[\\d_]+", ["1_2"], ["a"]), ("[^\\d]", ["a"], ["1"]),
        ("[\\W\\d]", ["-", "1"], ["a"]),
        ("\\d\\D\\w\\W\\s\\S", ["1a_- x"], ["aa_- x"]), ("\\.\\*\\$\\^\\\\", [".*$^\\"], ["aaaaa"]),
        ("[à-ü]+", ["éü"], ["e"]), ("\\n\\r\\t", ["\n\r\t"], ["nrt"]), ("}]", ["}]"], []), ("()", [""], ["a"]),
    ])
    func expressionsMatchWholeValues(expression: String, equal: [String], other: [String]) throws {
        for text in equal { #expect(try matches(expression, text), "\(expression) \(text)") }
        for text in other { #expect(try !matches(expression, text), "\(expression) \(text)") }
    }

    @Test(arguments: [
        ("(a", 1), ("a)", 2), ("[a", 1), ("[]", 1), ("[b-a]", 3), ("*a", 1), ("a**", 3), ("a+?", 3), ("a{", 2),
        ("a{2", 2), ("a{3,2}", 2), ("a{1001}", 2), ("\\", 1), ("\\q", 1), ("a^", 2), ("$a", 1), ("(?=a)", 2),
        ("(?i)a", 2), ("[[:alpha:]]", 2), ("(^a)", 2), ("a|*", 3), ("[\\d-", 1), ("{2}", 1), ("[a-\\d]", 3), ("\\1", 1),
    ])
    func faultsAreNamedWithTheirCharacter(expression: String, position: Int) {
        let error = #expect(throws: LinearRegexError.self) { try LinearRegex(expression) }
        #expect(error?.position == position, "\(expression): \(String(describing: error))")
        #expect(error?.message.isEmpty == false)
    }

    @Test func whatWouldGrowTooLargeIsRefused() throws {
        let parts = [
            "(a{100}){100}", "((((){900}){900}){900}){900}", "a{600}b{600}", String(repeating: "a", count: 2_000),
        ]
        for expression in parts + [String(repeating: "(", count: 60) + String(repeating: ")", count: 60)] {
            #expect(throws: LinearRegexError.self, "\(expression.prefix(40))") { try LinearRegex(expression) }
        }
        _ = try LinearRegex("[a-z]{400}")
        _ = try LinearRegex(String(repeating: "(", count: 40) + "a" + String(repeating: ")", count: 40))
    }

    @Test func expressionsThatWouldExplodeElsewhereEnd() throws {
        let letters = Array(repeating: UInt8(ascii: "a"), count: 20_000)
        for expression in ["(a+)+b", "(a*)*b", "(a|aa)+b", "(a|a?)+b", "(.*)(.*)(.*)(.*)(.*)[^a]", "(a?){50}a{50}b"] {
            let regex = try LinearRegex(expression)
            #expect(!regex.matches(letters))
            #expect(regex.matches(letters.prefix(100) + Array("b".utf8)) || expression == "(a?){50}a{50}b")
        }
    }

    @Test func bytesThatAreNoTextAreOneCharacterEach() throws {
        #expect(try LinearRegex("...").matches([0xFF, 0xC3, 0x28] as [UInt8]))
        #expect(try LinearRegex("[^a]").matches([0xED] as [UInt8]))
        #expect(try !LinearRegex("[^a]").matches([0xED, 0xA0, 0x80] as [UInt8]))
        #expect(try LinearRegex("\\W{3}").matches([0xE2, 0x82, 0xF4] as [UInt8]))
        #expect(try !LinearRegex("é").matches([0xC3] as [UInt8]))
    }

    @Test func theMatcherAgreesWithTheDefinition() throws {
        var generator = SeededGenerator(seed: 51)
        for _ in 0..<2_000 {
            let reference = Reference.random(depth: 4, using: &generator)
            let regex = try LinearRegex(reference.text)
            for _ in 0..<6 {
                let value = (0..<Int.random(in: 0..<7, using: &generator)).map { _ in
                    "abc".utf8.randomElement(using: &generator) ?? 0
                }
                let expected = reference.ends(of: value[...]).contains(value.endIndex)
                #expect(regex.matches(value) == expected, "\(reference.text) \(String(decoding: value, as: UTF8.self))")
            }
        }
    }

    @Test func anyTextIsReadOrRefusedAndNeverTraps() {
        var generator = SeededGenerator(seed: 52)
        let parts = [
            "a", "[", "]", "(", ")", "?", "*", "+", "{", "}", "2", ",", "|", "^", "$", "\\", "-", ".", "d", "é", "?:",
        ]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0..<12, using: &generator))
                .map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            if let regex = try? LinearRegex(text) { _ = regex.matches("a2é]".utf8) }
        }
    }
}

/// What expressions mean, written down without any thought of cost: the set of places where a match may end.
private indirect enum Reference {
    case letter(UInt8), any, notA, empty
    case sequence([Reference])
    case either([Reference])
    case times(Reference, Int, Int?)

    var text: String {
        switch self {
        case .letter(let byte): String(decoding: [byte], as: UTF8.self)
        case .any: "."
        case .notA: "[^a]"
        case .empty: "()"
        case .sequence(let parts): parts.map(\.text).joined()
        case .either(let parts): "(" + parts.map(\.text).joined(separator: "|") + ")"
        case .times(let part, 0, nil): "(\(part.text))*"
        case .times(let part, 1, nil): "(?:\(part.text))+"
        case .times(let part, 0, 1): "(\(part.text))?"
        case .times(let part, let low, let high): "(\(part.text)){\(low),\(high.map(String.init) ?? "")}"
        }
    }

    func ends(of value: ArraySlice<UInt8>) -> Set<Int> {
        switch self {
        case .letter(let byte): value.first == byte ? [value.startIndex + 1] : []
        case .any: value.isEmpty ? [] : [value.startIndex + 1]
        case .notA: value.first.map { $0 != UInt8(ascii: "a") } == true ? [value.startIndex + 1] : []
        case .empty: [value.startIndex]
        case .sequence(let parts):
            parts.reduce(into: [value.startIndex]) { ends, part in
                ends = Set(ends.flatMap { part.ends(of: value[$0...]) })
            }
        case .either(let parts): Set(parts.flatMap { $0.ends(of: value) })
        case .times(let part, let low, let high): times(part, low, high, value)
        }
    }

    private func times(_ part: Reference, _ low: Int, _ high: Int?, _ value: ArraySlice<UInt8>) -> Set<Int> {
        var ends: Set<Int> = [value.startIndex]
        for _ in 0..<low { ends = Set(ends.flatMap { part.ends(of: value[$0...]) }) }
        var all = ends
        // More rounds than there are bytes add nothing.
        for _ in 0..<min((high ?? .max) - low, value.count + 1) {
            ends = Set(ends.flatMap { part.ends(of: value[$0...]) })
            all.formUnion(ends)
        }
        return all
    }

    static func random(depth: Int, using generator: inout SeededGenerator) -> Reference {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &generator) {
        case 0...2: return .letter("abc".utf8.randomElement(using: &generator) ?? 0)
        case 3: return .any
        case 4: return Bool.random(using: &generator) ? .notA : .empty
        case 5, 6: return .sequence(several(depth, using: &generator))
        case 7: return .either(several(depth, using: &generator))
        default:
            let low = Int.random(in: 0..<3, using: &generator)
            let high = Bool.random(using: &generator) ? low + Int.random(in: 0..<3, using: &generator) : nil
            return .times(random(depth: depth - 1, using: &generator), low, high)
        }
    }

    private static func several(_ depth: Int, using generator: inout SeededGenerator) -> [Reference] {
        (0..<Int.random(in: 1..<4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) }
    }
}
