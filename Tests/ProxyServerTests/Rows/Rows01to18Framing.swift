import Testing

/// Rows 1 to 18 of the checklist: how a request's bytes are cut into requests. Everything goes over a real socket, to
/// origins that count what they get.
@Suite struct Rows01to18Framing {
    private static func post(_ fields: String, _ body: String = "", version: String = "1.1") -> String {
        "POST /orders HTTP/\(version)\r\nHost: shop\r\n\(fields)\r\n\(body)"
    }

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

    @Test(
        "row 1: Transfer-Encoding together with Content-Length: 400 and close",
        arguments: [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        ])
    func row1(fields: String) async throws { try await expectRefused(Self.post(fields, "0\r\n\r\n"), 400) }

    @Test(
        "rows 2 and 3: two Content-Lengths, different or equal, in two fields or in one: 400",
        arguments: [
            "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n", "Content-Length: 5, 6\r\n", "Content-Length: 5,\r\n",
        ])
    func rows2and3(fields: String) async throws { try await expectRefused(Self.post(fields, "hello"), 400) }

    @Test(
        "row 4: Content-Length that is no plain number: 400",
        arguments: [
            "+5", "-1", "0x5", "1_0", "", "5 5", "5.0", "1e1", "5;", "\u{0665}", "9223372036854775808",
            "18446744073709551621", "00000000000000000005",
        ])
    func row4(length: String) async throws {
        try await expectRefused(Self.post("Content-Length: \(length)\r\n", "hello"), 400)
    }

    @Test("row 5: Transfer-Encoding in HTTP/1.0: 400")
    func row5() async throws {
        try await expectRefused(Self.post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", version: "1.0"), 400)
        try await expectRefused(
            Self.post("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "0\r\n\r\n", version: "1.0"), 400)
    }

    @Test(
        "row 6: an unknown coding: 501; chunked not last, or twice: 400",
        arguments: [
            ("gzip", 501), ("identity", 501), ("gzip, chunked", 501), ("xchunked", 501), ("'chunked'", 501),
            ("chunked, gzip", 400),
            ("chunked, chunked", 400), ("chunked, identity", 400), ("chunked;q=1", 400),
        ])
    func row6(coding: String, status: Int) async throws {
        try await expectRefused(Self.post("Transfer-Encoding: \(coding)\r\n", "0\r\n\r\n"), status)
    }

    @Test(
        "row 7: obfuscated Transfer-Encoding: 4xx",
        arguments: [
            "Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Transfer-Encoding: \u{0B}chunked",
            "Transfer-Encoding: chunked\u{0B}", "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding\r\n: chunked",
            "Transfer-Encoding:\r\n chunked", "X: y\rTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
            "Transfer-Encoding: , chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding: chunked\u{0}",
            "Transfer-Encoding", "Transfer-Encoding:", "Transfer\u{0}Encoding: chunked", "Transfer_Encoding: chunked",
            "TRANSFER_ENCODING: chunked",
        ])
    func row7refused(field: String) async throws {
        try await expectRefused(Self.post("\(field)\r\n", "0\r\n\r\n"), 400)
    }

    @Test(
        "row 7: Transfer-Encoding in any case and with white space around it arrives clean, at both sides",
        arguments: ["tRANSFER-eNCODING: CHUNKED", "Transfer-Encoding:\tchunked \t", "Transfer-Encoding:chunked"])
    func row7clean(field: String) async throws {
        let seen = try await expectOneRequestEach(Self.post("\(field)\r\n", "5\r\nhello\r\n0\r\n\r\n"))
        #expect(seen.values("Transfer-Encoding") == ["chunked"])
        #expect(seen.text == "hello")
    }

    @Test(
        "row 8: chunk size empty, 0x1, 1_0, negative, overflowing: 400",
        arguments: [
            "", "0x1", "1_0", "-1", "+1", " 1", "g", "1 0", "ffffffffffffffff", "10000000000000001", ";x", "1,1",
            "8000000000000000", "\u{0}1",
        ])
    func row8(size: String) async throws { try await expectRefused(Self.chunked("\(size)\r\na\r\n0\r\n\r\n"), 400) }

    @Test("row 9: chunk extensions are dropped, for both sides")
    func row9dropped() async throws {
        let seen = try await expectOneRequestEach(
            Self.chunked("5;a=b;c=\"d e\"\r\nhello\r\n1 ; x\r\n!\r\n0;last\r\n\r\n"))
        #expect(String(decoding: seen.rawBody, as: UTF8.self) == "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")
    }

    @Test("row 9: chunk extensions over 4 KiB: 400, and the origin's request is never complete")
    func row9refused() async throws {
        for first in ["", "1\r\na\r\n"] {
            try await expectAborted(
                Self.chunked(first + "1;" + String(repeating: "x", count: 4_200) + "\r\na\r\n0\r\n\r\n"))
        }
    }

    @Test(
        "row 10: bare LF or CR after a chunk size, chunk data or trailers: 400",
        arguments: [
            "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n", "5;x\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\n",
            "5\r\nhello\r\n0\r\nX: y\n\r\n", "5\r\nhello\r\n0\r\nX: y\rZ: a\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\r\n\n",
        ])
    func row10(body: String) async throws { try await expectRefused(Self.chunked(body), 400) }

    @Test("row 11: chunk data longer than its size: 400")
    func row11() async throws {
        for body in ["5\r\nhelloX\r\n0\r\n\r\n", "1\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n"] {
            try await expectRefused(Self.chunked(body), 400)
        }
    }

    @Test("rows 8 to 11: a chunked body that turns bad later aborts the origin's request, and the shadow hears nothing")
    func rows8to11later() async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            for bad in ["zz\r\n", "1\r\nab\r\n", "1\na\r\n", "\n"] {
                let accepted = monolith.accepted
                let client = try scene.proxy.connect()
                try client.send(Self.chunked("3\r\nabc\r\n"))
                #expect(monolith.record.wait { $0.accepted == accepted + 1 })
                try client.send(bad)
                #expect(try Message.answer(from: client).status == 400)
                #expect(client.takeToEnd().ending == .closed)
                #expect(monolith.record.wait { $0.finished == $0.accepted })
            }
            #expect(await scene.verdicts(of: 4) == ["not-compared primary-incomplete": 4])
        }
        #expect(monolith.requests.isEmpty)
        #expect(service.accepted == 0)
    }

    @Test(
        "row 12: bare LF or CR in the start line or a header: 400",
        arguments: [
            "GET /orders HTTP/1.1\nHost: shop\r\n\r\n", "GET /orders HTTP/1.1\rHost: shop\r\n\r\n",
            "GET /orders\n HTTP/1.1\r\nHost: shop\r\n\r\n", "GET /orders HTTP/1.1\r\r\nHost: shop\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: shop\n\r\n", "GET /orders HTTP/1.1\r\nHost: shop\r\nX: a\rb\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: shop\r\nX: a\nY: b\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: shop\r\nX: a\r\r\n\r\n",
            "GET /orders HTTP/1.1\r\nHost: shop\r\n\n", "\nGET /orders HTTP/1.1\r\nHost: shop\r\n\r\n",
        ])
    func row12(request: String) async throws { try await expectRefused(request, 400) }

    @Test(
        "rows 13, 14 and 15: folded lines, space before the colon, white space before the first header: 400",
        arguments: [
            "Host: shop\r\nX: a\r\n b\r\n", "Host: shop\r\nX: a\r\n\tb\r\n", "Host: shop\r\nX: a\r\n \r\n",
            "Host : shop\r\n",
            "Host: shop\r\nX\t: a\r\n", "Host: shop\r\nContent-Length : 5\r\n", " Host: shop\r\n", "\tHost: shop\r\n",
            " \r\nHost: shop\r\n",
        ])
    func rows13to15(fields: String) async throws {
        try await expectRefused("GET /orders HTTP/1.1\r\n\(fields)\r\n", 400)
    }

    @Test("row 14: space before the colon in an origin's answer: 502, and its connection is discarded")
    func row14origin() async throws {
        let origin = try ScriptedOrigin(answering: { _ in "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok" })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            for _ in 0..<2 {
                try client.send(goodGet)
                #expect(try Message.answer(from: client).status == 502)
            }
            #expect(origin.accepted == 2)
        }
    }

    @Test(
        "row 16: NUL, control characters, non-token or empty header names: 400",
        arguments: [
            "X\u{0}: a", "X: a\u{0}b", "X: \u{1}", "X: \u{7F}", "X: \u{08}", ": a", "no colon", "X Y: a", "X(: a",
            "X\u{e9}: a",
            "\"X\": a", "X@: a", "X/Y: a", "=: a", "X\u{7F}: a",
        ])
    func row16(field: String) async throws {
        try await expectRefused("GET /orders HTTP/1.1\r\nHost: shop\r\n\(field)\r\n\r\n", 400)
    }

    @Test(
        "row 17: unknown version, HTTP/0.9: 505 or 400",
        arguments: [
            ("HTTP/2.0", 505), ("HTTP/0.9", 505), ("HTTP/3.1", 505), ("http/1.1", 400), ("HTTP/1.1.1", 400),
            ("HTTP/11", 400),
            ("HTTP/1.", 400), ("HTTP/1.x", 400), ("HTTP 1.1", 400), ("HTTPS/1.1", 400), ("HTTP/1.1 ", 400),
            ("HTTP/01.1", 400),
            ("", 400),
        ])
    func row17(version: String, status: Int) async throws {
        try await expectRefused("GET /orders \(version)\r\nHost: shop\r\n\r\n", status)
    }

    @Test(
        "row 17: a request line without a version: 400",
        arguments: ["GET /orders", "GET", "GET ", "GET  /orders HTTP/1.1"])
    func row17simple(line: String) async throws { try await expectRefused("\(line)\r\n\r\n", 400) }

    @Test(
        "row 18: the end of the connection inside a body aborts the origin's request",
        arguments: [
            "Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        ])
    func row18(rest: String) async throws {
        let heads = Watched(0)
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            let head = try Message.requestHead(from: connection.socket)
            heads.change { $0 += 1 }
            // Whatever comes of the body, its end does not.
            let body = String(decoding: connection.socket.takeToEnd().bytes, as: UTF8.self)
            let isWhole = head["Content-Length"] == nil ? body.hasSuffix("0\r\n\r\n") : body.utf8.count == 10
            if isWhole { heads.change { $0 += 100 } }
        }
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            for number in 1...2 {
                let client = try scene.proxy.connect()
                try client.send("POST /orders HTTP/1.1\r\nHost: shop\r\n\(rest)")
                #expect(heads.wait { $0 == number })
                if number == 2 {
                    client.reset()
                } else {
                    client.finishSending()
                    let end = client.takeToEnd()
                    #expect(end.bytes.isEmpty && end.ending == .closed)
                }
                #expect(monolith.record.wait { $0.finished == number })
            }
            #expect(await scene.proxy.reaches(openConnections: 0))
            #expect(await scene.verdicts(of: 2) == ["not-compared primary-incomplete": 2])
        }
        #expect(heads.now == 2)
        #expect(service.accepted == 0)
    }

    /// More than one read's worth, so the head may be out already: the origin must not take it for a whole request.
    private func expectAborted(_ request: String) async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send(request)
            #expect(try Message.answer(from: client).status == 400)
            #expect(client.takeToEnd().ending == .closed)
            _ = await scene.verdicts(of: 1)
        }
        #expect(monolith.record.wait { $0.finished == $0.accepted })
        #expect(monolith.requests.isEmpty)
        #expect(service.accepted == 0)
    }
}
