import Comparison
import HTTPWire
import NIOCore
import Testing

@testable import ShadowRunner

/// What need not be captured is not, and none of it goes uncounted.
@Suite struct GateTests {
    /// Asks the gate of the first loop, as the proxy does before a request.
    private func admits(
        _ shadow: ShadowUnderTest, _ method: HTTPWire.Method, _ path: String, isService: Bool = true
    ) async throws -> Bool {
        let (runner, settings) = (shadow.runner, shadow.settings)
        return try await shadow.loops[0].submit {
            let admits = runner.admission(under: settings)
            return Array(path.utf8).withUnsafeBytes { admits(0, 0, method, $0, isService) }
        }.get()
    }

    @Test func `a shadow that breaks every connection is not captured for after ten calls; writes always are`()
        async throws
    {
        try await withShadow(Setup(circuitOpenFor: .seconds(3_600)), service: { _, _ in .close }) { shadow in
            #expect(try await admits(shadow, .get, "/api/v1/orders"))
            for _ in 0..<10 {
                // The first loop's lane, one after the other.
                try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"), lane: 0))
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["shadow-failed reset": 10])
            for _ in 0..<3 { #expect(try await !admits(shadow, .get, "/api/v1/orders/7")) }
            #expect(try await !admits(shadow, .head, "/api/v1/elsewhere"))
            #expect(try await admits(shadow, .post, "/api/v1/orders"))
            // The monolith as shadow is another matter.
            #expect(try await admits(shadow, .get, "/api/v1/orders", isService: false))
            // One that was captured before is not sent either.
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"), lane: 0))
            try await eventually("all are counted") {
                await shadow.verdictsSoFar() == ["shadow-failed reset": 10, "not-compared shadow-circuit-open": 5]
            }
            let skipped = await shadow.store.counts.filter { $0.key.reason == "shadow-circuit-open" }
            #expect(
                Dictionary(uniqueKeysWithValues: skipped.map { ($0.key.endpoint, $0.value) }) == [
                    "GET /api/v1/orders/{id}": 3, "HEAD /api/v1/**": 1, "GET /api/v1/orders": 1,
                ])
        }
    }

    @Test func `while the queue is full, reads are shed before they are captured`() async throws {
        let barrier = Barrier()
        try await withShadow(Setup(maximumJobs: 2), service: { _, _ in .after(barrier, .json("{}")) }) { shadow in
            #expect(try await admits(shadow, .get, "/api/v1/orders"))
            for _ in 0..<2 {
                try await shadow.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"), lane: 0))
            }
            try await eventually("both are under way") { await shadow.runner.load.jobs == 2 }
            #expect(try await !admits(shadow, .get, "/api/v1/orders"))
            #expect(try await admits(shadow, .put, "/api/v1/orders/7"))
            barrier.open()
            try await eventually("all are counted") {
                await shadow.verdictsSoFar() == ["match": 2, "not-compared shed": 1]
            }
            #expect(try await admits(shadow, .get, "/api/v1/orders"))
        }
    }
}
