import Foundation
import Logging
import PostgresStore
import Spool
import Synchronization

/// Writes that went to one side alone because they could not be on record. On disk at once, in a place that needs no room;
/// in Postgres as soon as it is there, where they close the gates until somebody waives them.
final class LedgerGaps: Sendable {
    private let files: LedgerFiles
    private let store: StoreLink
    private let logger: Logger
    private let now: @Sendable () -> Date
    /// Who people know this process as, and since when it has been there.
    private let replica: String
    private let startedAt: Date
    private let counted = Mutex(Counted())

    /// By extraction and reason, since the start.
    struct Counted: Sendable {
        /// Went to their primary alone.
        var served: [String: [String: Int]] = [:]
        /// Were answered 503 or 413.
        var refused: [String: [String: Int]] = [:]
    }

    /// A gap that has not grown for so long is over: the next one is another.
    private static let quiet: Int64 = 10_000

    /// - Parameter replica: the id of this process among the others.
    init(
        files: LedgerFiles, store: StoreLink, replica: String, logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        self.replica = replica
        startedAt = now()
        self.files = files
        self.store = store
        self.logger = logger
        self.now = now
    }

    var counts: Counted { counted.withLock { $0 } }

    /// From an event loop: never waits.
    func note(extraction: String, reason: String, isServed: Bool) {
        let isFirst = counted.withLock { counted in
            let path = isServed ? \Counted.served : \Counted.refused
            counted[keyPath: path][extraction, default: [:]][reason, default: 0] += 1
            return counted[keyPath: path][extraction]?[reason] == 1
        }
        if isFirst {
            logger.error(
                "writes of \(extraction) cannot be on record (\(reason)): \(isServed ? "they go to their primary alone, and the gates close" : "they are refused")"
            )
        }
        guard isServed else { return }
        let at = Int64(now().timeIntervalSince1970 * 1_000)
        files.own.recordGap(SpoolGap(extraction: extraction, began: at, ended: at, count: 1, reason: reason)) { _ in }
    }

    /// Until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await file()
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
        }
    }

    /// Brings what is known to Postgres. A gap that is over is forgotten here.
    func file() async {
        for spool in files.adopted + [files.own] { await file(spool) }
    }

    /// What a process before has left on this machine, it left before this one was started, or in a spool of its own.
    private func who(_ gap: SpoolGap, in spool: Spool) -> String {
        let isOwn = spool === files.own && Date(milliseconds: gap.began) >= startedAt
        return isOwn ? replica : "\(ProcessInfo.processInfo.hostName), a process before \(replica)"
    }

    private func file(_ spool: Spool) async {
        let gaps = spool.gaps
        guard !gaps.isEmpty, let store = try? store.connected() else { return }
        let at = Int64(now().timeIntervalSince1970 * 1_000)
        for gap in gaps {
            do {
                try await store.recordGap(
                    extraction: gap.extraction, began: Date(milliseconds: gap.began),
                    ended: Date(milliseconds: gap.ended), replica: who(gap, in: spool), spool: spool.id.description,
                    reason: gap.reason, writes: Int(clamping: gap.count))
                if at - gap.ended > Self.quiet { spool.removeGaps([gap]) { _ in } }
            } catch {
                logger.debug("a gap is not filed for now: \(error)")
            }
        }
    }
}

extension Date {
    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1_000) }
}
