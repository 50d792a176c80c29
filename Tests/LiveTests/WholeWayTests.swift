import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// From a candidate to code that may be deleted, with the built program, a real proxy and a real Postgres.
@Suite(.serialized) struct WholeWayTests {
    private func send(_ port: Int, _ requests: [(method: String, path: String)]) async throws {
        for request in requests {
            var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(request.path)")
            message.method = .init(rawValue: request.method)
            let answer = try await HTTPClient.shared.execute(message, timeout: .seconds(20))
            #expect(answer.status.code == 200)
            _ = try await answer.body.collect(upTo: 1 << 20)
        }
    }

    private func json(_ arguments: String...) async throws -> JSONTree {
        let run = try await Program.run(arguments + ["--json"])
        #expect(run.status == 0, "\(arguments) \(run)")
        return try JSONTree(run.output)
    }

    private var orders: [(method: String, path: String)] {
        (0..<60).flatMap { number in
            [
                ("GET", "/api/v1/orders/\(number)"), ("GET", "/api/v1/orders/\(number)/items"),
                ("POST", "/api/v1/orders"),
            ]
        }
    }

    @Test func `candidates, init, check, cutover, burn-down, retire`() async throws {
        let (monolith, service) = (try await Origin(), try await Origin())
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: monolith.port)])
        let proxy = try await RunningProxy(deployment)
        let admin = ["--admin", proxy.admin]
        try await eventually("Postgres is there") {
            let said = try await Program.run(["candidates"] + admin).output
            return said.contains("no request was seen") || said.contains("nothing was counted yet")
        }
        let others = (0..<40).map { ("GET", "/help/\(["faq", "contact", "legal", "press"][$0 % 4])") }
        let slugs = (0..<30).map { number in
            ("GET", "/articles/\(String(UnicodeScalar(UInt8(97 + number % 26))))\(number < 26 ? "a" : "b")")
        }
        try await send(proxy.port, orders + others + slugs)
        // The right group comes first, under names that were learned.
        let candidates = try await json("candidates", "--admin", proxy.admin)
        let first = try #require(candidates["candidates"]?.elements?.first)
        #expect(first["path"] == .string("/api/v1/orders") && first["requests"] == .number(180))
        #expect(first["writes"] == .number(60))
        #expect(
            (first["endpoints"]?.elements ?? []).compactMap { $0["endpoint"]?.text }.sorted()
                == ["GET /api/v1/orders/{id}", "GET /api/v1/orders/{id}/items", "POST /api/v1/orders"])
        let articles = candidates["candidates"]?.elements?.first { $0["path"] == .string("/articles") }
        #expect(articles?["endpoints"]?.elements?.compactMap { $0["endpoint"]?.text } == ["GET /articles/{name}"])
        #expect(try await json("burn-down", "--admin", proxy.admin)["left"] == .number(1))
        // Files, blanks, check.
        let made = try await Program.run(
            ["init", "orders", "--path", "/api/v1/orders/**", "--service", "http://127.0.0.1:\(service.port)"] + admin,
            in: deployment.folder)
        #expect(made.status == 0, "\(made)")
        let unfilled = try await Program.run("check", in: deployment.folder)
        #expect(unfilled.status == 1 && unfilled.error.contains("Routes/orders.yaml:"), "\(unfilled)")
        let file = try String(contentsOfFile: deployment.folder + "/Routes/orders.yaml", encoding: .utf8)
        try deployment.write(
            "Routes/orders.yaml",
            file.replacing(#"problem: """#, with: "problem: Releases wait.")
                .replacing("FILL-IN, FILL-IN", with: "team-size, technology-diversity")
                .replacing("FILL-IN]", with: "team-size]"))
        let filled = try await Program.run("check", in: deployment.folder)
        #expect(filled.status == 0, "\(filled)")
        // Half the traffic moves, then all of it.
        let moves = [
            ["advance", "orders", "--to", "cutover"], ["cutover", "orders", "--to", "100%"],
            ["advance", "orders", "--to", "fallback"],
        ]
        for move in moves {
            try await eventually("\(move)") {
                try await Program.run(move + ["--force", "--reason", "test"] + admin).status == 0
            }
        }
        try await send(proxy.port, orders)
        let after = try await json("burn-down", "--admin", proxy.admin)
        let left = try #require(after["left"].flatMap { if case .number(let left) = $0 { left } else { nil } })
        #expect(left > 0.5 && left < 0.6, "\(left)")
        let owner = after["owners"]?.elements?.first { $0["extraction"] == .string("orders") }
        #expect(owner?["day"]?["service"] == .number(180) && owner?["stage"] == .string("fallback"))
        #expect(
            try await json("candidates", "--admin", proxy.admin)["candidates"]?.elements?.first?["path"]
                != first["path"])
        // What may be deleted.
        let dry = try await Program.run(["retire", "orders", "--dry-run"] + admin)
        #expect(dry.status == 0 && dry.output.contains("The gate to retired is closed"), "\(dry)")
        let retired = try await Program.run(["retire", "orders", "--force", "--reason", "test"] + admin)
        #expect(retired.status == 0, "\(retired)")
        for endpoint in ["GET /api/v1/orders/{id} ", "GET /api/v1/orders/{id}/items ", "POST /api/v1/orders "] {
            #expect(retired.output.contains(endpoint), "\(retired.output)")
        }
        #expect(retired.output.contains("other methods of /api/v1/orders/**"))
        let again = try await Program.run(["retire", "orders", "--report"] + admin)
        #expect(again.status == 0 && retired.output.hasSuffix(again.output))
        #expect(await proxy.stop().status == 0)
        await monolith.close()
        await service.close()
    }
}
