import Comparison
import Testing

@testable import ShadowRunner

private let order = #"{"id":"ord_1","total":10.50}"#
private let otherOrder = #"{"id":"ord_1","total":"10.50"}"#

@Suite struct ReadTests {
    @Test func `a matching read is sent marked, without a body and without fields of the client's connection`()
        async throws
    {
        let hops = "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nTE: trailers\r\n"
        let read = get("/api/v1/orders/1?full=1", fields: hops + "Accept: application/json\r\nCookie: sid=1\r\n")
        try await withShadow(service: { _, _ in .json(order) }) { shadow in
            try await shadow.accept(try exchange(read, answer: jsonAnswer(order), id: "req-7"))
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(await shadow.endpoints() == ["GET /api/v1/orders/{id}"])

            let seen = try #require(shadow.service.requests.first)
            #expect(seen.line == "GET /api/v1/orders/1?full=1 HTTP/1.1")
            #expect(seen.values(of: "Strangler-Shadow") == ["1"])
            #expect(seen.values(of: "Strangler-Request-Id") == ["req-7"])
            #expect(seen.values(of: "Host") == ["shop"])
            #expect(seen.values(of: "Accept") == ["application/json"])
            #expect(seen.values(of: "Cookie") == ["sid=1"])
            // As the primary was told: this hop takes trailers, and so did the client's.
            #expect(seen.values(of: "TE") == ["trailers"] && seen.values(of: "Connection") == ["TE"])
            for name in ["Keep-Alive", "X-Hop", "Content-Length", "Transfer-Encoding", "Idempotency-Key"] {
                #expect(seen.values(of: name).isEmpty, "\(name)")
            }
            #expect(seen.body.isEmpty)
            #expect(shadow.monolith.requests.isEmpty)
        }
    }

    @Test func `reads of one loop share a kept connection, HEAD among them`() async throws {
        let service: ScriptedOrigin.Script = { request, _ in
            request.method == "HEAD" ? .bytes("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n") : .json(order)
        }
        try await withShadow(service: service) { shadow in
            for _ in 0..<3 {
                try await shadow.accept(
                    try exchange(
                        "HEAD /api/v1/orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n",
                        answer: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"))
                try await shadow.becomesIdle()
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["match": 6])
            #expect(shadow.service.connectionsMade == 1)
        }
    }

    @Test func `an interim answer comes before the one that counts`() async throws {
        let early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        try await withShadow(service: { _, _ in .bytes(early + jsonAnswer(order)) }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
            #expect(try await shadow.verdicts() == ["match": 1])
        }
    }

    @Test func `a read that both sides answer with the same 404 matches`() async throws {
        try await withShadow(service: { _, _ in .json("{}", status: "404 Not Found") }) { shadow in
            try await shadow.accept(
                try exchange(get("/api/v1/orders/9"), answer: jsonAnswer("{}", status: "404 Not Found")))
            #expect(try await shadow.verdicts() == ["match": 1])
        }
    }

    @Test func `after cutover the monolith is asked and the service is primary`() async throws {
        try await withShadow(
            monolith: { _, number in .json(number == 0 ? otherOrder : order) }, service: { _, _ in .json(order) }
        ) { shadow in
            try await shadow.accept(
                try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order), shadowIsService: false))
            try await eventually("the monolith is asked") { shadow.monolith.requests.count == 1 }
            #expect(shadow.service.requests.isEmpty)
            #expect(try await shadow.verdicts() == ["transient": 1])
            #expect(shadow.service.requests.count == 1)
            #expect(shadow.monolith.requests.count == 2)
        }
    }
}

@Suite struct SecondLookTests {
    @Test func `a difference that is gone when both sides are asked again is transient`() async throws {
        let newer = #"{"id":"ord_1","total":11}"#
        try await withShadow(
            monolith: { _, _ in .json(newer) }, service: { _, _ in .json(newer) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
            #expect(try await shadow.verdicts() == ["transient": 1])
            #expect(shadow.monolith.requests.count == 1)
            #expect(shadow.service.requests.count == 2)
            #expect(shadow.monolith.requests.first?.values(of: "Strangler-Shadow") == ["1"])
            #expect(await shadow.store.groups.isEmpty)
            #expect(await shadow.store.examples.isEmpty)
        }
    }

    @Test func `a confirmed difference is one mismatch with one example, and those after it are not asked again`()
        async throws
    {
        try await withShadow(monolith: { _, _ in .json(order) }, service: { _, _ in .json(otherOrder) }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            let example = try #require(await shadow.store.examples.first)
            #expect(await shadow.store.examples.count == 1)
            #expect(example.differences.map(\.path) == ["$.total"])
            #expect(example.differences.map(\.kind) == [.type])
            #expect(example.signature.endpoint == "GET /api/v1/orders/{id}")

            for number in 2...6 {
                try await shadow.accept(try exchange(get("/api/v1/orders/\(number)"), answer: jsonAnswer(order)))
            }
            #expect(try await shadow.verdicts() == ["mismatch": 6])
            #expect(shadow.monolith.requests.count == 1)
            #expect(shadow.service.requests.count == 7)
            #expect(await shadow.store.groups.values.map(\.count) == [6])
        }
    }

    @Test func `a confirmation holds for a minute, and mismatches that were not asked again do not prolong it`()
        async throws
    {
        try await withShadow(monolith: { _, _ in .json(order) }, service: { _, _ in .json(otherOrder) }) { shadow in
            for (seconds, asked) in [(0.0, 1), (40, 1), (19, 1), (2, 2)] {
                shadow.clock.advance(by: seconds)
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
                try await shadow.becomesIdle()
                #expect(shadow.monolith.requests.count == asked, "after \(seconds) s more")
            }
            #expect(try await shadow.verdicts() == ["mismatch": 4])
        }
    }

    @Test func `no credential is in an example`() async throws {
        var rules = ComparisonRules()
        rules.redact = [try PathPattern("$.email")]
        rules.headers.append("set-cookie")
        let secret = "Set-Cookie: sid=topsecret-1\r\n"
        let answer = jsonAnswer(#"{"email":"topsecret-2","n":1}"#, fields: secret)
        let fields = "Cookie: sid=topsecret-3\r\nAuthorization: Bearer topsecret-4\r\n"
        try await withShadow(
            Setup(rules: rules), monolith: { _, _ in .bytes(answer) },
            service: { _, _ in .json(#"{"email":"topsecret-5","n":2}"#, fields: "Set-Cookie: sid=topsecret-6\r\n") }
        ) { shadow in
            try await shadow.accept(
                try exchange(get("/api/v1/orders/1?access_token=topsecret-7", fields: fields), answer: answer))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            let examples = await shadow.store.examples
            #expect(examples.count == 1)
            #expect(!"\(examples)".contains("topsecret"))
            let request = try #require(examples.first?.request)
            for name in ["cookie", "authorization"] {
                let value = request.headers.first { $0.name.lowercased() == name }?.value
                #expect(value?.hasPrefix("redacted:") == true, "\(name)")
            }
            // The origins got the real ones.
            #expect(shadow.service.requests.first?.values(of: "Authorization") == ["Bearer topsecret-4"])
        }
    }

    @Test func `a primary that fails when asked again is no mismatch`() async throws {
        try await withShadow(
            monolith: { _, _ in .json("{}", status: "503 Service Unavailable") }, service: { _, _ in .json(otherOrder) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
            #expect(try await shadow.verdicts() == ["primary-failed status-503": 1])
        }
    }
}
