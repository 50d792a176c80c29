import Foundation
import Testing

/// A server of the demo's shop as a process of its own, so that it can be killed.
final class ShopProcess {
    let port: Int
    private let process: Process
    /// The server ends when nobody holds its other end any more.
    private let input: Pipe

    init(_ arguments: [String]) async throws {
        process = Program.make(["shop-server"] + arguments, in: nil)
        (input, process.standardInput) = { ($0, $0) }(Pipe())
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let handle = output.fileHandleForReading
        let line = await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
            Thread.detachNewThread {
                var line: [UInt8] = []
                while let byte = try? handle.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
                continuation.resume(returning: String(decoding: line, as: UTF8.self))
            }
        }
        port = try #require(Int(line.dropFirst("ready ".count)), "\(arguments) printed \(line)")
    }

    /// kill -9.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
