import AdminAPI
import DemoShop
import Extraction
import Foundation

/// Step 5, the moving over: weights are what they say, users stay where they are.
extension Tour {
    private static let sessions = 1_000

    func cutover() async throws {
        var before: Set<Int> = []
        for weight in [10, 50, 100] {
            try await command.succeed("cutover", "orders", "--to", "\(weight)%", "--reason", "ramp")
            try await expectStage("cutover", weight: Double(weight))
            let moved = try await sessionsOnService()
            let share = Double(moved.count) / Double(Self.sessions)
            let expected = Double(weight) / 100
            // Four standard deviations of a share of 1,000: wrong once in 16,000 runs by chance.
            let tolerance = 4 * (expected * (1 - expected) / Double(Self.sessions)).squareRoot()
            try expect(
                abs(share - expected) <= tolerance,
                "at \(weight) % the service answered \(share * 100) % of the sessions")
            try expect(
                before.isSubset(of: moved), "\(before.subtracting(moved).count) sessions went back to the monolith")
            before = moved
            try expectContentClients(during: "at \(weight) %")
            say(
                weight == 10 ? "5 cutover" : "",
                "\(weight) %: the service answered \(moved.count) of \(Self.sessions) sessions, none moved back")
        }
        try await quiesce()
        await traffic.resume()
        let report = try await command.status()
        try expect(report.shadow.mismatch == 0, "\(report.shadow.mismatch) mismatches during cutover")
    }

    /// Sessions by number whose request the service answered.
    private func sessionsOnService() async throws -> Set<Int> {
        let caller = ProxyCaller(client: world.client, base: world.url)
        return try await withThrowingTaskGroup(of: [Int].self) { group in
            let lanes = 16
            for lane in 0..<lanes {
                group.addTask {
                    var mine: [Int] = []
                    for session in stride(from: lane, to: Self.sessions, by: lanes) {
                        let answer = try await caller.call(
                            ShopRequest(
                                method: "GET", path: "/api/v1/orders/ord_99018274a",
                                headers: ["Cookie": "theme=dark; session=tour-\(session)"], body: nil))
                        guard answer.status == 200 else { throw TourFailure("session \(session): \(answer.status)") }
                        if answer.headers["server"] == "shop-orders" { mine.append(session) }
                    }
                    return mine
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.formUnion($1) }
        }
    }

    func fallback() async throws {
        try await wait(10, for: "100 % has held for the bake") {
            try await command.run(["advance", "orders", "--reason", "100 % held"]).status == 0 ? true : nil
        }
        try await expectStage("fallback", weight: 100)
        let refusal = try await command.refused("retire", "orders")
        say("5 fallback", "the window is open; retire refused: \(refusal)")
        try await killServiceUnderLoad()
    }

    private func killServiceUnderLoad() async throws {
        try await quiesce()
        let before = try await command.status().traffic.service
        let readers = Task { try await sessionsOnService() }
        try await wait(10, for: "readers are under way") {
            try await command.status().traffic.service > before + 20 ? true : nil
        }
        await world.killService()
        _ = try await readers.value
        traffic.resetStats()
        await traffic.resume()
        await traffic.once(journeys: 3)
        let stats = try expectContentClients(during: "while the service was dead")
        let report = try await command.status()
        try expect(report.fallback.fellBack > 0, "no fallback was counted")
        try expect(stats.servedBy["monolith", default: 0] > 0, "no answer said that the monolith stood in")
        say(
            "",
            "service killed with kill -9 under load: 0 client errors, \(report.fallback.fellBack) requests fell back")
        Console.print("               \(describe(report.fallback.byReason ?? [:]))")
        await traffic.pause()
        try await world.startService(.fixed)
        let copied = try await world.backfill()
        try await wait(20, for: "the service answers again") {
            let moved = try await sessionsOnService()
            return moved.count == Self.sessions ? true : nil
        }
        await traffic.resume()
        say(
            "", "service restarted, \(copied.written) orders of the outage carried over; it answers every session again"
        )
    }
}
