import ArgumentParser
import Contract
import Extraction
import Foundation
import ProxyConfiguration
import Routing

/// What contracts say and how they change, for whoever has the files: no proxy is asked.
struct ContractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract", abstract: "Read contracts, and compare two versions of one.",
        subcommands: [ContractCheckCommand.self, ContractDiffCommand.self])
}

/// Reads the file of a contract for a command.
enum ContractFile {
    static func read(_ path: String) throws(ConfigurationErrors) -> ContractDocument {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard exists, !isDirectory.boolValue, let file = FileHandle(forReadingAtPath: path) else {
            throw unreadable(
                path, isDirectory.boolValue ? "is a folder, not a file" : "does not exist or cannot be read")
        }
        defer { try? file.close() }
        // One byte more than is taken, so that it is refused as too large.
        var bytes: [UInt8] = []
        do {
            while bytes.count <= 1 << 20, let more = try file.read(upToCount: 1 << 20), !more.isEmpty { bytes += more }
        } catch {
            throw unreadable(path, "cannot be read")
        }
        return try ContractDocument.parse(ConfigurationFile(name: path, bytes: Array(bytes)))
    }

    private static func unreadable(_ path: String, _ why: String) -> ConfigurationErrors {
        ConfigurationErrors(errors: [
            ConfigurationError(
                location: SourceLocation(file: path, line: 1, column: 1), message: "the file \(why)",
                fix: "expected an OpenAPI 3 document")
        ])
    }
}

extension Terminal {
    func complain(_ errors: ConfigurationErrors) {
        for line in errors.description.split(separator: "\n") { complain(String(line)) }
    }
}

/// `strangler contract diff OLD NEW`
struct ContractDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say which changes of a contract break clients, and what its version should become.",
        discussion: """
            A request breaks when the old contract allows it and the new one may refuse it; an answer, when the new one \
            may give what the old one did not promise.
            Exit codes: 0 nothing breaks, or the version says so; 1 something breaks and the version does not say it; \
            2 wrong usage, or a file that cannot be read.
            """)

    @Argument(help: ArgumentHelp("The contract as it was.", valueName: "OLD")) var old: String
    @Argument(help: ArgumentHelp("The contract as it is to be.", valueName: "NEW")) var new: String
    @Flag(help: "Write JSON for scripts, instead of text for people.") var json = false

    func run() async throws {
        let code = exitCode(on: .standard)
        if code != 0 { throw ExitCode(code) }
    }

    func exitCode(on terminal: Terminal) -> Int32 {
        var documents: [ContractDocument] = []
        var errors: [ConfigurationError] = []
        for path in [old, new] {
            do throws(ConfigurationErrors) {
                documents.append(try ContractFile.read(path))
            } catch {
                errors += error.errors
            }
        }
        guard documents.count == 2 else {
            terminal.complain(ConfigurationErrors(errors: errors))
            return 2
        }
        let diff = ContractDiff(from: documents[0], to: documents[1])
        if json {
            terminal.write(ContractDiffReport(diff).json)
        } else {
            ContractDiffText.write(diff, to: terminal)
        }
        return diff.isBreaking && !diff.isAnnounced ? 1 : 0
    }
}

/// `strangler contract check FILE`
struct ContractCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read a contract, and say what it covers.",
        discussion: """
            Exit codes: 0 it can be read, and covers the routes of --against; 1 it covers some of them only; 2 wrong usage, \
            or a file that cannot be read.
            """)

    @Argument(help: "The contract.") var file: String

    @Option(
        help: ArgumentHelp(
            "Hold it against the routes of this proxy file, or of this route file beside one.", valueName: "file"))
    var against: String?

    @Option(help: ArgumentHelp("Of these routes, only this extraction's.", valueName: "name")) var extraction: String?
    @Flag(help: "Write JSON for scripts, instead of text for people.") var json = false

    func validate() throws {
        guard extraction == nil || against != nil else { throw ValidationError("--extraction needs --against") }
    }

    func run() async throws {
        let code = exitCode(on: .standard)
        if code != 0 { throw ExitCode(code) }
    }

    func exitCode(on terminal: Terminal) -> Int32 {
        let report: ContractReport
        do throws(ConfigurationErrors) {
            let document = try ContractFile.read(file)
            report = ContractReport(document, uncovered: try uncovered(by: document))
        } catch {
            terminal.complain(error)
            return 2
        }
        if json { terminal.write(report.json) } else { report.write(to: terminal) }
        return report.uncovered?.isEmpty ?? true ? 0 : 1
    }

    /// Nil when there is nothing to hold it against.
    private func uncovered(by document: ContractDocument) throws(ConfigurationErrors) -> [String]? {
        guard let against else { return nil }
        let configuration = try ProxyConfiguration.load(path: Self.proxyFile(for: against))
        let indices = configuration.extractions.indices.filter { index in
            let one = configuration.extractions[index]
            if let extraction { return one.definition.name == extraction }
            // A route file stands for its own extraction; of the proxy's file, all that name this contract.
            let isRouteFile = one.location.file == against
            return isRouteFile || Self.isSame(one.contractPath, file)
        }
        guard !indices.isEmpty else {
            throw ConfigurationErrors(errors: [
                ConfigurationError(
                    location: SourceLocation(file: against, line: 1, column: 1),
                    message: extraction.map { "there is no extraction `\($0)`" } ?? "no extraction names this contract",
                    fix: "name one with --extraction: "
                        + configuration.extractions.map(\.definition.name).joined(separator: ", "))
            ])
        }
        return indices.flatMap { configuration.uncovered(by: document, extraction: $0) }
    }

    /// A route file has its proxy's file beside it.
    private static func proxyFile(for path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let beside = String(path.dropLast(name.count)) + "proxy.yaml"
        return name == "proxy.yaml" || !FileManager.default.fileExists(atPath: beside) ? path : beside
    }

    private static func isSame(_ path: String?, _ other: String) -> Bool {
        guard let path else { return false }
        return URL(filePath: path).resolvingSymlinksInPath() == URL(filePath: other).resolvingSymlinksInPath()
    }
}
