import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import ProxyConfiguration
import Testing

@testable import strangler

@Suite struct ProgressCommandAnswers {
    @Test func `candidates say what speaks for them, what against, and what nobody can see`() async throws {
        let run = try await outcome(of: CandidatesCommand.self, [])
        #expect(run.code == 0)
        for text in [
            "12,260 requests of the last 7 d that no extraction takes, in 3 groups", "1. /api/v1/search",
            "scale-variance: 73% of the requests and 95% of the time are its own,\n",
            #"strangler init search --path "/api/v1/search/**""#, "team-size",
        ] {
            #expect(run.output.contains(text), "\(text)\n\(run.output)")
        }
        run.expectReadable()
        let json = try JSONTree(try await outcome(of: CandidatesCommand.self, ["--json", "--limit", "1"]).output)
        #expect(json["candidates"]?.elements?.count == 1 && json["groups"] == .number(3))
    }

    @Test func `burn-down shows owners, the course and what is unused`() async throws {
        let run = try await outcome(of: BurnDownCommand.self, [])
        for text in [
            "the monolith answers 70% of the requests; by week: 100% → 92% → 70%", "the monolith alone",
            "2 endpoints not asked for in 30 d", "PUT /api/v1/orders/{id}",
        ] {
            #expect(run.output.contains(text), "\(text)\n\(run.output)")
        }
        run.expectReadable()
        let early = try await outcome(of: BurnDownCommand.self, ["--unused", "60d"])
        #expect(early.output.contains("what was not asked for in 60 d is not known yet: counting began"))
        #expect(throws: (any Error).self) { try BurnDownCommand.parse(["--unused", "soon"]) }
    }
}

@Suite struct InitCommandWrites {
    private func deployment(_ more: [String: String] = [:]) throws -> Deployment {
        try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: 9)].merging(more) { $1 })
    }

    private func initialise(
        _ deployment: Deployment, _ options: [String] = [], name: String = "orders", path: String = "/api/v1/orders/**"
    ) async throws -> Outcome {
        try await outcome(of: InitCommand.self, [name, "--path", path, "--dir", deployment.folder] + options)
    }

    private func text(_ deployment: Deployment, _ file: String) throws -> String {
        try String(contentsOfFile: deployment.folder + "/" + file, encoding: .utf8)
    }

    @Test func `the files pass check once the blanks are filled in, and not before`() async throws {
        let deployment = try deployment()
        let run = try await initialise(deployment)
        #expect(run.code == 0, "\(run)")
        #expect(run.output.contains("drafted orders from 1,220 requests of the last 7 d"))
        let routes = try text(deployment, "Routes/orders.yaml")
        #expect(routes.contains(#"- {path: "/api/v1/orders/**", methods: [GET, POST]}"#))
        #expect(routes.contains("p99: 40ms"))
        func errors() -> [String] {
            do {
                _ = try ProxyConfiguration.load(path: deployment.folder + "/Routes/proxy.yaml")
                return []
            } catch {
                return "\(error)".split(separator: "\n").map(String.init)
            }
        }
        let blank = errors()
        let lines = routes.split(separator: "\n", omittingEmptySubsequences: false)
        for key in ["problem:", "because:", "service:"] {
            let line = try #require(lines.firstIndex { $0.hasPrefix(key) }) + 1
            #expect(blank.contains { $0.contains("Routes/orders.yaml:\(line):") }, "\(key) \(blank)")
        }
        try deployment.write(
            "Routes/orders.yaml",
            routes.replacing(#"problem: """#, with: "problem: Releases wait.")
                .replacing("[FILL-IN, FILL-IN]", with: "[team-size, scale-variance]")
                .replacing("url: FILL-IN", with: #"url: "http://127.0.0.1:9100""#))
        #expect(errors() == [])
        let configuration = try ProxyConfiguration.load(path: deployment.folder + "/Routes/proxy.yaml")
        let contract = try text(deployment, "Routes/contracts/orders.openapi.yaml")
        #expect(contract.contains(#"  "/api/v1/orders/{id}/items/{id2}":"#), "\(contract)")
        #expect(configuration.contractProblems(of: "orders") == [])
    }

    @Test func `reasons that numbers speak for are filled in, with the numbers beside them`() async throws {
        let deployment = try deployment()
        let draft = InitDraft(
            name: "search", paths: ["/api/v1/search/**"], service: "http://127.0.0.1:9100",
            report: try await SampleBackend().candidates(since: 7 * 86_400, paths: [], limit: 1))
        #expect(draft.routeFile.contains("because: [scale-variance, FILL-IN]"))
        #expect(
            draft.routeFile.contains("# For it, scale-variance: 73% of the requests and 95% of the time are its own"))
        #expect(draft.blanks.count == 2)
        #expect(InitDraft.budget(3.2) == 10 && InitDraft.budget(340) == 450 && InitDraft.budget(2_100) == 3_000)
        _ = deployment
    }

    @Test func `nothing is overwritten, and nothing is written beside what is there`() async throws {
        let deployment = try deployment(["Shadow/orders.yaml": "extraction: orders\n"])
        let run = try await initialise(deployment)
        #expect(run.code == 1 && run.complaints.contains("Shadow/orders.yaml is there already"), "\(run)")
        #expect(!FileManager.default.fileExists(atPath: deployment.folder + "/Routes/orders.yaml"))
        #expect(!FileManager.default.fileExists(atPath: deployment.folder + "/Routes/contracts"))
    }

    @Test func `names and paths that are taken are refused`() async throws {
        let deployment = try deployment([
            "Routes/sales.yaml": """
            extraction: orders
            problem: p
            because: [scale-variance, team-size]
            match: [{path: "/api/v1/orders/**", methods: [POST]}]
            service: {url: "http://127.0.0.1:1"}
            """
        ])
        let name = try await initialise(deployment, path: "/other/**")
        #expect(name.code == 1 && name.complaints.contains("there is an extraction orders already"), "\(name)")
        let path = try await initialise(deployment, name: "more")
        #expect(path.code == 1 && path.complaints.contains("sales.yaml:4:"), "\(path)")
        #expect(try await initialise(deployment, name: "more", path: "orders").complaints.contains("starts with `/`"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: deployment.folder + "/Routes").count == 2)
        let broken = try self.deployment(["Routes/x.yaml": "extraction: x\n"])
        #expect(try await initialise(broken).complaints.contains("the files that are there have errors"))
    }
}

@Suite struct RetireCommandAnswers {
    private func retired() -> SampleBackend {
        var backend = SampleBackend()
        backend.report.stage = .retired
        return backend
    }

    @Test func `retiring says what may be deleted and what may not`() async throws {
        let run = try await outcome(of: RetireCommand.self, ["orders", "--reason", "done"], retired())
        #expect(run.code == 0, "\(run)")
        for text in [
            "orders is at stage retired now",
            "2 endpoints of the monolith cannot be reached through the proxy, 1 of them",
            "GET /api/v1/orders/{id}               2026-10-21 04:00:00 UTC       120,400", "POST /api/v1/orders",
            "DELETE /api/v1/orders/{id}: 12 requests in 30 d, no entry of match takes it",
            "other methods of /api/v1/orders/**: match takes only GET, POST",
        ] {
            #expect(run.output.contains(text), "\(text)\n\(run.output)")
        }
        run.expectReadable()
        let again = try await outcome(of: RetireCommand.self, ["orders", "--report"], retired())
        #expect(run.output.hasSuffix(again.output))
    }

    @Test func `a dry run changes nothing, and says that nobody stands in any more`() async throws {
        let backend = SampleBackend()
        let run = try await outcome(of: RetireCommand.self, ["orders", "--dry-run"], backend)
        #expect(run.code == 0)
        #expect(run.output.contains("could not be reached") && run.output.contains(" get 503"))
        #expect(run.output.contains("at stage shadow: the fallback window comes first"))
        #expect(backend.performed.withLock { $0.isEmpty })
        run.expectReadable()
    }

    @Test func `a report of what is not retired, and a dry run of what is, are refused`() async throws {
        #expect(try await outcome(of: RetireCommand.self, ["orders", "--report"]).code == 1)
        #expect(try await outcome(of: RetireCommand.self, ["orders", "--dry-run"], retired()).code == 1)
        #expect(throws: (any Error).self) { try RetireCommand.parse(["orders", "--force"]) }
        #expect(throws: (any Error).self) { try RetireCommand.parse(["orders", "--report", "--dry-run"]) }
    }
}
