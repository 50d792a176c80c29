import Comparison
import TestSupport
import Testing

struct HTMLReaderTests {
    private func found(_ one: String, _ other: String) -> [String] {
        differences(one, other, as: "text/html; charset=utf-8")
    }

    private static let equalPages: [(String, String)] = [
        ("<p class='a b'>x</p>", "<P CLASS=\"b  a b\">x"),
        ("<ul><li>1<li>2</ul>", "<ul>\n <li>1</li>\n <li>2</li>\n</ul>"),
        ("<input disabled>", "<input disabled=disabled />"), ("<input disabled=''>", "<INPUT DISABLED>"),
        ("<a href=x title='1'>t</a>", "<a title=1 href=\"x\">t</a>"), ("<br>", "<br/>"), ("a &amp; b", "a   &#38;\n b"),
        ("<p>a <b>c</b> d</p>", "<p>\n a\n <b>c</b>\td </p>"), ("<!doctype html><p>a", "<p>a<!-- c --></p>"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        (
            "<select><option>1<option selected>2</select>",
            "<select><option>1</option><option selected=''>2</option></select>"
        ),
        ("<p>a<div>b</div>", "<p>a</p><div>b</div>"), ("<a x=1 x=2>", "<a x=1>"), ("&eacute;&nbsp;&copy;", "é\u{A0}©"),
        ("<pre>\na\r\n b</pre>", "<pre>a\n b</pre>"), ("<title> a  b </title>", "<title>a b</title>"),
        ("</p>x</b>", "x"), ("<p a=>b</p>", "<p a=''>b</p>"),
        ("<a href=>t</a>", "<a href>t</a>"), ("<input value=><p>x", "<input value=''><p>x"),
    ]

    @Test(arguments: equalPages)
    func whatABrowserTakesAlikeIsEqual(one: String, other: String) {
        #expect(found(one, other) == [])
        #expect(found(other, one) == [])
    }

    private static let differingPages: [(String, String, [String])] = [
        ("<p>a</p>", "<p>b</p>", ["value $.p"]), ("<p>a<b>c</b>", "<p>a <b>c</b>", ["value $.p['#text']"]),
        ("<a href=x>t</a>", "<a href=y>t</a>", ["value $.a['@href']"]),
        ("<pre>a  b</pre>", "<pre>a b</pre>", ["value $.pre"]),
        ("<script>a<b>  c</script>", "<script>a<b> c</script>", ["value $.script"]),
        ("<textarea>&lt;b> </textarea>", "<textarea>&lt;b></textarea>", ["value $.textarea"]),
        ("<p>x", "<div>x", ["missing $.p", "extra $.div"]), ("<input>", "<input checked>", ["type $.input"]),
        ("<a href='?a=1&copy=2'>", "<a href='?a=1&copy;=2'>", ["value $.a['@href']"]),
        // The bracket ends the tag. Taken for the value's quote, it would make the text attributes, in any order.
        ("<p a=>to be or not</p>", "<p a=>not to be or</p>", ["value $.p['#text']"]),
    ]

    @Test(arguments: differingPages)
    func differencesAreNamed(one: String, other: String, expected: [String]) {
        #expect(found(one, other) == expected)
    }

    @Test func nestedListsKeepTheirItems() {
        let one = "<ul><li>a<ul><li>b</ul><li>c</ul>"
        let other = "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"
        #expect(found(one, other) == [])
        #expect(found(one, "<ul><li>a<ul><li>b<li>c</ul></ul>") != [])
    }

    @Test func hostilePagesAreReadInLinearTime() {
        let count = 10_000
        let pieces = [
            "<div>", "</div>", "<", "</", "<!--", "<a x='", "<a ", "<script>", "</script", "<li>", "<p>", "&", "&amp",
            "<td>", "<!",
            "<textarea>", "<b></i>", "<svg/>", "\0", "<table><tr><td>", "<x y>", "<pre>\r", "=", "<a =\"'>",
        ]
        for piece in pieces {
            let page = String(repeating: piece, count: count)
            #expect(found(page, page) == [], "\(piece)")
            let result = compare(answer(page, type: "text/html"), answer("<p>other</p>", type: "text/html"))
            #expect(result.verdict != .match || piece.hasPrefix("</"), "\(piece)")
        }
        let many = "<a " + (0..<50_000).map { "x\($0)" }.joined(separator: " ") + ">"
        #expect(found(many, many + " ") == [])
    }

    /// Whether an item ends another one has to be known of each, and not by a look at all that is open.
    @Test(.timeLimit(.minutes(1)))
    func manyItemsDeepInsideAreReadInLinearTime() {
        let page =
            "<li><ul>" + String(repeating: "<b>", count: 500) + String(repeating: "<li>", count: 200_000) + "a"
        #expect(found(page, page + " ") == [])
    }

    @Test func beyondTheDepthLimitThePageGoesOnFlat() {
        let deep = String(repeating: "<div>", count: 100_000)
        #expect(found(deep + "a", deep + "a ") == [])
        #expect(found(deep + "a", deep + "b").count == 1)
    }

    @Test func anyBytesAreReadAndEqualThemselves() throws {
        var generator = SeededGenerator(seed: 71)
        let parts = [
            "<", ">", "</", "/>", "p", "div", "li", "script", " ", "\n", "=", "'", "\"", "a", "&", ";", "amp", "#x41",
            "<!--", "-->",
            "<![CDATA[", "]]>", "<?", "\u{FFFD}", "é", "<table>", "<pre>", "</script>", "class", "title>", "\0",
        ]
        for _ in 0..<1_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<30, using: &generator) {
                bytes += (parts.randomElement(using: &generator) ?? "").utf8
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            var other = bytes
            if let index = other.indices.randomElement(using: &generator) {
                other[index] = UInt8.random(in: 0...255, using: &generator)
            }
            for type in [
                "text/html", "text/xml", "text/plain", "application/x-www-form-urlencoded",
                "multipart/mixed; boundary=a",
            ] {
                let with = { (body: [UInt8]) in
                    Answer(status: 200, headers: [HeaderField(name: "content-type", value: type)], body: body)
                }
                #expect(compare(with(bytes), with(bytes)).verdict == .match)
                // Something that says nothing makes both be read.
                let padded = compare(with(bytes), with(bytes + (type == "text/html" ? "<!-- -->" : "").utf8))
                if type == "text/html", !bytes.isEmpty, padded.verdict != .match {
                    #expect(
                        String(decoding: bytes, as: UTF8.self).contains("<"),
                        "\(String(decoding: bytes, as: UTF8.self))")
                }
                let straight = compare(with(bytes), with(other)).differences.map { "\($0.kind) \($0.path)" }
                let mirrored = compare(with(other), with(bytes)).differences.map { difference in
                    let kind: DifferenceKind =
                        difference.kind == .missing ? .extra : difference.kind == .extra ? .missing : difference.kind
                    return "\(kind) \(difference.path)"
                }
                #expect(straight.sorted() == mirrored.sorted(), "\(type): \(bytes) \(other)")
                for line in straight {
                    let text = String(line.drop { $0 != " " }.dropFirst())
                    #expect(try path(text).description == text, "\(text)")
                }
            }
        }
    }

    @Test func secretsMayStandAnywhereInAPageOrText() throws {
        let rules = ComparisonRules(redact: [try path("$.card")])
        for type in ["text/html", "text/plain"] {
            let result = compare(
                answer("<p>card 4111</p>", type: type), answer("<p>card 4112</p>", type: type), rules: rules)
            #expect(result.differences.count == 1)
            #expect(result.differences[0].primary.hasPrefix("redacted:"))
            let record = redactor.recorded(answer: answer("4111", type: type), rules: rules)
            #expect(record.body?.hasPrefix("redacted:") == true)
        }
    }
}
