import DualWrite
import Logging
import ShadowRunner
import Spool

/// What processes before this one have left of dual-writes.
extension ProxyProcess {
    /// Before anybody is served: lanes that are owed something must be known.
    /// - Parameter isTakingOver: from a process that lives, whether it has a spool or not: lanes are held until it is seen
    ///   that nothing of it is left to be adopted.
    /// - Returns: whether another process still delivers its own; this one's wait until then.
    static func recover(_ found: LedgerFiles.Found, _ parts: Parts, isTakingOver: Bool) async -> Bool {
        await parts.shadow.holdDeliveries(true)
        await take(found, parts)
        let isFollowing = isTakingOver || (try? parts.ledger.files.hasPredecessor()) ?? true
        if !isFollowing { await parts.shadow.holdDeliveries(false) }
        return isFollowing
    }

    /// Until the process is gone that this one succeeds; what it has left comes first.
    static func adoptPredecessor(_ parts: Parts, _ keeper: StageKeeper) async {
        var complaint = ""
        while !Task.isCancelled {
            do {
                let files = parts.ledger.files
                await take(try files.adoptOrphans(), parts)
                if try !files.hasPredecessor() { break }
            } catch {
                // Writes go on being recorded, and wait: delivering them first would be out of order for good.
                if "\(error)" != complaint {
                    parts.logger.error(
                        "what the process before has left cannot be read, so nothing is delivered and lanes keep their sides: commands change stages and weights, but `strangler rollback --now` alone turns lanes: \(error)"
                    )
                }
                complaint = "\(error)"
            }
            guard (try? await Task.sleep(for: .milliseconds(250))) != nil else { return }
        }
        await keeper.letLanesTurn()
        await parts.shadow.holdDeliveries(false)
    }

    private static func take(_ found: LedgerFiles.Found, _ parts: Parts) async {
        for (extraction, pairs) in found.pairs { parts.ledger.identities.learn(pairs, extraction: extraction) }
        parts.ledger.drain.mayBeFiled(through: found.recovery.highest)
        let (owed, uncertain) = await parts.shadow.recover(found.recovery, from: found.logs)
        parts.ledger.files.recovered(found)
        if owed + uncertain > 0 {
            parts.logger.notice(
                "dual-writes of before: \(owed) are still to be delivered, \(uncertain) are uncertain (`strangler writes`)"
            )
        }
        if found.unreadable > 0 {
            parts.logger.error("\(found.unreadable) records of the spool are none of the ledger's: of a newer version?")
        }
    }
}
