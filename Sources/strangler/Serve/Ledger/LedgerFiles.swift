import DualWrite
import Logging
import ProxyConfiguration
import Spool
import Synchronization

/// The spools of this process: the one that it appends to, and those that processes have left behind which are gone.
///
/// While a process is taken over from, it still has its own: this one begins another, and what the old one leaves is
/// adopted when it has ended.
final class LedgerFiles: Sendable {
    let own: Spool
    private let directories: SpoolDirectories
    private let options: SpoolOptions
    private let logger: Logger
    private let adoptedOnes = Mutex<[Spool]>([])
    private let readmitted = Atomic<UInt64>(0)

    private init(own: Spool, directories: SpoolDirectories, options: SpoolOptions, logger: Logger) {
        self.own = own
        self.directories = directories
        self.options = options
        self.logger = logger
    }

    /// What was open when the processes before ended, and the logs in which it stands: the numbers of
    /// ``LedgerRecovery`` are places in `logs`.
    struct Found {
        var recovery = LedgerRecovery()
        var logs: [Spool] = []
        /// By extraction: what both sides' answers told of names, and Postgres may not have yet.
        var pairs: [String: [IdentityPair]] = [:]
        /// Whole frames that are no record of the ledger's.
        var unreadable = 0
    }

    /// Opens or makes this process's spool, and all that nobody has. Blocks until they have been read.
    ///
    /// - Throws: `StartError`, which names the file and what can be done; nothing has been changed then.
    static func open(
        _ data: DataDirectory, _ definition: SpoolDefinition, logger: Logger
    ) throws(StartError) -> (files: LedgerFiles, found: Found) {
        do {
            var options = SpoolOptions()
            options.quota = definition.quota
            options.freeFloor = definition.keepFree
            options.segmentSize = definition.segment
            options.commitInterval = definition.commitInterval
            if let file = definition.keyFile { options.key = try SpoolKey(file: file) }
            let directories = SpoolDirectories(root: data.file("spool"), logger: logger)
            var found = Found()
            let own = try directories.claim(options: options) { found.add($1, at: $0, of: 0) }
            found.logs.append(own)
            let files = LedgerFiles(own: own, directories: directories, options: options, logger: logger)
            try files.adopt(into: &found)
            return (files, found)
        } catch {
            throw StartError(description: "the spool of dual-writes cannot be opened: \(error)")
        }
    }

    /// A person has a write delivered again: Postgres has a row of it that is not over.
    func mayBeFiled(through sequence: UInt64) { readmitted.max(sequence, ordering: .relaxed) }

    /// The highest of those.
    var readmittedThrough: UInt64 { readmitted.load(ordering: .relaxed) }

    /// That the spools are encrypted with, and what Postgres keeps of writes.
    var key: SpoolKey? { options.key }

    /// Of those that other processes have left: to be drained and removed.
    var adopted: [Spool] { adoptedOnes.withLock { $0 } }

    /// Takes over what processes have left since: all of it, or nothing. Blocks.
    func adoptOrphans() throws -> Found {
        var found = Found(logs: [own])
        do {
            try adopt(into: &found)
        } catch {
            // Nobody else knows that they are open: they would stay locked by this very process.
            for spool in found.logs where spool !== own { spool.close() }
            throw error
        }
        return found
    }

    private func adopt(into found: inout Found) throws {
        for directory in try directories.orphans() where found.logs.count < Int(UInt8.max) {
            let place = UInt8(found.logs.count)
            guard
                let spool = try directories.adopt(
                    directory, options: options, visit: { found.add($1, at: $0, of: place) })
            else { continue }
            found.logs.append(spool)
            logger.notice("a spool is adopted whose process is gone: \(directory)")
        }
    }

    /// What is open in them is retained now: they may be drained, and removed when nothing is left.
    func recovered(_ found: Found) {
        let adopted = found.logs.filter { $0 !== own }
        adoptedOnes.withLock { $0 += adopted }
    }

    /// Another process still has its spool, or has left it just now.
    func hasPredecessor() throws -> Bool { try !directories.others(than: [own] + adopted).isEmpty }

    /// Of an adopted one that nobody needs any more.
    func remove(_ spool: Spool) {
        do throws(SpoolError) {
            guard spool.gaps.isEmpty, try spool.remove() else { return }
            adoptedOnes.withLock { $0.removeAll { $0 === spool } }
        } catch {
            adoptedOnes.withLock { $0.removeAll { $0 === spool } }
            logger.error("a spool that is not needed stays: \(error)")
        }
    }

    /// Brings what waits to disk and gives the directories free. Blocks.
    func close() {
        for spool in adopted { spool.close() }
        own.close()
    }
}

extension LedgerFiles.Found {
    fileprivate mutating func add(_ record: [UInt8], at position: LogPosition, of place: UInt8) {
        let isRecord = record.withUnsafeBytes { recovery.add($0, at: position, origin: place) }
        if !isRecord { unreadable += 1 }
        if case .settled? = record.withUnsafeBytes({ LedgerGlance($0)?.kind }),
            case .settled(let facts, .delivered(let delivered)) = LedgerRecord(record), !delivered.pairs.isEmpty
        {
            pairs[facts.extraction, default: []] += delivered.pairs
        }
    }
}
