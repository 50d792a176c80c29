import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import ProxyConfiguration
import Routing

struct InitCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write the first files of an extraction, from what the monolith was asked for.",
        discussion: """
            Writes Routes/NAME.yaml, Shadow/NAME.yaml and Routes/contracts/NAME.openapi.yaml; overwrites nothing. What \
            traffic cannot show is left blank, and strangler check says where. The running proxy goes on with the files \
            that it has until all is filled in.
            """)

    @Argument(help: "The extraction: a lower-case letter, then a-z, 0-9 and -.") var name: String

    @Option(
        help: ArgumentHelp(
            #"What it takes, as in a route file: "/api/v1/orders/**". May be given again."#, valueName: "pattern"))
    var path: [String]

    @Option(help: ArgumentHelp("Where the service will run.", valueName: "url"))
    var service: String?

    @Option(help: ArgumentHelp("The folder with Routes and Shadow.", valueName: "folder"))
    var dir = "."

    @Option(help: ArgumentHelp("How far to look back: 90m, 12h, 7d.", valueName: "span"))
    var since = SpanOption.week

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard !path.isEmpty else { throw ValidationError("--path says what the extraction takes") }
        guard ProxyConfiguration.isExtractionName(name) else {
            throw ValidationError("\(name) is no name: a lower-case letter, then up to 62 of a-z, 0-9 and -")
        }
        if let service {
            guard let url = URL(string: service), url.scheme == "http" || url.scheme == "https", url.host() != nil
            else {
                throw ValidationError("--service is a URL such as http://127.0.0.1:9100")
            }
        }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let files = try InitFiles(name: name, folder: dir)
        let patterns = try patterns()
        let configuration = try files.configuration()
        let query = [("since", Optional(since.text))] + path.map { ("path", Optional($0)) }
        let report = try admin.shown(CandidatesReport.self, try await admin.get(["candidates"], query: query))
        let draft = InitDraft(name: name, paths: path, service: service, report: report)
        let objections = configuration.objections(toAdding: name, paths: patterns, methods: draft.methods)
        guard objections.isEmpty else {
            throw ClientFailure(exit: .refused, message: "\(name): refused", reasons: objections)
        }
        let written = try files.write(draft)
        if client.json {
            try writeJSON(Written(extraction: name, files: written, fillIn: draft.blanks), terminal)
        } else {
            tell(draft, written, terminal)
        }
    }

    private func patterns() throws(ClientFailure) -> [RoutePattern] {
        var patterns: [RoutePattern] = []
        for text in path {
            do throws(RoutePatternError) {
                patterns.append(try RoutePattern(parsing: text))
            } catch {
                throw ClientFailure(exit: .refused, message: "\(text) is no path of a route: \(error)")
            }
        }
        return patterns
    }

    private struct Written: Encodable {
        let extraction: String
        let files: [String]
        let fillIn: [String]
    }

    private func writeJSON(_ written: Written, _ terminal: Terminal) throws(ClientFailure) {
        guard let data = try? AdminJSON.data(written) else {
            throw ClientFailure(exit: .refused, message: "the answer cannot be written as JSON")
        }
        terminal.write(String(decoding: data, as: UTF8.self))
    }

    private func tell(_ draft: InitDraft, _ written: [String], _ terminal: Terminal) {
        terminal.write("drafted \(name) from \(draft.basis)")
        for file in written { terminal.write("  " + file) }
        terminal.write(terminal.paint("Next", .bold))
        for blank in draft.blanks { terminal.field("fill in", blank) }
        terminal.field("then", "strangler check, until it names nothing any more; the proxy loads the files then")
        terminal.field("then", "strangler status \(name)")
    }
}

/// The files of one extraction on disk.
struct InitFiles {
    private let name: String
    private let folder: String

    /// - Throws: `.refused` if one of them is there already.
    init(name: String, folder: String) throws(ClientFailure) {
        self.name = name
        self.folder = folder.isEmpty ? "." : folder
        let there = names.map(path).filter { FileManager.default.fileExists(atPath: $0) }
        guard there.isEmpty else {
            throw ClientFailure(
                exit: .refused, message: "\(name): refused", reasons: there.map { "\($0) is there already" })
        }
    }

    private var names: [String] {
        // The route file last: with it the extraction begins to be one.
        ["Shadow/\(name).yaml", "Routes/contracts/\(name).openapi.yaml", "Routes/\(name).yaml"]
    }

    private func path(_ name: String) -> String { folder == "." ? name : folder + "/" + name }

    /// The files that are there.
    /// - Throws: `.refused` with all that is wrong in them: nobody could tell what the new ones clash with.
    func configuration() throws(ClientFailure) -> ProxyConfiguration {
        do throws(ConfigurationErrors) {
            return try ProxyConfiguration.load(path: path("Routes/proxy.yaml"))
        } catch {
            throw ClientFailure(
                exit: .refused, message: "the files that are there have errors",
                reasons: error.description.split(separator: "\n").map(String.init))
        }
    }

    /// All of them or none; each is there as a whole or not at all.
    /// - Returns: their names.
    func write(_ draft: InitDraft) throws(ClientFailure) -> [String] {
        let texts = [draft.rulesFile, draft.contractFile, draft.routeFile]
        var written: [String] = []
        do {
            for (name, text) in zip(names, texts) {
                try Self.create(path(name), text)
                written.append(path(name))
            }
        } catch {
            for path in written { try? FileManager.default.removeItem(atPath: path) }
            throw ClientFailure(exit: .refused, message: "nothing was written: \(error.localizedDescription)")
        }
        return written.reversed()
    }

    /// Never in place of another file: a link to what is there fails.
    private static func create(_ path: String, _ text: String) throws {
        let target = URL(filePath: path)
        let parent = target.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let draft = parent.appending(path: ".\(target.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: draft) }
        try Data(text.utf8).write(to: draft)
        try FileManager.default.linkItem(at: draft, to: target)
    }
}
