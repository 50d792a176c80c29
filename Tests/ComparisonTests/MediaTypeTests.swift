import Comparison
import Testing

/// The differences of two bodies of one media type as `kind path`.
func differences(
    _ primary: String, _ shadow: String, as type: String?, rules: ComparisonRules = .none
) -> [String] {
    let result = compare(answer(primary, type: type), answer(shadow, type: type), rules: rules)
    return result.differences.map { "\($0.kind.rawValue) \($0.path)" }
        + (result.notCompared.map { [$0.rawValue] } ?? [])
}

struct MediaTypeTests {
    @Test func formsAreNamesAndValues() {
        let form = "application/x-www-form-urlencoded"
        #expect(differences("a=1&b=2", "b=2&a=1", as: form) == [])
        #expect(differences("a=x+y%21&", "a=x%20y!", as: form) == [])
        #expect(differences("a&b=", "b&a=", as: form) == [])
        #expect(differences("a=1&b=2", "a=2&c=3", as: form) == ["value $.a", "missing $.b", "extra $.c"])
        #expect(differences("a=%zz&b=%", "a=%zz&b=%%", as: form) == ["value $.b"])
        #expect(differences("%FF=1", "%FE=1", as: form) == ["missing $['%ff']", "extra $['%fe']"])
        #expect(differences("a=%FF", "a=%FE", as: form) == ["value $.a"])
        #expect(differences("a=1&a=2", "a=1&a=2", as: form) == [])
        #expect(!differences("a=1&a=2", "a=1", as: form).isEmpty)
    }

    @Test func textsAreLines() {
        #expect(differences("a\r\nb\n", "a\nb", as: "text/plain") == [])
        #expect(differences("a\nb\nc", "a\nX\nc", as: "text/plain; charset=utf-8") == ["value $[1]"])
        #expect(differences("\u{FEFF}a", "a", as: "text/css") == [])
        #expect(differences("a\n\n", "a", as: "text/csv") != [])
        #expect(differences("abc", "abd", as: "text/plain; charset=latin1") == ["value body"])
        let broken = Answer(
            status: 200, headers: [HeaderField(name: "content-type", value: "text/plain")], body: [0xFF, 0x41])
        #expect(compare(broken, answer("ab", type: "text/plain")).differences.map(\.kind) == [.format])
        var other = broken
        other.body = [0xFE, 0x41]
        #expect(compare(broken, other).differences.map(\.path) == ["body"])
    }

    @Test func everyLineOfNDJSONIsADocument() {
        for type in ["application/x-ndjson", "application/jsonl"] {
            #expect(differences("{\"a\":1,\"b\":2}\n[1]\n", "{\"b\":2,\"a\":1}\r\n[ 1 ]", as: type) == [])
            #expect(differences("{\"a\":1}\n{\"a\":2}", "{\"a\":1}\n{\"a\":3}", as: type) == ["value $[1].a"])
            #expect(differences("{}\n{}", "{}\n{", as: type) == ["format body"])
        }
        #expect(
            differences("\u{1E}{\"a\":\n1}\n\u{1E}2\n", "\u{1E}{\"a\":1}\n\u{1E}2\n", as: "application/json-seq") == [])
    }

    @Test func aByteOrderMarkIsOnlyReportedWhereAReaderMayRefuseIt() {
        #expect(differences("\u{FEFF}{\"a\":1}", "\u{FEFF}{\"a\": 1}", as: "application/json") == [])
        #expect(differences("\u{FEFF}{\"a\":1}", "{\"a\":2}", as: "application/json") == ["format body", "value $.a"])
        #expect(differences("\u{FEFF}<a/>", "<a/>", as: "text/xml") == [])
        #expect(differences("\u{FEFF}<p>", "<p>", as: "text/html") == [])
    }

    @Test func withoutMediaTypesOnBothSidesTheBytesDecide() {
        #expect(differences(" {\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", as: nil) == [])
        #expect(differences("[1]", "[2]", as: nil) == ["value $[0]"])
        #expect(differences("[1", "[2", as: nil) == ["value body"])
        #expect(differences("abc", "abd", as: nil) == ["value body"])
        let result = compare(json("[1]"), answer("[2]", type: nil))
        #expect(result.differences.map(\.path) == ["header.content-type", "$[0]"])
    }

    @Test func whatHasNoContentIsNotCompared() {
        #expect(compare(answer("x", type: nil, status: 304), answer("", type: nil, status: 304)).verdict == .match)
        let coded = [HeaderField(name: "Content-Encoding", value: "gzip")]
        #expect(compare(answer("", type: nil, headers: coded), answer("", type: nil)).verdict == .match)
    }

    @Test func anotherTypeIsAFormatFaultUnlessItIsReadAlike() {
        let kinds = { (one: String, other: String) in
            compare(answer("<a>1</a>", type: one), answer("<a>1</a >", type: other)).differences.map(\.path)
        }
        #expect(kinds("text/xml", "application/atom+xml") == ["header.content-type"])
        #expect(kinds("text/xml", "text/html") == ["header.content-type"])
        #expect(kinds("text/plain", "text/csv") == ["header.content-type", "body"])
        #expect(kinds("image/svg+xml", "image/png") == ["header.content-type"])
        #expect(kinds("text/csv", "image/png") == ["header.content-type", "body"])
    }

    /// So a primary that calls its XML a page is compared with itself at the paths at which it is with a shadow that does not.
    @Test func xmlThatIsCalledAPageIsReadAsXML() {
        let found = { (one: String, other: String, types: (String, String)) in
            compare(answer(one, type: types.0), answer(other, type: types.1)).differences.map(\.path)
        }
        let pages = ("text/html", "text/html")
        #expect(found("<Error><Id>1</Id></Error>", "<Error><Id>2</Id></Error>", pages) == ["$.Error.Id"])
        #expect(
            found("<Error><Id>1</Id></Error>", "<Error><Id>2</Id></Error>", ("text/html", "text/xml"))
                == ["header.content-type", "$.Error.Id"])
        #expect(found("<s:R xmlns:s='u'>1</s:R>", "<s:R xmlns:s='u'>2</s:R>", pages) == ["$.R['#text']"])
        #expect(found("<P>1", "<P>2", pages) == ["$.p"])
        #expect(
            found("<Our-List><B>1</B></Our-List>", "<Our-List><B>2</B></Our-List>", pages)
                == ["$.our-list.b"])
        #expect(found("<Error><br>1", "<Error><br>2", pages).map { $0.prefix(8) } == ["$.error["])
    }

    // MARK: - Multipart

    private func multipart(_ parts: [String], boundary: String = "B") -> String {
        parts.map { "--\(boundary)\r\n\($0)\r\n" }.joined() + "--\(boundary)--\r\n"
    }

    @Test func partsAreFoundByTheirNames() {
        let type = "multipart/form-data; boundary=\"B\""
        let title = "Content-Disposition: form-data; name=\"title\"\r\n\r\nA\r\nB"
        let data =
            "content-disposition: form-data; name=data; filename=\"a;b.json\"\r\nContent-Type: application/json\r\n\r\n{\"x\":1,\"y\":2}"
        let same = multipart([data.replacing("{\"x\":1,\"y\":2}", with: "{\"y\":2, \"x\":1}"), title])
        #expect(differences("preamble\r\n" + multipart([title, data]), same + "epilogue", as: type) == [])
        let other = multipart([title, data.replacing("1", with: "3").replacing("a;b", with: "c")])
        #expect(
            differences(multipart([title, data]), other, as: type) == ["value $.data.filename", "value $.data.body.x"])
        #expect(differences(multipart([title, data]), multipart([title]), as: type) == ["missing $.data"])
    }

    @Test func everyMessageHasItsOwnBoundary() {
        let part = "Content-Type: text/plain\r\n\r\nhello"
        let one = answer(multipart([part, part]), type: "multipart/mixed; boundary=B")
        let other = answer(multipart([part, part], boundary: "xYz"), type: "multipart/mixed; boundary=xYz")
        #expect(compare(one, other).verdict == .match)
        let changed = answer(
            multipart([part, part.replacing("hello", with: "bye")], boundary: "Q"), type: "multipart/mixed; boundary=Q")
        #expect(compare(one, changed).differences.map(\.path) == ["$[1].body[0]"])
    }

    @Test func partsThatCannotBeReadAreComparedByTheirBytes() {
        let type = "multipart/mixed; boundary=B"
        let part = { (body: String) in "Content-Type: image/png\r\n\r\n" + body }
        #expect(differences(multipart([part("\u{1}\u{2}")]), multipart([part("\u{1}\u{2}")]) + " ", as: type) == [])
        let result = compare(
            answer(multipart([part("4111")]), type: type), answer(multipart([part("4112")]), type: type))
        #expect(result.differences.map(\.path) == ["$[0].body"])
        #expect(!result.differences[0].primary.contains("4111"))
        let json = { (body: String) in "Content-Type: application/json\r\n\r\n" + body }
        #expect(differences(multipart([json("{}")]), multipart([json("{")]), as: type) == ["type $[0].body"])
    }

    @Test func brokenMultipartIsAFormatFaultOrBytes() {
        let type = "multipart/mixed; boundary=B"
        let whole = multipart(["\r\nx"])
        for broken in ["", "--B\r\n", "--B\r\n\r\nx", "--B\r\nheader\r\n--B--", "--C--", "--Bx\r\n\r\n--B"]
        where !broken.isEmpty {
            #expect(differences(whole, broken, as: type) == ["format body"], "\(broken)")
            #expect(differences(broken, broken + "!", as: type) == ["value body"], "\(broken)")
        }
        #expect(differences(whole, whole + "!", as: "multipart/mixed") == ["value body"])
        var nested = "x"
        for depth in 0..<20 {
            nested =
                "--B\(depth)\r\nContent-Type: multipart/mixed; boundary=B\(depth - 1)\r\n\r\n\(nested)\r\n--B\(depth)--\r\n"
        }
        #expect(differences(nested, nested + "!", as: "multipart/mixed; boundary=B19") == ["body-too-deep"])
    }
}
