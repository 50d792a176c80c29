import Comparison
import NIOCore
import Testing

@testable import ShadowRunner

@Suite struct LimitTests {
    @Test func `what does not fit into the queue is shed and counted, what fits is not touched`() async throws {
        let barrier = Barrier()
        try await withShadow(Setup(maximumJobs: 3), service: { _, _ in .after(barrier, .json("{}")) }) { shadow in
            for _ in 0..<10 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
            try await eventually("seven are shed") { await shadow.verdictsSoFar() == ["not-compared shed": 7] }
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 3, "not-compared shed": 7])
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["match": 4, "not-compared shed": 7])
            #expect(shadow.service.requests.count == 4)
        }
    }

    @Test func `the bytes that wait are bounded, too`() async throws {
        let barrier = Barrier()
        let body = "\"" + String(repeating: "a", count: 10_000) + "\""
        try await withShadow(
            Setup(maximumBytes: 30_000), service: { _, _ in .after(barrier, .json(body)) }
        ) { shadow in
            for _ in 0..<5 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer(body))) }
            try await eventually("three are shed") { await shadow.verdictsSoFar() == ["not-compared shed": 3] }
            #expect((20_000...30_000).contains(await shadow.runner.load.bytes))
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 2, "not-compared shed": 3])
        }
    }

    @Test func `reads that settle after a difference take their place in the queue`() async throws {
        try await withShadow(
            Setup(maximumJobs: 2, settleDelay: .seconds(60)), service: { _, _ in .json(#"{"a":1}"#) }
        ) { shadow in
            for _ in 0..<2 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
            try await eventually("both settle") { await shadow.runner.load.settling == 2 }
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["not-compared unsettled": 2, "not-compared shed": 1])
        }
    }

    @Test func `with one connection all requests have their turn`() async throws {
        try await withShadow(Setup(maximumConnections: 1), service: { _, _ in .json("{}") }) { shadow in
            for lane in 0..<20 as Range<UInt64> {
                try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane * 2))
            }
            #expect(try await shadow.verdicts() == ["match": 20])
            #expect(shadow.service.connectionsMade == 1)
        }
    }

    @Test func `a request that waits for a connection fails at its deadline`() async throws {
        let service: ScriptedOrigin.Script = { _, number in number == 0 ? .hang : .json("{}") }
        try await withShadow(Setup(timeout: .seconds(1), maximumConnections: 1), service: service) { shadow in
            for _ in 0..<3 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
            let verdicts = try await shadow.verdicts()
            #expect(verdicts["shadow-failed timeout", default: 0] >= 1)
            #expect(verdicts.values.reduce(0, +) == 3)
            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts()["match", default: 0] >= 1)
        }
    }

    @Test func `paths and methods that clients make up share a bounded number of endpoints`() async throws {
        try await withShadow(Setup(maximumEndpoints: 3), service: { _, _ in .json("{}") }) { shadow in
            let letters = "abcdefghijklmnopqrstuvwxyz"
            for letter in letters {
                try await shadow.accept(try exchange(get("/api/v1/word\(letter)"), answer: jsonAnswer("{}")))
                let invented = "VERB\(letter.uppercased()) /api/v1/orders HTTP/1.1\r\nHost: shop\r\n\r\n"
                try await shadow.accept(
                    try exchange(invented, answer: jsonAnswer("{}", status: "405 Method Not Allowed")))
            }
            #expect(
                try await shadow.verdicts() == ["match": 26, "not-compared write-rejected": 26])
            let endpoints = await shadow.endpoints()
            #expect(endpoints.count <= 5)
            #expect(endpoints.isSuperset(of: ["GET (other)", "(other)"]))
        }
    }

    @Test func `exchanges are taken from any loop and any thread`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let runner = shadow.runner
            let exchanges = try (0..<4 as Range<UInt64>).map { lane in
                try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane)
            }
            for loop in shadow.loops {
                try await loop.submit { for exchange in exchanges { runner.accept(exchange) } }.get()
            }
            for exchange in exchanges { runner.accept(exchange) }
            #expect(try await shadow.verdicts() == ["match": 12])
        }
    }

    @Test func `under mixed work each exchange is counted exactly once`() async throws {
        let service: ScriptedOrigin.Script = { request, number in
            switch number % 7 {
            case 0: .close
            case 1: .json("{}", status: "503 Service Unavailable")
            case 2: .bytes("nonsense\r\n\r\n")
            case 3: .json(#"{"a":1}"#)
            default: .json("{}")
            }
        }
        try await withShadow(Setup(maximumJobs: 200, maximumConnections: 4), service: service) { shadow in
            for number in 0..<1_000 {
                let request = number % 3 == 0 ? post("/api/v1/orders", "{}") : get("/api/v1/orders/\(number)")
                try await shadow.accept(
                    try exchange(request, answer: jsonAnswer("{}"), lane: UInt64(number % 17)))
            }
            let verdicts = try await shadow.verdicts()
            #expect(verdicts.values.reduce(0, +) == 1_000, "\(verdicts)")
        }
    }
}

@Suite struct ShutdownTests {
    @Test func `a drain lets accepted writes arrive, one behind the other, before it says that nothing is left`()
        async throws
    {
        let gate = Barrier()
        try await withShadow(service: { _, _ in .after(gate, .json("{}")) }) { shadow in
            for _ in 0..<5 {
                try await shadow.accept(try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}")))
            }
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            #expect(await !shadow.runner.drain(within: .milliseconds(50)), "the service has answered none yet")
            gate.open()
            #expect(await shadow.runner.drain(within: .seconds(10)))
            #expect(shadow.service.requests.count == 5)
            #expect(try await shadow.verdicts() == ["match": 5])
        }
    }

    @Test func `what waits is counted as shutting down, and the shutdown returns`() async throws {
        try await withShadow(service: { _, _ in .hang }) { shadow in
            try await shadow.accept(try exchange(post("/api/v1/a", "{}"), answer: jsonAnswer("{}")))
            for lane in [0, 0, 1] as [UInt64] {
                try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane))
            }
            try await eventually("two are at the service") { shadow.service.requests.count == 2 }
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["not-compared shutting-down": 3], "the write is still on record")

            try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}")))
            #expect(try await shadow.verdicts() == ["not-compared shutting-down": 4])
            #expect(shadow.service.requests.count == 2)
        }
    }

    @Test func `a difference that settles is counted at once, and nobody is asked after the shutdown`() async throws {
        let setup = Setup(settleDelay: .seconds(60))
        try await withShadow(setup, service: { _, _ in .json(#"{"a":1}"#) }) { shadow in
            for lane in [0, 1] as [UInt64] {
                try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane))
            }
            try await eventually("both settle") { await shadow.runner.load.settling == 2 }
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["not-compared unsettled": 2])
            #expect(shadow.monolith.requests.isEmpty)
            #expect(shadow.service.requests.count == 2)
        }
    }

    @Test func `a shutdown amid a second look, and before those that wait for one, counts no mismatch`() async throws {
        try await withShadow(monolith: { _, _ in .hang }, service: { _, _ in .json(#"{"a":1}"#) }) { shadow in
            for _ in 0..<20 { try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"))) }
            try await eventually("the primary is asked again") { shadow.monolith.requests.count == 16 }
            try await eventually("four wait") { await shadow.runner.load.settling == 4 }
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == ["not-compared unsettled": 20])
        }
    }

    @Test func `a shutdown at any moment loses no verdict`() async throws {
        for moment in 0..<12 {
            try await withShadow(
                monolith: { _, _ in .json("{}") },
                service: { _, number in number % 2 == 0 ? .json("{}") : .json(#"{"a":1}"#) }
            ) { shadow in
                for lane in 0..<30 as Range<UInt64> {
                    try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("{}"), lane: lane))
                }
                try await eventually("some were asked") { shadow.service.requests.count >= moment * 2 }
                await shadow.runner.shutdown()
                #expect(await shadow.verdictsSoFar().values.reduce(0, +) == 30)
            }
        }
    }
}
