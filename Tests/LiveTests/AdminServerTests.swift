import AsyncHTTPClient
import Logging
import NIOHTTP1
import Testing

@testable import AdminAPI

@Suite struct AdminAPIGuard {
    @Test(arguments: [
        "localhost", "LOCALHOST:9901", "127.0.0.1:9901", "127.9.8.7", "[::1]:9901", "[::1]", "admin.internal:1",
    ])
    func `loopback names and the configured one are let in`(authority: String) {
        #expect(Self.objection(authority) == nil)
    }

    @Test(arguments: [
        nil, "", "evil.example", "evil.example:9901", "127.0.0.1.evil.example", "128.0.0.1", "127.0.0.256", "127.1",
        "0.0.0.0", "[::2]", "[::1", "[::1]x", "localhost:", "localhost:x", "localhost@evil", "127.0.0.+1", "::1",
    ])
    func `any other name is another site's`(authority: String?) {
        #expect(Self.objection(authority) == .foreignHost)
    }

    @Test func `changes take JSON from no other origin`() {
        let guardian = AdminGuard(host: "127.0.0.1")
        let change = { (origin: String?, type: String?) in
            guardian.objection(authority: "localhost:1", origin: origin, contentType: type, isChange: true)
        }
        #expect(change(nil, "application/json") == nil)
        #expect(change("http://localhost:1", "Application/JSON; charset=utf-8") == nil)
        for origin in ["null", "http://evil.example", "http://localhost:2", "https://localhost:1"] {
            #expect(change(origin, "application/json") == .foreignOrigin)
        }
        for type in [
            nil, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "a, application/json",
        ] {
            #expect(change(nil, type) == .notJSON)
        }
    }

    @Test func `a page of another site reaches neither data nor commands`() async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            let path = "/api/v1/extractions/orders/rollback"
            #expect(try await admin.get("/api/v1/groups", headers: ["host": "evil.example"]).status == 421)
            #expect(try await admin.get("/", headers: ["host": "evil.example:9901"]).status == 421)
            #expect(try await admin.post(path, "{}", headers: ["content-type": "text/plain"]).status == 415)
            #expect(try await admin.post(path, "{}", headers: ["origin": "http://evil.example"]).status == 403)
            let preflight = try await admin.send(
                path, method: .OPTIONS,
                headers: ["origin": "http://evil.example", "access-control-request-method": "POST"])
            #expect(preflight.status >= 400)
            #expect(preflight.headers.first(name: "access-control-allow-origin") == nil)
        }
        #expect(backend.performed.withLock { $0.isEmpty })
    }

    private static func objection(_ authority: String?) -> AdminGuard.Objection? {
        AdminGuard(host: "Admin.internal").objection(
            authority: authority, origin: nil, contentType: nil, isChange: false)
    }
}

@Suite struct AdminServerLife {
    @Test func `cancelled, the server ends the request under way, returns, and frees its port`() async throws {
        let backend = SampleBackend(gate: Gateway())
        let admin = try await RunningAdmin.start(backend)
        async let answer = admin.post("/api/v1/extractions/orders/advance", "{}")
        await backend.gate?.reached()
        admin.task.cancel()
        backend.gate?.open()
        #expect(try await answer.status == 200)
        try await admin.task.value
        let next = try await RunningAdmin.start(SampleBackend(), port: admin.port)
        #expect(try await next.get("/healthz").status == 200)
        try await next.stop()
        try await admin.http.shutdown()
    }

    @Test func `a port that is taken is one line`() async throws {
        try await withAdmin { admin in
            let second = AdminServer(
                backend: SampleBackend(), host: "127.0.0.1", port: admin.port, logger: Logger(label: "test"))
            let error = await #expect(throws: AdminListenError.self) { try await second.run { _ in } }
            #expect(
                error?.description
                    == "cannot listen on 127.0.0.1:\(admin.port) for the admin address: address already in use")
        }
    }
}

@Suite struct AdminOpenAPI {
    @Test func `every endpoint is in the document, and the document names no other`() throws {
        let paths = try #require(try JSONTree(OpenAPI.document)["paths"]?.members)
        let documented = paths.flatMap { path, item in (item.members ?? [:]).keys.map { "\($0.uppercased()) \(path)" } }
        #expect(Set(documented) == Set(AdminEndpoint.allCases.map { "\($0.method) \($0.path)" }))
        for (path, item) in paths {
            let named = path.split(separator: "{").dropFirst().compactMap { $0.split(separator: "}").first }
            for operation in (item.members ?? [:]).values {
                let references = (operation["parameters"]?.elements ?? []).compactMap { $0["$ref"]?.text }
                for name in named {
                    #expect(references.contains { $0.hasSuffix("/\(name)") }, "\(path)")
                }
            }
        }
    }

    @Test func `every reference leads somewhere`() throws {
        let document = try JSONTree(OpenAPI.document)
        for reference in document.references { #expect(document.resolved(reference) != nil, "\(reference)") }
        #expect(document.references.count > 50)
    }

    @Test func `what the API answers is what the schemas say`() async throws {
        var backend = SampleBackend()
        backend.report = .moving()
        try await withAdmin(backend) { admin in
            let document = try JSONTree(try await admin.get("/api/v1/openapi.json").text)
            for endpoint in AdminEndpoint.allCases {
                let path = endpoint.path.replacing("{name}", with: "orders").replacing("{signature}", with: "7c1e")
                    .replacing("{run}", with: "7")
                    .replacing("{id}", with: WriteReport.sampleID(1))
                let answer: RunningAdmin.Answer
                switch endpoint {
                case .cutover: answer = try await admin.post(path, #"{"to":5,"of":"writes"}"#)
                case .waive, .unwaive:
                    answer = try await admin.post(path, #"{"subject":"GET /orders","reason":"r"}"#)
                case .retryWrite, .settleWrite: answer = try await admin.post(path, #"{"reason":"r"}"#)
                case .groupState: answer = try await admin.post(path, #"{"state":"fixed"}"#)
                case .explain: answer = try await admin.get(path + "?url=/orders")
                default: answer = try await endpoint.method == "POST" ? admin.post(path, "") : admin.get(path)
                }
                #expect(answer.status == 200, "\(path) \(answer.text)")
                let content = document["paths"]?[endpoint.path]?[endpoint.method.lowercased()]?["responses"]?["200"]?[
                    "content"]
                let type = try #require(content?.members?.keys.first)
                #expect(answer.headers.first(name: "content-type")?.hasPrefix(type) == true)
                guard type == "application/json", let schema = content?[type]?["schema"] else { continue }
                #expect(document.objections(to: try JSONTree(answer.text), by: schema) == [], "\(path)")
            }
        }
    }
}
