import Foundation
import Logging
import Testing

@testable import PostgresClient

/// The parts of this suite that need a server share one: starting it takes seconds, a database of one's own does not.
@Suite(.sharedServer) enum OnRealPostgres {}

enum TestServer {
    @TaskLocal static var shared: PrivatePostgres?

    /// A new, empty database; returns its connection string.
    static func database() async throws -> String {
        let server = try #require(shared)
        let name = "t_" + UUID().uuidString.lowercased().replacing("-", with: "_")
        try await server.createDatabase(name)
        return try await server.connectionString(database: name)
    }

    static func connection() async throws -> PostgresConnection {
        try await PostgresConnection.connect(try await database())
    }

    /// A new folder; the caller removes it.
    static func temporaryDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/pg-test-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    static func remove(_ directory: String) {
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Starts one server before the first test of a suite and removes it after the last.
struct SharedServer: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        try await server.start()
        do {
            try await TestServer.$shared.withValue(server, operation: function)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

extension Trait where Self == SharedServer {
    static var sharedServer: Self { Self() }
}

/// Keeps what was logged, to assert on it.
final class LogLines: LogHandler, @unchecked Sendable {
    // @unchecked: `lines` is guarded by `lock`; the two requirements below are never used.
    private let lock = NSLock()
    private var lines: [String] = []
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    var all: [String] { lock.withLock { lines } }
    var logger: Logger { Logger(label: "test") { _ in self } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lock.withLock { lines.append(event.message.description) }
    }
}

/// Waits until `condition` holds, at most `seconds`.
func eventually(
    within seconds: Double = 90, _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
