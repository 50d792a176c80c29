import AdminAPI
import ArgumentParser
import Extraction
import Foundation

/// The body of a stage command. Nil members are left out.
private struct StageChange: Encodable {
    var to: String?
    var reason: String?
    var force: Bool?
}

/// A command that changes the stage or the weight of one extraction.
protocol StageChangeCommand: AdminCommand {
    var name: String { get }
    var change: ChangeOptions { get }
    /// Whether to override a closed gate.
    var force: Bool { get }
    /// What the command leads to, as the API reads it.
    var target: String? { get }
}

extension StageChangeCommand {
    var force: Bool { false }
    var target: String? { nil }
    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let body = StageChange(to: target, reason: change.reason, force: force ? true : nil)
        let data = try await admin.post(["extractions", name, Self.configuration.commandName ?? ""], body)
        try show(ExtractionReport.self, data, admin, terminal) { report in
            terminal.write(
                terminal.paint(report.extraction, .bold)
                    + " is at stage \(report.stage.rawValue) now, \(report.weight) of the keys at the service")
            StatusText.write(report.gate, to: terminal)
        }
    }
}

struct AdvanceCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "advance", abstract: "Take an extraction to its next stage, if the gate is open.")

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp("The stage to go to, if not the next one.", valueName: "stage"), transform: Self.stage)
    var to: Stage?

    @Flag(help: "Go through a closed gate; the history will say so.") var force = false
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    var target: String? { to?.rawValue }

    private static func stage(_ text: String) throws -> Stage {
        guard let stage = Stage(rawValue: text) else {
            throw ValidationError("stages are \(Stage.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return stage
    }
}

struct CutoverCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "cutover", abstract: "Set the share of keys that the service answers.",
        discussion: "Raising it moves keys over and leaves those already moved; lowering it moves some of them back.")

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp("0% to 100%, with up to two decimals.", valueName: "weight"), transform: Self.weight)
    var to: Weight

    @Flag(help: "Go through a closed gate; the history will say so.") var force = false
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    var target: String? { to.description }

    private static func weight(_ text: String) throws -> Weight {
        guard let weight = Weight(parsing: text) else {
            throw ValidationError("a weight is 0% to 100%, with up to two decimals")
        }
        return weight
    }
}

struct RollbackCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Give the traffic back to the monolith at once, or go back one stage where none was moved.")

    @Argument(help: "The extraction.") var name: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct RetireCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Let the monolith go, once the fallback window is over.")

    @Argument(help: "The extraction.") var name: String
    @Flag(help: "Go through a closed gate; the history will say so.") var force = false
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct HistoryCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show every change of an extraction, the newest first.")

    @Argument(help: "The extraction.") var name: String

    @Option(help: ArgumentHelp("At most so many changes, 1 to 1000.", valueName: "count"))
    var limit = 100

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["extractions", name, "history"], query: [("limit", "\(limit)")])
        try show([HistoryEntry].self, data, admin, terminal) { entries in
            if entries.isEmpty { terminal.write("nothing has been changed yet") }
            for entry in entries { Self.write(entry, to: terminal) }
        }
    }

    private static func write(_ entry: HistoryEntry, to terminal: Terminal) {
        let (from, to) = (entry.from, entry.to)
        terminal.write(
            "\(ReportText.time(entry.at))  "
                + terminal.paint(TextLayout.padded(entry.action, to: 9), .bold)
                + "\(from.stage.rawValue) \(from.weight) → \(to.stage.rawValue) \(to.weight)"
                + (entry.forced ? terminal.paint("  forced", .yellow) : ""))
        terminal.field("by", entry.actor)
        if let reason = entry.reason { terminal.field("reason", reason) }
        if let evidence = entry.evidence { terminal.field("evidence", Self.sentence(evidence)) }
    }

    private static func sentence(_ evidence: StageEvidence) -> String {
        var parts = [
            "\(ReportText.count(evidence.compared)) compared",
            ReportText.mismatches(evidence.mismatch, accepted: evidence.accepted),
            "\(ReportText.counted(evidence.writeBacklog, "write")) behind",
        ]
        if evidence.regressedGroups > 0 {
            parts.append("\(ReportText.counted(evidence.regressedGroups, "group")) regressed")
        }
        if evidence.fellBackTotal > 0 { parts.append("\(ReportText.count(evidence.fellBackTotal)) fell back") }
        switch evidence.serviceHealthy {
        case .some(true): parts.append("service healthy")
        case .some(false): parts.append("service not healthy")
        case .none: break
        }
        return parts.joined(separator: ", ")
    }
}
