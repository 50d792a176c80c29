import AdminAPI
import ArgumentParser
import Comparison
import DualWrite
import Foundation
import Synchronization
import UnixSignals

struct ReconcileCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Ask both sides for everything that was written in a period, and tell what they differ in.",
        discussion: """
            Entities are found by the writes that both sides got. They are read on both sides, marked as shadow requests, and
            compared by the extraction's rules.

            --repair has writes that were given up delivered again, in their order and with their keys, where no later write of
            the same entity has been delivered. Writes that were delivered are not kept: what differs after them is repaired
            only if the route file says `reconcile: {put: true}`. What is not repaired is told with its reason.

            Ctrl-C stops it; --resume goes on where it was, also after the proxy or this command was killed.
            Exit codes: 0 all are the same (or were repaired), 1 otherwise or stopped, 3 a side, the proxy or Postgres cannot be
            reached.
            """)

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp(
            "Writes received since: 2026-11-21T04:00:00Z, or 90m, 12h, 7d ago. (default: 24h)", valueName: "time"))
    var from: Moment?

    @Option(help: ArgumentHelp("Writes received before. (default: now)", valueName: "time"))
    var to: Moment?

    @Flag(help: "Bring the side that is behind to where the other one is.")
    var repair = false

    @Flag(help: "Go on with the newest walk that has not ended.")
    var resume = false

    @Option(name: .customLong("run"), help: ArgumentHelp("Go on with this walk.", valueName: "number"))
    var number: Int?

    @Option(help: ArgumentHelp("At most so many entities a second, 1 to 1000.", valueName: "number"))
    var rate = ReconcileStepRequest.standardRate

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("Send this to both sides, as credentials; can be repeated.", valueName: "Name: value"))
    var headers: [RequestField] = []

    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard 1...1_000 ~= rate else { throw ValidationError("--rate is a number from 1 to 1000") }
        if let header = headers.first(where: { ReplayRequest.unsendable.contains($0.name.lowercased()) }) {
            throw ValidationError("\(header.name) is not for a client to set")
        }
        if resume || number != nil {
            guard from == nil, to == nil, !repair, change.reason == nil, !resume || number == nil else {
                throw ValidationError(
                    "a walk that goes on keeps its period, repair and reason: --resume or --run stands alone")
            }
        } else if repair, change.isWithoutReason {
            throw ValidationError("--repair needs --reason: it is kept with the run")
        }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let first = try await begun(admin)
        let stop = StopFlag()
        // Ctrl-C lets the step under way come to its end: where the walk stands is stored with it.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let listening = Task {
            for await _ in signals { stop.raise() }
        }
        let result = await walked(first, admin, terminal, stop)
        listening.cancel()
        terminal.endProgress()
        let report: ReconcileReport
        do throws(ClientFailure) {
            report = try result.get()
        } catch {
            throw error.with(note: "run \(first.run) goes on with --resume")
        }
        if client.json {
            guard let data = try? AdminJSON.data(report) else { return }
            terminal.write(String(decoding: data, as: UTF8.self))
        } else {
            ReconcileText.write(report, to: terminal)
        }
        if let halted = report.halted {
            throw ClientFailure(exit: .unreachable, message: halted, note: "run \(report.run) goes on with --resume")
        }
        guard report.endedAt != nil else {
            throw ClientFailure(exit: .refused, message: "stopped; run \(report.run) goes on with --resume")
        }
        if !report.counts.isClean { throw ClientFailure(exit: .refused, message: "") }
    }

    private func begun(_ admin: AdminClient) async throws(ClientFailure) -> ReconcileReport {
        let path = ["extractions", name, "reconcile"]
        if resume || number != nil {
            let runs = try admin.shown(
                [ReconcileReport].self, try await admin.get(path, query: [("limit", "1000")]))
            let run = runs.first { run in number.map { run.run == $0 } ?? (run.endedAt == nil) }
            guard let run else {
                throw ClientFailure(
                    exit: .refused,
                    message: number.map { "there is no run \($0) of \(name)" } ?? "no walk of \(name) waits to go on")
            }
            return run
        }
        let request = ReconcileRequest(
            from: from?.date(before: Date()), to: to?.date(before: Date()), repair: repair, reason: change.reason)
        return try admin.shown(ReconcileReport.self, try await admin.post(path, request))
    }

    private func walked(
        _ first: ReconcileReport, _ admin: AdminClient, _ terminal: Terminal, _ stop: StopFlag
    ) async -> Result<ReconcileReport, ClientFailure> {
        var report = first
        let step = ReconcileStepRequest(
            headers: headers.map { HeaderField(name: $0.name, value: $0.value) }, rate: rate)
        do throws(ClientFailure) {
            while report.endedAt == nil, report.halted == nil, !stop.isRaised {
                let counts = report.counts
                let apart = counts.checked - counts.same - counts.repaired
                terminal.progress(
                    counts.checked, of: max(counts.total, counts.checked),
                    "compared" + (apart > 0 ? ", \(ReportText.count(apart)) not the same" : ""))
                let data = try await admin.post(["extractions", name, "reconcile", String(report.run)], step)
                report = try admin.shown(ReconcileReport.self, data)
            }
        } catch {
            return .failure(error)
        }
        return .success(report)
    }
}

/// Somebody has asked for the end.
private final class StopFlag: Sendable {
    private let raised = Mutex(false)

    var isRaised: Bool { raised.withLock { $0 } }

    func raise() { raised.withLock { $0 = true } }
}

/// A point in time: as such, or as a span of time ago.
struct Moment: ExpressibleByArgument, Sendable, Equatable {
    private enum Kind: Equatable {
        case at(Date)
        case ago(Double)
    }

    private let kind: Kind

    init?(argument: String) {
        if let seconds = SpanText.seconds(argument) {
            kind = .ago(seconds)
        } else if let date = try? Date(argument, strategy: .iso8601) {
            kind = .at(date)
        } else {
            return nil
        }
    }

    func date(before now: Date) -> Date {
        switch kind {
        case .at(let date): date
        case .ago(let seconds): now.addingTimeInterval(-seconds)
        }
    }
}

enum ReconcileText {
    static func write(_ report: ReconcileReport, to terminal: Terminal) {
        let counts = report.counts
        terminal.write(
            terminal.paint(report.extraction, .bold)
                + ": run \(report.run), \(ReportText.count(counts.checked)) of "
                + "\(ReportText.counted(max(counts.total, counts.checked), "entity", "entities")) compared")
        terminal.field("written", "\(ReportText.time(report.from)) to \(ReportText.time(report.to))")
        let lines: [(String, Int, Terminal.Paint?)] = [
            ("same", counts.same, .green), ("repaired", counts.repaired, .green), ("differ", counts.differs, .red),
            ("missing", counts.missing, .red), ("behind", counts.behind, .yellow),
            ("unreadable", counts.unreadable, .yellow),
        ]
        for (label, count, paint) in lines where count > 0 {
            terminal.field(label, ReportText.count(count), paint: paint)
        }
        if counts.nameless > 0 {
            terminal.field(
                "left out", "\(ReportText.counted(counts.nameless, "write")) that name nothing that can be read")
        }
        for finding in report.found { write(finding, to: terminal) }
        let rest = counts.checked - counts.same - report.found.count
        if rest > 0 { terminal.write("  and \(ReportText.count(rest)) more") }
    }

    private static func write(_ finding: ReconcileFinding, to terminal: Terminal) {
        let (mark, paint): (String, Terminal.Paint) =
            switch finding.result {
            case .same: ("✓ same      ", .green)
            case .repaired: ("✓ repaired  ", .green)
            case .differs: ("✗ differs   ", .red)
            case .missing: ("✗ missing   ", .red)
            case .behind: ("! behind    ", .yellow)
            case .unreadable: ("! unreadable", .yellow)
            }
        terminal.write(
            terminal.paint(mark, paint) + "  " + TextLayout.cutMiddle(finding.entity, to: Terminal.width - 14))
        let differences = finding.differences.map { "\($0.path) \($0.kind.rawValue)" }
        if !differences.isEmpty {
            for line in TextLayout.listed(differences, width: 66, lines: 2) {
                terminal.write("              " + line)
            }
        }
        if let reason = finding.reason { terminal.field("", reason, labelWidth: 12) }
    }
}
