import Comparison
import Testing

@testable import ShadowRunner

private let order = #"{"id":"ord_1","total":10.50}"#
private let otherOrder = #"{"id":"ord_1","total":"10.50"}"#
private let newer = #"{"id":"ord_1","total":11}"#

/// A read that differs counts as a mismatch only when it was asked again, or others of its kind were.
@Suite struct UnsettledTests {
    private func accept(_ count: Int, _ shadow: ShadowUnderTest) throws {
        for _ in 0..<count {
            shadow.runner.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(order)))
        }
    }

    @Test func `a side that gives no answer to the second question leaves the difference unsettled`() async throws {
        for monolithIsSilent in [true, false] {
            for silence in [Reply.hang, .close] {
                try await withShadow(
                    Setup(timeout: .seconds(1), settleDelay: .milliseconds(5)),
                    monolith: { _, _ in monolithIsSilent ? silence : .json(order) },
                    service: { _, number in number == 0 || monolithIsSilent ? .json(otherOrder) : silence }
                ) { shadow in
                    try accept(1, shadow)
                    #expect(try await shadow.verdicts() == ["not-compared unsettled": 1])
                    #expect(await shadow.store.groups.isEmpty)
                }
            }
        }
    }

    @Test func `a burst of reads that only lag is asked again sixteen at a time, and all of it is transient`()
        async throws
    {
        let barrier = Barrier()
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .after(barrier, .json(newer)) },
            service: { _, _ in .json(newer) }
        ) { shadow in
            try accept(100, shadow)
            try await eventually("those beyond sixteen wait") {
                let load = await shadow.runner.load
                return load.secondLooks == 16 && load.settling == 84
            }
            #expect(await shadow.verdictsSoFar().isEmpty && shadow.monolith.requests.count <= 16)
            barrier.open()
            #expect(try await shadow.verdicts() == ["transient": 100])
            #expect(shadow.monolith.requests.count == 100)
        }
    }

    @Test(arguments: [(40, 64_000_000, 10), (2_048, 1_000_000, 11)])
    func `what finds no place among those that wait is unsettled, by number and by bytes`(
        jobs: Int, bytes: Int, waiting: Int
    ) async throws {
        // With both answers a pair holds some 21 kB; a quarter of places and bytes is for those that wait.
        let padding = String(repeating: "a", count: 10_000)
        let barrier = Barrier()
        try await withShadow(
            Setup(maximumJobs: jobs, maximumBytes: bytes, settleDelay: .milliseconds(5)),
            monolith: { _, _ in .after(barrier, .json("\"new\(padding)\"")) },
            service: { _, _ in .json("\"new\(padding)\"") }
        ) { shadow in
            for _ in 0..<40 {
                try await shadow.accept(try exchange(get("/api/v1/a"), answer: jsonAnswer("\"old\(padding)\"")))
            }
            try await eventually("each is asked again, waits or is counted") {
                await shadow.verdictsSoFar() == ["not-compared unsettled": 24 - waiting]
            }
            let load = await shadow.runner.load
            #expect(load.secondLooks == 16 && load.settling == waiting)
            barrier.open()
            #expect(try await shadow.verdicts() == ["not-compared unsettled": 24 - waiting, "transient": 16 + waiting])
        }
    }

    @Test func `in a storm of one difference those that wait count once it is confirmed, without being asked again`()
        async throws
    {
        let barrier = Barrier()
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .after(barrier, .json(order)) },
            service: { _, _ in .json(otherOrder) }
        ) { shadow in
            try accept(100, shadow)
            try await eventually("those beyond sixteen wait") {
                let load = await shadow.runner.load
                return load.secondLooks == 16 && load.settling == 84
            }
            barrier.open()
            #expect(try await shadow.verdicts() == ["mismatch": 100])
            #expect(shadow.monolith.requests.count == 16)
            #expect(await shadow.store.groups.values.map(\.count) == [100])
        }
    }

    @Test func `the turns of second looks that fail go to those that wait`() async throws {
        try await withShadow(
            Setup(settleDelay: .milliseconds(5)), monolith: { _, _ in .close }, service: { _, _ in .json(otherOrder) }
        ) { shadow in
            try accept(100, shadow)
            #expect(try await shadow.verdicts() == ["not-compared unsettled": 100])
            #expect(shadow.monolith.requests.count > SecondLooks.maximum)
        }
    }
}
