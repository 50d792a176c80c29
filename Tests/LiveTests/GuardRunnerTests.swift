import Extraction
import Foundation
import Testing

@testable import strangler

/// The guard's loop on an injected clock and a scripted Postgres; what it decides is tested where the decisions are.
@Suite struct GuardRunnerTests {
    private let world = ScriptedWorld()

    /// One look after each five seconds.
    private func run(_ runner: GuardRunner, seconds: Double) async {
        var left = seconds
        while left > 0 {
            world.pass(5)
            left -= 5
            _ = await runner.turn()
        }
    }

    @Test func `a ramp goes from nothing to the fallback window by itself`() async throws {
        world.cutOver(to: 0)
        world.answers(1_000)
        let (runner, _) = world.runner()
        _ = await runner.turn()
        #expect(world.state?.weight.percent == 10, "nothing bakes at no weight")
        await run(runner, seconds: 55)
        #expect(world.state?.weight.percent == 10)
        await run(runner, seconds: 5)
        #expect(world.state?.weight.percent == 50)
        await run(runner, seconds: 60)
        #expect(world.state?.stage == .cutover && world.state?.weights == .all)
        await run(runner, seconds: 60)
        #expect(world.state?.stage == .fallback && world.state?.windowStartedAt == world.now)
        #expect(
            world.actions == [
                "step by ramp: cutover 10%", "step by ramp: cutover 50%", "step by ramp: cutover 100%",
                "step by ramp: fallback 100%",
            ])
        let first = try #require(try await world.history(name: "orders", limit: 9).first)
        #expect(first.evidence?.findings?.service.requests == 1_000 && first.evidence?.compared == 7)
    }

    @Test func `too few requests hold a step, however long it takes`() async throws {
        world.cutOver(to: 10)
        world.answers(100)
        let (runner, _) = world.runner()
        await run(runner, seconds: 3_600)
        #expect(world.actions == [])
        let report = try #require(await runner.report(of: "orders"))
        #expect(report.nextWeight?.percent == 50 && report.holder == "a")
        #expect(report.waiting == ["needs 299 requests at the service at 10%, has 100"])
        world.answers(299)
        await run(runner, seconds: 65)
        #expect(world.state?.weight.percent == 50)
    }

    @Test func `a breach goes back to nothing at the next look, and stays there until somebody resumes`() async throws {
        world.cutOver(to: 50)
        world.answers(1_000)
        let (runner, _) = world.runner()
        _ = await runner.turn()
        world.answers(1_000, failing: 200)
        await run(runner, seconds: 5)
        #expect(world.actions == ["breach by guard: cutover 0%"])
        let state = try #require(world.state)
        #expect(state.hold?.cause == .breach && state.hold?.by == "guard" && state.isRamping)
        let entry = try #require(try await world.history(name: "orders", limit: 1).first)
        #expect(entry.reason == entry.evidence?.findings?.breaches.joined(separator: "; "))
        #expect(entry.reason?.contains("200 of 1000") == true)
        world.answers(1_000)
        await run(runner, seconds: 600)
        #expect(world.actions.count == 1)
    }

    @Test func `while something holds, and in the fallback window, the guard still goes back`() async throws {
        let hold = Hold(cause: .paused, by: "eva", reason: "lunch", at: world.now)
        world.cutOver(to: 50, hold: hold)
        world.answers(1_000, failing: 200)
        let (runner, _) = world.runner()
        _ = await runner.turn()
        #expect(world.actions == ["breach by guard: cutover 0%"])
    }

    @Test func `with Postgres away nothing moves, and it goes on when Postgres is back`() async throws {
        world.cutOver(to: 10)
        world.answers(1_000)
        let (runner, _) = world.runner()
        await run(runner, seconds: 30)
        world.change { $0.isAway = true }
        await run(runner, seconds: 60)
        #expect(await runner.report(of: "orders") == nil)
        #expect(world.actions == [])
        #expect(await !runner.isHolder)
        world.change {
            $0.isAway = false
            $0.holder = nil
        }
        // The weight has held all the time, and what was counted meanwhile has been handed over.
        await run(runner, seconds: 5)
        #expect(world.actions == ["step by ramp: cutover 50%"])
    }

    @Test func `a silent replica and one that lags hold the ramp, but not the way back`() async throws {
        world.cutOver(to: 10)
        world.answers(1_000)
        world.hears(of: "b", age: 4)
        let (runner, _) = world.runner()
        await run(runner, seconds: 90)
        #expect(world.actions == [])
        #expect(await runner.report(of: "orders")?.waiting == ["not heard of: b"])
        world.hears(of: "b", age: 1, version: 4)
        await run(runner, seconds: 5)
        #expect(await runner.report(of: "orders")?.waiting == ["not at the present weight yet: b"])
        world.hears(of: "b", age: 119)
        world.answers(1_000, failing: 200)
        await run(runner, seconds: 5)
        #expect(world.actions == ["breach by guard: cutover 0%"])
    }

    @Test func `a replica that is not waited for leaves one gap, which grows while nothing is heard`() async throws {
        world.cutOver(to: 10)
        world.answers(1_000)
        world.hears(of: "b", age: 121)
        let (runner, _) = world.runner()
        await run(runner, seconds: 90)
        let gaps = world.change { $0.gaps }
        // The store keeps one row for a replica and a beginning.
        #expect(Set(gaps.map(\.replica)) == ["b"] && Set(gaps.map(\.began)).count == 1)
        let lengths = gaps.map { $0.ended.timeIntervalSince($0.began) }
        #expect(lengths == lengths.sorted() && lengths.first ?? 0 > 120 && lengths.last ?? 0 < 300, "\(lengths)")
        #expect(world.actions == ["step by ramp: cutover 50%"])
    }

    @Test func `an open circuit breaker at any replica is a breach`() async throws {
        world.cutOver(to: 10)
        world.answers(1_000)
        world.hears(of: "b", age: 1, openBreakers: 1)
        let (runner, _) = world.runner()
        _ = await runner.turn()
        #expect(world.actions == ["breach by guard: cutover 0%"])
    }

    @Test func `what this process could not hand over holds the ramp`() async throws {
        world.cutOver(to: 0)
        let (runner, process) = world.runner()
        await process.fails(toFlush: true)
        await run(runner, seconds: 30)
        #expect(world.actions == [])
        await process.fails(toFlush: false)
        await run(runner, seconds: 5)
        #expect(world.actions == ["step by ramp: cutover 10%"])
    }

    @Test func `somebody else's change between look and move wins, and is looked at at once`() async throws {
        world.cutOver(to: 50)
        world.answers(1_000, failing: 200)
        world.change { script in
            script.afterLoad = { script in
                // An operator sets 25 % by hand.
                script.states["orders"] = ExtractionState(
                    name: "orders", stage: .cutover, weight: Weight(clamping: 2_500), since: script.now, version: 6,
                    windowStartedAt: nil)
            }
        }
        let (runner, _) = world.runner()
        _ = await runner.turn()
        #expect(world.actions == ["breach by guard: cutover 0%"], "the breach is there at 25 % too")
        #expect(world.state?.version == 7)
    }

    @Test func `one judges for all, and another takes over when the lock is free`() async throws {
        world.cutOver(to: 0)
        world.answers(1_000)
        let (first, firstProcess) = world.runner("a")
        let (second, secondProcess) = world.runner("b")
        _ = await first.turn()
        _ = await second.turn()
        #expect(await first.isHolder)
        #expect(await !second.isHolder)
        #expect(await firstProcess.toldBackend == 101)
        #expect(world.actions.count == 1)
        // The first is killed: its connection ends.
        world.change { $0.holder = nil }
        world.pass(1)
        _ = await second.turn()
        #expect(await second.isHolder)
        #expect(await secondProcess.toldBackend == 102)
        _ = await first.turn()
        #expect(await !first.isHolder)
        #expect(await firstProcess.toldBackend == nil)
    }

    @Test func `whoever holds the lock and is silent loses it`() async throws {
        world.cutOver(to: 0)
        world.change { $0.holder = 42 }
        let (runner, _) = world.runner("b")
        world.hears(of: "a", age: 2, backend: 42)
        _ = await runner.turn()
        #expect(world.change { $0.ended } == [] && world.actions == [])
        world.hears(of: "a", age: 3.5, backend: 42)
        _ = await runner.turn()
        #expect(world.change { $0.ended } == [42])
        world.hears(of: "a", age: 130, backend: 42)
        world.pass(1)
        _ = await runner.turn()
        #expect(await runner.isHolder)
        #expect(world.actions == ["step by ramp: cutover 10%"])
    }

    @Test func `a replica that does not judge reports the same, by itself`() async throws {
        world.cutOver(to: 10)
        world.answers(100)
        let (first, _) = world.runner("a")
        let (second, process) = world.runner("b")
        _ = await first.turn()
        _ = await second.turn()
        await process.adopt(try await world.load())
        world.hears(of: "a", age: 1, backend: 101)
        let told = try #require(await first.report(of: "orders"))
        #expect(await second.report(of: "orders") == told)
        #expect(told.holder == "a")
    }

    @Test func `of a weight that has held for long the whole is read seldom, and always before it rises`() async throws
    {
        world.cutOver(to: 10)
        world.answers(1_000)
        world.hears(of: "b", age: 4)
        let (runner, _) = world.runner()
        world.pass(3_600)
        await run(runner, seconds: 120)
        let baking = try #require(world.state?.bakingSince)
        let reads = world.change { $0.spansRead }
        #expect((2...4).contains(reads.count { $0 == baking }), "\(reads)")
        #expect(reads.count { $0 != baking } == 24, "the last minute is always read")
        world.change { $0.spansRead = [] }
        world.hears(of: "b", age: 1)
        await run(runner, seconds: 5)
        #expect(world.actions == ["step by ramp: cutover 50%"])
        #expect(world.change { $0.spansRead }.contains(baking))
    }
}
