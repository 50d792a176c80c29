import Comparison
import TestSupport
import Testing

struct DocumentTests {
    private func errorCode(_ bytes: [UInt8]) -> DocumentError.Code? {
        do throws(DocumentError) {
            _ = try Document(json: bytes)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: [
        "0", "-0", "10.5e+3", "1E5", "\"\"", " [ ] ", "{}", "[1,2]", "{\"a\":{\"a\":[]}}", "\t\r\n true \n",
        "\"\\u0041\\n\\\\\\\"\\/\"", "\"\u{7F}\u{1F600}\"", "\"\\ud800\"",
    ])
    func validTextsAreRead(text: String) throws {
        let document = try Document(json: Array(text.utf8))
        #expect(document.applying([]) == Array(text.utf8))
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("[1,", .unexpectedEnd),
            ("{\"a\"", .unexpectedEnd), ("\"abc", .unexpectedEnd), ("\"\\", .unexpectedEnd), ("tru", .unexpectedEnd),
            ("-", .unexpectedEnd), ("1.", .unexpectedEnd), ("1e", .unexpectedEnd), ("01", .unexpectedByte),
            ("+1", .unexpectedByte), (".5", .unexpectedByte), ("1.x", .invalidNumber), ("-a", .invalidNumber),
            ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("[1,]", .unexpectedByte),
            ("[,1]", .unexpectedByte),
            ("{\"a\":1,}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte),
            ("[1 2]", .unexpectedByte), ("1 2", .unexpectedByte), ("[1}", .unexpectedByte), ("'a'", .unexpectedByte),
            ("\"\\x\"", .invalidEscape), ("\"\\u12g4\"", .invalidEscape), ("\"a\nb\"", .controlCharacter),
            ("\u{FEFF}{}", .unexpectedByte), ("// no\n1", .unexpectedByte), ("nullx", .unexpectedByte),
        ] as [(String, DocumentError.Code)])
    func invalidTextsAreRefusedWithTheirFault(text: String, code: DocumentError.Code) {
        #expect(errorCode(Array(text.utf8)) == code)
    }

    @Test(
        arguments: [
            [0xFF], [0x80], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
        ] as [[UInt8]])
    func illFormedUTF8IsRefused(bytes: [UInt8]) {
        #expect(errorCode([0x22] + bytes + [0x22]) == .invalidUTF8)
    }

    @Test func nestingIsLimitedAndNeverOverflowsTheStack() {
        let deep = { (depth: Int) in
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(errorCode(deep(512)) == nil)
        #expect(errorCode(deep(513)) == .tooDeep)
        #expect(errorCode(deep(100_000)) == .tooDeep)
        #expect(errorCode(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) == .tooDeep)
        #expect((try? Document(json: deep(100_000), maximumDepth: 200_000)) != nil)
    }

    @Test func stringsAreDecoded() throws {
        let document = try Document(
            json: Array(#"["\u0041\ud83d\ude00\n","\ud83d","\ude00\ud83d","\ud83dx"]"#.utf8))
        let texts = document.elements(of: document.root).map { document.text(of: $0) }
        #expect(texts[0] == Array("A\u{1F600}\n".utf8))
        #expect(texts[1] == [0xED, 0xA0, 0xBD])
        #expect(texts[2] == [0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD])
        #expect(texts[3] == [0xED, 0xA0, 0xBD, UInt8(ascii: "x")])
    }

    @Test func everyValueKnowsItsBytes() throws {
        let source = Array(#" {"a" : [1.50, {"b":"c"}], "a": null} "#.utf8)
        let document = try Document(json: source)
        let members = document.members(of: document.root)
        #expect(members.map { document.text(of: $0.name) } == [Array("a".utf8), Array("a".utf8)])
        #expect(document.lexeme(of: members[0].value) == Array(#"[1.50, {"b":"c"}]"#.utf8)[...])
        let number = try #require(document.elements(of: members[0].value).first)
        #expect(document.lexeme(of: number) == Array("1.50".utf8)[...])
        let edited = document.applying([
            .init(range: document.range(of: members[1].value), replacement: Array("2".utf8)),
            .init(range: document.range(of: number), replacement: Array("1".utf8)),
        ])
        #expect(edited == Array(#" {"a" : [1, {"b":"c"}], "a": 2} "#.utf8))
    }

    @Test func randomTextsAreReadAndTheirRootHoldsAllButBlanks() throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            let text = RandomJSON.random(depth: 4, using: &generator).text(using: &generator)
            let document = try Document(json: Array(text.utf8))
            let again = try Document(json: Array(document.lexeme(of: document.root)))
            #expect(again.count(of: again.root) == document.count(of: document.root))
        }
    }

    @Test func damagedTextsAreReadOrRefusedButNeverTrap() {
        var generator = SeededGenerator(seed: 12)
        var refused = 0
        for _ in 0..<5_000 {
            var bytes = Array(RandomJSON.random(depth: 3, using: &generator).text(using: &generator).utf8)
            for _ in 0..<Int.random(in: 1..<4, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                }
            }
            if let document = try? Document(json: bytes) {
                #expect(document.range(of: document.root).upperBound <= bytes.count)
            } else {
                refused += 1
            }
        }
        #expect(refused > 1_000)
    }

    @Test func quotingIsUndoneByReading() throws {
        for text in ["", "a\"b\\c", "\u{0}\n\u{1F}", "é\u{1F600}"].map({ Array($0.utf8) }) + [[0xED, 0xA0, 0x80, 0x41]]
        {
            let document = try Document(json: Document.quoted(text))
            #expect(document.text(of: document.root) == text)
        }
    }
}
