import AdminAPI
import Extraction
import Foundation
import UnixSignals

/// `status` over and over: drawn in place on a screen, appended where output goes elsewhere and something has changed.
/// A proxy that cannot be reached is waited for; Ctrl-C ends it.
struct Watch: Sendable {
    let command: StatusCommand
    let admin: AdminClient
    let terminal: Terminal
    /// Between two looks. False: that was the last one.
    var pause: @Sendable () async -> Bool = { (try? await Task.sleep(for: .seconds(1))) != nil }

    func run() async throws(ClientFailure) {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let watching = Task { await follow() }
        let ending = Task {
            for await _ in signals {
                watching.cancel()
                return
            }
        }
        let failure = await watching.value
        ending.cancel()
        if let failure { throw failure }
    }

    /// - Returns: why it ended, unless it was told to.
    func follow() async -> ClientFailure? {
        var shown: [String] = []
        var lastKey = ""
        var unreachable: (since: Date, said: String)?
        repeat {
            let now = Date()
            do throws(ClientFailure) {
                let look = try await look(now: now)
                if Task.isCancelled { break }
                let isBack = unreachable != nil
                unreachable = nil
                if terminal.window != nil, !command.client.json {
                    shown = look.lines
                    draw(shown)
                } else if look.key != lastKey || isBack {
                    if !command.client.json, !lastKey.isEmpty { terminal.write("") }
                    for line in look.lines { terminal.write(line) }
                }
                lastKey = look.key
            } catch {
                if Task.isCancelled { break }
                // Asked for something that is not there: waiting would not help.
                guard error.exit == .unreachable else { return error }
                let isNew = unreachable == nil
                let since = unreachable?.since ?? now
                unreachable = (since, error.message)
                if terminal.window != nil, !command.client.json {
                    draw(shown, notice: notice(error, since: since, now: now))
                } else if isNew {
                    terminal.complain("strangler: \(error.message); trying again")
                }
            }
        } while await pause()
        if terminal.window != nil, !command.client.json { terminal.draw("\u{1B}[0m") }
        return nil
    }

    private func notice(_ failure: ClientFailure, since: Date, now: Date) -> String {
        let seconds = now.timeIntervalSince(since)
        let during = seconds >= 1 ? " for \(ReportText.duration(seconds))" : ""
        return failure.message.hasPrefix("cannot reach")
            ? "\(admin.address.text) cannot be reached\(during), trying again"
            : "\(failure.message); trying again\(during)"
    }

    // MARK: One look

    private struct Look {
        var lines: [String]
        /// Equal when nothing but time has gone on.
        var key: String
    }

    private func look(now: Date) async throws(ClientFailure) -> Look {
        let (page, lines) = terminal.page(columns: terminal.window?().columns)
        let data = try await command.page(admin, page)
        let written = lines()
        if command.client.json { return Look(lines: written, key: try key(data, latest: nil)) }
        let latest = try await latest(data)
        return Look(
            lines: [heading(now)] + (latest.map { [change($0, now: now)] } ?? []) + written,
            key: try key(data, latest: latest))
    }

    private func heading(_ now: Date) -> String {
        let what = command.name.map { "status \($0)" } ?? "status"
        let ending = terminal.window == nil ? "" : ", Ctrl-C ends"
        return terminal.paint("\(what) at \(ReportText.time(now))\(ending)", .dim)
    }

    private func change(_ entry: (name: String, entry: HistoryEntry), now: Date) -> String {
        let name = command.name == nil ? "\(entry.name): " : ""
        let line = "latest: \(name)\(HistoryText.line(entry.entry, now: now))"
        return terminal.paint(TextLayout.cut(line, to: terminal.window?().columns ?? Terminal.width), .dim)
    }

    /// The newest change of all; without the history, nothing: the rest is worth more.
    private func latest(_ data: Data) async throws(ClientFailure) -> (name: String, entry: HistoryEntry)? {
        guard let newest = try reports(data).max(by: { $0.since < $1.since }),
            let history = try? await admin.get(
                ["extractions", newest.extraction, "history"], query: [("limit", "1")]),
            let entry = try? admin.shown([HistoryEntry].self, history).first
        else { return nil }
        return (newest.extraction, entry)
    }

    private func reports(_ data: Data) throws(ClientFailure) -> [ExtractionReport] {
        command.name == nil
            ? try admin.shown([ExtractionReport].self, data) : [try admin.shown(ExtractionReport.self, data)]
    }

    private func key(_ data: Data, latest: (name: String, entry: HistoryEntry)?) throws(ClientFailure) -> String {
        let timeless = try reports(data).map(\.timeless)
        let change = latest.map { "\($0.name) \($0.entry.at) \($0.entry.action)" } ?? ""
        return change + ((try? AdminJSON.data(timeless)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    // MARK: The screen

    /// Each line over the one that stood there, and no more lines than there are: a screen that scrolls cannot be drawn
    /// over. All at once, so that nothing flickers.
    private func draw(_ shown: [String], notice: String? = nil) {
        guard let window = terminal.window?() else { return }
        var lines = shown
        if let notice { lines.insert(terminal.paint(notice, .yellow), at: 0) }
        let room = window.rows - 1
        if lines.count > room {
            let rest = lines.count - room + 1
            lines = lines.prefix(room - 1) + [terminal.paint("… \(rest) more lines; a higher window shows them", .dim)]
        }
        let text = lines.map { TextLayout.cutPainted($0, to: window.columns) + "\u{1B}[K\n" }.joined()
        terminal.draw("\u{1B}[H" + text + "\u{1B}[J")
    }
}

extension ExtractionReport {
    /// Without what changes with nothing but the clock: two of them are equal when nothing has happened between.
    fileprivate var timeless: ExtractionReport {
        var report = self
        report.fallback.elapsed = 0
        report.fallback.warning = report.fallback.warning.map(Self.withoutNumbers)
        report.gate.missing = report.gate.missing.map(Self.withoutNumbers)
        report.gate.requirements = report.gate.requirements.map {
            let said = Self.withoutNumbers($0.said)
            return $0.met ? .met($0.name, said) : .missing($0.name, said)
        }
        if let ramp = report.ramp { report.ramp?.waiting = ramp.waiting.map(Self.withoutNumbers) }
        report.guard?.findings?.judgedAt = report.since
        report.replicas = report.replicas?.map { replica in
            var replica = replica
            replica.beatAt = replica.startedAt
            replica.age = 0
            return replica
        }
        return report
    }

    /// `12 min 5 s left` and `59 s left` are the same news. What is counted stands in other fields too.
    private static func withoutNumbers(_ text: String) -> String {
        String(
            text.split(separator: " ").filter { $0.first?.isNumber != true && !["s", "min", "h", "d"].contains($0) }
                .joined(separator: " "))
    }
}
