import Foundation

/// A server of the shop as a child process.
final class ShopChild: Sendable {
    let port: Int
    let processID: Int32
    private let input: Pipe
    private let process: Process

    /// Starts it and returns once it listens.
    static func start(_ arguments: [String]) async throws -> ShopChild {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["shop-server"] + arguments
        let output = Pipe()
        let input = Pipe()
        process.standardOutput = output
        process.standardInput = input
        try process.run()
        let line = await firstLine(of: output.fileHandleForReading)
        guard line.hasPrefix("ready "), let port = Int(line.dropFirst(6)) else {
            process.terminate()
            throw StartError(description: "the demo's \(arguments.first ?? "server") did not start")
        }
        return ShopChild(port: port, process: process, input: input)
    }

    private init(port: Int, process: Process, input: Pipe) {
        self.port = port
        self.process = process
        self.input = input
        processID = process.processIdentifier
    }

    private static func firstLine(of handle: FileHandle) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var line: [UInt8] = []
                while let data = try? handle.read(upToCount: 1), let byte = data.first, byte != 0x0A {
                    line.append(byte)
                }
                continuation.resume(returning: String(decoding: line, as: UTF8.self))
            }
        }
    }

    /// kill -9: no goodbye, as a crash.
    func kill() async {
        Foundation.kill(processID, SIGKILL)
        await exited()
    }

    /// An orderly end.
    func stop() async {
        try? input.fileHandleForWriting.close()
        await exited()
    }

    private func exited() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [process] in
                process.waitUntilExit()
                continuation.resume()
            }
        }
    }
}
