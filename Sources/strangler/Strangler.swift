import ArgumentParser

/// One program for the three groups who live with it: platform teams (check, explain), reviewers (diffs, diff), ops
/// (status, advance, cutover, pause, resume, rollback, retire, waive, history, replicas). `serve` is the proxy itself.
@main
struct Strangler: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strangler",
        abstract: "Moves a monolith's traffic to extracted services, with proof at every step.",
        discussion: """
            Commands that need the running proxy find it at --admin (default http://127.0.0.1:9901).
            Exit codes: 0 done, 1 refused or found wanting, 2 wrong usage, 3 proxy or Postgres cannot be reached.
            """,
        version: Strangler.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Run",
                subcommands: [ServeCommand.self, SpoolCommand.self, DemoCommand.self, ShopServerCommand.self]),
            CommandGroup(
                name: "Routes",
                subcommands: [
                    CandidatesCommand.self, InitCommand.self, CheckCommand.self, ContractCommand.self,
                    ExplainCommand.self, ReloadCommand.self,
                ]),
            CommandGroup(
                name: "Traffic",
                subcommands: [
                    StatusCommand.self, BurnDownCommand.self, AdvanceCommand.self, CutoverCommand.self,
                    PauseCommand.self,
                    ResumeCommand.self, RollbackCommand.self, RetireCommand.self, WaiveCommand.self,
                    UnwaiveCommand.self, WritesCommand.self, HistoryCommand.self, ReplicasCommand.self,
                ]),
            CommandGroup(
                name: "Differences",
                subcommands: [
                    DiffsCommand.self, DiffCommand.self, AcceptCommand.self, AcknowledgeCommand.self, FixedCommand.self,
                    ReplayCommand.self, ReconcileCommand.self, RuleCommand.self, CompareCommand.self,
                ]),
        ])

    /// Usage errors exit with 2, as the commands' own table of exit codes says; ArgumentParser's own is 64.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            guard code == .validationFailure else { exit(withError: error) }
            Console.error(fullMessage(for: error))
            exit(withError: ExitCode(2))
        }
    }
}
