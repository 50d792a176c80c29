import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@Suite struct ContractCommands {
    private static let paths = """
        paths:
          /api/v1/orders: {get: {responses: {"200": {content: {application/json: {schema: {type: array}}}}}}}
        """
    private static let old = "openapi: 3.0.3\ninfo: {title: Orders, version: 1.4.2}\n" + paths
    private static let changed = old.replacing("type: array", with: "type: object")

    private static func files() throws -> Deployment {
        try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: 1),
            "Routes/orders.yaml": """
            extraction: orders
            owner: team
            problem: "p"
            because: [independent-deployment, scale-variance]
            match: [{path: "/api/v1/orders/**", methods: [GET, POST]}]
            service: {url: "http://127.0.0.1:1"}
            contract: old.json
            """,
            "Routes/old.json": Self.old, "Routes/major.json": Self.changed.replacing("1.4.2", with: "2.0.0"),
            "Routes/minor.json": Self.changed.replacing("1.4.2", with: "1.5.0"),
            "Routes/bad.json": "openapi: 3.0.3\npaths: {orders: {}, /a: {get: {responses: {\"1\": {}}}}}",
        ])
    }

    @Test func `a difference is told with its place, and the version has to say so`() async throws {
        let files = try Self.files()
        let diff = try await Program.run("contract", "diff", "Routes/old.json", "Routes/minor.json", in: files.folder)
        #expect(diff.status == 1 && diff.error.isEmpty)
        #expect(
            diff.output == """
                breaking  GET /api/v1/orders 200 application/json $
                          the type is object, it was array
                1 change, 1 breaking
                version: 1.4.2 → 2.0.0 (major); the new one says 1.5.0, which is not enough

                """)
        let major = try await Program.run(
            "contract", "diff", "Routes/old.json", "Routes/major.json", "--json", in: files.folder)
        #expect(major.status == 0)
        #expect(
            major.output
                == #"{"breaking":true,"changes":[{"effect":"breaking","place":"GET /api/v1/orders 200 application/json $","sentence":"the type is object, it was array"}],"omitted":0,"version":{"announced":true,"new":"2.0.0","old":"1.4.2","step":"major","wanted":"2.0.0"}}"#
                + "\n")
        let same = try await Program.run("contract", "diff", "Routes/old.json", "Routes/old.json", in: files.folder)
        #expect(same.status == 0 && same.output == "no change\nversion: 1.4.2 can stay, the new one says 1.4.2\n")
    }

    @Test func `files that cannot be read are told with line and column, all of them`() async throws {
        let files = try Self.files()
        let diff = try await Program.run("contract", "diff", "Routes/bad.json", "none.yaml", in: files.folder)
        #expect(diff.status == 2 && diff.output.isEmpty)
        #expect(
            diff.error == """
                Routes/bad.json:2:9: `orders` is no path (expected `/…`)
                Routes/bad.json:2:44: `1` is no status (expected `200`, `4XX` or `default`)
                none.yaml:1:1: the file does not exist or cannot be read (expected an OpenAPI 3 document)

                """)
        #expect(try await Program.run("contract", "diff", "one", in: files.folder).status == 2)
    }

    @Test func `a contract is held against the routes`() async throws {
        let files = try Self.files()
        let plain = try await Program.run("contract", "check", "Routes/old.json", in: files.folder)
        #expect(plain.status == 0)
        #expect(plain.output == "Orders 1.4.2: 1 path, 1 operation\n  GET /api/v1/orders\n")
        for against in ["Routes/proxy.yaml", "Routes/orders.yaml"] {
            let held = try await Program.run(
                "contract", "check", "Routes/old.json", "--against", against, "--json", in: files.folder)
            #expect(held.status == 1)
            #expect(
                held.output.contains(
                    #""uncovered":["the contract has no POST for the route /api/v1/orders/**; it has GET under /api/v1/orders"]"#
                ),
                "\(held.output)\(held.error)")
        }
        let check = try await Program.run("check", in: files.folder)
        #expect(check.status == 0 && check.output == "ok: 1 extraction(s), 1 route(s)\n")
        #expect(
            check.error
                == "warning: Routes/orders.yaml: orders: the contract has no POST for the route /api/v1/orders/**; it has GET under /api/v1/orders\n"
        )
        let none = try await Program.run(
            "contract", "check", "Routes/old.json", "--against", "Routes/proxy.yaml", "--extraction", "x",
            in: files.folder)
        #expect(none.status == 2 && none.error.contains("there is no extraction `x`"))
    }

    @Test func `a monolith that breaks its contract is named with the place`() async throws {
        let origin = try await Origin(body: #"{"id":"1","total":"12.50"}"#)
        let deployment = try Self.files()
        try deployment.write("Routes/proxy.yaml", Deployment.proxyFile(monolith: origin.port))
        let routes = """
            extraction: orders
            owner: team
            problem: "p"
            because: [independent-deployment, scale-variance]
            match: [{path: "/api/v1/orders/**", methods: [GET]}]
            service: {url: "http://127.0.0.1:\(origin.port)", health: {path: /healthz}}
            contract: contract.json
            """
        try deployment.write("Routes/orders.yaml", routes)
        try deployment.write(
            "Routes/contract.json",
            """
            openapi: 3.0.3
            paths:
              /api/v1/orders/{id}:
                get: {responses: {"200": {content: {application/json: {schema: {properties: {total: {type: number}}}}}}}}
              /api/v1/orders/{id}/lines:
                get: {responses: {"200": {content: {application/json: {schema: {type: object}}}}}}
            """)
        let proxy = try await RunningProxy(deployment)
        let admin = ["--admin", proxy.admin]
        func get(_ path: String) async throws {
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://127.0.0.1:\(proxy.port)\(path)"), timeout: .seconds(30))
            _ = try await answer.body.collect(upTo: 1 << 20)
        }
        try await eventually("the contract is accepted") {
            try await Program.run(["advance", "orders", "--reason", "agreed"] + admin).status == 0
        }
        try await eventually("the service is healthy") {
            try await Program.run(["advance", "orders", "--reason", "deployed"] + admin).status == 0
        }
        let early = try await Program.run(["advance", "orders", "--reason", "too early"] + admin)
        #expect(early.status == 1 && early.error.contains("has 0"), "\(early)")
        var told = ""
        try await eventually("one answer of the first operation is checked") {
            try await get("/api/v1/orders/7")
            told = try await Program.run(["advance", "orders", "--reason", "too early"] + admin).error
            return told.contains("not one of GET /api/v1/orders/{id}/lines")
        }
        try await get("/api/v1/orders/7/lines")
        try await eventually("every operation was seen") {
            try await Program.run(["advance", "orders", "--reason", "known"] + admin).status == 0
        }
        let status = try await Program.run(["status", "orders", "--json"] + admin)
        #expect(
            status.output.contains(
                "GET /api/v1/orders/{id} 200 application/json $.total is a string, the contract says number"),
            "\(status.output)")
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }
}
