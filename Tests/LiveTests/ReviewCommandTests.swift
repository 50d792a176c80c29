import AdminAPI
import ArgumentParser
import Comparison
import Foundation
import Testing

@testable import strangler

@Suite struct ReviewLists {
    static let now = SampleBackend.time

    static func group(
        _ signature: String, _ state: String, count: Int, _ differences: [GroupedDifference],
        noisy: Set<GroupedDifference> = [], endpoint: String = "GET /api/v1/orders/{id}"
    ) -> GroupReport {
        GroupReport(
            signature: signature + "9b8d4c3e", extraction: "orders", endpoint: endpoint, state: state, count: count,
            differences: differences, firstSeen: now.addingTimeInterval(-266_400),
            lastSeen: now.addingTimeInterval(-65), endpointCompared: 90_000, noisy: noisy)
    }

    static let total = GroupedDifference(path: "$.totalAmount", kind: .type)
    static let etag = GroupedDifference(path: "header.cache-control", kind: .value)
    static let many = (1...9).map { GroupedDifference(path: "$.items[*].attributes.field\($0)", kind: .value) }
    static let groups = [
        group("7c1e5f0a", "new", count: 11_204, [total]),
        group("1a2b3c4d", "new", count: 600, [etag], noisy: [etag]),
        group(
            "99887766", "accepted", count: 200, many + [total], noisy: [many[0]],
            endpoint: "POST /api/v1/customers/{customer}/orders/{order}/positions/{position}/attributes"),
    ]

    @Test func `groups are three causes in one look`() {
        let capture = Capture()
        GroupsText.write(Self.groups, all: false, now: Self.now, to: capture.terminal())
        #expect(
            capture.output == """
                12,004 mismatches in 3 groups: 1 new, 1 accepted, 1 noise
                SIGNATURE  STATE             COUNT    SHARE  FIRST SEEN        LAST SEEN
                7c1e5f0a   new              11,204    12.4%  3 d 2 h ago       1 min 5 s ago
                  GET /api/v1/orders/{id}
                    $.totalAmount type
                99887766   accepted            200    0.22%  3 d 2 h ago       1 min 5 s ago
                  POST /api/v1/customers/{customer}/orde…{order}/positions/{position}/attributes
                    $.items[*].attributes.field1 value ~noise,
                    $.items[*].attributes.field2 value, and 8 more
                1 group of noise left out (600 mismatches): --all shows them

                """)
        Outcome(code: 0, output: capture.output, complaints: "").expectReadable()
    }

    @Test func `--all shows noise as such`() {
        let capture = Capture()
        GroupsText.write(Self.groups, all: true, now: Self.now, to: capture.terminal())
        #expect(capture.output.contains("1a2b3c4d   noise               600    0.66%"))
        #expect(capture.output.contains("    header.cache-control value ~noise\n"))
        #expect(!capture.output.contains("left out"))
    }

    @Test func `one cause with many signatures is one line by field`() {
        let capture = Capture()
        GroupsText.write(
            fields: Array(FieldTotal.list(Self.groups).prefix(3)), of: Self.groups, to: capture.terminal())
        #expect(
            capture.output == """
                12,004 mismatches in 3 groups: 1 new, 1 accepted, 1 noise
                KIND      GROUPS  MISMATCHES  PATH
                type           2      11,404  $.totalAmount
                value          1         600  header.cache-control  ~ noise
                value          1         200  $.items[*].attributes.field1  ~ noise

                """)
    }

    @Test func `long lists end in how many more there are`() {
        let groups = (1...53).map { Self.group("\($0 + 10_000_000)", "new", count: $0, [Self.total]) }
        for (all, lines, end) in [(false, 153, "and 3 more groups, --all shows them\n"), (true, 161, "type\n")] {
            let capture = Capture()
            GroupsText.write(groups, all: all, now: Self.now, to: capture.terminal())
            #expect(capture.output.split(separator: "\n").count == lines && capture.output.hasSuffix(end))
        }
    }

    @Test func `lists and filters go through the API`() async throws {
        let list = try await outcome(of: DiffsCommand.self, ["orders"])
        #expect(list.output.hasPrefix("2 mismatches in 1 group: 1 new\n"))
        #expect(list.output.contains("7c1e5f0a   new"))
        #expect(list.output.contains("$.totalAmount type"))
        list.expectReadable()
        #expect(try await outcome(of: DiffsCommand.self, ["--state", "fixed"]).output == "no mismatches\n")
        #expect(try await outcome(of: DiffsCommand.self, ["--state", "new", "--json"]).output.hasPrefix("[{"))
        let fields = try await outcome(of: DiffsCommand.self, ["--by-field", "--json"]).output
        #expect(fields == "[{\"groups\":1,\"kind\":\"type\",\"mismatches\":2,\"path\":\"$.totalAmount\"}]\n")
        #expect(throws: (any Error).self) { try DiffsCommand.parse(["--state", "odd"]) }
    }
}

@Suite struct ReviewOfOneGroup {
    /// A group with an accepted rule's leftovers, noise, and a long stretch that is equal.
    static var backend: SampleBackend {
        var backend = SampleBackend()
        let body = { (total: String, request: String, extra: String) in
            let items = (1...12).map { "{\"sku\":\"A-\($0)\"}" }.joined(separator: ",")
            return "{\"orderId\":\"ord_1\",\"requestId\":\"\(request)\",\"items\":[\(items)],"
                + "\"totalAmount\":\(total),\"etag\":\"\(request)\"\(extra)}"
        }
        let answer = { (total: String, request: String, extra: String, cache: String) in
            RecordedAnswer(
                status: 200,
                headers: [
                    HeaderField(name: "Content-Type", value: "application/json"),
                    HeaderField(name: "Cache-Control", value: cache), HeaderField(name: "Date", value: "now"),
                ],
                body: body(total, request, extra), bodyBytes: 300)
        }
        let differences = [
            Difference(path: "$.totalAmount", kind: .type, primary: "149.98", shadow: "\"149.98\""),
            Difference(path: "$.etag", kind: .value, primary: "\"r-1\"", shadow: "\"r-2\""),
            Difference(path: "$.note", kind: .extra, primary: "(absent)", shadow: "null"),
            Difference(path: "header.cache-control", kind: .value, primary: "no-store", shadow: "max-age=60"),
        ]
        let grouped = differences.map(GroupedDifference.init)
        backend.detail = GroupDetail(
            group: GroupReport(
                signature: SampleBackend.signature, extraction: "orders", endpoint: "GET /api/v1/orders/{id}",
                state: "regressed", count: 12, differences: grouped, firstSeen: SampleBackend.time,
                lastSeen: SampleBackend.time, endpointCompared: 9_000, noisy: [grouped[1]],
                history: [
                    GroupEvent(at: SampleBackend.time, state: "regressed", actor: nil, reason: nil),
                    GroupEvent(
                        at: SampleBackend.time, state: "fixed", actor: "ann@host", reason: "release 7, see ORD-412"),
                ]),
            examples: [
                ExampleReport(
                    at: SampleBackend.time,
                    request: RecordedRequest(
                        method: "GET", target: "/api/v1/orders/1",
                        headers: [HeaderField(name: "accept", value: "application/json")], body: nil),
                    primary: answer("149.98", "r-1", "", "no-store"),
                    shadow: answer("\"149.98\"", "r-2", ",\"note\":null", "max-age=60"), differences: differences)
            ])
        return backend
    }

    @Test func `both answers stand side by side in 80 columns`() async throws {
        let run = try await outcome(of: DiffCommand.self, ["7c1e"], Self.backend)
        #expect(
            run.output == """
                GET /api/v1/orders/{id}  (orders)
                  signature  7c1e5f0a9b8d4c3e
                  state      regressed
                  seen       12 times (0.13% of 9,000 compared), first 2026-11-21 04:00:00 UTC,
                             last 2026-11-21 04:00:00 UTC
                  differs    $.totalAmount type
                             $.etag value ~ noise
                             $.note extra
                             header.cache-control value
                  history    2026-11-21 04:00:00 UTC regressed by the proxy
                             2026-11-21 04:00:00 UTC fixed by ann@host: release 7, see ORD-412

                Example 1 of 1, 2026-11-21 04:00:00 UTC
                  GET /api/v1/orders/1
                  accept: application/json

                  $.totalAmount type
                    primary  149.98
                    shadow   "149.98"
                  $.etag value  ~ noise
                    primary  "r-1"
                    shadow   "r-2"
                  $.note extra
                    primary  (absent)
                    shadow   null
                  header.cache-control value
                    primary  no-store
                    shadow   max-age=60

                primary                                │ shadow
                200                                    │ 200
                cache-control: no-store                ≠ cache-control: max-age=60
                content-type: application/json         │ content-type: application/json
                                                       │
                {                                      │ {
                  "orderId": "ord_1",                  │   "orderId": "ord_1",
                  "requestId": "r-1",                  ·   "requestId": "r-2",
                  "items": [                           │   "items": [
                    {                                  │     {
                      "sku": "A-1"                     │       "sku": "A-1"
                … 32 equal lines …
                      "sku": "A-12"                    │       "sku": "A-12"
                    }                                  │     }
                  ],                                   │   ],
                  "totalAmount": 149.98,               ≠   "totalAmount": "149.98",
                  "etag": "r-1"                        ~   "etag": "r-2",
                                                       >   "note": null
                }                                      │ }
                ≠ differs   > only the shadow   ~ noise   · not counted as different

                """)
        run.expectReadable()
    }

    @Test func `wide windows are used, narrow ones get one answer above the other`() async throws {
        let wide = try await outcome(of: DiffCommand.self, ["7c1e"], Self.backend, columns: 120)
        #expect(
            wide.output.contains("  \"totalAmount\": 149.98,                                   ≠   \"totalAmount\""))
        let narrow = try await outcome(of: DiffCommand.self, ["7c1e"], Self.backend, columns: 60)
        #expect(narrow.output.contains("-   \"totalAmount\": 149.98,\n"))
        #expect(narrow.output.contains("+   \"totalAmount\": \"149.98\",\n"))
        let tiny = try await outcome(of: DiffCommand.self, ["7c1e"], Self.backend, columns: 40)
        for line in tiny.output.split(separator: "\n") { #expect(TextLayout.columns(of: line) <= 40, "\(line)") }
        #expect(narrow.output.contains("~   \"etag\": \"r-2\",\n"))
        #expect(narrow.output.contains("- cache-control: no-store\n".replacing("cache-control", with: "Cache-Control")))
    }

    @Test func `colour only where it was asked for`() async throws {
        let plain = try await outcome(of: DiffCommand.self, ["7c1e"])
        #expect(!plain.output.contains("\u{1B}"))
        let coloured = try await outcome(of: DiffCommand.self, ["7c1e"], isColoured: true)
        #expect(coloured.output.contains("\u{1B}[31m  \"totalAmount\": \"149.98\"\u{1B}[0m"))
        #expect(coloured.output.contains("\u{1B}[33m≠\u{1B}[0m"))
    }

    @Test func `lines too long for their column break at blanks, words at what differs`() {
        let text = String(repeating: "x", count: 60)
        var columns = SideBySide()
        columns.add("  \"id\": \"\(text)1\"", "  \"id\": \"\(text)2\"", .differs)
        columns.add("  \"text\": \"one two three four five six seven eight\"", "  \"text\": \"漢字 漢字\"", .differs)
        let capture = Capture()
        columns.write(width: 80, to: capture.terminal())
        Outcome(code: 0, output: capture.output, complaints: "").expectReadable()
        let lines = capture.output.split(separator: "\n")
        #expect(lines[0].contains("x1\"") && lines[0].hasSuffix("x2\""))
        #expect(lines[1].hasPrefix("  \"text\": \"one two three four five  "))
        #expect(lines[2].hasPrefix("    six seven eight\""))
        // As wide as on the terminal, where these take two columns each.
        #expect(Set(lines.prefix(2).map { TextLayout.columns(of: $0.prefix { $0 != "≠" }) }) == [39])
    }

    @Test func `lines face each other by their names, and huge texts by position`() {
        let pairs = LineAlignment.pairs(
            ["{", "  \"a\": 1,", "  \"b\": 2,", "  \"c\": 3", "}"],
            ["{", "  \"a\": 1,", "  \"c\": 4,", "  \"d\": 5", "}"])
        #expect(
            pairs == [
                .init(left: 0, right: 0), .init(left: 1, right: 1), .init(left: 2, right: nil),
                .init(left: 3, right: 2),
                .init(left: nil, right: 3), .init(left: 4, right: 4),
            ])
        let (left, right) = ((0..<4000).map { "l\($0)" }, (0..<4000).map { "r\($0)" })
        #expect(LineAlignment.pairs(left, right) == (0..<4000).map { .init(left: $0, right: $0) })
        #expect(LineAlignment.pairs([], ["a"]) == [.init(left: nil, right: 0)])
        #expect(LineAlignment.pairs([], []).isEmpty)
    }
}

@Suite struct ReviewOfRules {
    @Test func `rules against traffic are a table, and dead or expired ones are exit code 1`() async throws {
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: 1)])
        let run = try await check(["--config", deployment.folder + "/Routes/proxy.yaml", "--against-traffic"])
        #expect(run.code == 1 && run.complaints.isEmpty)
        run.expectReadable()
        #expect(run.output.contains("\nnoise: 7,083 pairs, 8,887 differences hidden; 2 fields learned\n"))
        #expect(run.output.hasSuffix("3 rules, 1 dead, 1 expired; 90,000 pairs compared\n"))
        let json = try await check([
            "--config", deployment.folder + "/Routes/proxy.yaml", "--against-traffic", "--json",
        ])
        #expect(json.code == 1)
        #expect(try JSONTree(json.output)[1]?["dead"] == .bool(true))
    }

    @Test func `a rule's line says what it hides and whether it still does`() {
        let capture = Capture()
        RulesText.write(SampleBackend.rules(), now: SampleBackend.time.addingTimeInterval(3725), to: capture.terminal())
        #expect(
            capture.output == """
                RULE                                   PAIRS   SHARE  LAST HIT         STATE
                ignore $.requestId                    11,204   12.4%  1 h 2 min ago    in use
                    random per request, until 2026-11-22 04:00:00 UTC
                tolerance $.ite…ount.value.exact           0      0%  never            dead
                    random per request
                ignore header.cache-control                3  <0.01%  1 h 2 min ago    expired
                    random per request, until 2026-11-21 04:00:00 UTC
                3 rules, 1 dead, 1 expired; 90,000 pairs compared

                """)
    }

    @Test func `rules that hide something are exit code 0, no proxy is 3`() async throws {
        let deployment = try Deployment(["Routes/proxy.yaml": Deployment.proxyFile(monolith: 1)])
        var backend = SampleBackend()
        backend.report.rules = [SampleBackend.rules()[0]]
        let path = deployment.folder + "/Routes/proxy.yaml"
        #expect(try await check(["--config", path, "--against-traffic"], backend).code == 0)
        let capture = Capture()
        let command = try CheckCommand.parse(["--config", path, "--against-traffic", "--admin", "http://127.0.0.1:1"])
        #expect(await command.exitCode(on: capture.terminal()) == 3)
    }

    private func check(_ arguments: [String], _ backend: SampleBackend = SampleBackend()) async throws -> Outcome {
        let admin = try await RunningAdmin.start(backend)
        let capture = Capture()
        let command = try CheckCommand.parse(arguments + ["--admin", "http://127.0.0.1:\(admin.port)"])
        let code = await command.exitCode(on: capture.terminal())
        try await admin.stop()
        return Outcome(code: code, output: capture.output, complaints: capture.complaints)
    }

    @Test func `a rule is shown until its last day`() {
        #expect(ReportText.lastDay(Date(timeIntervalSince1970: 1_795_219_200)) == "2026-11-20")
        #expect(ReportText.lastDay(SampleBackend.time) == "2026-11-21 04:00:00 UTC")
    }

    @Test func `coverage, latency, noise and rules are in the status of one`() async throws {
        let run = try await outcome(of: StatusCommand.self, ["orders"])
        for text in [
            "              9 of 11 requests compared, 1 not sampled, 1 shed, body-too-large\n",
            "              p50 / p99: monolith 3.1 / 13 ms, service 0.12 / 1,204 ms\n",
            "  noise     7,083 pairs, 8,887 differences hidden; 2 fields learned\n",
            "            GET /api/v1/orders/{id}: $.etag value, $.stock value (the shadow\n",
            "  rules     3 rules, 1 dead, 1 expired: strangler check --against-traffic\n",
            "  losses    evidence without a place: examples-dropped 12\n",
        ] {
            #expect(run.output.contains(text), "\(text) \(run.output)")
        }
        run.expectReadable()
    }

    @Test func `milliseconds have two digits that count`() {
        #expect(
            [0, 0.004, 0.123, 0.999, 1, 3.14, 9.96, 12.6, 1204].map(ReportText.milliseconds)
                == ["0.00", "0.00", "0.12", "1.00", "1.0", "3.1", "10.0", "13", "1,204"])
        #expect(
            [0, 0.00001, 0.0002, 0.012, 0.5, 1].map(ReportText.share) == [
                "0%", "<0.01%", "0.02%", "1.2%", "50%", "100%",
            ])
    }
}

@Suite struct ReviewByReplay {
    private static func backend(_ results: ReplayReport.Result...) -> SampleBackend {
        var backend = SampleBackend()
        let example = backend.detail.examples[0]
        backend.detail.examples = results.map { _ in example }
        let sample = backend.replays[0]
        backend.replays = results.map { result in
            var replay = sample
            replay.result = result
            replay.leftOut = []
            if result != .differs { replay.differences = [] }
            if result == .skipped { replay.reason = "POST changes something, and is not asked again" }
            return replay
        }
        return backend
    }

    @Test func `each request says whether both sides agree now, and the last line all of it`() async throws {
        let backend = Self.backend(.agrees, .differs, .skipped)
        let run = try await outcome(of: ReplayCommand.self, ["7c1e", "--header", "Authorization: Bearer x"], backend)
        #expect(run.code == 1 && run.complaints.isEmpty)
        #expect(
            run.output == """
                ✓ agrees   GET /api/v1/orders/1
                ✗ differs  GET /api/v1/orders/1
                           as before: $.totalAmount type
                – skipped  GET /api/v1/orders/1
                           POST changes something, and is not asked again
                1 of 3 agree now, 1 differs, 1 not asked

                """)
        let header = HeaderField(name: "Authorization", value: "Bearer x")
        #expect(
            backend.replayed.withLock { $0 } == (0..<3).map { ReplayRequest(example: $0, headers: [header]) })
        let left = try await outcome(of: ReplayCommand.self, ["7c1e"])
        #expect(left.output.contains("Sent without authorization: recorded only as a hash, or cut. --header"))
        left.expectReadable()
    }

    @Test func `all that agree are a proof, and the group can be marked as fixed`() async throws {
        let proved = Self.backend(.agrees, .agrees)
        let plain = try await outcome(of: ReplayCommand.self, ["7c1e"], proved)
        #expect(plain.code == 0 && plain.output.hasSuffix("2 of 2 agree now\n"))
        let fixed = try await outcome(of: ReplayCommand.self, ["7c1e", "--fix", "--reason", "release 7"], proved)
        #expect(fixed.code == 0 && fixed.output.contains("fixed by ") && fixed.output.contains(": release 7"))
        let json = try await outcome(of: ReplayCommand.self, ["7c1e", "--json"], proved)
        let tree = try JSONTree(json.output)
        #expect(tree["agree"] == .number(2) && tree["fixed"] == .bool(false))
        #expect(tree["replays"]?[1]?["result"] == .string("agrees"))
        // Nothing was asked, so nothing is proved.
        #expect(try await outcome(of: ReplayCommand.self, ["7c1e"], Self.backend(.skipped)).code == 1)
        #expect(try await outcome(of: ReplayCommand.self, ["7c1e"], Self.backend(.failed, .agrees)).code == 1)
        #expect(throws: (any Error).self) { try ReplayCommand.parse(["7c1e", "--fix"]) }
    }

    @Test func `whoever sits at the terminal is asked, and sees how far it is`() async throws {
        for (typed, isFixed) in [("y", true), ("n", false), ("", false)] {
            let admin = try await RunningAdmin.start(Self.backend(.agrees))
            let capture = Capture()
            let terminal = capture.terminal(
                showsProgress: true,
                answers: {
                    capture.note("asked\n")
                    return typed
                })
            let command = try ReplayCommand.parse(["7c1e", "--admin", "http://127.0.0.1:\(admin.port)"])
            #expect(await command.exitCode(on: terminal) == 0)
            try await admin.stop()
            #expect(capture.complaints.contains("Mark 7c1e5f0a as fixed? [y/N] "))
            #expect(capture.complaints.contains("░ 0/1 asking both sides"))
            #expect(capture.output.contains("fixed by ") == isFixed)
            // The results stand there before the question.
            #expect(capture.output.hasPrefix("✓ agrees   GET /api/v1/orders/1\n1 of 1 agree now\nasked\n"))
        }
    }

    @Test func `replays judge by all that was learned at the endpoint, not by the group's own fields`() {
        let etag = GroupedDifference(path: "$.etag", kind: .value)
        var tally = NoiseTally()
        tally.compared = NoiseCount(twins: 40, pairs: 40)
        tally.differing[etag] = NoiseCount(twins: 40, pairs: 40)
        let noise = LearnedNoise([NoiseScope(extraction: "orders", endpoint: "GET /a", side: .monolith): tally])
        let baseline = noise.baseline(extraction: "orders", endpoint: "GET /a", primary: .service)
        #expect(baseline?.judge(etag) == .noise)
        #expect(baseline?.judge(GroupedDifference(path: "$.total", kind: .type)) == .reported)
        #expect(noise.baseline(extraction: "orders", endpoint: "GET /b", primary: .monolith) == nil)
    }

    @Test func `what was redacted in a query can be supplied, and nothing else in it`() throws {
        let recorded = RecordedRequest(
            method: "GET", target: "/a?token=redacted:0123456789ab&b=1&api%20key=redacted%3Aba9876543210", headers: [],
            body: nil)
        #expect(
            ReplayPlan(recorded, supplied: [], query: [HeaderField(name: "token", value: "x")])
                == .skip(
                    "a part of the target was redacted when it was recorded: --query api key=… supplies it"))
        let query = [("token", "a&b\r\n"), ("api key", "é"), ("b", "2")].map { HeaderField(name: $0.0, value: $0.1) }
        guard case .ask(let request) = ReplayPlan(recorded, supplied: [], query: query) else {
            return #expect(Bool(false))
        }
        #expect(request.target == "/a?token=a%26b%0D%0A&b=1&api%20key=%C3%A9")
        #expect(try ReplayCommand.parse(["7c", "--query", "token=a=b"]).query == [QueryField(argument: "token=a=b")])
        #expect(throws: (any Error).self) { try ReplayCommand.parse(["7c", "--query", "token"]) }
    }

    @Test func `what is redacted or cut is not sent, and what changes something is not asked`() {
        let field = { (name: String, value: String) in HeaderField(name: name, value: value) }
        let recorded = RecordedRequest(
            method: "GET", target: "/a?b=1",
            headers: [
                field("Host", "shop"), field("Authorization", "redacted:0123456789ab"), field("Connection", "close"),
                field("X-Long", "a…"), field("Strangler-Request-Id", "1"), field("Accept", "a/b"),
            ], body: nil)
        #expect(
            ReplayPlan(recorded, supplied: [])
                == .ask(
                    .init(
                        method: "GET", target: "/a?b=1", headers: [field("Host", "shop"), field("Accept", "a/b")],
                        body: nil,
                        leftOut: ["authorization", "x-long"])))
        let supplied = ReplayPlan(recorded, supplied: [field("authorization", "Bearer x")])
        guard case .ask(let request) = supplied else { return #expect(Bool(false), "\(supplied)") }
        #expect(request.leftOut == ["x-long"] && request.headers.contains(field("authorization", "Bearer x")))
        for (method, target, body) in [
            ("POST", "/a", nil), ("GET", "/a?token=redacted:0123456789ab", nil), ("GET", "/a…", nil), ("GET", "*", nil),
            ("GET", "/a", "redacted:0123456789ab (12 bytes)"),
        ] {
            guard
                case .skip = ReplayPlan(
                    RecordedRequest(method: method, target: target, headers: [], body: body), supplied: [])
            else { return #expect(Bool(false), "\(method) \(target)") }
        }
    }
}
