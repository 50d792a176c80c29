import Comparison
import NIOHTTP1
import Testing

@testable import AdminAPI

@Suite struct AdminConsole {
    /// The last two: quotes that are no `Character` of their own, because a mark combines with them.
    private static let hostile = #"<script>alert('1')</script>&"><img src=x>"# + "\"\u{301}\u{300} onload='\u{301}x"

    @Test func `the overview shows stage, gate, counters, window and groups`() async throws {
        var backend = SampleBackend()
        backend.report.storeConnected = false
        try await withAdmin(backend) { admin in
            let page = try await admin.get("/")
            #expect(page.headers.first(name: "content-type") == "text/html; charset=utf-8")
            #expect(page.headers.first(name: "content-security-policy")?.contains("default-src 'none'") == true)
            for text in [
                #"<li class="done"><span>parallel</span></li>"#, #"<li class="now"><span>shadow</span></li>"#,
                #"<li class="ahead"><span>retired</span></li>"#, SampleBackend.missing, "coverage 81.8% of 11",
                "not begun, will take 30 d", #"<a href="/groups/\#(SampleBackend.signature)">"#, "Postgres is away",
                #"<code>$.totalAmount</code> type"#,
                "9 of 11 requests compared, 1 not sampled, 1 shed, body-too-large 1",
                "monolith 3.1 / 13", "the primary disagrees with itself at 2 fields", "39 of 40 (97.5%)",
                "3 rules, 1 dead, 1 expired", "<mark>dead</mark>", "examples-dropped 12",
                #"<meta http-equiv="refresh" content="5">"#,
            ] {
                #expect(page.text.contains(text), "\(text)")
            }
            #expect(!page.text.contains("{{") && !page.text.contains("<script"))
        }
    }

    @Test func `a card shows the checklist, what moves and what holds, and who serves what`() async throws {
        var backend = SampleBackend()
        backend.report = .moving()
        try await withAdmin(backend) { admin in
            let page = try await admin.get("/").text
            for text in [
                "<strong>25%</strong> of reads", "<strong>5%</strong> of writes",
                #"<li class="no">the service answers 25% of reads, 5% of writes, fallback needs 100%</li>"#,
                #"<li class="yes">the weight has held for 2 h</li>"#, "Held: paused by ann@host", "runs, 50% is next",
                "service: 1,204 requests, 2 errors (0.16%), p99 ", "not heard of: web-3",
                "DELETE /api/v1/orders/{id} by ann@host", "gap 12: 40 s at web-2", "3 replicas, 1 silent, 1 behind",
                "<mark>silent for 40 s</mark>", "<mark>version 11, behind</mark>", "version 12, guard, this one",
                "GET /api/v1/orders/{id} 2",
            ] {
                #expect(page.contains(text), "\(text)")
            }
            #expect(!page.contains("{{") && !page.contains("<script"))
        }
    }

    @Test func `a group's page shows both answers and marks what differs`() async throws {
        try await withAdmin { admin in
            let page = try await admin.get("/groups/7c1e").text
            #expect(page.contains("GET /api/v1/orders/1"))
            #expect(page.contains("<mark>  &quot;totalAmount&quot;: 149.98\n</mark>"))
            #expect(page.contains("<mark>  &quot;totalAmount&quot;: &quot;149.98&quot;\n</mark>"))
            #expect(page.contains("  &quot;orderId&quot;: &quot;ord_1&quot;,\n"))
            #expect(!page.contains("<mark>  &quot;orderId"))
        }
    }

    @Test func `no text of traffic, files or people becomes markup`() async throws {
        var backend = SampleBackend(text: Self.hostile)
        backend.report = .moving(text: Self.hostile)
        try await withAdmin(backend) { admin in
            for path in ["/", "/groups/x"] {
                let page = try await admin.get(path).text
                // By scalars: for Swift, a quote with a mark on it is another character than a quote.
                let scalars = Array(page.unicodeScalars)
                let lead = Array(#"<script>alert("#.unicodeScalars)
                #expect(!scalars.contains(lead))
                #expect(!scalars.contains(Array("\"\u{301}".unicodeScalars)))
                #expect(!scalars.contains(Array("'\u{301}".unicodeScalars)))
                #expect(!scalars.contains(Array("<img".unicodeScalars)))
                #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;&gt;&lt;img"))
            }
        }
    }

    @Test func `errors are pages for people, and hostile ones are escaped`() async throws {
        var backend = SampleBackend()
        backend.failure = AdminError(.notFound, Self.hostile)
        try await withAdmin(backend) { admin in
            let page = try await admin.get("/groups/none")
            #expect(page.status == 404)
            #expect(page.headers.first(name: "content-type") == "text/html; charset=utf-8")
            #expect(page.text.contains("Not Found") && !page.text.contains("<script"))
        }
    }

    @Test func `bodies that are no JSON, empty or absurdly deep are lines of text`() {
        let deep = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        #expect(BodyLines.lines(deep, [], side: .primary).map(\.text) == [deep])
        #expect(BodyLines.lines("a\r\nb…", [], side: .primary).map(\.text) == ["a", "b…"])
        #expect(BodyLines.lines("", [], side: .primary).isEmpty)
        #expect(BodyLines.lines(nil, [], side: .shadow).isEmpty)
        let body = Difference(path: "body", kind: .value, primary: "x", shadow: "y")
        #expect(BodyLines.lines("x", [body], side: .primary) == [BodyLine(text: "x", differs: true)])
    }

    @Test func `lines are marked by place and value, with names of every kind`() {
        let text = #"{"a b":[1,2],"it's":{"x":null},"e":[],"n":1.10}"#
        let differences = [
            Difference(path: "$['a b'][1]", kind: .value, primary: "2", shadow: "3"),
            Difference(path: #"$['it\'s']"#, kind: .order, primary: "{…", shadow: "{…"),
            Difference(path: "$.n", kind: .value, primary: "1.1", shadow: "1.2"),
        ]
        let lines = BodyLines.lines(text, differences, side: .primary)
        #expect(
            lines.filter(\.differs).map(\.text) == ["    2", #"  "it's": {"#, #"    "x": null"#, "  },"])
        #expect(lines.contains(BodyLine(text: #"  "e": [],"#, differs: false)))
        #expect(lines.contains(BodyLine(text: #"  "n": 1.10"#, differs: false)))
    }
}
