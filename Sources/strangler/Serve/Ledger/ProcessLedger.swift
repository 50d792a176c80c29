import DualWrite
import ShadowRunner
import Spool

/// This process's ledger, as the stages and the heartbeat ask for it.
struct ProcessLedger: OwnLedger {
    let files: LedgerFiles
    let shadow: ShadowRunner

    var spool: String { files.own.id.description }

    func standings() async -> [String: LedgerStanding] { await shadow.standings() }

    func settled() async -> [String: Int] {
        await shadow.ledgerCounts().mapValues { $0.delivered + $0.refusedByPrimary + $0.neverSent }
    }

    /// By their bytes, so about; 0 only when there is none.
    func undrained() async -> Int {
        (files.adopted + [files.own]).reduce(0) { sum, spool in
            let usage = spool.usage
            guard !spool.isDrained || usage.waitingRecords > 0, spool.drained < spool.durable else {
                return sum + usage.waitingRecords
            }
            let perRecord = max(1, usage.figures.appendedBytes / max(1, usage.figures.appendedRecords))
            return sum + usage.waitingRecords + max(1, usage.undrainedBytes / max(perRecord, 200))
        }
    }

    func readmit(_ payload: [UInt8]) async throws { try await shadow.readmit(payload) }
}
