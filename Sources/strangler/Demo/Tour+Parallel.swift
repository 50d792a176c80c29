import AdminAPI
import DemoShop
import Extraction
import Foundation

/// Steps 1 to 3: nothing reaches the service yet.
extension Tour {
    func identify() async throws {
        try await wait(20, for: "stages are followed") { try await command.status().storeConnected ? true : nil }
        try await expectStage("identified", weight: 0)
        let explained = try await command.explain("/api/v1/orders/ord_99018274a")
        try expect(
            explained.extraction == "orders" && explained.primary == "monolith" && explained.shadow == nil
                && explained.endpoint == "GET /api/v1/orders/{id}",
            "explain says \(explained)")
        await traffic.once(journeys: 2)
        let stats = try expectContentClients(during: "before anything was moved")
        let report = try await command.status()
        try expect(report.traffic.service == 0 && report.traffic.monolith > 0, "traffic \(report.traffic)")
        say(
            "1 identify",
            "\"\(report.problem ?? "")\"")
        say("", "\(stats.requests) requests through the proxy, all answered by the monolith")
    }

    func contract() async throws {
        try await command.succeed("advance", "orders", "--reason", "the contract is reviewed")
        try await expectStage("contracted", weight: 0)
        say("2 contract", "Routes/contracts/orders.openapi.yaml is agreed; stage contracted")
    }

    func parallel() async throws {
        let refusal = try await command.refused("advance", "orders")
        try await world.startService(.faulty)
        try await wait(10, for: "the service is healthy") {
            try await command.run(["advance", "orders", "--reason", "deployed"]).status == 0 ? true : nil
        }
        try await expectStage("parallel", weight: 0)
        let report = try await wait(20, for: "an answer of every operation of the contract") {
            await traffic.once(journeys: 2)
            let report = try await command.status()
            let isKnown = report.conformance?.allSatisfy { $0.checked > 0 || !$0.unchecked.isEmpty } ?? false
            return isKnown ? report : nil
        }
        try expect(report.traffic.service == 0, "the service answered \(report.traffic.service) requests")
        let broken = (report.conformance ?? []).flatMap(\.violations).map(\.violation)
        try expect(broken.isEmpty, "the monolith breaks its contract: \(broken)")
        say("3 parallel", "refused: \(refusal); accepted once the service was up")
        let checked = (report.conformance ?? []).reduce(0) { $0 + $1.checked }
        say("", "\(checked) answers of the monolith held against the contract, none broke it")
    }
}
