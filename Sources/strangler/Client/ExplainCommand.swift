import AdminAPI
import ArgumentParser
import Extraction

struct ExplainCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what the running proxy would do with a request, and why.")

    @Argument(help: "GET, POST, …") var method: String
    @Argument(help: "A path with an optional query, or an absolute URL.") var url: String

    @Option(help: ArgumentHelp("The value of the request's Cookie header.", valueName: "cookies"))
    var cookie: String?

    @Option(name: .customLong("client"), help: ArgumentHelp("The IP address of the client.", valueName: "address"))
    var clientAddress: String?

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(
            ["explain"],
            query: [("method", method), ("url", url), ("cookie", cookie), ("client", clientAddress)])
        try show(ExplainReport.self, data, admin, terminal) { report in
            terminal.write(terminal.paint("\(method.uppercased()) \(url)", .bold))
            terminal.field("endpoint", report.endpoint, labelWidth: 12)
            let stage = report.stage.map { ", stage \($0.rawValue)" } ?? ""
            terminal.field("extraction", (report.extraction ?? "none") + stage, labelWidth: 12)
            terminal.field("primary", report.primary, labelWidth: 12)
            terminal.field("shadow", report.shadow ?? "none", labelWidth: 12)
            terminal.field("why", report.why, labelWidth: 12)
            if let route = report.route { terminal.field("route", route, labelWidth: 12) }
        }
    }
}
