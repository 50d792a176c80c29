import AdminAPI
import Comparison
import DemoShop
import Extraction
import Foundation

/// Step 4: both sides answer, and are compared.
extension Tour {
    /// What a comparison found or ought to find, in one comparable form.
    private static func line(_ endpoint: String, _ path: String, _ kind: String) -> String {
        "\(endpoint) \(path) \(kind)"
    }

    func shadowFaulty() async throws {
        await traffic.pause()
        try await world.backfill()
        try await command.succeed("advance", "orders", "--reason", "compare")
        await traffic.resume()
        try await expectStage("shadow", weight: 0)
        await traffic.once(journeys: 6)
        try await quiesce()
        await traffic.resume()
        let planted = Set(
            Discrepancies.planted.filter { $0.trigger != .refusedWrite }.map {
                Self.line($0.endpoint, $0.path, $0.kind)
            })
        let found = try await wait(15, for: "every planted difference") {
            let found = try await foundDifferences()
            return planted.subtracting(found).isEmpty ? found : nil
        }
        let others = found.subtracting(planted)
        try expect(others.isEmpty, "differences that nobody planted: \(others.sorted())")
        let refusal = try await command.refused("cutover", "orders", "--to", "10%")
        try expectContentClients(during: "while a faulty service was shadowed")
        let report = try await command.status()
        try expect(report.traffic.service == 0, "the faulty service answered clients")
        say(
            "4 shadow",
            "\(report.shadow.compared) comparisons: all \(planted.count) planted differences and no other, among them")
        for group in try await command.groups().prefix(3) {
            Console.print("               \(group.signature.prefix(8))  \(group.endpoint)")
            let parts = group.differences.map { "\($0.path) \($0.kind.rawValue)" }.joined(separator: ", ")
            Console.print("                         \(parts)")
        }
        Console.print("             cutover refused: \(refusal)")
    }

    private func foundDifferences() async throws -> Set<String> {
        var found: Set<String> = []
        for group in try await command.groups() {
            for difference in group.differences {
                found.insert(Self.line(group.endpoint, difference.path, difference.kind.rawValue))
            }
        }
        return found
    }

    func shadowFixed() async throws {
        try await command.succeed("rollback", "orders", "--reason", "a fixed release comes")
        try await quiesce()
        try await world.startService(.fixed)
        try await world.backfill()
        try await wait(10, for: "the fixed service is healthy") {
            try await command.run(["advance", "orders", "--reason", "fixed release"]).status == 0 ? true : nil
        }
        await traffic.resume()
        try await expectStage("shadow", weight: 0)
        let refusal = try await command.refused("cutover", "orders", "--ramp", "--reason", "too early")
        try await openGate()
        let report = try await command.status()
        let endpoints = Set(Discrepancies.planted.map(\.endpoint))
        for endpoint in endpoints {
            let compared = report.endpoints?.first { $0.endpoint == endpoint }?.verdicts.compared ?? 0
            try expect(compared > 0, "\(endpoint) was not compared with the fixed service")
        }
        try expect(
            report.shadow.mismatch == 0 && report.shadow.shadowFailed == 0,
            "the fixed service differs: \(report.shadow.mismatch) mismatches, \(report.shadow.shadowFailed) failures")
        say(
            "4 shadow",
            "fixed release: \(report.shadow.compared) comparisons on \(report.endpoints?.count ?? 0) endpoints, 0 differ "
                + "(not compared: \(describe(report.shadow.notCompared)))")
        Console.print("             cutover refused early: \(refusal)")
        say("", "the gate is open: each endpoint differs in at most 5 %, with 95 % confidence")
    }

    /// Shoppers go through the shop until every endpoint has its clean comparisons.
    func openGate() async throws {
        try await wait(60, for: "the gate to cutover") {
            await traffic.once(journeys: 10)
            return try await command.status().gate.open ? true : nil
        }
        try await quiesce()
        await traffic.resume()
    }

    func describe(_ reasons: [String: Int]) -> String {
        reasons.isEmpty
            ? "0" : reasons.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}
