/// What has become of writes since the start, for metrics. Of one extraction.
package struct LedgerCounts: Sendable, Equatable {
    /// Intents on disk, and those that could not be, by reason.
    package var recorded = 0
    package var refused: [String: Int] = [:]
    /// Its primary did not take it, or certainly never saw it.
    package var refusedByPrimary = 0
    package var neverSent = 0
    package var delivered = 0
    /// Of `delivered`: an attempt before the last may have been carried out. Each attempt carried the same key.
    package var possiblyTwice = 0
    /// Attempts that failed and count, and those that do not because the other side was away.
    package var retried = 0
    package var postponed = 0
    package var dead: [String: Int] = [:]
    package var uncertain = 0

    package init() {}

    mutating func add(_ other: LedgerCounts) {
        recorded += other.recorded
        refused.merge(other.refused, uniquingKeysWith: +)
        refusedByPrimary += other.refusedByPrimary
        neverSent += other.neverSent
        delivered += other.delivered
        possiblyTwice += other.possiblyTwice
        retried += other.retried
        postponed += other.postponed
        dead.merge(other.dead, uniquingKeysWith: +)
        uncertain += other.uncertain
    }
}
