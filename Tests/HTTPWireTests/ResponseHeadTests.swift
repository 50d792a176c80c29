import HTTPWire
import Testing

struct ResponseHeadTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method.get, BodyFraming.length(5), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", .head, .none, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", .get, .none, true),
        ("HTTP/1.1 204 No Content\r\n\r\n", .get, .none, true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .get, .chunked, true),
        ("HTTP/1.1 200 OK\r\n\r\n", .get, .untilClose, false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", .get, .length(5), false),
        ("HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", .get, .none, false),
    ])
    func `bodies end as RFC 9112 says`(text: String, method: HTTPWire.Method, framing: BodyFraming, keeps: Bool) throws
    {
        let head = try #require(try parseResponse(text, answering: method)).head
        #expect(head.framing == framing && head.keepsAlive == keeps)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "HTTP/1.1 200 OK\nX: y\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
    ])
    func `ambiguous answers are refused`(text: String) {
        #expect(throws: ParseFailure.self) { try parseResponse(text) }
    }
}

struct ChunkedDecoderTests {
    private let body = Array(
        "5;ext=\"x\"\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\nNEXT".utf8)

    @Test func `every split gives the same body, and trailers without framing fields`() throws {
        for size in 1...body.count {
            let result = try #require(try dechunked(body, piece: size))
            #expect(String(decoding: result.body, as: UTF8.self) == "hello world")
            #expect(result.trailers == "X-Sum: 1\r\n")
            #expect(String(decoding: result.rest, as: UTF8.self) == "NEXT")
        }
    }

    @Test(arguments: [
        "\r\n", "0x1\r\na\r\n0\r\n\r\n", "1_0\r\n", "-1\r\n", "ffffffffffffffff\r\n", "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "1\r\na\r\n0\r\nbad trailer\r\n\r\n",
        "1\r\na\r\n0\r\nX: y\n\r\n",
        " 5\r\nhello\r\n", "1 0\r\na\r\n0\r\n\r\n", "1 x\r\na\r\n", "1\t1;x\r\na\r\n", "5\r\r\nhello",
    ])
    func `malformed chunks are refused`(text: String) {
        #expect(throws: ParseFailure.badChunk) { try dechunked(Array(text.utf8), piece: 1024) }
        #expect(throws: ParseFailure.badChunk) { try dechunked(Array(text.utf8), piece: 1) }
    }

    @Test(arguments: [
        "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Authorization", "Cookie", "Set-Cookie",
        "X-Forwarded-For",
        "X_Forwarded_For", "X-Forwarded-Port", "Strangler-Shadow", "Content-Type", "Cache-Control", "X-Original-URL",
        "TE",
    ])
    func `row 40: trailers cannot bring what had to come before the body`(name: String) throws {
        let body = Array("1\r\na\r\n0\r\nX-A: 1\r\n\(name): evil\r\nX-B: 2\r\n\r\n".utf8)
        #expect(try #require(try dechunked(body, piece: 7)).trailers == "X-A: 1\r\nX-B: 2\r\n")
    }

    @Test func `extensions and trailers are bounded`() {
        let extensions = Array(("1;" + String(repeating: "a", count: 5_000)).utf8)
        #expect(throws: ParseFailure.badChunk) { try dechunked(extensions, piece: 100) }
        let trailers = Array(("0\r\nX: " + String(repeating: "a", count: 9_000)).utf8)
        #expect(throws: ParseFailure.badChunk) { try dechunked(trailers, piece: 100) }
    }
}

struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ])
    func `dates are IMF-fixdate`(seconds: Int, text: String) {
        #expect(String(decoding: HTTPDate.format(secondsSince1970: seconds), as: UTF8.self) == text)
    }
}
