import Comparison
import DualWrite
import NIOCore
import Testing
import Upstreams

@testable import ShadowRunner

/// A shadow that misbehaves costs itself its verdict, and nobody else anything.
@Suite struct FailureTests {
    /// The first answer is `reply`, those after it are right.
    private func expect(
        _ verdict: String, for reply: Reply, setup: Setup = Setup(), closes: Bool = true
    ) async throws {
        try await withShadow(setup, service: { _, number in number == 0 ? reply : .json("{}") }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == [verdict: 1])
            if closes {
                try await eventually("its connection is closed") { shadow.service.openConnections == 0 }
            }
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == [verdict: 1, "match": 1])
        }
    }

    @Test func `a shadow that says nothing fails at its deadline, and its connection is closed`() async throws {
        try await expect("shadow-failed timeout", for: .hang, setup: Setup(timeout: .seconds(1)))
    }

    @Test func `a shadow that begins an answer and stops fails at the same deadline`() async throws {
        let begun = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
        try await expect("shadow-failed timeout", for: .bytes(begun), setup: Setup(timeout: .seconds(1)))
    }

    @Test func `an endless body is given up at the ceiling`() async throws {
        try await expect(
            "not-compared body-too-large", for: .endless, setup: Setup(answerLimit: 100_000, answerCeiling: 1_000_000))
    }

    @Test func `an endless body below the ceiling fails at its deadline`() async throws {
        try await expect(
            "shadow-failed timeout", for: .endless,
            setup: Setup(timeout: .milliseconds(200), answerLimit: 100_000, answerCeiling: .max))
    }

    @Test func `a body of exactly the limit is compared`() async throws {
        try await withShadow(Setup(answerLimit: 2), service: { _, _ in .json("{}") }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["match": 1])
        }
    }

    @Test(arguments: [
        "220 mail.example ESMTP\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    ])
    func `what is not HTTP is malformed`(_ garbage: String) async throws {
        try await expect("shadow-failed malformed", for: .bytes(garbage))
    }

    @Test func `a connection that ends without an answer is a reset`() async throws {
        try await expect("shadow-failed reset", for: .close)
    }

    @Test(arguments: ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
    func `an answer of nobody at home is a failure`(_ status: String) async throws {
        try await expect("shadow-failed status-\(status.prefix(3))", for: .json("{}", status: status), closes: false)
    }

    @Test func `500 is an answer, and differs`() async throws {
        try await withShadow(service: { _, _ in .json("{}", status: "500 Oops") }) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(await shadow.store.examples.first?.differences.map(\.path) == ["status"])
        }
    }

    @Test func `a shadow that refuses connections fails each read, and writes wait for it`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            try await shadow.service.stop()
            for lane in 0..<20 as Range<UInt64> {
                shadow.runner.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane))
            }
            #expect(try await shadow.verdicts() == ["shadow-failed connect-refused": 20])
            for lane in 0..<20 as Range<UInt64> {
                try await shadow.accept(try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}"), lane: lane))
            }
            try await eventually("delivery pauses") { await shadow.runner.standing().first?.paused == 20 }
            #expect(await shadow.verdictsSoFar() == ["shadow-failed connect-refused": 20])
            #expect(await !shadow.runner.drain(within: .seconds(60)), "nobody is waited for who is away")
        }
    }

    @Test func `a lane goes on when a write that timed out has been delivered, and its reads do not wait for that`()
        async throws
    {
        let service: ScriptedOrigin.Script = { request, number in
            request.method == "POST" && number == 0 ? .hang : .json("{}")
        }
        try await withShadow(Setup(timeout: .seconds(1)), service: service) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}")))
            shadow.runner.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            let verdicts = try await shadow.verdicts()
            #expect(verdicts.values.reduce(0, +) == 2)
            #expect(verdicts["shadow-failed timeout"] == nil)
            #expect(shadow.service.requests.filter { $0.method == "POST" }.count == 2)
        }
    }

    @Test func `a captured head that cannot be read is counted`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            var broken = try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"))
            broken.requestHead.moveWriterIndex(to: broken.requestHead.readerIndex + 10)
            shadow.runner.accept(broken)
            var headless = try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"))
            headless.answerHead.clear()
            shadow.runner.accept(headless)
            #expect(try await shadow.verdicts() == ["not-compared malformed": 2])
        }
    }
}
