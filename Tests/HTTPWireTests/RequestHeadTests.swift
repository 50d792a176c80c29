import HTTPWire
import TestSupport
import Testing

struct RequestHeadTests {
    @Test func `a plain request is taken apart without copying`() throws {
        let text = "GET /api/v1/orders/1?x=%20y HTTP/1.1\r\nHost: shop.example:8080\r\nCookie: session=abc\r\n\r\nrest"
        let parser = try #require(try parseRequest(text))
        let head = parser.head
        Array(text.utf8).withUnsafeBytes { raw in
            #expect(head.method == .get)
            #expect(String(decoding: head.path(in: raw), as: UTF8.self) == "/api/v1/orders/1")
            #expect(String(decoding: head.query(in: raw), as: UTF8.self) == "?x=%20y")
            #expect(String(decoding: head.authority(in: raw), as: UTF8.self) == "shop.example:8080")
        }
        #expect(head.framing == .none)
        #expect(head.keepsAlive)
        #expect(head.length == text.utf8.count - 4)
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", BodyFraming.length(5), true),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", .none, true),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", .chunked, true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", .none, false),
        ("GET / HTTP/1.0\r\n\r\n", .none, false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", .none, true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-a, CLOSE\r\n\r\n", .none, false),
    ])
    func `framing and persistence follow RFC 9112`(text: String, framing: BodyFraming, keepsAlive: Bool) throws {
        let head = try #require(try parseRequest(text)).head
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keepsAlive)
    }

    /// The numbers are rows of the project's checklist of what proxies get wrong.
    @Test(arguments: [
        ("row 1", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("row 1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
        ("row 2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        ("row 3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
        ("row 4", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 400),
        ("row 5", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("row 6", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("row 6", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("row 6", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("row 6", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400),
        ("row 7", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n", 400),
        ("row 7", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", 400),
        (
            "row 7", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400
        ),
        ("row 7", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{0B}chunked\r\n\r\n", 400),
        ("row 12", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        ("row 12", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("row 12", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("row 13", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        ("row 14", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("row 15", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        ("row 16", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n", 400),
        ("row 16", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        ("row 16", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        ("row 16", "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        ("row 17", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("row 17", "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", 400),
        ("row 17", "GET /\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: a:1x\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: a]\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400),
        ("row 19", "GET / HTTP/1.1\r\nHost: %zz\r\n\r\n", 400),
        ("TLS", "\u{16}\u{03}\u{01}", 400),
        ("row 23", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("row 24", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("row 26", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("row 26", "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("row 26", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("row 30", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("row 25", "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: -1\r\n\r\n", 400),
        ("row 25", "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\nMax-Forwards: 2\r\n\r\n", 400),
        ("row 28", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("row 28", "Patch / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("row 44", "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", 400),
        ("row 44", "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", 400),
        ("row 44", "GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded-for: 6.6.6.6\r\n\r\n", 400),
        ("row 44", "GET / HTTP/1.1\r\nHost: a\r\nx-forwarded_anything: 1\r\n\r\n", 400),
        ("row 44", "GET / HTTP/1.1\r\nHost: a\r\nX_REAL_IP: 6.6.6.6\r\n\r\n", 400),
        ("row 44", "GET / HTTP/1.1\r\nHost: a\r\nStrangler_Shadow: 1\r\n\r\n", 400),
        ("row 46", "POST / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\nContent-Length: 1\r\n\r\n", 417),
    ])
    func `what two readers could understand differently is refused`(row: String, text: String, status: Int) {
        let failure = #expect(throws: ParseFailure.self, "\(row): \(text.debugDescription)") { try parseRequest(text) }
        #expect(failure?.status == status, "\(row): \(text.debugDescription)")
    }

    @Test(arguments: ["X_Custom", "_", "x_forwarded", "Host_", "user_agent", "Accept_Language"])
    func `other names with an underscore pass`(name: String) throws {
        let sent = try forwarded(
            "GET / HTTP/1.1\r\nHost: a\r\n\(name): 1\r\n\r\n",
            RequestForwarding(facts: ForwardingFacts(clientAddress: [])))
        #expect(sent.contains("\r\n\(name): 1\r\n"))
    }

    @Test func `limits are those that were given`() throws {
        let limits = HeadLimits(head: 200, field: 60, fields: 3)
        func parse(_ text: String) throws -> Bool {
            var parser = RequestHeadParser(limits: limits)
            return try Array(text.utf8).withUnsafeBytes { try parser.parse($0) }
        }
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(try parse(start + "A: 1\r\nB: 2\r\n\r\n"))
        #expect(throws: ParseFailure.headTooLarge) { try parse(start + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n") }
        #expect(throws: ParseFailure.headTooLarge) {
            try parse(start + "A: \(String(repeating: "x", count: 60))\r\n\r\n")
        }
        let half = String(repeating: "x", count: 50)
        #expect(throws: ParseFailure.headTooLarge) {
            var wide = RequestHeadParser(limits: HeadLimits(head: 100, field: 60, fields: 3))
            _ = try Array((start + "A: \(half)\r\nB: \(half)\r\n\r\n").utf8).withUnsafeBytes { try wide.parse($0) }
        }
        #expect(throws: ParseFailure.targetTooLong) { try parse("GET /\(half)\(half) HTTP/1.1\r\nHost: a\r\n\r\n") }
    }

    @Test func `heads beyond the limits are refused while they still arrive`() {
        let long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 20_000)
        #expect(throws: ParseFailure.headTooLarge) { try parseRequest(long) }
        let many = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 101)
        #expect(throws: ParseFailure.headTooLarge) { try parseRequest(many) }
        let target = "GET /" + String(repeating: "a", count: 20_000)
        #expect(throws: ParseFailure.targetTooLong) { try parseRequest(target) }
    }

    @Test(arguments: ["a", "a:80", "a:", "shop.example:65535", "192.0.2.1:8080", "[::1]", "[2001:db8::1]:443", "x_y"])
    func `every ordinary host is taken`(host: String) throws {
        #expect(try parseRequest("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") != nil)
        #expect(try parseRequest("GET http://\(host)/x HTTP/1.1\r\nHost: \(host)\r\n\r\n") != nil)
    }

    @Test func `an absolute target's authority goes before Host`() throws {
        let text = "GET http://real.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n"
        let sent = try forwarded(text, RequestForwarding(facts: ForwardingFacts(clientAddress: Array("1.2.3.4".utf8))))
        #expect(sent.hasPrefix("GET /x?y HTTP/1.1\r\nHost: real.example\r\n"))
        #expect(!sent.contains("other"))
    }

    @Test func `any split of the same bytes into reads parses the same`() throws {
        let text =
            "POST /a/b?c HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Y\r\nX-Y: 1\r\nContent-Length: 12\r\n\r\n"
        let bytes = Array(text.utf8)
        let whole = try #require(try parseRequest(text))
        for size in 1...bytes.count {
            var parser = RequestHeadParser()
            var end = 0
            var isComplete = false
            while !isComplete {
                end = min(end + size, bytes.count)
                isComplete = try bytes[..<end].withUnsafeBytes { try parser.parse($0) }
                #expect(isComplete || end < bytes.count)
                if end == bytes.count { break }
            }
            #expect(
                isComplete && parser.head == whole.head && parser.fields == whole.fields && parser.facts == whole.facts)
        }
    }

    @Test func `random damage never traps and never parses into nonsense`() {
        let seed = Array(
            "POST /a/b?c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: x\r\nCookie: a=b\r\n\r\n".utf8
        )
        var random = SeededGenerator(seed: 42)
        for _ in 0..<50_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            bytes.withUnsafeBytes { raw in
                var parser = RequestHeadParser()
                guard (try? parser.parse(raw)) == true else { return }
                #expect(parser.head.length <= raw.count && parser.head.pathEnd <= parser.head.targetEnd)
                for line in parser.fields {
                    #expect(!line.value(in: raw).contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 })
                }
            }
        }
    }
}
