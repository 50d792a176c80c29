import AdminAPI
import DemoShop
import DualWrite
import Extraction
import Foundation

/// Back, forward again, and the end.
extension Tour {
    func rollBack() async throws {
        // With shoppers at it who check what they see: each one's side changes when his own writes have arrived.
        traffic.resetStats()
        try await command.succeed("rollback", "orders", "--reason", "to see that it works")
        try await expectStage("shadow", weight: 0)
        await traffic.once(journeys: 6)
        let stats = try expectContentClients(during: "after the rollback")
        try await quiesce()
        let orders = try await expectSameOrders()
        say(
            "rollback",
            "under load: the monolith answers, \(stats.requests) requests, 0 errors, nothing lost: both databases hold the same \(orders) orders"
        )
        let outcome = try await command.run(["reconcile", "orders", "--from", "1h", "--rate", "1000", "--json"])
        guard outcome.status == 0,
            let report = try? AdminJSON.decode(ReconcileReport.self, from: Data(outcome.output.utf8))
        else { throw TourFailure("reconcile: exit \(outcome.status): \(outcome.output)\(outcome.error)") }
        try expect(report.counts.same > 0, "reconcile found nothing that was written")
        await traffic.resume()
        say("", "reconcile: \(report.counts.same) orders that were written, read on both sides: all the same")
    }

    /// Row by row, with their lines. The shoppers have to be held back.
    /// - Returns: how many there are.
    @discardableResult
    func expectSameOrders() async throws -> Int {
        let rows = try await world.orderRows()
        let apart = Set(rows.monolith).symmetricDifference(rows.service)
        try expect(apart.isEmpty, "the databases differ in \(apart.count) rows: \(apart.sorted().prefix(2))")
        return rows.monolith.count
    }

    /// - Returns: orders that the monolith has, or has further, and the service not.
    func missedByService() async throws -> Int {
        let rows = try await world.orderRows()
        let missed = Set(rows.monolith).subtracting(rows.service).count
        try expect(missed > 0, "nothing was written while the service was dead")
        return missed
    }

    func retire() async throws {
        try await openGate()
        // With shoppers at it, a write may be on its way to the service at this moment; the gate then says so.
        try await wait(10, for: "the gate to cutover") {
            try await command.run(["cutover", "orders", "--to", "100%", "--reason", "again"]).status == 0 ? true : nil
        }
        try await wait(20, for: "100 % has held, and the fallback window begins") {
            try await command.status().stage == .fallback ? true : nil
        }
        let early = try await command.refused("retire", "orders")
        let waited = ContinuousClock.now
        try await wait(20, for: "the window is over") {
            try await command.run(["retire", "orders", "--reason", "window over"]).status == 0 ? true : nil
        }
        try await expectStage("retired", weight: 100)
        let seconds = (ContinuousClock.now - waited).components.seconds
        say("retire", "refused early (\(early)); accepted \(seconds) s later")
        try await expectMonolithGone()
        let history = try await command.run(["history", "orders", "--json"])
        let changes = (try? JSONSerialization.jsonObject(with: Data(history.output.utf8)) as? [Any])?.count ?? 0
        try expect(changes >= 20, "the history has \(changes) changes")
        say("history", "\(changes) changes, each with actor, reason and evidence")
    }

    /// Retired paths must not reach the monolith, even with the service down.
    private func expectMonolithGone() async throws {
        await traffic.pause()
        await world.killService()
        let caller = ProxyCaller(client: world.client, base: world.url)
        let answer = try await caller.call(
            ShopRequest(method: "GET", path: "/api/v1/orders/ord_99018274a", headers: [:], body: nil))
        try expect(
            (502...504).contains(answer.status) && answer.headers["server"] == nil,
            "a retired path was answered with \(answer.status) by \(answer.headers["server"] ?? "the proxy")")
        let other = try await caller.call(ShopRequest(method: "GET", path: "/api/v1/products", headers: [:], body: nil))
        try expect(other.status == 200, "the rest of the shop answers \(other.status)")
        say("", "service down: a retired path gets \(answer.status), never the monolith; other paths go on")
    }
}
