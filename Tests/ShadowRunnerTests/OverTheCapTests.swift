import Comparison
import Extraction
import NIOCore
import Testing
import Upstreams

@testable import ShadowRunner

private func binary(_ body: String, _ status: String = "200 OK") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/octet-stream\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// Three mebibytes that a cap of one does not hold.
private let large = String(repeating: "0123456789abcdef", count: 3 * 65_536)
private let other = String(large.dropLast()) + "."

@Suite struct OverTheCapTests {
    @Test func `bodies over the cap that are equal match, and hold no memory while they are compared`() async throws {
        let gate = Barrier()
        try await withShadow(service: { _, _ in .after(gate, .bytes(binary(large))) }) { shadow in
            for read in [true, false] {
                let request = read ? get("/api/v1/a") : post("/api/v1/a", "{}")
                try await shadow.accept(try exchange(request, answer: binary(large), isOverCap: true))
            }
            #expect(await shadow.runner.load.bytes < 10_000)
            gate.open()
            #expect(try await shadow.verdicts() == ["match": 2])
            #expect(shadow.service.requests.count == 2)
        }
    }

    @Test func `a last byte that differs is a mismatch, by hash, after a second look`() async throws {
        try await withShadow(
            monolith: { _, _ in .bytes(binary(large)) }, service: { _, _ in .bytes(binary(other)) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: binary(large), isOverCap: true))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(shadow.monolith.requests.count == 1 && shadow.service.requests.count == 2)
            let example = try #require(await shadow.store.examples.first)
            let size = "3145728 bytes, compared by hash, over the cap"
            #expect(
                example.differences == [Difference(path: "body", kind: .value, primary: size, shadow: size)])
            #expect(example.primary.body == nil && example.primary.bodyBytes == 3_145_728)
        }
    }

    @Test func `a difference by hash that is gone when both are asked again is transient`() async throws {
        try await withShadow(
            monolith: { _, _ in .bytes(binary(other)) }, service: { _, _ in .bytes(binary(other)) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: binary(large), isOverCap: true))
            #expect(try await shadow.verdicts() == ["transient": 1])
        }
    }

    @Test func `a read that settles after a difference by hash holds no body`() async throws {
        try await withShadow(
            Setup(settleDelay: .seconds(60)), service: { _, _ in .bytes(binary(other)) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: binary(large), isOverCap: true))
            try await eventually("it settles") { await shadow.runner.load.settling == 1 }
            #expect((1..<10_000).contains(await shadow.runner.load.bytes))
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["not-compared unsettled": 1])
        }
    }

    @Test func `one side over the cap and one below it are compared too`() async throws {
        let small = binary("small")
        try await withShadow(
            Setup(answerLimit: 1_000), monolith: { _, _ in .bytes(small) },
            service: { request, _ in .bytes(request.target.hasSuffix("/a") ? binary(large) : binary("small")) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: small))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(await shadow.store.examples.first?.differences.map(\.kind) == [.value])
            // A cap that is the smaller one here does not make equal bodies differ.
            try await shadow.accept(try exchange(get("/api/v1/b"), answer: small, isOverCap: true))
            #expect(try await shadow.verdicts() == ["mismatch": 1, "match": 1])
        }
    }

    @Test func `where rules may hide the difference, other hashes are not compared`() async throws {
        let rules = ComparisonRules(ignore: [IgnoreRule(path: try PathPattern("$.updatedAt"))])
        try await withShadow(
            Setup(rules: rules),
            service: { request, _ in .bytes(binary(request.target.hasSuffix("/a") ? other : large)) }
        ) { shadow in
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: binary(large), isOverCap: true))
            #expect(try await shadow.verdicts() == ["not-compared body-too-large": 1])
            #expect(shadow.monolith.requests.isEmpty)
            try await shadow.accept(try exchange(get("/api/v1/b"), answer: binary(large), isOverCap: true))
            #expect(try await shadow.verdicts() == ["not-compared body-too-large": 1, "match": 1])
        }
    }

    @Test func `a creation whose identity is in an answer over the cap is not sent`() async throws {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        try await withShadow(Setup(rules: rules), service: { _, _ in .bytes(binary(large)) }) { shadow in
            try await shadow.accept(
                try exchange(post("/api/v1/a", "{}"), answer: binary(large, "201 Created"), isOverCap: true))
            #expect(try await shadow.verdicts() == ["not-compared identity-missing": 1])
            #expect(shadow.service.requests.isEmpty)
        }
    }
}

@Suite struct BodyCollectorTests {
    private func collector(_ pieces: [String], cap: Int, ceiling: Int) -> BodyCollector {
        var collector = BodyCollector(cap: cap, ceiling: ceiling)
        for piece in pieces { collector.append(ByteBuffer(string: piece)) }
        return collector
    }

    @Test func `up to the cap a body is whole, up to the ceiling hashed, and beyond it gone`() {
        let pieces = ["abc", "", "defg"]
        let whole = collector(pieces, cap: 7, ceiling: 7)
        #expect(whole.body.parts.joinedBytes == Array("abcdefg".utf8) && whole.body.digest == nil)
        for cap in 0...6 {
            let hashed = collector(pieces, cap: cap, ceiling: 7)
            #expect(hashed.body.parts.isEmpty && !hashed.isGivenUp)
            #expect(hashed.body.digest == BodyDigest(of: "abcdefg".utf8))
            for ceiling in 0...6 {
                let gone = collector(pieces + ["h"], cap: cap, ceiling: ceiling)
                #expect(gone.isGivenUp && gone.body.parts.isEmpty && gone.body.digest == nil)
            }
        }
    }

    @Test func `small pieces are kept together, whatever reads they came in`() {
        let many = collector((0..<5_000).map { "\($0 % 10)" }, cap: 5_000, ceiling: 5_000)
        #expect(many.body.parts.count == 1)
        #expect(many.body.parts.joinedBytes.count == 5_000)
    }
}
