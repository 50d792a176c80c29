import Comparison
import NIOCore
import Testing
import Upstreams

@testable import ShadowRunner

private let created = jsonAnswer(#"{"orderId":"ord_1","state":"new"}"#, status: "201 Created")
private let createdReply = Reply.bytes(created)

@Suite struct WriteTests {
    @Test func `a write carries the primary's identity, its new length and a key against repetition`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        try await withShadow(Setup(rules: rules), service: { _, _ in createdReply }) { shadow in
            try await shadow.accept(
                try exchange(post("/api/v1/orders", #"{"item":"tea"}"#), answer: created, id: "req-9"))
            #expect(try await shadow.verdicts() == ["match": 1])
            let seen = try #require(shadow.service.requests.first)
            #expect(seen.line == "POST /api/v1/orders HTTP/1.1")
            #expect(seen.body == #"{"item":"tea","orderId":"ord_1"}"#)
            #expect(seen.values(of: "Content-Length") == ["\(seen.body.utf8.count)"])
            #expect(seen.values(of: "Idempotency-Key") == ["req-9"])
            #expect(seen.values(of: "Strangler-Shadow") == ["1"])
            #expect(await shadow.endpoints() == ["POST /api/v1/orders"])
        }
    }

    @Test func `the identity is found in a compressed answer, and is missing from one that cannot be decoded`()
        async throws
    {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        // {"orderId":"ord_1"}
        let zipped: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x2F, 0x4A, 0x49, 0x2D, 0xF2,
            0x4C, 0x51, 0xB2, 0x02, 0xB1, 0xE2, 0x0D, 0x95, 0x6A, 0x01, 0x84, 0xD4, 0xD2, 0xC9, 0x13, 0x00, 0x00, 0x00,
        ]
        let fields = "Content-Encoding: gzip\r\n"
        try await withShadow(Setup(rules: rules), service: { _, _ in createdReply }) { shadow in
            for length in [zipped.count, zipped.count - 1] {
                var write = try exchange(
                    post("/api/v1/orders", #"{"item":"tea"}"#),
                    answer: jsonAnswer("", status: "201 Created", fields: fields))
                write.answerBody = .whole([ByteBuffer(bytes: zipped[..<length])])
                try await shadow.accept(write)
            }
            #expect(try await shadow.verdicts()["not-compared identity-missing"] == 1)
            #expect(shadow.service.requests.map(\.body) == [#"{"item":"tea","orderId":"ord_1"}"#])
        }
    }

    @Test func `a client's own idempotency key is kept, and identity may go into a header`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .header("X-Order-Id"))]
        try await withShadow(Setup(rules: rules), service: { _, _ in createdReply }) { shadow in
            let write = post("/api/v1/orders", #"{"item":"tea"}"#, fields: "idempotency-key: mine\r\n")
            try await shadow.accept(try exchange(write, answer: created))
            #expect(try await shadow.verdicts() == ["match": 1])
            let seen = try #require(shadow.service.requests.first)
            #expect(seen.values(of: "Idempotency-Key") == ["mine"])
            #expect(seen.values(of: "X-Order-Id") == ["ord_1"])
            #expect(seen.body == #"{"item":"tea"}"#)
        }
    }

    @Test func `a creation whose identity cannot be carried over is counted and not sent`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        let nameless = jsonAnswer(#"{"state":"new"}"#, status: "201 Created")
        try await withShadow(Setup(rules: rules), service: { _, _ in createdReply }) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: nameless))
            try await shadow.accept(try exchange(post("/api/v1/orders", "[]"), answer: created))
            #expect(try await shadow.verdicts() == ["not-compared identity-missing": 2])
            #expect(shadow.service.requests.isEmpty)
        }
    }

    @Test func `thousands of creations that end at once behind a slow one do not nest`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        let nameless = jsonAnswer(#"{"state":"new"}"#, status: "201 Created")
        let gate = Barrier()
        try await withShadow(Setup(rules: rules), service: { _, _ in .after(gate, createdReply) }) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: created))
            for _ in 0..<2_047 {
                try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: nameless))
            }
            gate.open()
            #expect(try await shadow.verdicts() == ["match": 1, "not-compared identity-missing": 2_047])
        }
    }

    @Test func `a write without identity in its answer goes as it was`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        let answer = "HTTP/1.1 204 No Content\r\n\r\n"
        try await withShadow(Setup(rules: rules), service: { _, _ in .bytes(answer) }) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/orders/1/cancel", #"{"why":1}"#), answer: answer))
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(shadow.service.requests.map(\.body) == [#"{"why":1}"#])
        }
    }

    @Test func `a write without a body says so`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let write = "DELETE /api/v1/orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n"
            try await shadow.accept(try exchange(write, answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(shadow.service.requests.first?.values(of: "Content-Length") == ["0"])
        }
    }

    @Test func `a chunked write arrives with a length`() async throws {
        let write = "PUT /api/v1/orders/1 HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n{\"a\":1}"
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            try await shadow.accept(try exchange(write, answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["match": 1])
            let seen = try #require(shadow.service.requests.first)
            #expect(seen.body == #"{"a":1}"#)
            #expect(seen.values(of: "Content-Length") == ["7"])
            #expect(seen.values(of: "Transfer-Encoding").isEmpty)
        }
    }

    @Test func `a write that differs is never asked again`() async throws {
        try await withShadow(service: { _, _ in .json(#"{"state":"paid"}"#, status: "201 Created") }) { shadow in
            for _ in 0..<2 {
                try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: created))
            }
            #expect(try await shadow.verdicts() == ["mismatch": 2])
            #expect(shadow.service.requests.count == 2)
            #expect(shadow.monolith.requests.isEmpty)
        }
    }

    @Test func `a write that the primary did not take is not sent`() async throws {
        try await withShadow(service: { _, _ in createdReply }) { shadow in
            let write = post("/api/v1/orders", "{}")
            for status in ["400 Bad Request", "409 Conflict", "500 Oops", "503 Service Unavailable"] {
                try await shadow.accept(try exchange(write, answer: jsonAnswer("{}", status: status)))
            }
            var silent = try exchange(write, answer: created, failed: true)
            silent.answerHead.clear()
            try await shadow.accept(silent)
            try await shadow.accept(
                try exchange(get("/api/v1/orders"), answer: jsonAnswer("", status: "502 Bad Gateway")))
            #expect(
                try await shadow.verdicts() == [
                    "not-compared write-rejected": 2, "primary-failed status-500": 1, "primary-failed status-503": 1,
                    "primary-failed no-answer": 1, "primary-failed status-502": 1,
                ])
            #expect(shadow.service.connectionsMade == 0)
        }
    }

    @Test func `a write whose answer is too long to be kept is delivered, and not compared`() async throws {
        try await withShadow(service: { _, _ in createdReply }) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: created, isTruncated: true))
            #expect(try await shadow.verdicts() == ["not-compared body-too-large": 1])
            #expect(shadow.service.requests.count == 1)
        }
    }

    @Test func `a write that was lost with its connection is delivered again, and a read at once`() async throws {
        let service: ScriptedOrigin.Script = { _, number in number % 2 == 1 ? .close : .json("{}") }
        try await withShadow(service: service) { shadow in
            for request in [get("/api/v1/orders"), get("/api/v1/orders"), post("/api/v1/orders", "{}")] {
                try await shadow.accept(try exchange(request, answer: jsonAnswer("{}")))
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["match": 3])
            #expect(shadow.service.requests.map(\.method) == ["GET", "GET", "GET", "POST", "POST"])
        }
    }
}

@Suite struct LaneTests {
    /// lane 0: POST ── held ──────────┤ answered │ GET │ POST 2
    /// lane 2:   GET, same loop, done ─┘
    /// lane 1:   GET, other loop, done ┘
    @Test func `within a lane a read waits for the write before it, and other lanes go on`() async throws {
        let barrier = Barrier()
        let service: ScriptedOrigin.Script = { request, _ in
            request.target == "/api/v1/first" ? .after(barrier, .json("{}")) : .json("{}")
        }
        try await withShadow(service: service) { shadow in
            func accept(_ request: String, lane: UInt64) async throws {
                try await shadow.accept(try exchange(request, answer: jsonAnswer("{}"), lane: lane))
            }
            try await accept(post("/api/v1/first", "{}"), lane: 0)
            try await accept(get("/api/v1/second"), lane: 0)
            try await accept(post("/api/v1/third", "{}"), lane: 0)
            try await accept(get("/api/v1/same-loop"), lane: 2)
            try await accept(get("/api/v1/other-loop"), lane: 1)
            try await eventually("the other lanes are done") { await shadow.verdictsSoFar() == ["match": 2] }
            #expect(
                Set(shadow.service.requests.map(\.target))
                    == ["/api/v1/first", "/api/v1/same-loop", "/api/v1/other-loop"])
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 5])
            #expect(shadow.service.requests.suffix(2).map(\.target) == ["/api/v1/second", "/api/v1/third"])
        }
    }

    @Test func `reads of a lane run side by side, and the write behind them waits for all`() async throws {
        let barrier = Barrier()
        let service: ScriptedOrigin.Script = { request, _ in
            request.method == "GET" ? .after(barrier, .json("{}")) : .json("{}")
        }
        try await withShadow(service: service) { shadow in
            for _ in 0..<5 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
            try await shadow.accept(try exchange(post("/api/v1/b", "{}"), answer: jsonAnswer("{}")))
            try await eventually("all reads are at the service") { shadow.service.requests.count == 5 }
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 6])
            #expect(shadow.service.requests.last?.method == "POST")
        }
    }

    @Test func `a write that is not delivered within a second is backlog until it is`() async throws {
        let barrier = Barrier()
        try await withShadow(service: { _, _ in .after(barrier, .json("{}")) }) { shadow in
            for lane in [0, 1] as [UInt64] {
                try await shadow.accept(try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}"), lane: lane))
            }
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: 0))
            #expect(await shadow.runner.undeliveredWrites() == [0])
            try await eventually("both writes are late") { await shadow.runner.undeliveredWrites() == [2] }
            barrier.open()
            try await shadow.becomesIdle()
            #expect(await shadow.runner.undeliveredWrites() == [0])
        }
    }
}
