import AdminAPI
import ArgumentParser
import DualWrite
import Foundation

/// Writes that go to both sides.
struct WritesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "writes",
        abstract: "Show how far one side is behind the other, and decide about writes that nobody delivers any more.",
        discussion: discussion,
        subcommands: [WritesListCommand.self, WritesRetryCommand.self, WritesSettleCommand.self],
        defaultSubcommand: WritesListCommand.self)

    /// Also of the list, whose help is what `writes --help` shows.
    static let discussion = """
        Those that have not come to their end are listed oldest first: what is delivered next comes first. A dead write \
        was given up after many deliveries, or was refused by the other side; of an uncertain one nobody knows whether \
        the primary has carried it out. Both wait for a person:

          strangler writes retry ID --reason …    has one delivered once more
          strangler writes settle ID --reason …   says that somebody has seen to it

        An open write can be settled only where no running proxy holds its spool any more.
        """
}

struct WritesListCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show how the writes of an extraction stand, and those that are not done.",
        discussion: WritesCommand.discussion)

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp(
            "Only these: open, dead, uncertain, settled or refused.", valueName: "state"), transform: Self.kind)
    var state: WritesQuery.Kind?

    @Option(help: ArgumentHelp("Only of this endpoint, as the list shows it: \"POST /api/v1/orders\"."))
    var endpoint: String?

    @Option(help: ArgumentHelp("At most so many writes, 1 to 1000.", valueName: "count"))
    var limit = 50

    @Option(
        name: [.customLong("after"), .customLong("before")],
        help: ArgumentHelp("Go on after this one, the last of the page before.", valueName: "id"))
    var after: String?

    @OptionGroup var client: ClientOptions

    private static func kind(_ text: String) throws -> WritesQuery.Kind {
        guard let kind = WritesQuery.Kind(rawValue: text) else {
            throw ValidationError(
                "states are " + WritesQuery.Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return kind
    }

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
        if let after { try WriteIDText.check(after) }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(
            ["extractions", name, "writes"],
            query: [("state", state?.rawValue), ("endpoint", endpoint), ("after", after), ("limit", "\(limit)")])
        try show(WritesReport.self, data, admin, terminal) { report in
            WritesText.write(report, state: state, isFirst: after == nil, now: Date(), to: terminal)
        }
    }
}

/// A decision about single writes.
protocol WriteDecisionCommand: AdminCommand {
    static var verdict: WriteCommand { get }
    var ids: [String] { get }
    var allDead: String? { get }
    var change: ChangeOptions { get }
}

extension WriteDecisionCommand {
    func validate() throws {
        if change.isWithoutReason { throw ValidationError("a decision needs --reason: it is kept") }
        guard ids.isEmpty != (allDead == nil) else { throw ValidationError("either ids of writes, or --all-dead NAME") }
        if allDead?.isEmpty == true || ids.contains("") { throw ValidationError("an id, or a name, is needed") }
        for id in ids { try WriteIDText.check(id) }
    }

    /// One after the other. What cannot be done is told, and the rest is done all the same.
    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let wanted = if let allDead { try await Self.dead(allDead, admin) } else { ids }
        var failures: [ClientFailure] = []
        for id in wanted {
            do throws(ClientFailure) {
                let data = try await admin.post(["writes", id, Self.verdict.rawValue], Decision(reason: change.reason))
                try show(WriteReport.self, data, admin, terminal) { write in
                    terminal.write(
                        terminal.paint(write.id, .bold) + " is \(write.state) now: "
                            + TextLayout.cut(write.endpoint, to: terminal.textWidth))
                }
            } catch {
                guard wanted.count > 1, error.exit == .refused else { throw error }
                failures.append(error)
            }
        }
        if wanted.isEmpty, !client.json { terminal.write("no write is dead") }
        guard failures.isEmpty else {
            throw ClientFailure(
                exit: .refused, message: "\(failures.count) of \(wanted.count) were not done",
                reasons: failures.map { ([$0.message] + $0.reasons).joined(separator: "; ") })
        }
    }

    private static func dead(_ name: String, _ admin: AdminClient) async throws(ClientFailure) -> [String] {
        var found: [String] = []
        var after: String?
        repeat {
            let data = try await admin.get(
                ["extractions", name, "writes"], query: [("state", "dead"), ("limit", "1000"), ("after", after)])
            let page = try admin.shown(WritesReport.self, data)
            found += page.writes.map(\.id)
            after = page.next
        } while after != nil
        // The oldest first, as they were meant to arrive.
        return found
    }
}

private enum WriteIDText {
    static func check(_ text: String) throws {
        guard WriteID(text) != nil else {
            throw ValidationError("\(text) is no write's id: that has 32 hexadecimal digits")
        }
    }
}

private struct Decision: Encodable {
    var reason: String?
}

struct WritesRetryCommand: WriteDecisionCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Have dead or uncertain writes delivered once more.",
        discussion: """
            The other side may get them a second time, with the same Idempotency-Key. Retrying an uncertain write takes
            its primary to have carried it out.
            """)
    static let verdict = WriteCommand.retry

    @Argument(help: "Ids of writes, as the list shows them.") var ids: [String] = []
    @Option(help: ArgumentHelp("All dead writes of an extraction, the oldest first.", valueName: "name"))
    var allDead: String?
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct WritesSettleCommand: WriteDecisionCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle", abstract: "Say of dead or uncertain writes that nothing is left to do.")
    static let verdict = WriteCommand.settle

    @Argument(help: "Ids of writes, as the list shows them.") var ids: [String] = []
    @Option(help: ArgumentHelp("All dead writes of an extraction.", valueName: "name"))
    var allDead: String?
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

enum WritesText {
    /// - Parameter isFirst: it is the first page.
    static func write(
        _ report: WritesReport, state: WritesQuery.Kind?, isFirst: Bool = true, now: Date, to terminal: Terminal
    ) {
        let dualWrite = report.dualWrite
        terminal.write(terminal.paint(report.extraction, .bold))
        for (number, line) in ReportText.dualWrite(dualWrite).enumerated() {
            terminal.field(number == 0 ? "writes" : "", line, paint: dualWrite.owed > 0 ? .yellow : nil)
        }
        for line in ReportText.unrecorded(dualWrite) { terminal.field("", line, paint: .yellow) }
        for (label, count) in [("dead", dualWrite.dead), ("uncertain", dualWrite.uncertain)] {
            terminal.field(label, ReportText.count(count ?? 0), paint: (count ?? 0) > 0 ? .red : nil)
        }
        terminal.field("settled", "\(ReportText.count(report.settledLastDay)) of the last 24 h")
        guard !report.writes.isEmpty else {
            terminal.write(state == nil ? "every write has come to its end" : "no write is \(state?.rawValue ?? "")")
            return
        }
        for write in report.writes { self.write(write, now: now, to: terminal) }
        guard let next = report.next else { return }
        let total = report.total.map(ReportText.count) ?? "more than 100,000"
        let order = WritesQuery(kind: state).isOldestFirst ? "the oldest first" : "the newest first"
        terminal.text(
            "\(isFirst ? "first" : "next") \(ReportText.count(report.writes.count)) of \(total), \(order); the rest:")
        // Whole, to be copied.
        terminal.write("  --after \(next)")
    }

    /// The id whole, to be copied; then what it is, and why it is where it is.
    private static func write(_ write: WriteReport, now: Date, to terminal: Terminal) {
        let isUndecided = write.state == "dead" || write.state == "uncertain"
        terminal.write(
            terminal.paint(write.id, .bold) + "  " + terminal.paint(write.state, isUndecided ? .red : .yellow) + "  "
                + ReportText.ago(write.receivedAt, now: now))
        let tries = write.attempts > 0 ? ", \(ReportText.counted(write.attempts, "attempt"))" : ""
        terminal.text("\(write.endpoint), to the \(write.to)\(tries)" + (write.retried ? ", retried" : ""), indent: 2)
        var why = [write.reason].compactMap(\.self)
        if let status = write.primaryStatus { why.append("primary \(status)") }
        if let status = write.otherStatus { why.append("other side \(status)") }
        if !why.isEmpty { terminal.text(why.joined(separator: ", "), indent: 2) }
    }
}
