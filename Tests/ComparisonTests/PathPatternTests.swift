import Comparison
import Testing

struct PathPatternTests {
    @Test(arguments: [
        ("$", "$"), ("$.a", "$.a"), ("$['a']", "$.a"), ("$[\"a b\"]", "$['a b']"),
        ("$.items[*].price", "$.items[*].price"),
        ("$.items.*", "$.items[*]"), ("$..etag", "$..etag"), ("$..['e tag']", "$..['e tag']"), ("$..*", "$..*"),
        ("$[3]", "$[3]"), ("$['it\\'s']", "$['it\\'s']"), ("$['\\u0041']", "$.A"), ("$['\\u0007']", "$['\\u0007']"),
        ("$['\\ud800']", "$['\\uD800']"), ("$['\\ud83d\\ude00']", "$.\u{1F600}"), ("$['']", "$['']"),
        ("$.naïve-key_1", "$.naïve-key_1"), ("status", "status"), ("body", "body"),
        ("header.Content-Type", "header.content-type"), ("$['x.y']", "$['x.y']"),
        ("header.Set-Cookie.a.path", "header.set-cookie.a.path"), ("header['X.y'].z", "header['x.y'].z"),
        ("header['Vary']", "header.vary"), ("header.vary[*]", "header.vary[*]"), ("header.a['b.c']", "header.a['b.c']"),
    ])
    func patternsAreReadAndWrittenCanonically(text: String, canonical: String) throws {
        let pattern = try path(text)
        #expect(pattern.description == canonical)
        #expect(try path(canonical) == pattern)
    }

    @Test(arguments: [
        ("", 1), ("items", 1), ("$items", 2), ("$.", 3), ("$..", 4), ("$.a.", 5), ("$[", 3), ("$[-1]", 3), ("$[1", 4),
        ("$['a", 3), ("$['a'", 6), ("$['\\x']", 4), ("$['\\u12']", 4), ("$[99999999999]", 3), ("$[a]", 3), ("$.a b", 4),
        ("header.", 8), ("header.a b", 9), ("header.a.", 10), ("header['a'", 11), ("header[3]", 8), ("header['']", 11),
        ("header..a", 8), ("statusx", 1), ("$[*", 4), ("$.a[", 5),
    ])
    func faultsAreNamedWithTheirCharacter(text: String, position: Int) {
        let error = #expect(throws: PathPatternError.self) { try PathPattern(text) }
        #expect(error?.position == position, "\(text): \(String(describing: error))")
        #expect(error?.message.isEmpty == false)
    }

    @Test func tooManyStepsAreRefused() throws {
        _ = try path("$" + String(repeating: ".a", count: 60))
        #expect(throws: PathPatternError.self) { try PathPattern("$" + String(repeating: ".a", count: 61)) }
    }

    @Test func plainMemberPathsGiveTheirNames() throws {
        #expect(try path("$.a['b c']").memberNames == [Array("a".utf8), Array("b c".utf8)])
        for text in ["$", "$[0]", "$.a[*]", "$..a", "status", "header.x"] {
            #expect(try path(text).memberNames == nil)
        }
    }

    @Test func groupsReplaceEveryIndexButNoName() {
        let group = { (path: String) in
            GroupedDifference(Difference(path: path, kind: .value, primary: "", shadow: "")).path
        }
        #expect(group("$.items[12].lines[0].price") == "$.items[*].lines[*].price")
        #expect(group("$['[0]'][3]") == "$['[0]'][*]")
        #expect(group("status") == "status")
        #expect(group("$.orders.ord_123.total") == "$.orders[*].total")
        #expect(group("$['4711'].a") == "$[*].a")
        #expect(group("$.a.0190b5a2-7c3e-7000-8000-00000000abcd") == "$.a[*]")
        #expect(group("$.a.00000000deadbeef") == "$.a[*]")
        #expect(group("$.map.k845503081.total") == "$.map[*].total")
        #expect(group("$.order10001") == "$[*]")
        for name in [
            "utf_8", "line2", "address_line_1", "deadbeef", "total-amount", "v1", "_123", "line1", "address2", "sha256",
            "utf8", "h264", "iso8601", "k84550b", "k8455030x",
        ] {
            #expect(group("$.\(name)") == "$.\(name)")
        }
    }
}
