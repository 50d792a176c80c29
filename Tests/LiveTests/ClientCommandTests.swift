import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import Synchronization
import Testing

@testable import strangler

@Suite struct ClientCommandAnswers {
    @Test func `status of all is a table of 80 columns`() async throws {
        let run = try await outcome(of: StatusCommand.self, [])
        #expect(run.code == 0)
        #expect(run.output.contains("orders            shadow          0%          9         2        0  ✗ cutover"))
        run.expectReadable()
    }

    @Test func `status of one shows the gate as a checklist, counters and coverage`() async throws {
        let run = try await outcome(of: StatusCommand.self, ["orders"])
        for text in [
            "orders: step 4 of 5, stage shadow, 0% of the keys at the service", "✓ parallel ▶ shadow · cutover",
            "The gate to cutover is closed, 1 thing missing", "  ✗ \(SampleBackend.missing)",
            "9 compared: 7 match, 2 mismatch, 0 transient", "coverage 81.8% of 11: 1 not compared (body-too-large 1)",
            "not begun, will take 30 d; no request fell back",
        ] {
            #expect(run.output.contains(text), "\(text)")
        }
        run.expectReadable()
    }

    @Test func `while Postgres is away the evidence is unknown, and not nothing`() async throws {
        var backend = SampleBackend()
        backend.report.storeConnected = false
        backend.report.shadow = VerdictReport()
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("  shadow    unknown while Postgres is away\n"))
        #expect(run.output.contains("how many fell back is unknown"))
        #expect(!run.output.contains("0 compared") && !run.output.contains("nothing seen yet"))
        let table = try await outcome(of: StatusCommand.self, [], backend)
        #expect(table.output.contains("orders            shadow          0%          –         –        0  ✗ cutover"))
        let json = try JSONTree(try await outcome(of: StatusCommand.self, ["orders", "--json"], backend).output)
        #expect(json["storeConnected"] == .bool(false) && json["shadow"]?["compared"] == .number(0))
    }

    @Test func `of many endpoints those with the most requests are shown, each with why not`() async throws {
        var backend = SampleBackend()
        backend.report.endpoints = (1...33).map { number in
            var report = EndpointReport(
                endpoint: "GET /p\(number)",
                verdicts: VerdictReport(compared: number, shadowFailed: 2, notCompared: ["body-too-large": 10]))
            report.coverage = CoverageReport(
                seen: 12 + number, sampled: 12 + number, shed: 0, circuitOpen: 0, compared: number, byStatusClass: [:])
            return report
        }
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("and 3 more endpoints, --all shows them\n"))
        #expect(run.output.contains("GET /p4 ") && !run.output.contains("GET /p3 "))
        #expect(run.output.contains("4 of 16 requests compared, body-too-large 10, shadow failed 2\n"))
        let all = try await outcome(of: StatusCommand.self, ["orders", "--all"], backend)
        #expect(all.output.contains("GET /p3 ") && !all.output.contains("--all"))
        run.expectReadable()
    }

    @Test func `an open gate is checked, a running window counts its days`() async throws {
        var backend = SampleBackend()
        backend.report.stage = .fallback
        backend.report.weight = .all
        backend.report.gate = GateReport(next: .retired, open: true, missing: [])
        backend.report.fallback.elapsed = 2 * 86_400 + 5
        backend.report.fallback.fellBack = 3
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("✓ nothing is missing"))
        #expect(run.output.contains("day 3 of 30; 3 requests fell back"))
    }

    @Test func `--json is the API's answer as it came`() async throws {
        let run = try await outcome(of: StatusCommand.self, ["orders", "--json"])
        let report = try AdminJSON.decode(ExtractionReport.self, from: Data(run.output.utf8))
        #expect(report == SampleBackend().report)
        #expect(try await outcome(of: StatusCommand.self, ["--json"]).output.hasPrefix("[{"))
        #expect(try await outcome(of: DiffCommand.self, ["7c1e", "--json"]).output.contains(#""examples":[{"#))
        #expect(try await outcome(of: HistoryCommand.self, ["orders", "--json"]).output.contains(#""reason":null"#))
        #expect(try await outcome(of: ExplainCommand.self, ["GET", "/x", "--json"]).output.contains(#""shadow":null"#))
    }

    @Test func `history and explain are readable`() async throws {
        let history = try await outcome(of: HistoryCommand.self, ["orders", "--limit", "7"])
        #expect(history.output.contains("2026-11-21 04:00:00 UTC  limit 7  parallel 0% → shadow 0%  forced"))
        #expect(history.output.contains("9 compared, 2 mismatch, 0 writes behind, service healthy"))
        history.expectReadable()
        let explain = try await outcome(of: ExplainCommand.self, ["get", "/a b?c=&d", "--client", "10.0.0.1"])
        #expect(explain.output.contains("endpoint    GET /a b?c=&d - 10.0.0.1"))
    }

    @Test func `no recorded text reaches the terminal as a command to it`() async throws {
        let hostile = "a\u{1B}]0;owned\u{7}\u{9B}2J\u{202E}b\u{8}\u{C}\u{7F}\\u001b \u{2028}c\nstrangler: forged"
        let backend = SampleBackend(text: hostile)
        var moving = SampleBackend(text: hostile)
        moving.report = .moving(text: hostile)
        moving.entries = [.breach(text: hostile)]
        let safe: Set<Unicode.Scalar> = ["\n"]
        for run in [
            try await outcome(of: StatusCommand.self, [], backend),
            try await outcome(of: DiffsCommand.self, [], backend),
            try await outcome(of: DiffsCommand.self, ["--by-field"], backend),
            try await outcome(of: DiffCommand.self, ["x"], backend),
            try await outcome(of: DiffCommand.self, ["x"], backend, columns: 60),
            try await outcome(of: StatusCommand.self, [hostile], backend),
            try await outcome(of: StatusCommand.self, [hostile], moving),
            try await outcome(of: HistoryCommand.self, [hostile], moving),
            try await outcome(of: WaiveCommand.self, [hostile, "x", "--reason", "r"], moving),
            try await outcome(of: PauseCommand.self, [hostile], moving),
            try await outcome(of: RuleSuggestCommand.self, ["x"], backend),
            try await outcome(of: ReplayCommand.self, ["x"], backend),
            try await outcome(of: FixedCommand.self, ["x", "--reason", hostile], backend),
        ] {
            #expect(run.code == 0 || run.output.contains("0 of 1 agree now"))
            let bad = (run.output + run.complaints).unicodeScalars.filter { scalar in
                [.control, .format, .lineSeparator].contains(scalar.properties.generalCategory)
                    && !safe.contains(scalar)
            }
            #expect(Array(bad) == [])
            #expect(!run.output.contains("\nstrangler: forged"))
        }
    }

    @Test func `sanitised JSON is the same JSON but for what would harm`() throws {
        let harmless = #"{"a":"x\n\t\"\\\u00e9é😀\/","b":[1.50,true,null]}"#
        #expect(TerminalSafety.sanitised(harmless) == harmless)
        let harmful = TerminalSafety.sanitised(#"["\u001B\\u001b\b\ud83d"#)
        #expect(harmful == #"["\\u001B\\u001b\\b\\ud83d"#)
        #expect(TerminalSafety.sanitised(#"\"#) == #"\"#)
    }
}

@Suite struct ClientCommandChanges {
    @Test func `commands arrive with reason, force and who asked`() async throws {
        let backend = SampleBackend()
        try await withAdmin(backend) { admin in
            let url = ["--admin", "http://127.0.0.1:\(admin.port)/"]
            let changes: [any AdminCommand] = [
                try AdvanceCommand.parse(["orders", "--to", "cutover", "--force", "--reason", "trial"] + url),
                try CutoverCommand.parse(["orders", "--to", "12.5%"] + url),
                try RollbackCommand.parse(["orders", "--reason", "too slow"] + url),
                try RetireCommand.parse(["orders"] + url),
                try CutoverCommand.parse(["orders", "--to", "5%", "--writes", "--force", "--reason", "r"] + url),
                try CutoverCommand.parse(["orders", "--to", "25%", "--reads"] + url),
                try CutoverCommand.parse(["orders", "--ramp", "--reason", "go"] + url),
                try PauseCommand.parse(["orders", "--reason", "freeze"] + url),
                try ResumeCommand.parse(["orders"] + url),
            ]
            for change in changes {
                let capture = Capture()
                #expect(await change.exitCode(on: capture.terminal()) == 0)
                #expect(capture.output.contains("orders is at stage shadow now, 0% of the keys at the service"))
            }
        }
        let performed = backend.performed.withLock { $0 }
        #expect(
            performed.map(\.request) == [
                CommandRequest(command: .advance(to: .cutover), reason: "trial", force: true),
                CommandRequest(command: .cutover(Weight(clamping: 1250))),
                CommandRequest(command: .rollback, reason: "too slow"), CommandRequest(command: .retire),
                CommandRequest(command: .cutover(Weight(clamping: 500), of: .writes), reason: "r", force: true),
                CommandRequest(command: .cutover(Weight(clamping: 2500), of: .reads)),
                CommandRequest(command: .ramp, reason: "go"), CommandRequest(command: .pause, reason: "freeze"),
                CommandRequest(command: .resume),
            ])
        #expect(performed.allSatisfy { $0.name == "orders" && $0.actor.split(separator: "@").count == 2 })
    }

    @Test func `reviewers' commands set their states`() async throws {
        #expect(try await outcome(of: AcceptCommand.self, ["7c", "--reason", "ok"]).output.contains("accepted by "))
        #expect(try await outcome(of: AcknowledgeCommand.self, ["7c"]).output.contains("acknowledged by "))
        #expect(try await outcome(of: FixedCommand.self, ["7c"]).output.contains("fixed by "))
    }

    @Test func `one reason is refused on one line, several below it, with exit code 1`() async throws {
        var backend = SampleBackend()
        backend.failure = AdminError(.refused, "orders: refused", reasons: ["needs 3 more"])
        let one = try await outcome(of: AdvanceCommand.self, ["orders"], backend)
        #expect(one.code == 1 && one.output.isEmpty)
        #expect(one.complaints == "strangler: orders: refused: needs 3 more\n")
        backend.failure?.reasons.append("and more")
        let two = try await outcome(of: AdvanceCommand.self, ["orders", "--json"], backend)
        #expect(two.code == 1 && two.output.isEmpty)
        #expect(two.complaints == "strangler: orders: refused\n  - needs 3 more\n  - and more\n")
    }

    @Test func `an empty name is no name of a list`() async throws {
        for run in [
            try await outcome(of: DiffCommand.self, [""]), try await outcome(of: RuleSuggestCommand.self, [""]),
            try await outcome(of: ReplayCommand.self, [""]), try await outcome(of: FixedCommand.self, [""]),
        ] {
            #expect(run.code == 1 && run.complaints == "strangler: a group's signature is needed\n")
        }
        let status = try await outcome(of: StatusCommand.self, [""])
        #expect(status.code == 1 && status.complaints == "strangler: an extraction's name is needed\n")
    }

    @Test func `an unknown extraction is refused beside the known ones`() async throws {
        let run = try await outcome(of: StatusCommand.self, ["or/ders"])
        #expect(run.code == 1)
        #expect(run.complaints == "strangler: there is no extraction or/ders: known: orders\n")
    }

    @Test func `without Postgres, and without a proxy, the exit code is 3`() async throws {
        var backend = SampleBackend()
        backend.failure = AdminError(.storeUnavailable, "Postgres cannot be reached")
        let away = try await outcome(of: HistoryCommand.self, ["orders"], backend)
        #expect(away.code == 3)
        #expect(away.complaints == "strangler: Postgres cannot be reached\n")
        let admin = try await RunningAdmin.start(SampleBackend())
        try await admin.stop()
        let capture = Capture()
        let command = try StatusCommand.parse(["--admin", "http://127.0.0.1:\(admin.port)"])
        #expect(await command.exitCode(on: capture.terminal()) == 3)
        #expect(
            capture.complaints.hasPrefix("strangler: cannot reach the proxy at http://127.0.0.1:\(admin.port) (is it"))
        #expect(capture.complaints.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        ["cutover", "orders"], ["cutover", "orders", "--to", "101%"], ["advance", "orders", "--to", "nirvana"],
        ["status", "--admin", "not a url"], ["status", "--admin", "ftp://x"], ["status", "--admin", "http://x/y"],
        ["diff"], ["history", "orders", "--limit", "0"], ["rollback"], ["explain", "GET"],
        ["retire", "orders", "--to", "1"], ["advance", "orders", "--force"], ["retire", "orders", "--force"],
        ["cutover", "orders", "--to", "5%", "--force", "--reason", " "], ["cutover", "orders", "--to", "5%", "--ramp"],
        ["cutover", "orders", "--to", "5%", "--reads", "--writes"], ["cutover", "orders", "--ramp", "--reads"],
        ["pause"], ["waive", "orders", "GET /x"], ["waive", "orders", "--reason", "r"], ["unwaive", "orders"],
        ["rollback", "orders", "--store", ""], ["replay", "orders", "--requests", "f", "--rate", "0"],
        ["replay", "orders", "--requests", "f", "--fix", "--reason", "r"], ["replay", "7c1e", "--rate", "5"],
        ["replay", "orders", "--requests", "f", "--header", "Content-Length: 3"],
    ])
    func `wrong usage is found before anything is asked`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try Strangler.parseAsRoot(arguments) }
        #expect(error.map { Strangler.exitCode(for: $0) } == .validationFailure)
    }

    @Test func `the admin address is the usual one unless told otherwise`() throws {
        #expect(try StatusCommand.parse([]).client.admin.text == "http://127.0.0.1:9901")
        #expect(try StatusCommand.parse(["--admin", "http://[::1]:1/"]).client.admin.text == "http://[::1]:1")
    }
}

// MARK: - Support

/// Takes what a command writes.
final class Capture: Sendable {
    private let written = Mutex<(output: String, complaints: String)>(("", ""))

    var output: String { written.withLock { $0.output } }
    var complaints: String { written.withLock { $0.complaints } }

    func note(_ text: String) { written.withLock { $0.output += text } }

    func terminal(
        isColoured: Bool = false, columns: Int = Terminal.width, window: (@Sendable () -> Terminal.Window)? = nil,
        showsProgress: Bool = false, answers: (@Sendable () -> String?)? = nil
    ) -> Terminal {
        Terminal(
            isColoured: isColoured, columns: columns, window: window, showsProgress: showsProgress,
            output: { text in self.written.withLock { $0.output += text } },
            complaints: { text in self.written.withLock { $0.complaints += text } }, answers: answers)
    }
}

struct Outcome {
    let code: Int32
    let output: String
    let complaints: String

    func expectReadable(columns: Int = Terminal.width) {
        for line in output.split(separator: "\n") {
            #expect(TextLayout.columns(of: line) <= columns, "\(line)")
        }
    }
}

/// Runs a command against an admin address of its own.
func outcome<Command: AdminCommand>(
    of type: Command.Type, _ arguments: [String], _ backend: SampleBackend = SampleBackend(), isColoured: Bool = false,
    columns: Int = Terminal.width
) async throws -> Outcome {
    let admin = try await RunningAdmin.start(backend)
    let capture = Capture()
    let command = try Command.parse(arguments + ["--admin", "http://127.0.0.1:\(admin.port)"])
    let code = await command.exitCode(on: capture.terminal(isColoured: isColoured, columns: columns))
    try await admin.stop()
    return Outcome(code: code, output: capture.output, complaints: capture.complaints)
}
