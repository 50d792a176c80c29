import AdminAPI
import ArgumentParser
import Foundation

/// Where the running proxy is asked.
struct AdminAddress: ExpressibleByArgument, Sendable, Equatable {
    /// Without a slash at the end.
    let text: String

    init?(argument: String) {
        guard let url = URL(string: argument), url.scheme == "http" || url.scheme == "https",
            let host = url.host(), !host.isEmpty, url.path.isEmpty || url.path == "/", url.query == nil,
            url.fragment == nil
        else { return nil }
        text = argument.hasSuffix("/") ? String(argument.dropLast()) : argument
    }

    static let standard = AdminAddress(text: "http://127.0.0.1:9901")

    private init(text: String) { self.text = text }

    var defaultValueDescription: String { text }
}

/// What every command takes that asks the running proxy.
struct ClientOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The admin address of the running proxy.", valueName: "url"))
    var admin = AdminAddress.standard

    @Flag(help: "Write JSON for scripts, instead of text for people.")
    var json = false
}

/// What every command takes that changes something.
struct ChangeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Why; goes into the history.", valueName: "text"))
    var reason: String?
}

/// A command that asks the running proxy.
protocol AdminCommand: AsyncParsableCommand {
    var client: ClientOptions { get }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure)
}

extension AdminCommand {
    func run() async throws {
        let code = await exitCode(on: .standard)
        if code != 0 { throw ExitCode(code) }
    }

    /// Carries the command out; failures are told in one line, several reasons below it.
    /// - Returns: the exit code.
    func exitCode(on terminal: Terminal) async -> Int32 {
        do throws(ClientFailure) {
            try await AdminClient.with(client.admin) { (admin) throws(ClientFailure) in
                try await execute(admin, terminal)
            }
            return 0
        } catch {
            for line in error.lines { terminal.complain(line) }
            return error.exit.rawValue
        }
    }

    /// With `--json` the answer as it came, with all that newer versions add; otherwise as text.
    func show<Value: Decodable>(
        _ type: Value.Type, _ data: Data, _ admin: AdminClient, _ terminal: Terminal, as text: (Value) -> Void
    ) throws(ClientFailure) {
        if client.json {
            terminal.write(String(decoding: data, as: UTF8.self))
        } else {
            text(try admin.shown(type, data))
        }
    }
}
