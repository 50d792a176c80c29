import AdminAPI
import ArgumentParser
import Extraction
import Foundation

struct StatusCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where the extractions stand, and what is missing for the next stage.",
        discussion: """
            With --watch it is drawn again every second, until Ctrl-C; where output goes to no terminal, it is written
            again whenever something has changed (with --json, as one line).
            """)

    @Argument(help: "One extraction in full; without it, all of them in a table.")
    var name: String?

    @Flag(help: "All endpoints and requirements, not only the first.")
    var all = false

    @Flag(help: "Follow what changes, until Ctrl-C.")
    var watch = false

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        if watch {
            try await Watch(command: self, admin: admin, terminal: terminal).run()
        } else {
            if name == nil, !client.json { await BurnDownText.writeSummary(admin, terminal) }
            try await page(admin, terminal)
        }
    }

    /// All that one look shows.
    /// - Returns: the extractions as they came.
    @discardableResult
    func page(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) -> Data {
        let data = try await showExtractions(admin, terminal)
        guard !client.json else { return data }
        // Also said when the files define no extraction at all.
        let files = try admin.shown(ConfigurationReport.self, try await admin.get(["configuration"]))
        for notice in files.notices {
            terminal.text(notice, paint: .yellow)
        }
        return data
    }

    private func showExtractions(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) -> Data {
        let data = try await admin.get(["extractions"] + (name.map { [$0] } ?? []))
        if name != nil {
            try show(ExtractionReport.self, data, admin, terminal) { report in
                StatusText.write(report, all: all, now: Date(), to: terminal)
            }
        } else {
            try show([ExtractionReport].self, data, admin, terminal) { reports in
                StatusText.write(table: reports, to: terminal)
            }
        }
        return data
    }
}
