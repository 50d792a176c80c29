import AdminAPI
import ArgumentParser
import Extraction
import Foundation

struct RetireCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Let the monolith go, once the fallback window is over.",
        discussion: """
            Says which endpoints of the monolith cannot be reached any more: the code that may be deleted. \
            \(ReportText.afterRetirement)
            """)

    @Argument(help: "The extraction.") var name: String
    @Flag(help: "Only show the gate and what could not be reached any more.") var dryRun = false
    @Flag(help: "Show again what was said when it was retired.") var report = false
    @Flag(help: "Go through a closed gate; needs --reason, the history will say so.") var force = false
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    func validate() throws {
        if dryRun, report { throw ValidationError("--dry-run is for before, --report for after") }
        try validateForce()
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        if dryRun || report {
            try await look(admin, terminal)
            return
        }
        do throws(ClientFailure) {
            try await perform(admin, terminal)
        } catch {
            throw error.exit == .refused ? error.with(note: ReportText.afterRetirement) : error
        }
        guard !client.json else { return }
        // Retired it is, whatever becomes of the report.
        if let data = try? await admin.get(["extractions", name, "retire-report"]),
            let answer = try? admin.shown(RetireAnswer.self, data)
        {
            RetireText.write(answer.report, isPreview: false, to: terminal)
        } else {
            terminal.text("what may be deleted is not known now: strangler retire \(name) --report")
        }
    }

    private func look(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["extractions", name, "retire-report"])
        let answer = try admin.shown(RetireAnswer.self, data)
        guard answer.preview == dryRun else {
            throw ClientFailure(
                exit: .refused,
                message: dryRun
                    ? "\(name) is retired already: --report shows what was said then"
                    : "\(name) is at stage \(answer.stage.rawValue): --dry-run shows what retiring it would leave behind"
            )
        }
        try show(RetireAnswer.self, data, admin, terminal) { answer in
            if let gate = answer.gate, gate.next == .retired {
                StatusText.write(gate, to: terminal)
            } else if answer.preview {
                terminal.write("at stage \(answer.stage.rawValue): the fallback window comes first")
            }
            RetireText.write(answer.report, isPreview: answer.preview, to: terminal)
        }
    }
}

/// What may be deleted, in 80 columns.
enum RetireText {
    static func write(_ report: RetireReport, isPreview: Bool, to terminal: Terminal) {
        let said = isPreview ? report.said.replacing("cannot", with: "could not") : report.said
        terminal.text(said, paint: .bold)
        if isPreview {
            terminal.text(ReportText.afterRetirement)
        } else {
            terminal.text("Retired \(ReportText.time(report.at)). Their code may be deleted.")
        }
        if !report.unreachable.isEmpty {
            terminal.write(
                terminal.paint("ENDPOINT                              LAST ANSWERED             30 D BEFORE", .dim))
        }
        for endpoint in report.unreachable {
            let last = endpoint.lastAnswered.map(ReportText.time) ?? "never"
            terminal.write(
                TextLayout.padded(TextLayout.cut(endpoint.endpoint, to: 36), to: 38) + TextLayout.padded(last, to: 25)
                    + TextLayout.padded(ReportText.count(endpoint.requestsBefore), to: 12, right: true))
        }
        if let counting = report.countingSince {
            terminal.write(terminal.paint("never: not since counting began, \(ReportText.time(counting))", .dim))
        }
        if !report.stillReachable.isEmpty {
            terminal.write(terminal.paint("Still answered by the monolith", .bold))
        }
        for rest in report.stillReachable {
            let requests = rest.requests > 0 ? "\(ReportText.counted(rest.requests, "request")) in 30 d, " : ""
            terminal.field("", "\(rest.what): \(requests)\(rest.why)", labelWidth: 0)
        }
    }
}
