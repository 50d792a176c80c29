import AdminAPI
import ArgumentParser

/// A command with which a reviewer decides about a group of mismatches.
protocol ReviewCommand: AdminCommand {
    /// The state that the group gets.
    static var state: String { get }
    var signature: String { get }
    var change: ChangeOptions { get }
}

struct Review: Encodable {
    var state: String
    var reason: String?
}

extension ReviewCommand {
    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.post(
            ["groups", signature, "state"], Review(state: Self.state, reason: change.reason))
        try show(GroupReport.self, data, admin, terminal) { group in GroupText.write(group, to: terminal) }
    }
}

struct AcceptCommand: ReviewCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept a group of mismatches: the difference is wanted.")
    static let state = "accepted"

    @Argument(help: "The group's signature, or the beginning of it.") var signature: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct AcknowledgeCommand: ReviewCommand {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge", abstract: "Acknowledge a group of mismatches: somebody is working on it.")
    static let state = "acknowledged"

    @Argument(help: "The group's signature, or the beginning of it.") var signature: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}

struct FixedCommand: ReviewCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixed", abstract: "Say that a group of mismatches is fixed: seen again, it has regressed.")
    static let state = "fixed"

    @Argument(help: "The group's signature, or the beginning of it.") var signature: String
    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions
}
