import AdminAPI
import ArgumentParser
import Extraction
import Foundation

/// The body of a stage command. Nil members are left out.
private struct StageChange: Encodable {
    var to: String?
    var of: String?
    var reason: String?
    var force: Bool?
    var now: Bool?
}

/// A command that changes the stage, the weight or what holds it of one extraction.
protocol StageChangeCommand: AdminCommand {
    var name: String { get }
    var change: ChangeOptions { get }
    /// Whether to override a closed gate.
    var force: Bool { get }
    /// Whether lanes change sides before their writes are delivered.
    var now: Bool { get }
    /// The last part of the API's path.
    var action: String { get }
    /// What the command leads to, as the API reads it.
    var target: String? { get }
    /// Which requests it is for.
    var kind: RequestKind? { get }
}

extension StageChangeCommand {
    var force: Bool { false }
    var now: Bool { false }
    var action: String { Self.configuration.commandName ?? "" }
    var target: String? { nil }
    var kind: RequestKind? { nil }

    func validate() throws { try validateForce() }

    func validateForce() throws {
        if force, change.isWithoutReason { throw ValidationError("--force needs --reason: it goes into the history") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        try await perform(admin, terminal)
    }

    func perform(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let body = StageChange(
            to: target, of: kind?.rawValue, reason: change.reason, force: force ? true : nil,
            now: now ? true : nil)
        let data = try await admin.post(["extractions", name, action], body)
        try show(ExtractionReport.self, data, admin, terminal) { report in
            StatusText.write(changed: report, now: Date(), to: terminal)
        }
    }
}

extension ChangeOptions {
    var isWithoutReason: Bool { reason.map { $0.allSatisfy(\.isWhitespace) } ?? true }
}

struct AdvanceCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "advance", abstract: "Take an extraction to its next stage, if the gate is open.")

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp("The stage to go to, if not the next one.", valueName: "stage"), transform: Self.stage)
    var to: Stage?

    @Flag(help: "Go through a closed gate; needs --reason, the history will say so.") var force = false
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
        commandName: "cutover", abstract: "Set the share of keys that the service answers, or have it rise by itself.",
        discussion: """
            Raising it moves keys over and leaves those already moved; lowering it moves some of them back. A weight that
            is set by hand ends a running ramp.
            """)

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp("0% to 100%, with up to two decimals.", valueName: "weight"), transform: Self.weight)
    var to: Weight?

    @Flag(help: "Have the weight rise step by step, as the route file's `ramp` says, while the guard finds nothing.")
    var ramp = false

    @Flag(help: "Only for requests with safe methods.") var reads = false
    @Flag(help: "Only for requests that change something.") var writes = false

    @Flag(help: "Of a lower weight: do not wait for writes that the monolith has not got yet.") var now = false
    @Flag(help: "Go through a closed gate; needs --reason, the history will say so.") var force = false
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    var action: String { ramp ? "ramp" : "cutover" }
    var target: String? { to?.description }
    var kind: RequestKind? { reads ? .reads : writes ? .writes : nil }

    func validate() throws {
        guard (to == nil) == ramp else { throw ValidationError("either --to WEIGHT or --ramp") }
        if reads, writes { throw ValidationError("--reads or --writes; without them the weight is for both") }
        if ramp, now { throw ValidationError("a ramp only rises: --now is for a lower weight") }
        if ramp, reads || writes { throw ValidationError("a ramp moves reads and writes alike") }
        try validateForce()
    }

    private static func weight(_ text: String) throws -> Weight {
        guard let weight = Weight(parsing: text) else {
            throw ValidationError("a weight is 0% to 100%, with up to two decimals")
        }
        return weight
    }
}

struct PauseCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Hold the weight where it is; the guard goes on judging.")

    @Argument(help: "The extraction.") var name: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct ResumeCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End a pause, or the hold that the guard left behind.")

    @Argument(help: "The extraction.") var name: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}
