import AdminAPI
import DualWrite
import Extraction
import Foundation
import PostgresStore

/// What is asked of this process's own ledger: its spool, and who delivers from it.
protocol OwnLedger: Sendable {
    /// As `PostgresStore.file` is told: names the data folder, over restarts.
    var spool: String { get }

    /// By extraction.
    func standings() async -> [String: LedgerStanding]

    /// Writes that have come to their end since the start of the process, by extraction.
    func settled() async -> [String: Int]

    /// Records that Postgres has not got yet.
    func undrained() async -> Int

    /// Takes a dead or uncertain write back, as its row's payload has it, and delivers it again. Returns when it is
    /// durable.
    func readmit(_ payload: [UInt8]) async throws
}

extension Replica.ServedState {
    /// Fields that a process without a ledger leaves out.
    mutating func add(_ standing: LedgerStanding, spool: String, undrained: Int, now: Date) {
        self.spool = spool
        toMonolith = Owed(standing.toMonolith, now: now)
        toService = Owed(standing.toService, now: now)
        underWay = standing.underWay
        paused = standing.paused
        self.undrained = undrained
    }
}

extension Replica.ServedState.Owed {
    init(_ owed: LedgerStanding.Owed, now: Date) {
        let oldest = owed.oldest.map { Date(timeIntervalSince1970: Double($0) / 1_000) }
        self.init(writes: owed.writes, seconds: owed.writes > 0 ? max(0, oldest.map(now.timeIntervalSince) ?? 0) : 0)
    }
}

extension DualWriteReport {
    /// What one replica has told.
    mutating func add(_ served: Replica.ServedState) {
        if let owed = served.toMonolith { toMonolith.add(Owed(writes: owed.writes, seconds: owed.seconds)) }
        if let owed = served.toService { toService.add(Owed(writes: owed.writes, seconds: owed.seconds)) }
        underWay &+= served.underWay ?? 0
        paused &+= served.paused ?? 0
        undrained &+= served.undrained ?? 0
    }

    /// What nobody tells any more, and what Postgres knows of writes that wait for a person.
    mutating func add(_ stored: StoredStanding, held: Set<String>, now: Date) {
        for open in stored.lost(beside: held) {
            let owed = Owed(writes: open.writes, seconds: max(0, now.timeIntervalSince(open.oldest)))
            if open.to == .monolith { toMonolith.add(owed) } else { toService.add(owed) }
            lost &+= open.writes
        }
        dead = stored.dead
        uncertain = stored.uncertain
    }

    /// Tenths of a second are as much as a heartbeat a second is good for.
    func rounded() -> DualWriteReport {
        var report = self
        report.toMonolith.seconds = (toMonolith.seconds * 10).rounded() / 10
        report.toService.seconds = (toService.seconds * 10).rounded() / 10
        return report
    }
}
