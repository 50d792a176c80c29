import AdminAPI
import ArgumentParser
import Foundation

private struct WaiverChange: Encodable {
    var subject: String
    var reason: String?
}

/// A command about an endpoint or a gap that passes without evidence.
protocol WaiverCommand: AdminCommand {
    var name: String { get }
    /// In words, so that an endpoint needs no quotes.
    var subject: [String] { get }
    var change: ChangeOptions { get }
}

extension WaiverCommand {
    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let body = WaiverChange(subject: subject.joined(separator: " "), reason: change.reason)
        let data = try await admin.post(["extractions", name, Self.configuration.commandName ?? ""], body)
        try show(ExtractionReport.self, data, admin, terminal) { report in
            let waivers = report.waivers ?? []
            terminal.write(
                terminal.paint(report.extraction, .bold) + ": "
                    + (waivers.isEmpty ? "no waiver" : ReportText.counted(waivers.count, "waiver")))
            for waiver in waivers {
                terminal.field("waived", ReportText.waiver(waiver, now: Date()))
            }
            StatusText.write(report.gate, onlyMissing: true, to: terminal)
        }
    }
}

struct WaiveCommand: WaiverCommand {
    static let configuration = CommandConfiguration(
        commandName: "waive",
        abstract: "Let an endpoint or a gap in the evidence pass the gate to cutover, with a reason.",
        discussion: """
            For endpoints that are asked too seldom to be proved, once replaying requests is not possible either. The
            reason stands in the gate's checklist, in place of evidence, until `unwaive`.
            """)

    @Argument(help: "The extraction.") var name: String
    @Argument(help: "An endpoint as `status` shows it, GET /orders/{id}, or a gap: gap 12.") var subject: [String]
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    func validate() throws {
        if change.isWithoutReason { throw ValidationError("a waiver needs --reason: it stands in place of evidence") }
    }
}

struct UnwaiveCommand: WaiverCommand {
    static let configuration = CommandConfiguration(
        commandName: "unwaive", abstract: "Take a waiver back: the gate asks for evidence again.")

    @Argument(help: "The extraction.") var name: String
    @Argument(help: "What was waived: an endpoint, or gap 12.") var subject: [String]
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}
