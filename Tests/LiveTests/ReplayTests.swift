import AsyncHTTPClient
import Foundation
import NIOCore
import Testing

/// A group of mismatches from traffic to its proof: two origins, the proxy with a Postgres of its own, its commands.
@Suite(.serialized) struct ReplayTests {
    private static func deployment(_ monolith: Int, _ service: Int) throws -> Deployment {
        try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: monolith),
            "Routes/orders.yaml": """
            extraction: orders
            problem: "Releases wait."
            because: [scale-variance, team-size]
            match: [{path: "/orders/**", methods: [GET]}]
            service: {url: "http://127.0.0.1:\(service)"}
            """,
            "Shadow/orders.yaml": """
            extraction: orders
            ignore: [{path: "$.requestId", because: "random", until: 2020-01-31}]
            """,
        ])
    }

    @Test func `a difference is found, its fix is proved by asking again, and the group is marked`() async throws {
        let monolith = try await Origin(body: #"{"id":1,"total":149.98}"#)
        let service = try await Origin(body: #"{"id":1,"total":"149.98"}"#)
        let proxy = try await RunningProxy(Self.deployment(monolith.port, service.port))
        let run = { (arguments: [String]) in
            let folder = NSTemporaryDirectory()
            return try await Program.run(arguments + ["--admin", proxy.admin], in: folder)
        }
        try await eventually("the store is there") {
            try await run(["status", "orders", "--json"]).output.contains(#""storeConnected":true"#)
        }
        let advanced = try await run(["advance", "orders", "--to", "shadow", "--force", "--reason", "test"])
        #expect(advanced.status == 0, "\(advanced.error)")
        try await eventually("a group of mismatches") {
            for number in 1...3 {
                let url = "http://127.0.0.1:\(proxy.port)/orders/\(number)?page=1"
                let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
                _ = try await answer.body.collect(upTo: 1 << 20)
            }
            return try await run(["diffs", "--json"]).output.contains("$.total")
        }
        let groups = try JSONTree(try await run(["diffs", "orders", "--json"]).output)
        let signature = try #require(groups[0]?["signature"]?.text)
        #expect(groups[0]?["share"] != nil)
        #expect(try await run(["diffs"]).output.contains("1 group: 1 new"))

        let still = try await run(["replay", signature])
        #expect(still.status == 1 && still.output.contains("✗ differs  GET /orders/"), "\(still)")
        #expect(still.output.contains("as before: $.total type"))

        // A release of the service that is right.
        service.answer(#"{ "total":149.98, "id":1 }"#)
        let proved = try await run(["replay", signature, "--fix", "--reason", "release 7"])
        #expect(proved.status == 0 && proved.output.contains("✓ agrees   GET /orders/"), "\(proved)")
        let detail = try JSONTree(try await run(["diff", signature, "--json"]).output)
        #expect(detail["state"] == .string("fixed"))
        #expect(detail["history"]?[0]?["reason"] == .string("release 7"))

        let rules = try await run(["status", "orders"]).output
        #expect(rules.contains("1 rule, 1 expired"), "\(rules)")
        let wrong = try await run(["replay", "ffff"])
        #expect(wrong.status == 1 && wrong.error.contains("no group of mismatches"))

        // An answer to another question proves nothing.
        await service.close()
        let away = try await run(["replay", signature])
        #expect(away.status == 1 && away.output.contains("the service: connection refused"), "\(away)")
        #expect(await proxy.stop().status == 0)
        await monolith.close()
    }
}
