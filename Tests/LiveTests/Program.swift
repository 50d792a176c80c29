import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// The built program as a child process, as its users run it.
struct Program {
    struct Outcome {
        let status: Int32
        let output: String
        let error: String
    }

    static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "strangler")

    /// Runs a command to its end.
    static func run(_ arguments: String..., in folder: String? = nil) async throws -> Outcome {
        try await run(arguments, in: folder)
    }

    static func run(_ arguments: [String], in folder: String? = nil) async throws -> Outcome {
        let process = make(arguments, in: folder)
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        try process.run()
        async let printed = text(of: output)
        async let complained = text(of: error)
        let (outputText, errorText) = await (printed, complained)
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: outputText, error: errorText)
    }

    static func make(_ arguments: [String], in folder: String?) -> Process {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        return process
    }

    private static func text(of pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }
}

/// A folder with `Routes` and `Shadow` that goes with the test.
final class Deployment {
    let folder: String

    init(_ files: [String: String]) throws {
        folder = NSTemporaryDirectory() + "strangler-live-" + UUID().uuidString.prefix(8)
        for name in ["Routes", "Shadow"] {
            try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
        }
        for (name, text) in files { try write(name, text) }
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func proxyFile(monolith: Int, store: String = "") -> String {
        """
        listen:   [{address: 127.0.0.1:0}]
        admin:    {address: 127.0.0.1:0}
        monolith: {url: "http://127.0.0.1:\(monolith)"}
        data:     data
        \(store)
        """
    }
}

/// `strangler serve`, running until `stop`.
final class RunningProxy {
    let port: Int
    let admin: String
    private let process: Process
    private let errors: Pipe
    /// Its folder lives as long as it does.
    private let deployment: Deployment

    convenience init(_ deployment: Deployment, _ options: String...) async throws {
        try await self.init(deployment, options)
    }

    /// Starts it and returns once it has said where it listens.
    init(_ deployment: Deployment, _ options: [String]) async throws {
        self.deployment = deployment
        process = Program.make(["serve", "--config", "Routes/proxy.yaml"] + options, in: deployment.folder)
        let output = Pipe()
        errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let lines = await RunningProxy.lines(2, of: output)
        let first = try #require(lines.first, "serve printed nothing")
        let second = try #require(lines.last)
        port = try #require(Int(first.split(separator: "127.0.0.1:")[1].prefix { $0.isNumber }))
        admin = "http://127.0.0.1:" + second.split(separator: "127.0.0.1:")[1].prefix { $0.isNumber }
    }

    private static func lines(_ count: Int, of pipe: Pipe) async -> [String] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var text = ""
                while text.split(separator: "\n", omittingEmptySubsequences: false).count <= count,
                    let data = try? pipe.fileHandleForReading.read(upToCount: 1), !data.isEmpty
                {
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text.split(separator: "\n").map(String.init))
            }
        }
    }

    var processID: Int32 { process.processIdentifier }

    /// The value of a metric without labels.
    func metric(_ name: String) async throws -> Double? {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: admin + "/metrics"), timeout: .seconds(20))
        let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap {
            Double($0.dropFirst(name.count + 1))
        }
    }

    /// Ends it by `signal`; returns its exit status and all that it logged.
    func stop(_ signal: Int32 = SIGTERM) async -> (status: Int32, log: String) {
        send(signal)
        return await end()
    }

    /// Does nothing where it has ended.
    func send(_ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Waits for its end; call once.
    func end() async -> (status: Int32, log: String) {
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { [process, errors] in
                let data = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
                process.waitUntilExit()
                continuation.resume(returning: (process.terminationStatus, String(decoding: data, as: UTF8.self)))
            }
        }
    }
}

/// Asks until it is so. The bound is for a machine that is small and busy; nobody waits for it otherwise.
/// - Parameter pause: milliseconds between two times of asking.
func eventually(
    within seconds: Int = 90, pause: Int = 50, _ what: String, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(pause))
    }
    Issue.record("not seen within \(seconds) s: \(what)")
}
