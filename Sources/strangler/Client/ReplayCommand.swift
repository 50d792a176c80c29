import AdminAPI
import ArgumentParser
import Comparison
import Foundation

struct ReplayCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Ask a group's recorded requests again, or send a file's requests through the proxy.",
        discussion: """
            A group's SIGNATURE: both sides are asked its recorded requests again, to show which agree now. Credentials are
            not recorded: --header and --query supply them to both sides.
            Exit codes: 0 all that could be asked agree, 1 otherwise.

            An extraction's NAME with --requests FILE: endpoints that are asked too seldom get evidence. FILE has a request
            per line, `GET /path?query`, a path, or a line of an access log (common or combined). They go through the
            proxy's own listener as ordinary requests, at most --rate a second; those that belong elsewhere are left out.
            Exit codes: 0 all were answered, 1 otherwise.

            Either way only requests that change nothing are sent (GET, HEAD, OPTIONS).
            """)

    @Argument(help: "The group's signature, or the beginning of it; with --requests, the extraction.")
    var signature: String

    @Option(help: ArgumentHelp("Send the requests of this file.", valueName: "file"))
    var requests: String?

    @Option(help: ArgumentHelp("The proxy's own listener.", valueName: "url"))
    var through: AdminAddress?

    @Option(help: ArgumentHelp("At most so many requests a second, 1 to 1000. (default: 50)", valueName: "number"))
    var rate: Int?

    @Option(help: ArgumentHelp("At most so many requests. (default: 10000)", valueName: "number"))
    var count: Int?

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
        if requests != nil {
            if fix || !query.isEmpty || change.reason != nil {
                throw ValidationError("--fix, --query and --reason are for a group's recorded requests")
            }
            guard (1...1000).contains(rate ?? 50) else { throw ValidationError("--rate is a number from 1 to 1000") }
            guard (1...1_000_000).contains(count ?? 1) else {
                throw ValidationError("--count is a number from 1 to 1000000")
            }
            if let header = headers.first(where: { ReplayRequest.unsendable.contains($0.name.lowercased()) }) {
                throw ValidationError("\(header.name) is not for a client to set")
            }
        } else if through != nil || rate != nil || count != nil {
            throw ValidationError("--through, --rate and --count are for --requests FILE")
        }
        if fix, change.reason == nil { throw ValidationError("--fix needs --reason: it goes into the history") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        if let requests {
            try await sendRequests(of: requests, admin, terminal)
        } else {
            try await askAgain(admin, terminal)
        }
    }

    private func askAgain(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
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
