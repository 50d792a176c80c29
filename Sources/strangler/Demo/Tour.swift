import AdminAPI
import DemoShop
import Extraction
import Foundation

/// Walks one extraction through all seven stages, and believes nothing that it has not seen: through the command line,
/// through the proxy's port, and in both databases.
struct Tour {
    let world: DemoWorld
    let command: OwnCommand
    let traffic: ShopTraffic

    init(world: DemoWorld) {
        self.world = world
        command = OwnCommand(adminURL: world.adminURL)
        traffic = world.traffic(shoppers: 200, perSecond: 60)
    }

    func walk() async throws {
        let shopping = Task { [traffic] in await traffic.run() }
        defer { shopping.cancel() }
        try await identify()
        try await contract()
        try await parallel()
        try await shadowFaulty()
        try await shadowFixed()
        try await cutover()
        try await fallback()
        try await rollBack()
        try await retire()
    }

    // MARK: Evidence

    func say(_ step: String, _ evidence: String) {
        Console.print("\(step.padding(toLength: 12, withPad: " ", startingAt: 0)) \(evidence)")
    }

    func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws(TourFailure) {
        if !condition { throw TourFailure(what()) }
    }

    /// Asks until it is so.
    /// - Parameter seconds: ample for a machine that does little else; a small and busy one gets four times as many.
    @discardableResult
    func wait<Value>(
        _ seconds: Int, for what: String, _ question: () async throws -> Value?
    ) async throws -> Value {
        let end = ContinuousClock.now + .seconds(seconds * 4)
        while true {
            if let answer = try await question() { return answer }
            guard ContinuousClock.now < end else {
                let why = (try? await command.status())?.gate.missing ?? []
                throw TourFailure("not seen within \(seconds * 4) s: \(what); \(why.joined(separator: "; "))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func expectStage(_ stage: String, weight: Double) async throws {
        let report = try await command.status()
        if report.stage.rawValue == stage && report.weight.percent == weight { return }
        let last = try await command.lastChange()
        throw TourFailure(
            "stage \(stage) at \(weight) % expected, found \(report.stage) at \(report.weight): \(last.action) by \(last.actor): \(last.reason ?? "")"
        )
    }

    /// What clients saw since the last look: nothing wrong, or the tour ends.
    @discardableResult
    func expectContentClients(during what: String) throws -> ShopStats {
        let stats = traffic.stats()
        try expect(
            stats.errors == 0 && stats.violations == 0,
            "clients saw \(stats.errors) errors and \(stats.violations) wrong answers \(what): "
                + stats.examples.prefix(3).joined(separator: " | "))
        return stats
    }

    /// Holds the shoppers back until everything that was shadowed has been judged and delivered. `traffic.resume()` is
    /// the caller's.
    func quiesce() async throws {
        await traffic.pause()
        // A read that differed is asked again after a quarter of a second, so one quiet moment is not the end.
        var last = -1
        var quietLooks = 0
        try await wait(20, for: "all shadow work done") {
            let report = try await command.status()
            quietLooks = report.backlog == 0 && report.shadow.seen == last ? quietLooks + 1 : 0
            last = report.shadow.seen
            return quietLooks >= 4 ? true : nil
        }
    }
}
