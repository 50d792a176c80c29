import AdminAPI
import ArgumentParser
import Foundation

struct ReloadCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running proxy load its files anew: all of them, or none if anything in them is wrong.",
        discussion: """
            The proxy looks at its files every second by itself, and at SIGHUP; this tells how it went. What only takes \
            effect at a start (listen, admin, store, data, threads) is refused: `serve --takeover` brings it about.
            """)

    @OptionGroup var client: ClientOptions

    private struct Nothing: Encodable {}

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.post(["configuration", "reload"], Nothing())
        try show(ConfigurationReport.self, data, admin, terminal) { report in
            terminal.write(
                "configuration \(report.generation) of \(ReportText.time(report.loadedAt)) is running, "
                    + "digest \(report.digest)")
        }
    }
}
