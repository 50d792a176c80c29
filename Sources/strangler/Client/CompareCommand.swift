import ArgumentParser
import AsyncHTTPClient
import Comparison
import Foundation
import NIOCore
import NIOHTTP1
import ProxyConfiguration
import Routing

/// The proxy's comparison by itself: for whoever has two answers and no proxy.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two files or two URLs as the proxy compares two answers.",
        discussion: """
            A and B are files (also .gz, .zst, .br), http(s) URLs, or one of each; `-` is standard input. Of two URLs status and headers are \
            compared, too; of a file only the body is.
            Exit codes: 0 the same, 1 different, 2 wrong usage or rules, 3 cannot be read, reached or compared.
            """)

    @Argument(help: ArgumentHelp("A file, a URL, or -.", valueName: "A")) var first: String
    @Argument(help: ArgumentHelp("What it is compared with.", valueName: "B")) var second: String

    @Option(help: ArgumentHelp("Apply the rules of this file (Shadow/README.md).", valueName: "file"))
    var rules: String?

    @Option(help: ArgumentHelp("The media type of what comes without one.", valueName: "type"))
    var type: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("Send this to both URLs; can be repeated.", valueName: "Name: value"))
    var headers: [RequestField] = []

    @Option(help: ArgumentHelp("GET or HEAD.", valueName: "method")) var method = "GET"

    @Option(help: ArgumentHelp("How long a URL may take.", valueName: "seconds")) var timeout = 30

    @Flag(help: "Write JSON for scripts, instead of text for people.") var json = false

    func validate() throws {
        guard first != "-" || second != "-" else { throw ValidationError("only one of the two can be standard input") }
        for source in [first, second] {
            if let scheme = ComparedSource.scheme(source), !["http", "https"].contains(scheme) {
                throw ValidationError("\(scheme):// cannot be read: only http and https")
            }
        }
        guard ["GET", "HEAD"].contains(method.uppercased()) else {
            throw ValidationError("--method is GET or HEAD: compare changes nothing")
        }
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is a number from 1 to 3600") }
        if let type, !type.contains("/") { throw ValidationError("--type is a media type such as application/json") }
    }

    func run() async throws {
        let code = await exitCode(on: .standard)
        if code != 0 { throw ExitCode(code) }
    }

    func exitCode(on terminal: Terminal) async -> Int32 {
        let rules: ComparisonRules
        do {
            rules = try readRules()
        } catch {
            for line in error.description.split(separator: "\n") { terminal.complain(String(line)) }
            return 2
        }
        do throws(ComparedSourceFailure) {
            return show(Self.compared(try await answers(), rules), on: terminal)
        } catch {
            terminal.complain("strangler: " + error.message)
            return 3
        }
    }

    private func readRules() throws(ConfigurationErrors) -> ComparisonRules {
        guard let rules else { return .none }
        guard let data = FileManager.default.contents(atPath: rules) else {
            throw ConfigurationErrors(errors: [
                ConfigurationError(
                    location: .init(file: rules, line: 1, column: 1),
                    message: "the file does not exist or cannot be read")
            ])
        }
        return try ComparisonRules.parse(ConfigurationFile(name: rules, bytes: Array(data)))
    }

    private func answers() async throws(ComparedSourceFailure) -> ComparedAnswers {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let reader = ComparedSourceReader(
            method: HTTPMethod(rawValue: method.uppercased()), headers: headers, timeout: .seconds(Int64(timeout)),
            http: http)
        do {
            let answers = try await answers(by: reader)
            try? await http.shutdown()
            return answers
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    /// A body without a type of its own has the other one's.
    private func answers(by reader: ComparedSourceReader) async throws(ComparedSourceFailure) -> ComparedAnswers {
        let sources = (ComparedSource(first), ComparedSource(second))
        let types = (type ?? sources.0.mediaType, type ?? sources.1.mediaType)
        var one = try await reader.answer(sources.0, type: types.0 ?? types.1)
        var other = try await reader.answer(sources.1, type: types.1 ?? types.0)
        let areBothURLs = sources.0.isURL && sources.1.isURL
        if !areBothURLs {
            if types.0 == nil, !sources.0.isURL { one.adoptType(of: other) }
            if types.1 == nil, !sources.1.isURL { other.adoptType(of: one) }
            // A file has no status.
            one.status = other.status
        }
        return ComparedAnswers(first: one, second: other, haveHeads: areBothURLs)
    }

    static func compared(_ answers: ComparedAnswers, _ rules: ComparisonRules) -> ComparedText {
        var rules = rules
        if !answers.haveHeads { rules.headers = [] }
        // For this one run: two hashes are compared with each other only.
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let result = Comparer(rules: rules, redactor: Redactor(key: key)).compare(
            primary: answers.first, shadow: answers.second, now: Date())
        return ComparedText(result: result, answers: answers, hidden: HiddenByRule.list(result, rules))
    }

    private func show(_ compared: ComparedText, on terminal: Terminal) -> Int32 {
        if json {
            terminal.write(compared.json)
        } else {
            compared.write(to: terminal)
        }
        switch compared.result.verdict {
        case .match: return 0
        case .mismatch: return 1
        default: return 3
        }
    }
}

struct ComparedAnswers: Sendable {
    var first: Answer
    var second: Answer
    /// Both came over HTTP, so that status and headers mean something.
    var haveHeads: Bool
}

extension Answer {
    fileprivate mutating func adoptType(of other: Answer) {
        headers.removeAll { $0.name.lowercased() == "content-type" }
        headers += other.values(of: "content-type").prefix(1).map { HeaderField(name: "content-type", value: $0) }
    }
}
