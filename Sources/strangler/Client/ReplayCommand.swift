import AdminAPI
import ArgumentParser
import Comparison
import Foundation

struct ReplayCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Ask both sides a group's recorded requests again, and show which agree now.",
        discussion: """
            Only requests that change nothing. Credentials are not recorded: --header and --query supply them to both
            sides.
            Exit codes: 0 all that could be asked agree, 1 otherwise.
            """)

    @Argument(help: "The group's signature, or the beginning of it.")
    var signature: String

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("Send this with every request; can be repeated.", valueName: "Name: value"))
    var headers: [RequestField] = []

    @Option(
        help: ArgumentHelp(
            "Send this in place of a redacted value in the query; can be repeated.", valueName: "name=value"))
    var query: [QueryField] = []

    @Flag(help: "Mark the group fixed if all agree, without asking.")
    var fix = false

    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    func validate() throws {
        if fix, change.reason == nil { throw ValidationError("--fix needs --reason: it goes into the history") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let detail = try admin.shown(GroupDetail.self, try await admin.get(["groups", signature]))
        let whole = detail.group.signature
        var replays: [ReplayReport] = []
        var raw: [String] = []
        for example in detail.examples.indices {
            terminal.progress(example, of: detail.examples.count, "asking both sides")
            let request = ReplayRequest(
                example: example, headers: headers.map { HeaderField(name: $0.name, value: $0.value) },
                query: query.map { HeaderField(name: $0.name, value: $0.value) })
            let data = try await admin.post(["groups", whole, "replay"], request)
            replays.append(try admin.shown(ReplayReport.self, data))
            raw.append(String(decoding: data, as: UTF8.self))
        }
        terminal.endProgress()
        let summary = ReplaySummary(replays)
        if !client.json { ReplayText.write(replays, summary, to: terminal) }
        let mark = try await markFixed(summary, detail.group, admin, terminal)
        if client.json {
            let counts = "\"agree\":\(summary.agree),\"differ\":\(summary.differ),\"failed\":\(summary.failed),"
            terminal.write(
                "{\(counts)\"fixed\":\(mark != nil),\"replays\":[\(raw.joined(separator: ","))],"
                    + "\"signature\":\"\(whole.filter { $0.isHexDigit })\",\"skipped\":\(summary.skipped)}")
        } else if let mark {
            GroupText.write(mark, to: terminal)
        }
        guard summary.isProof else { throw ClientFailure(exit: .refused, message: "") }
    }

    private func markFixed(
        _ summary: ReplaySummary, _ group: GroupReport, _ admin: AdminClient, _ terminal: Terminal
    ) async throws(ClientFailure) -> GroupReport? {
        guard summary.isProof, group.state != "fixed" else { return nil }
        var reason = change.reason
        if !fix {
            guard !client.json, terminal.isAsking else { return nil }
            guard terminal.asks("Mark \(group.signature.prefix(8)) as fixed? [y/N] ") else {
                return nil
            }
            reason = reason ?? "replayed: \(summary.sentence)"
        }
        let review = Review(state: "fixed", reason: reason)
        return try admin.shown(
            GroupReport.self, try await admin.post(["groups", group.signature, "state"], review))
    }
}

/// What all replays of a group say together.
struct ReplaySummary: Equatable {
    var agree = 0
    var differ = 0
    var failed = 0
    var skipped = 0

    init(_ replays: [ReplayReport]) {
        for replay in replays {
            switch replay.result {
            case .agrees: agree += 1
            case .differs: differ += 1
            case .failed: failed += 1
            case .skipped: skipped += 1
            }
        }
    }

    /// All that could be asked agree, and something could.
    var isProof: Bool { agree > 0 && differ == 0 && failed == 0 }

    /// `18 of 20 agree now, 2 differ`
    var sentence: String {
        let parts = [
            (differ, differ == 1 ? "differs" : "differ"), (failed, "not answered as recorded"), (skipped, "not asked"),
        ]
        return
            (["\(agree) of \(agree + differ + failed + skipped) agree now"]
            + parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    }
}

enum ReplayText {
    static func write(_ replays: [ReplayReport], _ summary: ReplaySummary, to terminal: Terminal) {
        for replay in replays {
            let (mark, paint): (String, Terminal.Paint) =
                switch replay.result {
                case .agrees: ("✓ agrees ", .green)
                case .differs: ("✗ differs", .red)
                case .failed: ("! failed ", .yellow)
                case .skipped: ("– skipped", .dim)
                }
            terminal.write(
                terminal.paint(mark, paint) + "  "
                    + TextLayout.cutMiddle("\(replay.method) \(replay.target)", to: Terminal.width - 11))
            if let reason = replay.reason { terminal.field("", reason, labelWidth: 9) }
            let differences = replay.differences.map { "\($0.path) \($0.kind.rawValue)" }
            if !differences.isEmpty {
                let words = replay.sameDifferences == true ? "as before: " : "now: "
                let lines = TextLayout.listed([words + differences[0]] + differences.dropFirst(), width: 69, lines: 2)
                for line in lines { terminal.write("           " + line) }
            }
        }
        let leftOut = Set(replays.flatMap(\.leftOut)).sorted()
        if !leftOut.isEmpty {
            terminal.write("")
            terminal.field(
                "",
                "Sent without \(leftOut.joined(separator: ", ")): recorded only as a hash, or cut. "
                    + "--header 'Name: value' supplies it.", labelWidth: 0)
        }
        terminal.write(terminal.paint(summary.sentence, .bold))
    }
}
