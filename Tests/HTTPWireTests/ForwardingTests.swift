import HTTPWire
import Testing

struct ForwardingTests {
    private let client = ForwardingFacts(clientAddress: Array("192.0.2.7".utf8))

    @Test func `a request goes on with the same bytes, without the fields of the client's connection`() throws {
        let sent = try forwarded(
            """
            GET /a%20b?q=1 HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nkeep-alive: 5\r\nTE: gzip\r
            Upgrade: h2c\r\nProxy-Connection: x\r\nX-Custom:   spaced \r\nX-Custom: twice\r\nStrangler-Shadow: 1\r\n\r\n
            """, RequestForwarding(facts: client))
        #expect(
            sent == """
                GET /a%20b?q=1 HTTP/1.1\r\nHost: shop\r\nX-Custom:   spaced \r\nX-Custom: twice\r\nX-Forwarded-For: 192.0.2.7\r
                X-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\nVia: 1.1 strangler\r\n\r\n
                """)
    }

    @Test func `Connection cannot strip what routing and authentication rest on`() throws {
        let sent = try forwarded(
            "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close, Host, Authorization, Cookie, X-Forwarded-For\r\n"
                + "Authorization: Bearer t\r\nCookie: a=b\r\n\r\n", RequestForwarding(facts: client))
        #expect(sent.contains("Host: shop\r\n") && sent.contains("Authorization: Bearer t\r\n"))
        #expect(sent.contains("Cookie: a=b\r\n") && sent.contains("X-Forwarded-For: 192.0.2.7\r\n"))
    }

    @Test func `what an untrusted peer says about its client is replaced, a trusted one's is kept`() throws {
        let request =
            "GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=1\r\n\r\n"
        let untrusted = try forwarded(request, RequestForwarding(facts: client))
        #expect(
            !untrusted.contains("10.0.0.1") && !untrusted.contains("https") && !untrusted.contains("Forwarded: for"))
        var facts = client
        facts.peerIsTrusted = true
        let trusted = try forwarded(request, RequestForwarding(facts: facts))
        #expect(trusted.contains("X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n"))
        #expect(trusted.contains("X-Forwarded-Proto: https\r\n") && !trusted.contains("X-Forwarded-Proto: http\r\n"))
    }

    @Test func `a normalised path, a missing Host and a request id are written`() throws {
        let sent = try forwarded(
            "GET /a/../b?c HTTP/1.0\r\n\r\n",
            RequestForwarding(
                facts: client, path: Array("/b".utf8), upstreamAuthority: Array("up:80".utf8),
                requestID: Array("abc".utf8)))
        #expect(sent.hasPrefix("GET /b?c HTTP/1.1\r\nHost: up:80\r\n"))
        #expect(sent.contains("Strangler-Request-Id: abc\r\n") && sent.hasSuffix("Via: 1.0 strangler\r\n\r\n"))
    }

    @Test func `row 39: of TE only trailers goes on, as this hop's own`() throws {
        for (te, isKept) in [("trailers", true), ("gzip;q=0.5, Trailers", true), ("gzip", false), ("trailersx", false)]
        {
            let sent = try forwarded(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: \(te)\r\n\r\n", RequestForwarding(facts: client))
            #expect(sent.contains("\r\nTE: trailers\r\nConnection: TE\r\n") == isKept, "\(te)")
            #expect(!sent.contains("gzip"))
        }
        let old = try forwarded("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", RequestForwarding(facts: client))
        #expect(!old.contains("TE:"))
    }

    @Test func `row 25: Max-Forwards of OPTIONS is counted down, that of others passes`() throws {
        for (value, sent) in [("1", "0"), ("010", "9"), ("99999999999999999999", "999999998")] {
            let text = try forwarded(
                "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: \(value)\r\n\r\n", RequestForwarding(facts: client))
            #expect(text.contains("\r\nMax-Forwards: \(sent)\r\n") && text.components("Max-Forwards") == 1)
        }
        let get = try forwarded(
            "GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n", RequestForwarding(facts: client))
        #expect(get.contains("\r\nMax-Forwards: x\r\n"))
    }

    @Test func `row 41: Via is added behind what came, under this proxy's own name`() throws {
        var facts = client
        facts.pseudonym = Array("strangler-1f".utf8)
        let text = "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge, HTTP/1.1 Strangler-1F (comment)\r\n\r\n"
        let sent = try forwarded(text, RequestForwarding(facts: facts))
        #expect(sent.contains("\r\nVia: 1.1 edge, HTTP/1.1 Strangler-1F (comment)\r\n"))
        #expect(sent.hasSuffix("\r\nVia: 1.1 strangler-1f\r\n\r\n"))
        let parser = try #require(try parseRequest(text))
        Array(text.utf8).withUnsafeBytes { raw in
            #expect(parser.hasPassed(through: facts.pseudonym, raw))
            #expect(parser.hasPassed(through: Array("edge".utf8), raw))
            for other in ["strangler", "strangler-1", "strangler-2f", "1.1", ""] {
                #expect(!parser.hasPassed(through: Array(other.utf8), raw), "\(other)")
            }
        }
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", "websocket"),
        ("Connection: keep-alive, upgrade\r\nUpgrade: a/1, b\r\n", "a/1, b"), ("Upgrade: websocket\r\n", nil),
        ("Connection: upgrade\r\n", nil), ("Connection: upgrade\r\nUpgrade:\r\n", nil),
        ("Connection: upgrade\r\nUpgrade: h2c\r\n", nil), ("Connection: upgrade\r\nUpgrade: websocket, H2C\r\n", nil),
        ("Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n", nil), ("Connection: upgrade\r\nUpgrade: TLS/1.2\r\n", nil),
        ("Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n", nil),
        ("Connection: upgrade\r\nUpgrade: a/1/2\r\n", nil),
        ("Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n", nil),
    ])
    func `row 48: an upgrade goes on where it can be tunnelled safely`(fields: String, upgrade: String?) throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
        let sent = try forwarded(text, RequestForwarding(facts: client))
        #expect(try parseRequest(text)?.head.wantsUpgrade == (upgrade != nil))
        if let upgrade {
            #expect(sent.contains("\r\nUpgrade: \(upgrade)\r\nConnection: upgrade\r\n"))
        } else {
            #expect(!sent.contains("Upgrade") && !sent.contains("Connection"))
        }
        let old = try forwarded("GET / HTTP/1.0\r\n\(fields)\r\n", RequestForwarding(facts: client))
        #expect(!old.contains("Upgrade"))
    }

    @Test func `row 48: 101 keeps its Upgrade field and says so`() throws {
        let seen = try answered(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade, X-A\r\nX-A: 1\r\nUpgrade: websocket\r\nDate: now\r\n\r\n",
            ResponseForwarding(framing: .none, clientMinorVersion: 1, closes: true, date: []))
        #expect(
            seen
                == "HTTP/1.1 101 Switching Protocols\r\nDate: now\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    }

    @Test func `row 73: every X-Forwarded field of a stranger goes, and a trusted chain is gone on with`() throws {
        let request =
            "GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-Port: 1\r\nx-forwarded-prefix: /p\r\nX-Real-IP: 6.6.6.6\r\n"
            + "Forwarded: for=10.0.0.1\r\nForwarded: for=10.0.0.2;proto=https\r\n\r\n"
        let untrusted = try forwarded(request, RequestForwarding(facts: client))
        for gone in ["Port", "prefix", "6.6.6.6", "for="] { #expect(!untrusted.contains(gone), "\(gone)") }
        var facts = ForwardingFacts(clientAddress: Array("2001:db8::7".utf8), peerIsTrusted: true)
        let trusted = try forwarded(request, RequestForwarding(facts: facts))
        #expect(
            trusted.contains(
                "Forwarded: for=10.0.0.1, for=10.0.0.2;proto=https, for=\"[2001:db8::7]\";proto=http\r\n"))
        #expect(trusted.contains("X-Forwarded-Port: 1\r\n") && trusted.contains("X-Real-IP: 6.6.6.6\r\n"))
        facts.clientAddress = Array("192.0.2.7".utf8)
        #expect(try forwarded(request, RequestForwarding(facts: facts)).contains(", for=192.0.2.7;proto=http\r\n"))
    }

    @Test func `an answer reaches the client as the origin wrote it`() throws {
        let answer =
            "HTTP/1.1 200 Fine\r\nServer: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nDate: now\r\nContent-Length: 3\r\n\r\n"
        let seen = try answered(
            answer, ResponseForwarding(framing: .length(3), clientMinorVersion: 1, closes: false, date: []))
        #expect(seen == answer)
    }

    @Test func `framing and persistence are the client's own`() throws {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: 5\r\n\r\n"
        let date = HTTPDate.format(secondsSince1970: 784_111_777)
        let modern = try answered(
            answer, ResponseForwarding(framing: .chunked, clientMinorVersion: 1, closes: false, date: date))
        #expect(
            modern == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
        let old = try answered(
            answer, ResponseForwarding(framing: .untilClose, clientMinorVersion: 0, closes: true, date: date))
        #expect(old == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n")
    }

    @Test func `a shadow's request is marked, whole, and cannot be split by an adopted value`() throws {
        let head = Array(
            "POST /o HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nStrangler-Request-Id: old\r\n\r\n"
                .utf8)
        let shadow = ShadowForwarding(
            bodyBytes: 7, requestID: Array("id1".utf8), isWrite: true,
            adopted: [("X-Order", "ord_1"), ("X-Bad", "a\r\nEvil: 1")])
        let text = String(decoding: try #require(shadow.head(from: head)), as: UTF8.self)
        #expect(
            text == """
                POST /o HTTP/1.1\r\nHost: s\r\nStrangler-Shadow: 1\r\nStrangler-Request-Id: id1\r\nIdempotency-Key: id1\r
                X-Order: ord_1\r\nContent-Length: 7\r\n\r\n
                """)
    }

    @Test func `a client's own idempotency key is kept`() throws {
        let head = Array("POST /o HTTP/1.1\r\nHost: s\r\nIdempotency-Key: mine\r\nContent-Length: 2\r\n\r\n".utf8)
        let shadow = ShadowForwarding(bodyBytes: 2, requestID: Array("id1".utf8), isWrite: true)
        let text = String(decoding: try #require(shadow.head(from: head)), as: UTF8.self)
        #expect(text.contains("Idempotency-Key: mine\r\n") && !text.contains("Idempotency-Key: id1"))
        let empty = Array("POST /o HTTP/1.1\r\nHost: s\r\nIdempotency-Key: \r\nContent-Length: 2\r\n\r\n".utf8)
        let keyed = String(decoding: try #require(shadow.head(from: empty)), as: UTF8.self)
        #expect(keyed.matches(of: #/Idempotency-Key/#).count == 1 && keyed.contains("Idempotency-Key: id1\r\n"))
    }

    @Test func `an answer to HEAD keeps saying that GET would be chunked, and to HTTP/1.0 does not`() throws {
        let answer = "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n"
        let seen = try answered(
            answer, ResponseForwarding(framing: .none, clientMinorVersion: 1, closes: false, date: []), to: .head)
        #expect(seen == answer)
        let old = try answered(
            answer, ResponseForwarding(framing: .none, clientMinorVersion: 0, closes: true, date: []), to: .head)
        #expect(!old.contains("Transfer-Encoding"))
    }
}

extension String {
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
