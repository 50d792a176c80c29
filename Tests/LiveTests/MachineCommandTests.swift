import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import Synchronization
import Testing

@testable import strangler

/// What ops people see of ramps, holds, guard, waivers and replicas.
@Suite struct MachineCommandAnswers {
    private static var moving: SampleBackend {
        var backend = SampleBackend()
        backend.report = .moving()
        return backend
    }

    @Test func `status shows how the weight moves, then the gate as a checklist, then the details`() async throws {
        let run = try await outcome(of: StatusCommand.self, ["orders"], Self.moving)
        let order = [
            "stage cutover, 25% of reads, 5% of writes at the service", ", version 12",
            "  held      paused by ann@host",
            "  ramp      runs, 50% is next", "  guard     judged", "web-1:4711-4f2a91c0: nothing",
            "service: 1,204 requests, 2 errors (0.16%), p99 ", "monolith: 3,800 requests, no error",
            "not heard of: web-3", "  fallback  not begun", "GET /api/v1/orders/{id} 2",
            "  waivers   DELETE /api/v1/orders/{id} by ann@host", "  gaps      gap 12: 40 s at web-2", "(waived)",
            "  replicas  3 replicas, 1 silent, 1 behind", "web-2:4711-77aa01b2", "BEHIND", "SILENT for 40 s",
            "The gate to fallback is closed, 1 thing missing",
            "  ✗ the service answers 25% of reads, 5% of writes, fallback needs 100%",
            "  ✓ the weight has held for 2 h",
            "  traffic   1,204 answered by the monolith", "  shadow    9 compared",
        ]
        var rest = run.output[...]
        for text in order {
            guard let found = rest.firstRange(of: text) else {
                Issue.record("missing, or before what stands above it: \(text)\n\(run.output)")
                continue
            }
            rest = rest[found.upperBound...]
        }
        run.expectReadable()
    }

    @Test(arguments: [80, 72, 60, 44])
    func `no line is longer than the window`(columns: Int) async throws {
        for report in [ExtractionReport.moving(), SampleBackend().report] {
            var backend = SampleBackend()
            backend.report = report
            try await outcome(of: StatusCommand.self, ["orders"], backend, columns: columns)
                .expectReadable(columns: columns)
        }
    }

    @Test func `what a ramp waits for is said, unless it is held`() async throws {
        var backend = Self.moving
        backend.report.hold = nil
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("waits: 25% has to hold for 1 h, 50 min left"))
        let held = try await outcome(of: StatusCommand.self, ["orders"], Self.moving)
        #expect(!held.output.contains("waits:"))
    }

    @Test func `of a long checklist all that is missing comes first, and what is met is counted`() async throws {
        var backend = SampleBackend()
        let met = (1...40).map { Requirement.met("mismatch", "GET /m\($0): fine") }
        let missing = (1...25).map { Requirement.missing("mismatch", "GET /x\($0): needs more") }
        backend.report.gate = GateReport(Gate(next: .cutover, requirements: met + missing))
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("closed, 25 things missing"))
        #expect(
            run.output.contains("✗ GET /x20: needs more\n    and 5 more missing, --all shows them\n  ✓ GET /m1: fine"))
        #expect(run.output.contains("✓ GET /m8: fine\n    and 32 more that are met, --all shows them"))
        let all = try await outcome(of: StatusCommand.self, ["orders", "--all"], backend)
        #expect(all.output.contains("GET /x25") && all.output.contains("GET /m40"))
    }

    @Test func `the last days warn, and say what retiring means`() async throws {
        var backend = SampleBackend()
        backend.report.stage = .fallback
        backend.report.weight = .all
        backend.report.backlog = 3
        backend.report.gate = GateReport(
            Gate(next: .retired, requirements: [.missing("window", "the fallback window has 6 d left")]))
        backend.report.fallback.elapsed = 24 * 86_400
        let early = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(!early.output.contains("503"))
        backend.report.fallback.day = 25
        backend.report.fallback.days = 30
        backend.report.fallback.warning = "the fallback window ends in 6 d"
        let run = try await outcome(of: StatusCommand.self, ["orders"], backend)
        #expect(run.output.contains("  fallback  day 25 of 30; no request fell back\n"))
        #expect(run.output.contains("            the fallback window ends in 6 d\n"))
        #expect(run.output.contains("  backlog   3 writes that the monolith has not got yet\n"))
        #expect(run.output.contains("never reach the monolith"))
        let table = try await outcome(of: StatusCommand.self, [], backend)
        #expect(table.output.contains("orders: the fallback window ends in 6 d"))
    }

    @Test func `retire says what it means, refused or done`() async throws {
        var backend = SampleBackend()
        backend.report.stage = .retired
        let done = try await outcome(of: RetireCommand.self, ["orders"], backend)
        #expect(done.output.contains("never reach the monolith: while the service is down,\n  clients get 503"))
        backend.failure = AdminError(.refused, "orders: refused", reasons: ["the fallback window has 3 d left"])
        let refused = try await outcome(of: RetireCommand.self, ["orders"], backend)
        #expect(refused.code == 1)
        #expect(
            refused.complaints
                == "strangler: orders: refused: the fallback window has 3 d left\n  \(ReportText.afterRetirement)\n")
    }

    @Test func `history tells weights of both kinds and what the guard had found on one line each`() async throws {
        var backend = SampleBackend()
        backend.entries = [.breach()]
        let run = try await outcome(of: HistoryCommand.self, ["orders"], backend)
        #expect(run.output.contains("breach\n  change    cutover 25% of reads, 5% of writes → cutover 0%\n"))
        #expect(
            run.output.contains(
                "guard     the service fails on 31 of 900 (3.45%) requests in the last minutes;\n            service"))
        #expect(run.output.contains("1,204 requests, 2 errors (0.16%)"))
        run.expectReadable()
        let findings = try #require(HistoryEntry.breach().evidence?.findings)
        let breaches = findings.breaches.joined(separator: "; ")
        backend.entries = [.breach(reason: breaches), .held(.paused)]
        let once = try await outcome(of: HistoryCommand.self, ["orders"], backend)
        #expect(once.output.components(separatedBy: "31 of 900").count == 2, "\(once.output)")
        #expect(once.output.contains("paused   at cutover 25%\n"))
    }

    @Test func `replicas are listed, and one that is silent or behind is exit code 1`() async throws {
        let run = try await outcome(of: ReplicasCommand.self, [], Self.moving)
        #expect(run.code == 1 && run.complaints.isEmpty)
        #expect(run.output.contains("web-1:4711-4f2a91c0 version 0.5.0, answers this, guard\n"))
        #expect(run.output.contains("heartbeat  silent for 40 s") && run.output.contains("orders version 11, BEHIND"))
        run.expectReadable()
        var healthy = Self.moving
        healthy.report.replicas = Array((healthy.report.replicas ?? []).prefix(1))
        #expect(try await outcome(of: ReplicasCommand.self, [], healthy).code == 0)
        #expect(try await outcome(of: ReplicasCommand.self, ["--json"], healthy).output.hasPrefix(#"[{"age":0.4,"#))
    }

    @Test func `waivers arrive, with the endpoint in quotes or without`() async throws {
        let backend = Self.moving
        let run = try await outcome(of: WaiveCommand.self, ["orders", "GET", "/x/{id}", "--reason", "rare"], backend)
        #expect(run.output.contains("orders: 1 waiver") && run.output.contains("only by hand"))
        _ = try await outcome(of: WaiveCommand.self, ["orders", "gap 12", "--reason", "known"], backend)
        _ = try await outcome(of: UnwaiveCommand.self, ["orders", "GET /x/{id}"], backend)
        let waived = backend.waived.withLock { $0 }
        #expect(
            waived.map(\.request) == [
                WaiverRequest(subject: "GET /x/{id}", reason: "rare"),
                WaiverRequest(subject: "gap 12", reason: "known"),
                WaiverRequest(subject: "GET /x/{id}", reason: nil),
            ])
        #expect(waived.map(\.isRevoked) == [false, false, true])
    }

    @Test func `a rollback without a proxy says how to do it without one, on its one line`() async throws {
        let admin = try await RunningAdmin.start(SampleBackend())
        try await admin.stop()
        let capture = Capture()
        let command = try RollbackCommand.parse(["orders", "--admin", "http://127.0.0.1:\(admin.port)"])
        #expect(await command.exitCode(on: capture.terminal()) == 3)
        #expect(capture.complaints.contains("`strangler rollback orders --store URL` writes to Postgres directly"))
        #expect(capture.complaints.split(separator: "\n").count == 1)
    }
}

@Suite struct StatusWatching {
    /// Looks as often as it is told to, with something done before each but the first.
    private func follow(
        _ command: StatusCommand, _ capture: Capture, _ terminal: Terminal, port: Int,
        between steps: [@Sendable () async -> Void]
    ) async throws -> ClientFailure? {
        let address = try #require(AdminAddress(argument: "http://127.0.0.1:\(port)"))
        let left = Mutex(steps[...])
        return try await AdminClient.with(address) { (admin) throws(ClientFailure) in
            await Watch(command: command, admin: admin, terminal: terminal) {
                guard let step = left.withLock({ $0.popFirst() }) else { return false }
                await step()
                return true
            }.follow()
        }
    }

    @Test func `on a screen each look is drawn over the last, no higher and no wider than it`() async throws {
        let capture = Capture()
        let terminal = capture.terminal(isColoured: true, columns: 60, window: { .init(columns: 60, rows: 12) })
        var backend = SampleBackend()
        backend.report = .moving()
        try await withAdmin(backend) { admin in
            let failure = try await follow(
                try StatusCommand.parse(["orders", "--watch"]), capture, terminal, port: admin.port, between: [{}, {}])
            #expect(failure == nil)
        }
        let frames = capture.output.components(separatedBy: "\u{1B}[H").dropFirst()
        #expect(frames.count == 3)
        for frame in frames {
            #expect(frame.contains("\u{1B}[J"))
            let lines = frame.components(separatedBy: "\n").dropLast()
            #expect(lines.count <= 11 && lines.last?.contains("more lines") == true)
            for line in lines {
                #expect(line.hasSuffix("\u{1B}[K"))
                let bare = line.replacing(#/\x1B\[[0-9;]*[A-Za-z]/#, with: "")
                #expect(TextLayout.columns(of: bare) <= 60, "\(bare)")
            }
            #expect(frame.contains("latest: ") && frame.contains("Ctrl-C ends"))
        }
        #expect(capture.output.hasSuffix("\u{1B}[0m"))
    }

    @Test func `a proxy that goes away is waited for, and what was known stays on the screen`() async throws {
        let capture = Capture()
        let terminal = capture.terminal(window: { .init(columns: 80, rows: 50) })
        let admin = try await RunningAdmin.start(SampleBackend())
        let again = Mutex<RunningAdmin?>(nil)
        let port = admin.port
        let failure = try await follow(
            try StatusCommand.parse(["orders", "--watch"]), capture, terminal, port: port,
            between: [
                { try? await admin.stop() },
                {
                    let started = try? await RunningAdmin.start(SampleBackend(), port: port)
                    again.withLock { $0 = started }
                },
            ])
        try await again.withLock { $0 }?.stop()
        #expect(failure == nil)
        let frames = Array(capture.output.components(separatedBy: "\u{1B}[H").dropFirst())
        #expect(frames.count == 3)
        #expect(frames[1].contains("http://127.0.0.1:\(port) cannot be reached, trying again"))
        #expect(frames[1].contains("stage shadow"))
        #expect(!frames[2].contains("cannot be reached") && frames[2].contains("stage shadow"))
    }

    @Test func `elsewhere only what has changed is written, as text or as one line of JSON`() async throws {
        for isJSON in [false, true] {
            let capture = Capture()
            let backend = SampleBackend()
            let run = try await RunningAdmin.start(backend)
            let failure = try await follow(
                try StatusCommand.parse(["orders", "--watch"] + (isJSON ? ["--json"] : [])), capture,
                capture.terminal(), port: run.port,
                between: [
                    { backend.later.set { $0.fallback.elapsed = 9 } }, { backend.later.set { $0.shadow.match = 8 } },
                    {},
                ])
            try await run.stop()
            #expect(failure == nil)
            if isJSON {
                let lines = capture.output.split(separator: "\n")
                #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
                #expect(lines.last?.contains(#""match":8"#) == true)
            } else {
                #expect(capture.output.components(separatedBy: "status orders at ").count == 3)
                #expect(!capture.output.contains("\u{1B}"))
            }
        }
    }

    @Test func `what is not there ends it`() async throws {
        let capture = Capture()
        try await withAdmin { admin in
            let failure = try await follow(
                try StatusCommand.parse(["nothing", "--watch"]), capture, capture.terminal(), port: admin.port,
                between: [{}, {}])
            #expect(failure?.exit == .refused)
        }
    }

    @Test func `a line in colours is cut without leaving a colour on`() {
        let line = "\u{1B}[1mabc\u{1B}[0m def"
        #expect(TextLayout.cutPainted(line, to: 7) == line)
        #expect(TextLayout.cutPainted(line, to: 6) == "\u{1B}[1mabc\u{1B}[0m d…")
        #expect(TextLayout.cutPainted(line, to: 3) == "\u{1B}[1mab…\u{1B}[0m")
        #expect(TextLayout.cutPainted("", to: 3) == "")
    }
}
