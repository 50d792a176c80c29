import Comparison
import Testing

struct XMLReaderTests {
    private func found(_ one: String, _ other: String, rules: ComparisonRules = .none) -> [String] {
        differences(one, other, as: "application/xml", rules: rules)
    }

    private static let equalTexts: [(String, String)] = [
        ("<a/>", "<a></a>"), ("<a x='1' y=\"2\"/>", "<a y='2'  x='1' ></a >"),
        ("<a><b>1</b></a>", "<a>\n  <b>1</b>\n</a>\n"),
        ("<?xml version=\"1.0\" encoding='utf-8'?><a>x</a>", "<!-- c --><a>x<!-- d --><?p i?></a>"),
        ("<a>&lt;&#x41;&#66;&amp;</a>", "<a><![CDATA[<AB&]]></a>"), ("<a>x\r\ny\rz</a>", "<a>x\ny\nz</a>"),
        ("<a x='&quot;&apos;'/>", "<a x=\"&#34;'\"/>"), ("<a x='1\n2'/>", "<a x='1 2'/>"),
        ("<p:a xmlns:p='urn:u'><p:b/></p:a>", "<a xmlns='urn:u'><b/></a>"),
        ("<a xmlns:p='urn:u'><p:b p:x='1'/></a>", "<a xmlns:q='urn:u' xmlns:r='s'><q:b q:x='1'/></a>"),
        ("<!DOCTYPE a [<!ENTITY e \"]>\"><!-- ' -->]><a/>", "<a/>"), ("<a>x<b/>y</a>", "<a>x<b></b><!---->y</a>"),
        ("<é>1</é>", "<é>1</é >"),
    ]

    @Test(arguments: equalTexts)
    func whatOnlyTheSerialiserChoseMeansNothing(one: String, other: String) {
        #expect(found(one, other) == [])
        #expect(found(other, one) == [])
    }

    private static let differingTexts: [(String, String, [String])] = [
        ("<a><b>1</b></a>", "<a><b>2</b></a>", ["value $.a.b"]), ("<a x='1'/>", "<a x='2'/>", ["value $.a['@x']"]),
        ("<a x='1'>t</a>", "<a>t</a>", ["type $.a"]), ("<a/>", "<b/>", ["missing $.a", "extra $.b"]),
        ("<a x='1'><b/>t</a>", "<a x='1'><b/>u</a>", ["value $.a['#text']"]),
        ("<a xmlns='u'><b/></a>", "<a xmlns='v'><b/></a>", ["value $.a['@xmlns']"]),
        ("<a x='1'>t</a>", "<a x='1'>t </a>", ["value $.a['#text']"]), ("<a>\u{A0}</a>", "<a/>", ["value $.a"]),
    ]

    @Test(arguments: differingTexts)
    func differencesAreNamed(one: String, other: String, expected: [String]) {
        #expect(found(one, other) == expected)
    }

    @Test func repeatedElementsAreLikeAnArray() {
        let one = "<o><i><n>1</n></i><i><n>2</n></i></o>"
        #expect(found(one, one + "<!-- same -->") == [])
        #expect(found(one, "<o><i><n>1</n></i><i><n>3</n></i></o>") != [])
        #expect(found(one, "<o><i><n>1</n></i></o>") != [])
    }

    @Test(arguments: [
        "", " ", "a", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a x=1/>", "<a x='1' x='2'/>", "<a x='<'/>",
        "<a>&nbsp;</a>",
        "<a>&</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a", "<a x", "<a x='1", "<a><!-- ", "<a><![CDATA[x</a>", "<1/>",
        "<a x='1'y='2'/>", "x<a/>", "<a/>x", "<!DOCTYPE a", "<a/><!DOCTYPE a>",
        "<?xml version='1.0' encoding='utf-16'?><a/>",
        "<a>\u{1}</a>", "<a xmlns:p='1' xmlns:p='2'/>", "<", "<?", "<a>&#99999999999;</a>", "<![CDATA[x]]><a/>",
        "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='1'/>",
    ])
    func whatIsNotWellFormedIsAFormatFaultOrBytes(broken: String) {
        if !broken.isEmpty { #expect(found("<a/>", broken) == ["format body"]) }
        if !broken.isEmpty { #expect(found(broken, broken + "<") == ["value body"]) }
    }

    @Test func definitionsAreNeverExpanded() {
        var definitions = "<!ENTITY l0 \"lol\">"
        for level in 1..<10 {
            let name = "&l\(level - 1);"
            definitions += "<!ENTITY l\(level) \"\(String(repeating: name, count: 10))\">"
        }
        let bomb = "<!DOCTYPE a [\(definitions)]><a>&l9;</a>"
        #expect(found(bomb, "<a>x</a>") == ["value $.a"])
        let result = compare(answer(bomb, type: "text/xml"), answer("<a>x</a>", type: "text/xml"))
        #expect(result.differences[0].primary == "\"&l9;\"")
        let file = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"
        #expect(
            compare(answer(file, type: "text/xml"), answer("<a/>", type: "text/xml")).differences[0].primary
                == "\"&x;\"")
    }

    @Test func hostileDocumentsAreRefusedOrReadInLinearTime() {
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        #expect(found(deep, deep + " ") == ["body-too-deep"])
        #expect(found(String(repeating: "<a>", count: 100_000), "<a/>") == ["body-too-deep"])
        let many = "<a " + (0..<100_000).map { "x\($0)='1'" }.joined(separator: " ") + "/>"
        #expect(found(many, many + " ") == [])
        let bound = "<a " + (0..<20_000).map { "xmlns:x\($0)='1'" }.joined(separator: " ") + "/>"
        #expect(found(bound, "<a/>") == [])
        let name = String(repeating: "u", count: 100_000)
        let switching = "<a xmlns:p='\(name)'>" + String(repeating: "<p:b/>", count: 5_000) + "</a>"
        #expect(found(switching, switching + " ") == [])
        for opening in ["<!--", "<a x='", "<![CDATA[", "<a ", "<?p ", "<!DOCTYPE a [", "&"] {
            let text = "<a>" + String(repeating: opening, count: 20_000)
            #expect(found(text, text + "!") == ["value body"], "\(opening)")
        }
    }

    @Test func fieldsThatRulesRedactAreTokens() throws {
        let rules = ComparisonRules(redact: [try path("$.card")])
        let one = "<order><card no='4111'>4112</card><open>1</open></order>"
        let other = "<order><open>2</open></order>"
        let result = compare(answer(one, type: "text/xml"), answer(other, type: "text/xml"), rules: rules)
        for text in result.differences.flatMap({ [$0.path, $0.primary, $0.shadow] }) { #expect(!text.contains("411")) }
        #expect(result.differences.contains { $0.path == "$.order.open" && $0.primary == "\"1\"" })
        let record = redactor.recorded(answer: answer(one, type: "text/xml"), rules: rules)
        #expect(record.body?.contains("\"open\":\"1\"") == true)
        #expect(record.body?.contains("411") == false)
        let attribute = ComparisonRules(redact: [try path("$..no")])
        let shown = redactor.recorded(answer: answer(one, type: "text/xml"), rules: attribute)
        #expect(shown.body?.contains("4111") == false && shown.body?.contains("4112") == true)
    }
}
