import Extraction
import NIOHTTP1
import Testing

@testable import AdminAPI

@Suite struct AdminAPIShapes {
    @Test func `what was not sampled is no gap in the coverage, and is said beside it`() {
        let verdicts = VerdictReport(
            compared: 9, match: 9, shadowFailed: 1, notCompared: ["not-sampled": 90, "shed": 2])
        #expect(verdicts.seen == 12 && verdicts.coverage == 0.75 && verdicts.notComparedTotal == 2)
        #expect(
            ReportText.coverage(verdicts)
                == "coverage 75% of 12: 2 not compared (shed 2), 1 shadow failed, 90 more not sampled")
    }

    @Test func `an extraction is the JSON that scripts rely on`() async throws {
        try await withAdmin { admin in
            let report = try await admin.json("/api/v1/extractions/orders")
            #expect(report["extraction"] == .string("orders"))
            #expect(report["stage"] == .string("shadow"))
            #expect(report["weight"] == .number(0))
            #expect(report["since"] == .string("2026-11-21T04:00:00Z"))
            #expect(
                report["gate"]
                    == .object([
                        "next": .string("cutover"), "open": .bool(false),
                        "missing": .array([.string(SampleBackend.missing)]), "requirements": .array([]),
                    ]))
            #expect(
                report["shadow"]
                    == .object([
                        "compared": .number(9), "match": .number(7), "mismatch": .number(2), "accepted": .number(0),
                        "transient": .number(0), "primary-failed": .number(0), "shadow-failed": .number(1),
                        "not-compared": .object(["body-too-large": .number(1)]),
                    ]))
            #expect(report["backlog"] == .number(0))
            #expect(report["fallback"]?["window"] == .number(2_592_000))
            #expect(report["fallback"]?["fellBack"] == .number(0))
            #expect(report["endpoints"]?[0]?["endpoint"] == .string("GET /api/v1/orders/{id}"))
            #expect(report["endpoints"]?[0]?["mismatch"] == .number(2))
        }
    }

    @Test func `a retired extraction has a next stage of null, not a missing key`() async throws {
        var backend = SampleBackend()
        backend.report.stage = .retired
        backend.report.weight = .all
        backend.report.gate = GateReport(next: nil, open: false, missing: [])
        try await withAdmin(backend) { admin in
            let report = try await admin.json("/api/v1/extractions/orders")
            #expect(report["gate"]?["next"] == .null)
            #expect(report["weight"] == .number(100))
        }
    }

    @Test func `groups, one group and its examples have the pinned fields`() async throws {
        try await withAdmin { admin in
            let group = try #require(try await admin.json("/api/v1/groups?extraction=orders")[0])
            #expect(group["signature"] == .string(SampleBackend.signature))
            #expect(
                group["differences"]
                    == .array([.object(["path": .string("$.totalAmount"), "kind": .string("type")])]))
            #expect(group["firstSeen"] == .string("2026-11-21T04:00:00Z"))
            let detail = try await admin.json("/api/v1/groups/7c1e")
            #expect(detail["state"] == .string("new"))
            let example = try #require(detail["examples"]?[0])
            #expect(example["request"]?["target"] == .string("/api/v1/orders/1"))
            #expect(example["primary"]?["status"] == .number(200))
            #expect(example["differences"]?[0]?["shadow"] == .string("\"149.98\""))
        }
    }

    @Test func `explain and history spell out what there is not`() async throws {
        try await withAdmin { admin in
            let url = "/api/v1/explain?method=post&url=%2Fa%3Fb%3D1%26c&cookie=session%3Dx"
            let unmatched = try await admin.json(url)
            #expect(unmatched["endpoint"] == .string("POST /a?b=1&c session=x -"))
            #expect(unmatched["extraction"] == .null)
            #expect(unmatched["shadow"] == .null)
            let entry = try #require(try await admin.json("/api/v1/extractions/orders/history?limit=5")[0])
            #expect(entry["action"] == .string("limit 5"))
            #expect(entry["from"] == .object(["stage": .string("parallel"), "weight": .number(0)]))
            #expect(entry["reason"] == .null)
            #expect(try await admin.get("/api/v1/extractions/orders/history?limit=0").status == 400)
            #expect(try await admin.get("/api/v1/explain").status == 400)
        }
    }

    @Test func `health, readiness and HEAD answer`() async throws {
        var backend = SampleBackend()
        backend.ready = false
        try await withAdmin(backend) { admin in
            #expect(try await admin.get("/healthz").status == 200)
            let readiness = try await admin.get("/readyz")
            #expect(readiness.status == 503)
            #expect(readiness.text == #"{"checks":[{"detail":"away","name":"postgres","ok":false}],"ready":false}"#)
            #expect(try await admin.send("/", method: .HEAD).status == 200)
        }
    }

    @Test func `metrics escape what would forge a sample`() async throws {
        try await withAdmin { admin in
            let answer = try await admin.get("/metrics")
            #expect(answer.headers.first(name: "content-type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(
                answer.text == """
                    # HELP strangler_requests_total By \\\\ endpoint.\\nAll of them.
                    # TYPE strangler_requests_total counter
                    strangler_requests_total{endpoint="GET /\\"\\nforged 1\\\\",side="service"} 12
                    strangler_requests_total 0.5
                    strangler_requests_total +Inf
                    # HELP _bad_name x
                    # TYPE _bad_name gauge

                    """)
        }
    }
}

@Suite struct AdminAPICommands {
    @Test func `each command arrives as it was meant, with its actor`() async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            let api = "/api/v1/extractions/orders/"
            for (path, body) in [
                ("advance", ""), ("advance", #"{"to":"cutover","force":true,"reason":"trial"}"#),
                ("cutover", #"{"to":25}"#), ("cutover", #"{"to":"12.5%"}"#), ("rollback", #"{"reason":"  "}"#),
                ("retire", #"{"to":null}"#), ("cutover", #"{"to":25,"of":"reads"}"#),
                ("cutover", #"{"to":5,"of":"writes"}"#), ("ramp", "{}"), ("pause", #"{"reason":"freeze"}"#),
                ("resume", "{}"),
            ] {
                let answer = try await admin.post(api + path, body, headers: ["strangler-actor": "ann@host"])
                #expect(answer.status == 200, "\(path) \(body) \(answer.text)")
            }
            #expect(try await admin.post(api + "rollback", "{}").status == 200)
        }
        let performed = backend.performed.withLock { $0 }
        #expect(
            performed.map(\.request) == [
                CommandRequest(command: .advance(to: nil)),
                CommandRequest(command: .advance(to: .cutover), reason: "trial", force: true),
                CommandRequest(command: .cutover(Weight(clamping: 2500))),
                CommandRequest(command: .cutover(Weight(clamping: 1250))), CommandRequest(command: .rollback),
                CommandRequest(command: .retire), CommandRequest(command: .cutover(Weight(clamping: 2500), of: .reads)),
                CommandRequest(command: .cutover(Weight(clamping: 500), of: .writes)), CommandRequest(command: .ramp),
                CommandRequest(command: .pause, reason: "freeze"), CommandRequest(command: .resume),
                CommandRequest(command: .rollback),
            ])
        #expect(performed.map(\.actor) == Array(repeating: "ann@host", count: 11) + ["api"])
    }

    @Test(arguments: [
        ("advance", #"{"to":"nirvana"}"#), ("advance", #"{"to":25}"#), ("advance", "{"), ("advance", "[]"),
        ("advance", #"{"forced":true}"#), ("advance", #"{"force":"yes"}"#), ("cutover", "{}"),
        ("cutover", #"{"to":12.345}"#), ("cutover", #"{"to":101}"#), ("cutover", #"{"to":-1}"#),
        ("cutover", #"{"to":1e999}"#), ("cutover", #"{"to":"a lot"}"#), ("cutover", #"{"to":[25]}"#),
        ("cutover", #"{"to":5,"of":"some"}"#), ("ramp", #"{"to":5}"#), ("advance", #"{"of":"reads"}"#),
        ("waive", "{}"), ("waive", #"{"subject":7,"reason":"r"}"#), ("pause", #"{"of":"reads"}"#),
        ("rollback", #"{"to":"shadow"}"#), ("retire", #"{"reason":7}"#), ("advance", "\u{FFFD}\u{0}"),
    ])
    func `a body that is no command changes nothing`(path: String, body: String) async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            let answer = try await admin.post("/api/v1/extractions/orders/" + path, body)
            #expect(answer.status == 400)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
        }
        #expect(backend.performed.withLock { $0.isEmpty })
    }

    @Test func `force and waivers need a reason`() async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            for (path, body) in [
                ("advance", #"{"force":true}"#), ("retire", #"{"force":true,"reason":" "}"#),
                ("cutover", #"{"to":5,"force":true}"#), ("waive", #"{"subject":"GET /x","reason":" "}"#),
            ] {
                let answer = try await admin.post("/api/v1/extractions/orders/" + path, body)
                #expect(answer.status == 409, "\(path) \(answer.text)")
                #expect(try JSONTree(answer.text)["code"] == .string("refused"))
            }
        }
        #expect(backend.performed.withLock { $0.isEmpty })
        #expect(backend.waived.withLock { $0.isEmpty })
    }

    @Test func `a decision about a group arrives, and only for states that people set`() async throws {
        try await withAdmin { admin in
            let path = "/api/v1/groups/7c1e/state"
            let answer = try await admin.post(path, #"{"state":"accepted","reason":"wanted"}"#)
            let group = try JSONTree(answer.text)
            #expect(group["state"] == .string("accepted"))
            #expect(group["stateBy"] == .string("api"))
            #expect(group["stateReason"] == .string("wanted"))
            #expect(try await admin.post(path, #"{"state":"regressed"}"#).status == 400)
            #expect(try await admin.post(path, "{}").status == 400)
        }
    }

    @Test(arguments: [
        (AdminError.Code.notFound, 404), (.refused, 409), (.conflict, 409), (.storeUnavailable, 503), (.invalid, 400),
    ])
    func `what the backend refuses is told as problem details`(code: AdminError.Code, status: Int) async throws {
        var backend = SampleBackend()
        backend.failure = AdminError(code, "no", reasons: ["a", "b"])
        try await withAdmin(backend) { admin in
            let answer = try await admin.post("/api/v1/extractions/orders/advance", "{}")
            #expect(answer.status == status)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            let problem = try JSONTree(answer.text)
            #expect(problem["status"] == .number(Double(status)))
            #expect(problem["detail"] == .string("no"))
            #expect(problem["code"] == .string(code.rawValue))
            #expect(problem["reasons"] == .array([.string("a"), .string("b")]))
        }
    }

    @Test func `unknown paths and methods are problems too`() async throws {
        try await withAdmin { admin in
            for path in ["/nowhere", "/api/v1/extractions/orders/advance", "/api/v1/extractions/a%20b%2Fc"] {
                let answer = try await admin.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            }
        }
    }

    @Test func `names in paths are percent-decoded, or refused`() {
        #expect(AdminRequest.percentDecoded("a%20b%2Fc%C3%A9") == "a b/cé")
        for text in ["%", "%1", "%zz", "%FF", "a%+1"] { #expect(AdminRequest.percentDecoded(text) == nil, "\(text)") }
    }

    @Test func `a body above 64 KiB is refused`() async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            let reason = String(repeating: "a", count: 65_536)
            let answer = try await admin.post("/api/v1/extractions/orders/advance", #"{"reason":"\#(reason)"}"#)
            #expect(answer.status == 413)
        }
        #expect(backend.performed.withLock { $0.isEmpty })
    }
}
