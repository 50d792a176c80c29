import Comparison
import Foundation
import Testing

@testable import ShadowRunner

@Suite struct RecorderTests {
    @Test func `with the store away counters go on exactly, and arrive once when it is back`() async throws {
        try await withShadow(monolith: { _, _ in .json("{}") }, service: { _, _ in .json(#"{"a":1}"#) }) { shadow in
            await shadow.store.setAway(true)
            for round in 1...3 {
                for _ in 0..<4 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
                try await shadow.accept(
                    try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}", status: "409 No")))
                shadow.recorder.count(
                    traffic: [:],
                    fallbacks: [FallbackKey(extraction: "orders", endpoint: "GET /orders/{id}", reason: "refused"): 1],
                    at: Date())
                #expect(try await shadow.verdicts().isEmpty)
                #expect(await shadow.store.refused == round)
            }
            await shadow.store.setAway(false)
            let all = ["mismatch": 12, "not-compared write-rejected": 3]
            #expect(await shadow.verdictsSoFar() == all)
            #expect(await shadow.verdictsSoFar() == all)
            #expect(await shadow.store.groups.values.map(\.count) == [12])
            #expect((1...5).contains(await shadow.store.examples.count))
            #expect(await Array(shadow.store.fallbacks.values) == [3])
        }
    }

    @Test func `examples beyond those that a group gets are no loss, whichever run or flush they come in`() async throws
    {
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .json("{}") },
            service: { _, _ in .json(#"{"a":1}"#) }
        ) { shadow in
            for away in [true, false, false] {
                await shadow.store.setAway(away)
                for _ in 0..<20 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
                try await shadow.becomesIdle()
                await shadow.recorder.flush()
            }
            #expect(await shadow.store.groups.values.map(\.count) == [60])
            #expect(await shadow.store.losses.isEmpty)
        }
    }

    @Test func `an example that its group wants and that finds no room among all is a loss`() async throws {
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .json("{}") },
            service: { _, _ in .json(#"{"a":1}"#) }
        ) { shadow in
            var full = Findings()
            for number in 0..<EvidenceLimits().examples {
                full.batch.add(record("$.filler\(number)"))
            }
            shadow.recorder.take(full, at: shadow.clock.now)
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(await shadow.store.losses == [.examplesDropped: 1])
        }
    }

    private func record(_ path: String) -> MismatchRecord {
        let answer = RecordedAnswer(status: 200, headers: [], body: nil, bodyBytes: 0)
        return MismatchRecord(
            signature: MismatchSignature(
                extraction: "orders", endpoint: "GET /filler",
                differences: [Difference(path: path, kind: .value, primary: "1", shadow: "2")]),
            at: Date(timeIntervalSince1970: 1_800_000_000), differences: [],
            request: RecordedRequest(method: "GET", target: "/", headers: [], body: nil), primary: answer,
            shadow: answer)
    }

    @Test func `a mismatch's verdict says which group it is of`() async throws {
        let service: ScriptedOrigin.Script = { request, _ in
            .json(request.target == "/api/v1/b" ? #"{"b":1}"# : #"{"a":1}"#)
        }
        try await withShadow(monolith: { _, _ in .json("{}") }, service: service) { shadow in
            for path in ["/api/v1/a", "/api/v1/a", "/api/v1/b"] {
                try await shadow.accept(try exchange(get(path), answer: jsonAnswer("{}")))
            }
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            var byReason: [String?: Int] = [:]
            for (key, count) in await shadow.store.counts { byReason[key.reason, default: 0] += count }
            let groups = await shadow.store.groups
            #expect(groups.count == 2)
            #expect(byReason == Dictionary(uniqueKeysWithValues: groups.map { ($0.key, $0.value.count) }))
        }
    }

    @Test func `an empty batch is not brought`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            await shadow.store.setAway(true)
            await shadow.recorder.flush()
            #expect(await shadow.store.refused == 0)
        }
    }

    @Test func `a running recorder flushes by itself and ends when cancelled`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let recorder = shadow.recorder
            let running = Task { await recorder.run() }
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            try await eventually("the store has it") { await !shadow.store.counts.isEmpty }
            running.cancel()
            await running.value
        }
    }
}
