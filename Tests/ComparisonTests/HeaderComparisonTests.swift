import Comparison
import TestSupport
import Testing

struct HeaderComparisonTests {
    /// The differences of one field as `kind path`; one line of each text is one field.
    private func found(
        _ name: String, _ one: String?, _ other: String?, rules: ComparisonRules = .none
    ) -> [Difference] {
        let with = { (text: String?) in
            let lines = text.map { $0.split(separator: "\n", omittingEmptySubsequences: false) } ?? []
            return answer("", type: nil, headers: lines.map { HeaderField(name: name, value: String($0)) })
        }
        var rules = rules
        rules.headers = [name.lowercased()]
        return compare(with(one), with(other), rules: rules).differences
    }

    private func kinds(_ differences: [Difference]) -> [String] {
        differences.map { "\($0.kind.rawValue) \($0.path)" }
    }

    private static let equalCookies: [(String, String)] = [
        ("s=1; Path=/; HttpOnly", "s=1; httponly; PATH=/"), ("s=1; Secure; SameSite=Lax", "s=1;samesite=LAX ;SECURE=x"),
        ("s=1; Domain=.Example.com", "s=1; domain=example.com"), ("s=1; Path=/a; Path=/b", "s=1; Path=/b"),
        ("a=1\nb=2", "b=2\na=1"), ("a=1; Path=/x\na=2; Path=/y", "a=2; Path=/y\na=1; Path=/x"),
        ("s=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "s=1; Expires=Wed, 21-Oct-26 07:28:02 GMT"),
        ("s=1; Expires=Wed Oct 21 07:28:00 2026", "s=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"), ("s = 1 ;", "s=1"),
    ]

    @Test(arguments: equalCookies)
    func cookiesThatMeanTheSameAreEqual(one: String, other: String) {
        #expect(kinds(found("Set-Cookie", one, other)) == [])
        #expect(kinds(found("Set-Cookie", other, one)) == [])
    }

    private static let differingCookies: [(String?, String, [String])] = [
        ("session=1; Path=/", "session=1; Path=/app", ["value header.set-cookie.session.path"]),
        (
            "session=1; Secure", "session=2",
            ["value header.set-cookie.session", "missing header.set-cookie.session.secure"]
        ),
        ("a=1\nb=2", "b=2", ["missing header.set-cookie.a"]), ("b=2", "a=1\nb=2", ["extra header.set-cookie.a"]),
        ("a.b=1", "a.b=2", ["value header.set-cookie['a.b']"]),
        (
            "s=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "s=1; Expires=Wed, 21 Oct 2026 07:28:03 GMT",
            ["value header.set-cookie.s.expires"]
        ),
        ("s=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "s=1; Expires=never", ["format header.set-cookie.s.expires"]),
        (
            "s=1; Expires=Wed, 30 Feb 2026 07:28:00 GMT", "s=1; Expires=Mon, 02 Mar 2026 07:28:00 GMT",
            ["format header.set-cookie.s.expires"]
        ),
        ("s=1; Max-Age=60", "s=1; Max-Age=61", ["value header.set-cookie.s.max-age"]),
        ("a=1; Path=/x\na=2; Path=/y", "a=1; Path=/x", ["missing header.set-cookie.a"]),
        ("no cookie", "s=1", ["value header.set-cookie"]), ("=x", "=y", ["value header.set-cookie"]),
        (nil, "s=1", ["extra header.set-cookie"]),
    ]

    @Test(arguments: differingCookies)
    func cookiesDifferByNameAndAttribute(one: String?, other: String, expected: [String]) {
        #expect(kinds(found("Set-Cookie", one, other)) == expected)
    }

    @Test func theValueOfACookieIsNeverShown() throws {
        let values = found("Set-Cookie", "s=4111-SECRET; Path=/a", "s=4111-OTHER; Path=/b\nt=4111")
        for text in values.flatMap({ [$0.primary, $0.shadow] }) { #expect(!text.contains("4111"), "\(text)") }
        #expect(values[0].primary == redactor.token("4111-SECRET".utf8))
        #expect(values[1].primary == "/a" && values[1].shadow == "/b")
        let named = ComparisonRules(redact: [try path("header.set-cookie")])
        #expect(kinds(found("Set-Cookie", "s=1; Path=/a", "s=2; Path=/b", rules: named)) == ["value header.set-cookie"])
        let below = ComparisonRules(redact: [try path("header.set-cookie.s.path")])
        let hidden = found("Set-Cookie", "s=1; Path=/a", "s=1; Path=/b", rules: below)
        #expect(kinds(hidden) == ["value header.set-cookie.s.path"])
        #expect(hidden[0].primary == redactor.token("/a".utf8))
    }

    @Test func rulesCoverAFieldOrAPartOfIt() throws {
        let ignoring = { (text: String) in ComparisonRules(ignore: [IgnoreRule(path: try path(text))]) }
        let pair = ("s=1; Path=/a\nt=1", "s=2; Path=/b\nt=2")
        #expect(found("Set-Cookie", pair.0, pair.1, rules: try ignoring("header.set-cookie")) == [])
        #expect(
            kinds(found("Set-Cookie", pair.0, pair.1, rules: try ignoring("header.set-cookie.s"))) == [
                "value header.set-cookie.t"
            ])
        #expect(
            kinds(found("Set-Cookie", pair.0, pair.1, rules: try ignoring("header.set-cookie[*].path"))) == [
                "value header.set-cookie.s", "value header.set-cookie.t",
            ])
        #expect(found("Location", "http://a/x", "http://b/x", rules: try ignoring("header.location.host")) == [])
        #expect(found("Location", "http://a/x", nil, rules: try ignoring("header.location.host")).count == 1)
    }

    private static let equivalentURIs: [(String, String)] = [
        ("http://Example.com:80/a/./b/../c", "HTTP://example.com/a/c"), ("https://h:443", "https://h/"),
        ("/a%7Eb%2f", "/a~b%2F"), ("http://h/a?x=1", "/a?x=1"), ("/a", "//h/a"), ("/../a", "/a"), ("/a/.", "/a/"),
        ("http://[::1]:80/", "http://[::1]/"), ("mailto:a@b", "MAILTO:a@b"), ("?a", "?%61"), ("/a/b/..", "/a/"),
    ]

    @Test(arguments: equivalentURIs)
    func equivalentURIsAreEqual(one: String, other: String) {
        #expect(kinds(found("Location", one, other)) == [])
        #expect(kinds(found("Content-Location", other, one)) == [])
    }

    private static let differingURIs: [(String, String?, [String])] = [
        ("http://a/x", "http://b/y", ["value header.location.host", "value header.location.path"]),
        ("http://a/x", "https://a/x", ["value header.location.scheme"]),
        ("http://a:8080/x", "http://a/x", ["missing header.location.port"]),
        ("/x?a=1", "/x?a=2", ["value header.location.query"]), ("/x", "/x?", ["extra header.location.query"]),
        ("/x#a", "/x", ["missing header.location.fragment"]), ("/a%2Fb", "/a/b", ["value header.location.path"]),
        ("http://h/A", "/a", ["value header.location.path"]), ("a", "/a", ["value header.location.path"]),
        ("/a\n/b", "/b\n/a", ["order header.location"]), ("/a", nil, ["missing header.location"]),
        ("http://u:p@h/", "http://h/", ["missing header.location.user"]),
        ("mailto:a", "tel:a", ["value header.location.scheme"]),
    ]

    @Test(arguments: differingURIs)
    func theDifferingPartOfAURIIsNamed(one: String, other: String?, expected: [String]) {
        #expect(kinds(found("Location", one, other)) == expected)
    }

    @Test func secretsInURIsAreTokens() {
        let found = found("Location", "http://u:SECRET@h/?token=SECRET&a=1", "http://v:SECRET@h/?token=SECRET&a=2")
        #expect(kinds(found) == ["value header.location.user", "value header.location.query"])
        #expect(found.allSatisfy { !$0.primary.contains("SECRET") && !$0.shadow.contains("SECRET") })
        #expect(found[1].primary.hasSuffix("&a=1"))
    }

    private static let equalLists: [(String, String, String)] = [
        ("Vary", "Accept, Origin", "origin,ACCEPT,,accept"), ("Vary", "a\nb", "b, a"), ("Allow", "GET,PUT", "PUT, GET"),
        ("Accept-Ranges", "Bytes", "bytes"), ("Access-Control-Allow-Headers", "X-A, x-b", "X-B,x-a"),
        ("Cache-Control", "max-age=60, No-Cache=\"a, b\"", "no-cache=\"a, b\" , MAX-AGE=\"60\""),
        ("Cache-Control", "private\nno-store", "no-store, private"),
        ("Content-Type", "multipart/mixed; boundary=A", "multipart/mixed;boundary=b"),
    ]

    @Test(arguments: equalLists)
    func listsInAnyOrderAreEqual(name: String, one: String, other: String) {
        #expect(kinds(found(name, one, other)) == [])
        #expect(kinds(found(name, other, one)) == [])
    }

    private static let differingLists: [(String, String, String, [String])] = [
        ("Vary", "Accept, Origin", "Accept", ["missing header.vary.origin"]),
        ("Allow", "GET", "get", ["extra header.allow.get", "missing header.allow.GET"]),
        (
            "Cache-Control", "max-age=60, private", "max-age=30",
            ["value header.cache-control.max-age", "missing header.cache-control.private"]
        ),
        ("Cache-Control", "no-cache=\"a,b\"", "no-cache=\"a\"", ["value header.cache-control.no-cache"]),
        ("X-List", "a\nb", "b\na", ["order header.x-list"]), ("X-List", "a, b", "b, a", ["value header.x-list"]),
        ("X-List", "e\u{301}", "\u{E9}", ["value header.x-list"]),
        ("Content-Type", "text/a; boundary=A", "text/a;boundary=b", ["value header.content-type"]),
    ]

    @Test(arguments: differingLists)
    func listsDifferByTheirElements(name: String, one: String, other: String, expected: [String]) {
        #expect(kinds(found(name, one, other)).sorted() == expected.sorted())
    }

    @Test func aStatusMayBeComparedByItsClass() {
        var rules = ComparisonRules.none
        rules.statusByClass = true
        #expect(compare(json("{}", status: 200), json("{}", status: 201), rules: rules).verdict == .match)
        #expect(compare(json("{}", status: 200), json("{}", status: 201)).verdict == .mismatch)
        #expect(compare(json("{}", status: 200), json("{}", status: 301), rules: rules).verdict == .mismatch)
    }

    @Test func anyFieldsCompareEqualToThemselvesAndMirrored() throws {
        var generator = SeededGenerator(seed: 61)
        let names = ["set-cookie", "location", "vary", "cache-control", "content-type", "x-other"]
        let parts = [
            "a", "=", ";", ",", "\"", "\\", " ", "Path", "Expires", "/", "..", ":", "//", "@", "[", "]", "%", "%41",
            "?", "#",
            "é", "1", "GMT", "Oct", "07:28:00", "21",
        ]
        let text = { (generator: inout SeededGenerator) in
            (0..<Int.random(in: 0..<12, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? "" }
                .joined()
        }
        for _ in 0..<3_000 {
            let name = names.randomElement(using: &generator) ?? ""
            let (one, other) = (text(&generator), text(&generator))
            #expect(found(name, one, one) == [])
            let mirrored = kinds(found(name, other, one)).map { line in
                line.hasPrefix("missing ")
                    ? "extra" + line.dropFirst(7) : line.hasPrefix("extra ") ? "missing" + line.dropFirst(5) : line
            }
            let straight = found(name, one, other)
            #expect(mirrored.sorted() == kinds(straight).sorted(), "\(name): \(one) | \(other)")
            for difference in straight { #expect(try path(difference.path).description == difference.path) }
        }
    }
}
