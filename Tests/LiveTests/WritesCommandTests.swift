import AdminAPI
import ArgumentParser
import DualWrite
import Extraction
import Foundation
import PostgresStore
import Testing

@testable import strangler

/// Writes that go to both sides, as ops people see them and decide about them.
@Suite struct WritesCommandTests {
    private static var behind: SampleBackend {
        var backend = SampleBackend()
        backend.report.dualWrite = .sample
        backend.report.undecidedWrites = [.sample(1), .sample(2, state: "uncertain")]
        return backend
    }

    @Test func `the list begins with how the writes stand`() async throws {
        let run = try await outcome(of: WritesListCommand.self, ["orders"], Self.behind)
        #expect(run.code == 0)
        var rest = run.output[...]
        for text in [
            "orders\n", "  writes    the monolith is 3 writes behind, oldest 0.4 s",
            "2 under way, 1 waits for a circuit breaker", "  dead      2", "  uncertain 1", "  settled   1,204 of the",
            "\(WriteReport.sampleID(1))  dead", "POST /api/v1/orders, to the monolith, 12 attempts\n",
            "status-422, primary 201, other side 422", "\(WriteReport.sampleID(2))  uncertain", "retried",
        ] {
            let found = try #require(rest.range(of: text), "\(text) in \(run.output)")
            rest = rest[found.upperBound...]
        }
        run.expectReadable()
    }

    @Test func `states, endpoint and page are asked for`() async throws {
        let backend = Self.behind
        let run = try await outcome(
            of: WritesListCommand.self,
            [
                "orders", "--state", "dead", "--endpoint", "POST /a b", "--limit", "7", "--after",
                WriteReport.sampleID(1),
            ],
            backend)
        #expect(
            run.output.flowing.contains("next 1 of 2, the oldest first; the rest: --after \(WriteReport.sampleID(2))"))
        #expect(
            backend.decided.asked == [
                WritesQuery(kind: .dead, endpoint: "POST /a b", after: WriteReport.sampleID(1), limit: 7)
            ])
        let first = try await outcome(of: WritesListCommand.self, ["orders", "--state", "dead"], backend)
        #expect(first.output.flowing.contains("first 1 of 3, the oldest first; the rest: --after "))
        #expect(try WritesListCommand.parse(["orders", "--before", WriteReport.sampleID(1)]).after != nil)
        #expect(throws: (any Error).self) { try WritesListCommand.parse(["orders", "--state", "lost"]) }
        #expect(throws: (any Error).self) { try WritesListCommand.parse(["orders", "--limit", "0"]) }
        let json = try await outcome(of: WritesListCommand.self, ["orders", "--json"], backend)
        let tree = try JSONTree(json.output)
        #expect(tree["dualWrite"]?["toMonolith"]?["seconds"] == .number(0.4))
        #expect(tree["writes"]?.elements?.count == 2)
    }

    @Test func `the name may stand without list`() throws {
        let command = try #require(try WritesCommand.parseAsRoot(["orders", "--state", "open"]) as? WritesListCommand)
        #expect(command.name == "orders" && command.state == .open)
        let id = WriteReport.sampleID(1)
        #expect(try WritesCommand.parseAsRoot(["settle", id, "--reason", "r"]) is WritesSettleCommand)
    }

    @Test(arguments: [["writes", "settle", "5f0c", "--reason", "r"], ["writes", "orders", "--after", "5f0c"]])
    func `what cannot be a write's id is wrong usage`(arguments: [String]) async throws {
        let run = try await Program.run(arguments)
        #expect(
            run.status == 2 && run.error.contains("5f0c is no write's id: that has 32 hexadecimal digits"), "\(run)")
    }

    @Test func `decisions are taken one by one, and what cannot be done is told at the end`() async throws {
        let backend = Self.behind
        let ids = [WriteReport.sampleID(1), WriteReport.sampleID(15), WriteReport.sampleID(2)]
        let run = try await outcome(of: WritesSettleCommand.self, ids + ["--reason", "by hand"], backend)
        #expect(run.code == 1)
        #expect(run.output.contains("\(ids[0]) is settled now") && run.output.contains("\(ids[2]) is settled now"))
        #expect(run.complaints.contains("1 of 3 were not done: there is no write \(ids[1])"))
        let decided = backend.decided.withLock { $0 }
        #expect(decided.map(\.id) == [ids[0], ids[2]] && decided.allSatisfy { $0.reason == "by hand" })
        #expect(decided.allSatisfy { $0.command == .settle && $0.actor == AdminClient.actor })
        let one = try await outcome(of: WritesRetryCommand.self, [ids[1], "--reason", "x"], backend)
        #expect(one.code == 1 && one.complaints.contains("there is no write"))
    }

    @Test func `all dead ones of an extraction, the oldest first`() async throws {
        let backend = Self.behind
        let run = try await outcome(
            of: WritesRetryCommand.self, ["--all-dead", "orders", "--reason", "mended"], backend)
        #expect(run.code == 0, "\(run)")
        #expect(
            backend.decided.withLock { $0.map(\.id) } == [1, 2, 3].map { WriteReport.sampleID($0) }, "\(run.output)")
    }

    @Test(arguments: [
        ["a"], ["--reason", "r"], ["a", "--all-dead", "orders", "--reason", "r"], ["", "--reason", "r"],
    ])
    func `a decision needs a write and a reason`(arguments: [String]) {
        #expect(throws: (any Error).self) { try WritesSettleCommand.parse(arguments) }
    }

    @Test func `status says how far the monolith is behind, and a rollback what it waits for`() async throws {
        var backend = Self.behind
        let status = try await outcome(of: StatusCommand.self, ["orders"], backend)
        for text in [
            "  writes    the monolith is 3 writes behind, oldest 0.4 s",
            "2 writes dead, 1 uncertain: strangler writes orders",
        ] {
            #expect(status.output.contains(text), "\(text) in \(status.output)")
        }
        let back = try await outcome(of: RollbackCommand.self, ["orders"], backend)
        #expect(
            back.output.flowing.contains("keys change sides as their writes are delivered: 3 writes to the monolith"))
        backend.report.dualWrite?.flipsAtOnce = true
        let now = try await outcome(of: RollbackCommand.self, ["orders", "--now"], backend)
        #expect(now.output.flowing.contains("changed sides at once, with 3 writes to the monolith behind"))
        #expect(backend.performed.withLock { $0.map(\.request.atOnce) } == [false, true])
        for run in [status, back, now] { run.expectReadable() }
    }

    @Test func `what could not be on record stands in status, its JSON and the console, with reasons`() async throws {
        var backend = Self.behind
        backend.report.dualWrite?.refused = ["spool-full": 1_200, "spool-slow": 4]
        backend.report.dualWrite?.unrecorded = ["spool-failed": 1]
        backend.report.dualWrite?.identityConflicts = 2
        backend.report.dualWrite?.undrained = 5
        let lines = [
            "1,204 writes refused, since they could not be on record (spool-full 1,200, spool-slow 4)",
            "1 write sent to one side alone, since they could not be on record (spool-failed 1)",
            "2 pairs of identities not taken: they contradict known ones",
        ]
        let status = try await outcome(of: StatusCommand.self, ["orders"], backend)
        let list = try await outcome(of: WritesListCommand.self, ["orders"], backend)
        for line in lines {
            #expect(status.output.flowing.contains(line), "\(status.output)")
            #expect(list.output.flowing.contains(line), "\(list.output)")
        }
        status.expectReadable()
        list.expectReadable()
        let tree = try JSONTree(try await outcome(of: StatusCommand.self, ["orders", "--json"], backend).output)
        #expect(tree["dualWrite"]?["refused"]?["spool-full"] == .number(1_200))
        #expect(tree["dualWrite"]?["unrecorded"]?["spool-failed"] == .number(1))
        #expect(tree["dualWrite"]?["identityConflicts"] == .number(2))
        #expect(tree["dualWrite"]?["undrainedBytes"] == .number(5))
        try await withAdmin(backend) { (admin: RunningAdmin) async throws in
            let page = try await admin.get("/").text
            for line in lines { #expect(page.contains(line), "\(line)") }
        }
    }

    @Test func `what replicas refused is added up`() {
        var (one, other) = (
            Replica.ServedState(version: 1, stage: .shadow, weight: "0%"),
            Replica.ServedState(version: 1, stage: .shadow, weight: "0%")
        )
        var counted = LedgerGaps.Counted()
        counted.refused = ["orders": ["spool-full": 2, "spool-slow": 1], "other": ["spool-full": 9]]
        one.add(counted, conflicts: 3, of: "orders")
        counted.served = ["orders": ["spool-full": 5]]
        other.add(counted, conflicts: 0, of: "orders")
        var report = DualWriteReport()
        report.add(one)
        report.add(other)
        #expect(report.refused == ["spool-full": 4, "spool-slow": 2] && report.unrecorded == ["spool-full": 5])
        #expect(report.identityConflicts == 3 && ReportText.unrecorded(DualWriteReport()).isEmpty)
    }

    @Test func `what people decided stands between the changes of its time`() async throws {
        let time = { (seconds: Double) in SampleBackend.time.addingTimeInterval(seconds) }
        let change = { (seconds: Double, from: Int, to: Int) in
            HistoryEntry(
                at: time(seconds), actor: "ann", action: "cutover",
                from: StagePoint(stage: .cutover, weight: Weight(clamping: from * 100)),
                to: StagePoint(stage: .cutover, weight: Weight(clamping: to * 100)), reason: nil, forced: false,
                evidence: nil)
        }
        let decision = { (number: UInt64, seconds: Double, verdict: WriteVerdict, reason: String) in
            WriteDecision(
                write: WriteID(high: 0, low: number), endpoint: "POST /o", at: time(seconds), actor: "bob",
                verdict: verdict, reason: reason)
        }
        let waiver = WaiverEntry(
            id: 1, extraction: "orders", subject: "gap 3",
            waiver: Waiver(actor: "cy", reason: "copied", at: time(5)), revokedAt: time(35), revokedBy: "dan")
        let (stages, decisions) = (
            [change(30, 5, 25), change(10, 0, 5)],
            [
                decision(5, 40, .settle, "seen"), decision(4, 24, .retry, "mended"), decision(3, 23, .retry, "mended"),
                decision(2, 22, .retry, "other"), decision(1, 9, .retry, "other"),
            ]
        )
        let merged = HistoryEntry.merged(stages: stages, decisions: decisions, waivers: [waiver], limit: 100)
        #expect(
            merged.map(\.action) == [
                "writes settle", "unwaive", "cutover", "writes retry", "writes retry", "cutover", "writes retry",
                "waive",
            ])
        #expect(merged.map { $0.to.weight.description } == ["25%", "25%", "25%", "5%", "5%", "5%", "0%", "0%"])
        #expect(merged.filter { $0.subject != nil }.allSatisfy { $0.from == $0.to && !$0.forced })
        let ids = { (numbers: [UInt64]) in numbers.map { WriteID(high: 0, low: $0).description } }
        #expect(merged.map(\.writes) == [ids([5]), nil, nil, ids([4, 3]), ids([2]), nil, ids([1]), nil])
        #expect(merged[3].subject == "2 writes" && merged[4].subject == "write \(ids([2])[0]), POST /o")
        #expect(merged[1].actor == "dan" && merged[7].reason == "copied" && merged[7].subject == "gap 3")
        // What is older than the page belongs to the next one.
        let page = HistoryEntry.merged(
            stages: Array(stages.prefix(1)), decisions: decisions, waivers: [waiver], limit: 1)
        #expect(page.map(\.action) == ["writes settle"])
        #expect(
            HistoryEntry.merged(stages: [], decisions: [decisions[4]], waivers: [], limit: 9).map(\.to.stage)
                == [.identified])
        var backend = SampleBackend()
        backend.entries = merged
        let run = try await outcome(of: HistoryCommand.self, ["orders"], backend)
        for text in [
            "writes settle at cutover 25%", "about write \(ids([5])[0]), POST /o", "about 2 writes", "about gap 3",
        ] {
            #expect(run.output.flowing.contains(text), "\(run.output)")
        }
        run.expectReadable()
        let json = try JSONTree(try await outcome(of: HistoryCommand.self, ["orders", "--json"], backend).output)
        #expect(json.elements?[3]["writes"]?.elements?.count == 2 && json.elements?[2]["subject"] == nil)
    }

    @Test func `an action with an end stands apart from what follows`() async throws {
        var backend = SampleBackend()
        let point = StagePoint(stage: .shadow, weight: .none)
        backend.entries = ["rollback --now", "rollback"].map { action in
            HistoryEntry(
                at: SampleBackend.time, actor: "ann", action: action, from: point, to: point, reason: nil,
                forced: false,
                evidence: nil)
        }
        let run = try await outcome(of: HistoryCommand.self, ["orders"], backend)
        #expect(run.output.contains("rollback --now at shadow 0%") && run.output.contains("rollback at shadow 0%"))
    }

    @Test func `no number stands against its label, and sentences about one are about one`() throws {
        let capture = Capture()
        var report = SampleBackend.reconcile
        for _ in 0..<2 { report.counts.add(.unreadable) }
        ReconcileText.write(report, to: capture.terminal())
        #expect(capture.output.contains("unreadable 2"), "\(capture.output)")
        var dualWrite = DualWriteReport()
        (dualWrite.paused, dualWrite.dead) = (1, 1)
        #expect(
            ReportText.dualWrite(dualWrite)
                == ["both sides have all of them", "1 waits for a circuit breaker or an identity"])
        #expect(ReportText.undecided(dualWrite, of: "orders") == "1 write dead: strangler writes orders")
        dualWrite.paused = 2
        #expect(ReportText.dualWrite(dualWrite).last == "2 wait for a circuit breaker or an identity")
    }

    @Test func `the help of writes says how to decide about them`() async throws {
        let help = try await Program.run("writes", "--help")
        #expect(help.status == 0 && help.output.contains("strangler writes retry ID --reason"), "\(help)")
        #expect(help.output.contains("strangler writes settle ID --reason"))
    }

    @Test func `the API refuses what makes no sense`() async throws {
        let backend = Self.behind
        try await withAdmin(backend) { (admin: RunningAdmin) async throws in
            let writes = "/api/v1/writes/\(WriteReport.sampleID(1))"
            #expect(try await admin.post(writes + "/settle", "{}").status == 409)
            #expect(try await admin.post(writes + "/settle", #"{"reason":" "}"#).status == 409)
            #expect(try await admin.post(writes + "/retry", #"{"reason":"r","force":true}"#).status == 400)
            let list = "/api/v1/extractions/orders/writes"
            #expect(try await admin.get(list + "?state=gone").status == 400)
            #expect(try await admin.get(list + "?limit=0").status == 400)
            #expect(try await admin.get("/api/v1/extractions/none/writes").status == 404)
            let extraction = "/api/v1/extractions/orders/"
            #expect(try await admin.post(extraction + "pause", #"{"now":true}"#).status == 400)
            #expect(try await admin.post(extraction + "cutover", #"{"to":5,"now":true}"#).status == 200)
        }
        #expect(backend.decided.withLock { $0.isEmpty })
    }

    @Test func `what one replica owes is added up with what others told and with what nobody holds`() {
        let now = Date(timeIntervalSince1970: 1_795_233_600)
        var served = Replica.ServedState(version: 1, stage: .shadow, weight: "0%")
        served.toMonolith = .init(writes: 2, seconds: 1.25)
        served.spools = ["a"]
        var report = DualWriteReport()
        report.add(served)
        report.add(Replica.ServedState(version: 1, stage: .shadow, weight: "0%"))
        let stored = StoredStanding(
            open: [("a", 9), ("gone", 3)].map { spool, writes in
                .init(spool: spool, to: .monolith, writes: writes, oldest: now.addingTimeInterval(-30))
            }, dead: 4, uncertain: 5)
        report.add(stored, held: ["a"], now: now)
        #expect(report.toMonolith == .init(writes: 5, seconds: 30) && report.lost == 3)
        #expect(report.dead == 4 && report.uncertain == 5 && report.owed == 5)
        let replica = { (age: Double, isStopped: Bool) in
            Replica(
                id: "r", host: "h", process: 1, version: "1", startedAt: now, stoppedAt: isStopped ? now : nil,
                extractions: ["orders": served], age: age)
        }
        #expect([replica(1, false)].heldSpools == ["a"])
        #expect([replica(1, true), replica(300, false)].heldSpools.isEmpty)
    }
}

extension String {
    /// With one blank wherever a line was broken.
    var flowing: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
