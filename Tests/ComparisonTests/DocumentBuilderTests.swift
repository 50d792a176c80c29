import Comparison
import Testing

struct DocumentBuilderTests {
    private func text(_ build: (inout DocumentBuilder) -> Void) throws -> String {
        var builder = DocumentBuilder()
        build(&builder)
        let document = try builder.finish()
        return String(decoding: document.jsonText(of: document.root), as: UTF8.self)
    }

    private func error(depth: Int, _ build: (inout DocumentBuilder) -> Void) -> DocumentError.Code? {
        var builder = DocumentBuilder(maximumDepth: depth)
        build(&builder)
        do throws(DocumentError) {
            _ = try builder.finish()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func whatIsBuiltIsWhatJSONWouldSay() throws {
        let built = try text { builder in
            builder.openObject()
            builder.name("a\"b".utf8)
            builder.openArray()
            builder.string("x\n".utf8)
            builder.number("1.50".utf8)
            builder.boolean(true)
            builder.null()
            builder.openObject()
            builder.close()
            builder.close()
            builder.name("a\"b".utf8)
            builder.number("NaN".utf8)
            builder.close()
        }
        #expect(built == #"{"a\"b":["x\u000A",1.50,true,null,{}],"a\"b":"NaN"}"#)
    }

    @Test func anotherDocumentIsAValueLikeAnyOther() throws {
        let part = try Document(json: Array(#" {"a":[1,"\u0041"]} "#.utf8))
        let built = try text { builder in
            builder.openArray()
            builder.append(part)
            builder.append(part)
        }
        #expect(built == #"[{"a":[1,"\u0041"]},{"a":[1,"\u0041"]}]"#)
    }

    @Test func misuseNeverTraps() throws {
        #expect(try text { _ in } == "null")
        #expect(try text { $0.close() } == "null")
        #expect(
            try text { builder in
                builder.string("a".utf8)
                builder.string("b".utf8)
            } == "\"a\"")
        #expect(
            try text { builder in
                builder.openObject()
                builder.string("no name".utf8)
                builder.name("no value".utf8)
            } == #"{"":"no name","no value":null}"#)
        #expect(
            try text { builder in
                builder.openArray()
                builder.name("a".utf8)
                builder.string([0xFF, 0x41])
                builder.string([0xED, 0xA0, 0x80])
            } == "[\"\u{FFFD}A\",\"\\uD800\"]")
    }

    @Test func nestingIsBounded() throws {
        let deep = { (depth: Int) in
            { (builder: inout DocumentBuilder) in
                for _ in 0..<depth { builder.openArray() }
                for _ in 0..<depth { builder.close() }
            }
        }
        #expect(error(depth: 8, deep(8)) == nil)
        #expect(error(depth: 8, deep(9)) == .tooDeep)
        #expect(error(depth: 8, deep(100_000)) == .tooDeep)
        let part = try Document(json: Array("[[1]]".utf8))
        #expect(error(depth: 2) { $0.append(part) } == nil)
        #expect(
            error(depth: 2) { builder in
                builder.openArray()
                builder.append(part)
            } == .tooDeep)
    }

    @Test func linesAreTheElementsOfOneArray() throws {
        let lines = try Document(jsonLines: Array("{\"a\":1}\r\n\n [2] \n3".utf8))
        #expect(
            lines.elements(of: lines.root).map { String(decoding: lines.lexeme(of: $0), as: UTF8.self) } == [
                "{\"a\":1}", "[2]", "3",
            ])
        #expect(try Document(jsonLines: []).elements(of: lines.root).isEmpty)
        #expect(throws: DocumentError(code: .unexpectedByte, offset: 3)) { try Document(jsonLines: Array("1  2".utf8)) }
        #expect(throws: DocumentError(code: .unexpectedEnd, offset: 3)) { try Document(jsonLines: Array("1\n[".utf8)) }
    }
}
