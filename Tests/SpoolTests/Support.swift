import DualWrite
import Glibc
import Logging
import Spool
import Synchronization
import Testing

/// A directory of a test's own, removed at its end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/spool-tests-XXXXXX".utf8CString)
        path = try #require(
            template.withUnsafeMutableBufferPointer { bytes in
                bytes.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        let files = SystemFiles()
        if let names = try? files.names(in: path) {
            for name in names { remove("\(path)/\(name)") }
            try? files.removeDirectory(path)
        } else {
            try? files.remove(path)
        }
    }
}

enum Bytes {
    static func read(_ path: String, _ files: any SpoolFiles = SystemFiles()) throws -> [UInt8] {
        let file = try files.open(path, .reading)
        defer { files.close(file) }
        var bytes = [UInt8](repeating: 0, count: try files.size(file))
        let count = try bytes.withUnsafeMutableBytes { try files.read(file, at: 0, into: $0) }
        try #require(count == bytes.count)
        return bytes
    }

    static func write(_ path: String, _ bytes: [UInt8], _ files: any SpoolFiles = SystemFiles()) throws {
        let file = try files.open(path, .writingOrCreating)
        defer { files.close(file) }
        try files.truncate(file, to: 0)
        let count = try bytes.withUnsafeBytes { try files.write(file, at: 0, $0) }
        try #require(count == bytes.count)
    }
}

/// Collects what appends are answered, and waits for it.
final class Answers: Sendable {
    typealias Answer = Result<LogPosition, LogRefusal>
    private let answers = Mutex<[Answer]>([])

    var all: [Answer] { answers.withLock { $0 } }

    func add(_ answer: Answer) { answers.withLock { $0.append(answer) } }

    /// Within ten seconds.
    func wait(for count: Int) throws -> [Answer] {
        try #require(eventually { self.answers.withLock { $0.count } >= count }, "\(all.count) of \(count) answers")
        return all
    }
}

/// Looks again and again, ten seconds at most.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
        if condition() { return true }
        usleep(200)
    }
    return condition()
}

extension Spool {
    /// Appends one record and waits for the answer, and until it can be drained.
    func appended(_ record: [UInt8], essential: Bool = false) throws -> Answers.Answer {
        let answers = Answers()
        append(record, essential: essential, answers.add)
        return try #require(try settled(answers, 1).first)
    }

    /// Appends all at once, and waits.
    func appended(_ records: [[UInt8]]) throws -> [Answers.Answer] {
        let answers = Answers()
        for record in records { append(record, essential: false, answers.add) }
        return try settled(answers, records.count)
    }

    /// Records can be drained a moment after they have been answered.
    private func settled(_ answers: Answers, _ count: Int) throws -> [Answers.Answer] {
        let all = try answers.wait(for: count)
        if let last = all.compactMap({ try? $0.get() }).max() { try #require(eventually { durable > last }) }
        return all
    }

    func readBack(_ position: LogPosition) throws -> Result<[UInt8], LogRefusal> {
        let read = Mutex<Result<[UInt8], LogRefusal>?>(nil)
        self.read(position) { result in read.withLock { $0 = result } }
        try #require(eventually { read.withLock { $0 != nil } })
        return try #require(read.withLock { $0 })
    }

    /// Everything from the beginning to what is durable.
    func drainable(from start: LogPosition? = nil) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var next = start ?? drained
        while true {
            let (records, then) = try self.records(from: next)
            if records.isEmpty { return found }
            found += records.map(\.record)
            next = then
        }
    }
}

/// What opening a spool gives its visitor.
func opened(
    _ directory: String, _ options: SpoolOptions = .small, _ files: any SpoolFiles = SystemFiles()
) throws -> (spool: Spool, records: [[UInt8]], positions: [LogPosition]) {
    var (records, positions): ([[UInt8]], [LogPosition]) = ([], [])
    let spool = try Spool.open(directory: directory, options: options, files: files, logger: .quiet) {
        positions.append($0)
        records.append($1)
    }
    return (spool, records, positions)
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension SpoolOptions {
    /// Without a floor, which the machine's disk might be under.
    static var small: SpoolOptions {
        var options = SpoolOptions()
        options.freeFloor = 0
        options.reserve = 0
        return options
    }
}

/// Records of different lengths, without a zero sector in them.
func someRecords(_ count: Int, from first: Int = 0, size: Int = 40) -> [[UInt8]] {
    (first..<first + count).map { number in
        Array("record \(number) ".utf8) + (0..<(number * 7 % max(size, 1))).map { UInt8(($0 * 31 + number) % 251 + 1) }
    }
}

func mode(_ path: String) -> UInt32 {
    var facts = stat()
    return stat(path, &facts) == 0 ? facts.st_mode & 0o777 : 0
}

func setMode(_ path: String, _ mode: UInt32) { chmod(path, mode) }
