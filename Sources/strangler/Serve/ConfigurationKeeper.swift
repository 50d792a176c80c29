import AdminAPI
import Comparison
import Foundation
import Logging
import ProxyConfiguration

/// Keeps the configuration: loads the files anew when they change or somebody asks for it, takes them over whole or not
/// at all, and knows what is running and what was wrong with what is not.
///
/// ```
/// files ──read, checked──▶ TrafficModel ──StageKeeper──▶ every loop, in one task each
///              │
///              └─ errors: logged and shown; nothing changes
/// ```
actor ConfigurationKeeper {
    enum Outcome: Sendable, Equatable {
        /// The files are what is running.
        case unchanged
        case loaded(generation: Int)
        case refused([String])
    }

    private let path: String
    private let keeper: StageKeeper
    private let redactor: Redactor
    private let logger: Logger
    private var running: ProxyConfiguration
    private var digest: String
    /// 1 is what the process has started with.
    private var generation = 1
    private var loadedAt = Date()
    /// The last try, if it failed.
    private var failure: (digest: String, at: Date, errors: [String])?
    /// Of the files as they were read last, loaded or not.
    private var stamps: FileStamps
    private var last: Task<Outcome, Never>?

    static let pollInterval = Duration.seconds(1)
    /// Files that still change within this time are still being written.
    static let settleTime = Duration.milliseconds(200)
    private static let maximumSettleSteps = 25

    init(
        path: String, running: ProxyConfiguration, reading: ConfigurationReading, keeper: StageKeeper,
        redactor: Redactor, logger: Logger
    ) {
        self.path = path
        self.running = running
        self.keeper = keeper
        self.redactor = redactor
        self.logger = logger
        digest = reading.digest
        // Taken after the reading: `watch` finds out whether the files have changed in between.
        stamps = FileStamps(reading.paths)
    }

    // MARK: Loading

    /// Loads the files if they are not what is running. One at a time, in the order of asking.
    ///
    /// - Parameter reason: for the log.
    func reload(because reason: String) async -> Outcome { await inTurn(because: reason, isAsked: true) }

    /// Loads the files whenever they change, until the task is cancelled.
    func watch() async {
        // The files may have changed while the process was starting.
        _ = await inTurn(because: "the files have changed", isAsked: false)
        while (try? await Task.sleep(for: ConfigurationKeeper.pollInterval)) != nil {
            guard await settled() else { continue }
            _ = await inTurn(because: "the files have changed", isAsked: false)
        }
    }

    private func inTurn(because reason: String, isAsked: Bool) async -> Outcome {
        let previous = last
        let task = Task {
            _ = await previous?.value
            return await load(because: reason, isAsked: isAsked)
        }
        last = task
        return await task.value
    }

    /// Whether the files have changed since they were read, once they have come to rest.
    private func settled() async -> Bool {
        var now = FileStamps(stamps.paths)
        guard now != stamps else { return false }
        for _ in 0..<ConfigurationKeeper.maximumSettleSteps {
            guard (try? await Task.sleep(for: ConfigurationKeeper.settleTime)) != nil else { return false }
            let next = FileStamps(stamps.paths)
            if next == now { break }
            now = next
        }
        return true
    }

    private func load(because reason: String, isAsked: Bool) async -> Outcome {
        let (reading, stamps) = readAtRest()
        self.stamps = stamps
        if reading.digest == digest {
            if failure != nil { logger.notice("the configuration's files are as they are running again") }
            failure = nil
            return .unchanged
        }
        // Said once, and again to whoever asks.
        if let failure, failure.digest == reading.digest, !isAsked { return .refused(failure.errors) }
        switch reading.result {
        case .failure(let errors): return refuse(errors.errors, reading, reason)
        case .success(let configuration):
            let errors = configuration.changesThatNeedAStart(from: running, in: reading)
            guard errors.isEmpty else { return refuse(errors, reading, reason) }
            await keeper.adopt(
                TrafficModel(configuration, redactor: redactor, after: await keeper.model))
            running = configuration
            digest = reading.digest
            generation += 1
            loadedAt = Date()
            failure = nil
            logger.notice(
                "configuration \(generation) is loaded (\(reason)): \(configuration.extractions.count) extraction(s), \(configuration.routes.count) route(s)"
            )
            return .loaded(generation: generation)
        }
    }

    private func refuse(
        _ errors: [ConfigurationError], _ reading: ConfigurationReading, _ reason: String
    ) -> Outcome {
        let lines = errors.map(\.description)
        failure = (reading.digest, Date(), lines)
        logger.error("the configuration cannot be loaded (\(reason)) and stays as it is: \(lines.count) error(s)")
        for line in lines { logger.error("\(line)") }
        return .refused(lines)
    }

    /// Reads twice around looking at the files' times: a change that those do not show would never be seen again.
    private func readAtRest() -> (ConfigurationReading, FileStamps) {
        var reading = ConfigurationReading(path: path)
        for _ in 0..<5 {
            let stamps = FileStamps(reading.paths)
            let again = ConfigurationReading(path: path)
            if again.digest == reading.digest { return (again, stamps) }
            reading = again
        }
        return (reading, FileStamps(reading.paths))
    }

    // MARK: Telling

    /// How long exchanges under way may take to finish once the process is asked to stop.
    var drain: Duration { running.drain }

    func report() -> ConfigurationReport {
        ConfigurationReport(
            generation: generation, loadedAt: loadedAt, digest: digest,
            current: failure == nil && FileStamps(stamps.paths) == stamps, errors: failure?.errors ?? [],
            failedAt: failure?.at)
    }
}

/// How files looked at one moment: enough to see that one has changed without reading it.
private struct FileStamps: Sendable, Equatable {
    private struct Stamp: Sendable, Equatable {
        var seconds = 0
        var nanoseconds = 0
        var bytes = 0
        var inode: UInt64 = 0
        var device: UInt64 = 0
    }

    let paths: [String]
    /// A file that is not there has one of zeros.
    private let stamps: [Stamp]

    init(_ paths: [String]) {
        self.paths = paths
        stamps = paths.map { path in
            var found = stat()
            // Follows links: mounted configurations are swapped by them.
            guard stat(path, &found) == 0 else { return Stamp() }
            return Stamp(
                seconds: found.st_mtim.tv_sec, nanoseconds: found.st_mtim.tv_nsec, bytes: Int(found.st_size),
                inode: UInt64(found.st_ino), device: UInt64(found.st_dev))
        }
    }
}
