import AdminAPI
import DualWrite
import Extraction
import Foundation
import PostgresStore
import ShadowRunner

// Writes that one side is owed: by this process, as its ledger knows; by others, as they told with their last heartbeat; by
// those that are gone, as Postgres has them.
extension StageKeeper {
    /// Spools that a proxy that is heard of holds. This one's too, whatever Postgres has heard.
    func heldSpools(_ replicas: [Replica]) -> Set<String> { replicas.heldSpools.union(ledger.spools) }

    /// As this process would tell it.
    func ownServed(of name: String, _ state: ExtractionState) async -> Replica.ServedState {
        var served = Replica.ServedState(
            version: state.version, stage: state.stage, weight: "\(state.weights)", backlog: await ownBacklog(of: name))
        served.add(
            await ledger.standings()[name] ?? LedgerStanding(), spools: ledger.spools, undrained: ledger.undrained,
            now: store.clock.now)
        served.add(gaps.counts, conflicts: ledger.identities.counts.conflictsOf[name] ?? 0, of: name)
        return served
    }

    /// Without Postgres only what this process knows.
    /// - Parameter others: replicas but this one.
    func dualWrite(
        of name: String, in state: ExtractionState, beside others: [Replica] = [], stored: StoredStanding? = nil
    ) async -> DualWriteReport {
        var report = DualWriteReport()
        report.flipsAtOnce = state.flipsAtOnce
        report.add(await ownServed(of: name, state))
        for replica in others where replica.isCounted {
            if let served = replica.extractions[name] { report.add(served) }
        }
        if let stored { report.add(stored, held: heldSpools(others), now: store.clock.now) }
        return report.rounded()
    }

    /// Writes that the other side has not got from this replica within a second.
    func ownBacklog(of name: String) async -> Int {
        let backlog = await shadow.undeliveredWrites()
        guard let slot = model.slots.slot(of: name), backlog.indices.contains(slot) else { return 0 }
        return backlog[slot]
    }

    /// Of all replicas: this one's as it is now, the others' as they told last, and of those that are gone what Postgres has.
    /// Never less than the open rows there: whoever lives may have lost its spool.
    func backlog(of name: String, beside others: [Replica], stored: StoredStanding) async -> Int {
        let told = await others.filter(\.isCounted).reduce(ownBacklog(of: name)) {
            $0 &+ ($1.extractions[name]?.backlog ?? 0)
        }
        let lost = stored.lost(beside: heldSpools(others)).reduce(0) { $0 &+ $1.writes }
        return max(told &+ lost, stored.open.reduce(0) { $0 &+ $1.writes })
    }
}

extension [Replica] {
    /// Of those that are heard of: one that has said goodbye has let go of its spool, with all that it owes.
    var heldSpools: Set<String> {
        Set(filter(\.isCounted).flatMap { $0.extractions.values.flatMap { $0.spools ?? [] } })
    }
}
