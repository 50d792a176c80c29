import AdminAPI
import DualWrite
import Extraction
import Foundation
import PostgresStore
import ShadowRunner
import Spool

/// What is asked of this process's own ledger: its spools, and who delivers from them.
struct OwnLedger: Sendable {
    let files: LedgerFiles
    let shadow: ShadowRunner
    let identities: IdentityDirectory

    var ownSpool: String { files.own.id.description }

    /// Its own first, then those of processes that are gone.
    var spools: [String] { ([files.own] + files.adopted).map(\.id.description) }

    /// By extraction.
    func standings() async -> [String: LedgerStanding] { await shadow.standings() }

    /// Bytes that Postgres has not got yet.
    var undrained: Int { ([files.own] + files.adopted).reduce(0) { $0 &+ $1.usage.undrainedBytes } }
}

extension Replica.ServedState {
    /// What could not be on record, and names that contradict each other. Nothing is said of extractions without either.
    mutating func add(_ gaps: LedgerGaps.Counted, conflicts: Int, of name: String) {
        refusedWrites = gaps.refused[name]
        unrecordedWrites = gaps.served[name]
        identityConflicts = conflicts > 0 ? conflicts : nil
    }

    mutating func add(_ standing: LedgerStanding, spools: [String], undrained: Int, now: Date) {
        self.spools = spools
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
        refused = Self.sum(refused, served.refusedWrites)
        unrecorded = Self.sum(unrecorded, served.unrecordedWrites)
        if let conflicts = served.identityConflicts { identityConflicts = (identityConflicts ?? 0) &+ conflicts }
    }

    private static func sum(_ counts: [String: Int]?, _ more: [String: Int]?) -> [String: Int]? {
        guard let more, !more.isEmpty else { return counts }
        return (counts ?? [:]).merging(more) { $0 &+ $1 }
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
