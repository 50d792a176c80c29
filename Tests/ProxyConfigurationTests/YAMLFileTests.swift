import TestSupport
import Testing

@testable import ProxyConfiguration

@Suite struct YAMLFileTests {
    private func errors(_ text: String) -> [String] { errors(Array(text.utf8)) }

    private func errors(_ bytes: [UInt8]) -> [String] {
        let diagnostics = Diagnostics()
        _ = YAMLFile.root(of: ConfigurationFile(name: "f", bytes: bytes), diagnostics)
        return diagnostics.errors.map(\.description)
    }

    @Test func syntaxErrorsHaveTheirPlace() {
        #expect(errors("a: 1\nb: [1, 2\n").first?.hasPrefix("f:3:1: no YAML: ") == true)
        #expect(errors("a: 1\n\tb: 2").first?.hasPrefix("f:2:1: no YAML: ") == true)
        #expect(errors("a: 1\n---\nb: 2").first?.hasPrefix("f:2:1: no YAML: ") == true)
        #expect(errors("") == ["f:1:1: the file is empty (remove it, or write into it)"])
    }

    @Test func everyDuplicateKeyIsToldAtItsSecondPlace() {
        let text = """
            a: 1
            é: {x: 1, "x": 2, y: 3, y: 4}
            a: 2
            a: 3
            b: [{'k': 1, k: 2}]
            """
        #expect(
            Set(errors(text)) == [
                "f:3:1: `a` is written twice, first in line 1 (keep one)",
                "f:4:1: `a` is written twice, first in line 1 (keep one)",
                "f:2:11: `x` is written twice, first in line 2 (keep one)",
                "f:2:25: `y` is written twice, first in line 2 (keep one)",
                "f:5:14: `k` is written twice, first in line 5 (keep one)",
            ])
    }

    @Test func anEscapedDuplicateKeyEndsTheReadingOfItsFile() {
        #expect(errors(#"{"a\u0062": 1, ab: 2}"#) == ["f:1:2: `ab` is written twice (keep one)"])
    }

    @Test func anchorsAndAliasesAreRefused() {
        let message =
            "anchors and aliases (`&`, `*`) are not taken (write the value out; quote a text that starts with `&` or `*`)"
        #expect(errors("a: &x 1\nb: *x") == ["f:1:4: \(message)"])
        #expect(errors("b: *x").first?.hasPrefix("f:1:4: no YAML: ") == true)
        var bomb = "l0: &l0 [x, x]\n"
        for level in 1..<40 { bomb += "l\(level): &l\(level) [*l\(level - 1), *l\(level - 1)]\n" }
        #expect(errors(bomb + "? *l39\n: 1") == ["f:1:1: \(message)"])
        #expect(errors("a: \"x &y *z\" # R &D *bullet\nb: /**") == [])
    }

    @Test func whatIsNoTextIsRefusedWithItsPlace() {
        #expect(errors(Array("a: 1\nb: ".utf8) + [0xC3, 0x28]) == ["f:2:1: the file is not UTF-8 (save it as UTF-8)"])
        #expect(errors("a: 1\nb: \u{0}") == ["f:2:4: the character U+0 is not allowed in YAML (remove it)"])
        #expect(errors([UInt8](repeating: 0x20, count: 1 << 20 | 1)).first?.contains("larger than 1 MiB") == true)
        #expect(errors("\u{FEFF}a: 1") == [])
    }

    @Test func deepNestingIsAnErrorAndNoOverflow() {
        for opening in ["[", "{", "- ", "? ", "{? [", "[{a: "] {
            #expect(!errors(String(repeating: opening, count: 100_000)).isEmpty, "\(opening)")
        }
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(errors(deep) == [])
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func randomDocumentsNeverTrap(seed: UInt64) {
        let pieces = [
            "listen", "extraction", "match", "path", ": ", ":", "[", "]", "{", "}", ", ", "- ", "\n", "\n  ", "? ",
            "\"", "'",
            "&a ", "*a", "!!str ", "!x ", "|", ">", "%", "@", "`", "#", "---", "...", "~", "\t", "\u{85}", "\u{2028}",
            "é",
            "\\u0061", "\\ud800", "\\x", "<<", "/a/**", "a", "a", "1", "\u{0}", "\r", "\r\n", "\u{FEFF}", "\u{F0000}",
        ]
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_500 {
            let count = Int.random(in: 0...25, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let sample = Sample(proxy: text, extractions: [("e", text)], rules: [("r", text)])
            #expect(!sample.errors().isEmpty)
        }
        for _ in 0..<1_500 {
            let count = Int.random(in: 0...30, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) & 0x7F }
            _ = errors(bytes)
            _ = errors(bytes.map { $0 % 7 == 0 ? $0 | 0x80 : $0 })
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func aValidFileWithRandomDamageNeverTraps(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let valid = Array((Sample.proxy + "\n" + Sample.orders + "\nignore: [{path: \"$.a\", because: x}]\n").utf8)
        for _ in 0..<1_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0x20...0x7E, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[..<index].suffix(9), at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = Sample(proxy: text, extractions: [("e", text)], rules: [("r", text)], contracts: ["x": text]).errors()
        }
    }
}
