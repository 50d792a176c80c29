import AdminAPI
import DemoShop
import Extraction
import Foundation
import Synchronization

/// Step 5, the moving over: by itself, step by step, and back by itself when the service fails.
extension Tour {
    static let sessions = 1_000

    func cutover() async throws {
        try await command.succeed("cutover", "orders", "--ramp", "--reason", "the gate is open")
        let few = try await measured(at: 10, "5 cutover", after: [])
        try await command.succeed("resume", "orders", "--reason", "measured")
        try await reach(50)
        try await breakUnderLoad()
        let again = try await measured(at: 10, "", after: [])
        try expect(again == few, "\(again.symmetricDifference(few).count) sessions are on another side than before")
        try await command.succeed("resume", "orders", "--reason", "measured")
        let half = try await measured(at: 50, "", after: few)
        try await command.succeed("resume", "orders", "--reason", "measured")
        try await reach(100)
        let all = try await sessionsOnService()
        try expect(all.count == Self.sessions && half.isSubset(of: all), "at 100 % the service answered \(all.count)")
        say("", "100 %: the service answered every session")
        try expectContentClients(during: "at 100 %")
    }

    /// The ramp gets there without anybody's doing.
    private func reach(_ weight: Double) async throws {
        // Silence is not success: the service has to be asked.
        try await reading {
            _ = try await wait(40, for: "the ramp reaches \(weight) %") {
                try await command.status().weight.percent == weight ? true : nil
            }
        }
    }

    /// With clients that ask all the time, as long as `body` takes.
    private func reading(_ body: () async throws -> Void) async throws {
        let isDone = Atomic(false)
        async let read: Void = {
            var session = 0
            while !isDone.load(ordering: .relaxed) {
                _ = try await isOnService(session)
                session = (session + 1) % Self.sessions
                // The machine has to do other things too.
                try await Task.sleep(for: .milliseconds(2))
            }
        }()
        do {
            try await body()
        } catch {
            isDone.store(true, ordering: .relaxed)
            throw error
        }
        isDone.store(true, ordering: .relaxed)
        try await read
    }

    /// Waits for the ramp to get to a weight, and holds it there to see that the weight is what it says.
    private func measured(at weight: Int, _ step: String, after before: Set<Int>) async throws -> Set<Int> {
        try await reach(Double(weight))
        try await command.succeed("pause", "orders", "--reason", "to measure")
        try await expectStage("cutover", weight: Double(weight))
        let moved = try await sessionsOnService()
        let share = Double(moved.count) / Double(Self.sessions)
        let expected = Double(weight) / 100
        // Four standard deviations of a share of 1,000: wrong once in 16,000 runs by chance.
        let tolerance = 4 * (expected * (1 - expected) / Double(Self.sessions)).squareRoot()
        try expect(
            abs(share - expected) <= tolerance,
            "at \(weight) % the service answered \(share * 100) % of the sessions")
        try expect(before.isSubset(of: moved), "\(before.subtracting(moved).count) sessions went back to the monolith")
        try expectContentClients(during: "at \(weight) %")
        say(
            step,
            "the ramp reached \(weight) % by itself: the service answered \(moved.count) of \(Self.sessions) sessions, none moved back"
        )
        return moved
    }

    /// Sessions by number whose request the service answered.
    func sessionsOnService() async throws -> Set<Int> {
        try await withThrowingTaskGroup(of: [Int].self) { group in
            let lanes = 16
            for lane in 0..<lanes {
                group.addTask {
                    var mine: [Int] = []
                    for session in stride(from: lane, to: Self.sessions, by: lanes)
                    where try await isOnService(session) {
                        mine.append(session)
                    }
                    return mine
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.formUnion($1) }
        }
    }

    private func isOnService(_ session: Int) async throws -> Bool {
        let answer = try await ProxyCaller(client: world.client, base: world.url).call(
            ShopRequest(
                method: "GET", path: "/api/v1/orders/ord_99018274a",
                headers: ["Cookie": "theme=dark; session=tour-\(session)"], body: nil))
        guard answer.status == 200 else { throw TourFailure("session \(session): \(answer.status)") }
        // A circuit that has just let its first probes through leaves some to the monolith: their side is the service's.
        let isFallback = answer.headers["strangler-served-by"]?.contains("fallback=") ?? false
        return isFallback || answer.headers["server"] == "shop-orders"
    }

    /// The service dies at half the traffic: clients notice nothing, and the guard gives everything back.
    private func breakUnderLoad() async throws {
        traffic.resetStats()
        var milliseconds = 0.0
        try await reading {
            try await Task.sleep(for: .milliseconds(200))
            await world.killService()
            let killed = ContinuousClock.now
            _ = try await wait(20, for: "the guard rolls back") {
                try await command.status().weight == .none ? true : nil
            }
            milliseconds = (ContinuousClock.now - killed) / .milliseconds(1)
        }
        let report = try await command.status()
        try expect(report.stage == .cutover, "after the breach the stage is \(report.stage)")
        let stats = try expectContentClients(during: "while the service was dead")
        try expect(stats.servedBy["monolith", default: 0] > 0, "no answer said that the monolith stood in")
        let entry = try await command.lastChange()
        try expect(entry.actor == "guard" && entry.action == "breach", "the last change is \(entry.action)")
        say(
            "",
            "service killed with kill -9 at 50 %: 0 client errors, 0 % again \(Int(milliseconds)) ms later, by the guard:"
        )
        Console.print("               \(entry.reason ?? "")")
        await traffic.pause()
        let missed = try await missedByService()
        try await world.startService(.fixed)
        try await quiesce()
        try await expectSameOrders()
        await traffic.resume()
        try await command.succeed("resume", "orders", "--reason", "restarted")
        say(
            "",
            "service restarted: the ledger delivered what it had missed of \(missed) orders, backlog 0; resume lets the ramp go on"
        )
    }

    func fallback() async throws {
        try await wait(20, for: "100 % has held, and the fallback window begins") {
            try await command.status().stage == .fallback ? true : nil
        }
        try await expectStage("fallback", weight: 100)
        let entry = try await command.lastChange()
        try expect(entry.actor == "ramp", "\(entry.actor) entered the fallback window")
        let refusal = try await command.refused("retire", "orders")
        say("5 fallback", "entered by itself; the window is open; retire refused: \(refusal)")
        try await quiesce()
        let orders = try await expectSameOrders()
        await traffic.resume()
        say("", "the fallback is fresh: the monolith is 0 writes behind and holds all \(orders) orders, row by row")
    }
}
