import AdminAPI
import Extraction
import Foundation

/// Runs this program's own commands, as the people do who use it: what the tour proves, it proves by the public face.
struct OwnCommand {
    struct Outcome {
        let status: Int32
        let output: String
        let error: String
    }

    let adminURL: String

    func run(_ arguments: [String]) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments + ["--admin", adminURL]
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        try process.run()
        async let printed = OwnCommand.all(of: output)
        async let complained = OwnCommand.all(of: error)
        let (text, errorText) = await (printed, complained)
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: text, error: errorText)
    }

    private static func all(of pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }

    // MARK: What the tour asks

    func status() async throws -> ExtractionReport {
        try await decoded("status", "orders", "--json")
    }

    func groups() async throws -> [GroupReport] {
        try await decoded("diffs", "orders", "--json")
    }

    func lastChange() async throws -> HistoryEntry {
        let entries: [HistoryEntry] = try await decoded("history", "orders", "--limit", "1", "--json")
        guard let entry = entries.first else { throw TourFailure("the history is empty") }
        return entry
    }

    func explain(_ path: String) async throws -> ExplainReport {
        try await decoded("explain", "GET", path, "--json")
    }

    private func decoded<Value: Decodable>(_ arguments: String...) async throws -> Value {
        let outcome = try await run(arguments)
        guard outcome.status == 0 else {
            throw TourFailure("strangler \(arguments.joined(separator: " ")): exit \(outcome.status): \(outcome.error)")
        }
        do {
            return try AdminJSON.decode(Value.self, from: Data(outcome.output.utf8))
        } catch {
            throw TourFailure("strangler \(arguments.joined(separator: " ")) printed what cannot be read: \(error)")
        }
    }

    /// A command that has to be carried out.
    func succeed(_ arguments: String...) async throws {
        let outcome = try await run(arguments)
        guard outcome.status == 0 else {
            throw TourFailure("strangler \(arguments.joined(separator: " ")): exit \(outcome.status): \(outcome.error)")
        }
    }

    /// A command that has to be refused with exit code 1; returns the reasons.
    func refused(_ arguments: String...) async throws -> String {
        let outcome = try await run(arguments)
        guard outcome.status == 1 else {
            throw TourFailure(
                "strangler \(arguments.joined(separator: " ")) should be refused, but: exit \(outcome.status) \(outcome.error)"
            )
        }
        // What follows the reasons is advice.
        let lines = outcome.error.split(separator: "\n")
        let reasons = (lines.prefix(1) + lines.dropFirst().prefix { $0.hasPrefix("  - ") }).joined(separator: "\n")
        return reasons.replacing("strangler: orders: refused", with: "").replacing("\n  - ", with: "; ")
            .trimmingCharacters(in: CharacterSet(charactersIn: " :;\n"))
    }
}

/// What the tour expected and did not see.
struct TourFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
