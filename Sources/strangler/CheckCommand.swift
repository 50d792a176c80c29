import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import ProxyConfiguration
import Routing

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads the route and rule files and says everything that is wrong with them.",
        discussion: """
            With --against-traffic the running proxy is asked what each rule hid: one that hides nothing any more is to be \
            taken out, since it would hide the next fault at its place.
            """)

    @Option(help: "The proxy's file; extractions are its siblings, rules lie in ../Shadow beside it.")
    var config = "Routes/proxy.yaml"

    @Flag(help: "Also ask the running proxy which rules hide nothing: exit code 1 if any.")
    var againstTraffic = false

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let code = await exitCode(on: .standard)
        if code != 0 { throw ExitCode(code) }
    }

    func exitCode(on terminal: Terminal) async -> Int32 {
        do throws(ConfigurationErrors) {
            let configuration = try ProxyConfiguration.load(path: config)
            for extraction in configuration.extractions {
                let name = extraction.definition.name
                for problem in configuration.contractProblems(of: name) {
                    terminal.complain("warning: \(extraction.location.file): \(name): \(problem)")
                }
            }
            if !client.json || !againstTraffic {
                terminal.write(
                    "ok: \(configuration.extractions.count) extraction(s), \(configuration.routes.count) route(s)")
            }
        } catch {
            for line in error.description.split(separator: "\n") { terminal.complain(String(line)) }
            return 1
        }
        guard againstTraffic else { return 0 }
        return await TrafficCheck(client: client).exitCode(on: terminal)
    }
}

/// What every rule of the running proxy hid.
private struct TrafficCheck: AdminCommand {
    @OptionGroup var client: ClientOptions

    init() {}

    init(client: ClientOptions) {
        self.init()
        self.client = client
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["rules"])
        let rules = try admin.shown([RuleReport].self, data)
        let noise =
            client.json ? [] : try admin.shown(NoiseSummary.self, try await admin.get(["noise"])).totals
        try show([RuleReport].self, data, admin, terminal) { rules in
            RulesText.write(rules, noise: noise, now: Date(), to: terminal)
        }
        if rules.contains(where: { $0.dead || $0.expired }) { throw ClientFailure(exit: .refused, message: "") }
    }
}

/// Rules and what they hide, in 80 columns.
enum RulesText {
    /// - Parameter noise: shown beside the rules: it hides, too, and is nobody's to take out.
    static func write(_ rules: [RuleReport], noise: [NoiseTotal] = [], now: Date, to terminal: Terminal) {
        guard !rules.isEmpty else {
            terminal.write("no rule hides anything")
            write(noise, to: terminal)
            return
        }
        terminal.write(
            terminal.paint("RULE                                   PAIRS   SHARE  LAST HIT         STATE", .dim))
        let severalExtractions = Set(rules.map(\.extraction)).count > 1
        for rule in rules {
            let name = (severalExtractions ? rule.extraction + ": " : "") + rule.rule
            let state = rule.expired ? "expired" : rule.dead ? "dead" : rule.pairs > 0 ? "in use" : "unused"
            let last = rule.lastHit.map { ReportText.ago($0, now: now) } ?? "never"
            terminal.write(
                [
                    TextLayout.padded(TextLayout.cutMiddle(name, to: 32), to: 33),
                    TextLayout.padded(ReportText.count(rule.pairs), to: 11, right: true),
                    TextLayout.padded(rule.share.map(ReportText.share) ?? "–", to: 8, right: true), "  ",
                    TextLayout.padded(last, to: 17),
                    rule.dead || rule.expired ? terminal.paint(state, .red) : state,
                ].joined())
            let until = rule.until.map { "until \(ReportText.lastDay($0))" }
            let why = [rule.because, until].compactMap { $0 }.joined(separator: ", ")
            if !why.isEmpty { terminal.field("", why, labelWidth: 2) }
        }
        write(noise, to: terminal)
        let compared = Dictionary(rules.map { ($0.extraction, $0.compared) }) { $1 }.values.reduce(0, &+)
        terminal.write(
            terminal.paint("\(ReportText.rules(rules)); \(ReportText.count(compared)) pairs compared", .bold))
    }

    private static func write(_ noise: [NoiseTotal], to terminal: Terminal) {
        for total in noise where total.pairs > 0 {
            let name = noise.count > 1 ? TextLayout.cutMiddle(total.extraction, to: 20) + ": " : ""
            terminal.write("\(name)noise: \(ReportText.hidden(total))")
        }
    }
}
