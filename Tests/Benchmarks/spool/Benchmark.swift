import Dispatch
import DualWrite
import Extraction
import Foundation
import Glibc
import Spool

/// What opening a spool takes in which a million writes wait, as a Markdown table: every record read from a disk whose cache
/// does not have it, checked, folded and brought into the index of each loop. How to run it: `Tests/Benchmarks/README.md`.
///
/// The spool is written by a process of its own, so that memory is that of opening alone. What does not find what was
/// written ends the run: the figure of a wrong answer is none.
@main
struct Benchmark {
    private static let writes = 1_000_000
    private static let lanes: UInt64 = 100_000
    private static let loops: UInt64 = 2

    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "fill" { return try fill(arguments[2]) }
        let folder = (arguments.count == 2 ? arguments[1] : NSTemporaryDirectory()) + "/spool-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let filling = try Process.run(
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(), arguments: ["fill", folder])
        filling.waitUntilExit()
        guard filling.terminationStatus == 0 else { fatalError("the spool was not written") }
        row("case", "figure", "target")
        row("---", "---", "---")
        row("writes that wait, in lanes", "\(writes) in \(lanes)", "")
        row("bytes on disk", String(format: "%.0f MB", Double(try forgetCache(folder)) / 1_000_000), "")
        try open(folder)
    }

    // MARK: - Writing

    private static var options: SpoolOptions {
        var options = SpoolOptions()
        options.quota = 8 << 30
        options.freeFloor = 0
        return options
    }

    private static func fill(_ folder: String) throws {
        let spool = try SpoolDirectories(root: folder).claim(options: options)
        // As many as wait for a commit at one time.
        let room = DispatchSemaphore(value: 20_000)
        let head = Array(
            "POST /api/v1/orders HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: 256\r\nCookie: session=0123456789abcdef\r\n\r\n"
                .utf8)
        let body = [UInt8](repeating: 0x20, count: 256)
        let answer = Array("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 64\r\n\r\n".utf8)
        for number in 1...UInt64(writes) {
            let facts = WriteFacts(
                id: WriteID(high: 7, low: number), sequence: number << 12, at: Int64(number), extraction: "orders",
                endpoint: "POST /api/v1/orders", lane: number % lanes, primary: .monolith)
            let outcome = WriteOutcome(
                answeredBy: .monolith, status: 201, nanoseconds: 1_000_000, answerHead: answer,
                answerBody: [UInt8](repeating: 0x20, count: 64))
            let intent = WriteIntent(facts: facts, requestHead: head, requestBody: body)
            for record in [LedgerRecord.intent(intent), .outcome(facts, outcome)] {
                room.wait()
                spool.append(record.encoded, essential: true) { result in
                    guard case .success = result else { fatalError("a record was refused: \(result)") }
                    room.signal()
                }
            }
        }
        for _ in 0..<20_000 { room.wait() }
        for _ in 0..<20_000 { room.signal() }
        spool.close()
    }

    /// As after a restart of the machine: what is read comes from the disk.
    /// - Returns: bytes of all files.
    private static func forgetCache(_ folder: String) throws -> Int {
        var bytes = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".seg") {
            let file = Glibc.open("\(folder)/\(name)", O_RDONLY)
            defer { close(file) }
            bytes += Int(lseek(file, 0, SEEK_END))
            guard posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 else { fatalError("the cache keeps \(name)") }
        }
        return bytes
    }

    // MARK: - Opening

    /// Has an index, as a loop of the program does.
    private final class Loop {
        var index = LedgerIndex(callsPerTarget: 32)
    }

    private static func open(_ folder: String) throws {
        let before = residentBytes
        let start = ContinuousClock.now
        var recovery = LedgerRecovery()
        var unreadable = 0
        let spool = try SpoolDirectories(root: folder).claim(options: options) { position, record in
            if !recovery.add(record, at: position, origin: 0) { unreadable += 1 }
        }
        let read = ContinuousClock.now
        let found = recovery.found()
        for write in found.owed { spool.retain(write.intent) }
        let sorted = ContinuousClock.now
        let indices = (0..<loops).map { _ in Loop() }
        for write in found.owed {
            _ = indices[Int(write.lane % loops)].index.recovered(
                recovery.facts(of: write), intent: write.intent, outcome: write.outcome, origin: 0,
                answeredBy: write.answeredBy ?? write.primary, attempts: write.attempts, isRetried: write.isRetried,
                wasSent: false, since: 0)
        }
        let end = ContinuousClock.now
        let peak = peakResidentBytes - before
        guard unreadable == 0, found.owed.count == writes, indices.reduce(0, { $0 + $1.index.count }) == writes,
            indices.reduce(0, { $0 + $1.index.laneCount }) == Int(lanes)
        else { fatalError("\(found.owed.count) writes were found, \(unreadable) records not read") }
        row("records read and checked", seconds(read - start), "")
        row("sorted and retained", seconds(sorted - read), "")
        row("brought into the index", seconds(end - sorted), "")
        row("**all of it**", seconds(end - start), "10 s")
        row("memory while opening, at most", megabytes(peak), "")
        row("memory of the index, by its own account", megabytes(indices.reduce(0) { $0 + $1.index.bytes }), "")
        spool.close()
    }

    // MARK: - Measuring

    private static func seconds(_ duration: Duration) -> String {
        let parts = duration.components
        return String(format: "%.2f s", Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
    }

    private static func megabytes(_ bytes: Int) -> String { String(format: "%.0f MB", Double(bytes) / 1_000_000) }

    private static func row(_ name: String, _ figure: String, _ target: String) {
        FileHandle.standardOutput.write(Data("| \(name) | \(figure) | \(target) |\n".utf8))
    }

    private static var residentBytes: Int { statusBytes("VmRSS:") }
    private static var peakResidentBytes: Int { statusBytes("VmHWM:") }

    /// 0 where there is no /proc.
    private static func statusBytes(_ field: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
            let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return number * 1024
    }
}
