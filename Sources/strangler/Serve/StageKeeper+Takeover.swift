import Extraction

/// Lanes while one process takes over from another. For a moment both serve: the old one those whom it has accepted, the new
/// one all others; and each has writes that only it knows to be owed. A lane that changed sides then would not wait for the
/// other process's. So none does: in both, lanes keep the sides of the moment in which the old one let go, until it has ended,
/// and what it has left is owed by the new one. `--now` does not wait for that, either.
extension StageKeeper {
    /// This process accepts nobody any more; another one does, and keeps the stages.
    func handOver() {
        sides = states
        hasSuccessor = true
        // The last word in the cache is what lanes are held by.
        saveStates()
    }

    /// Another process on the same data has not ended. Before the first client is accepted.
    /// - Parameter isReleased: it has let go just now, and has left its states in the cache.
    func holdSides(isReleased: Bool) async {
        if isReleased { await adopt(Array(cache.load().values)) }
        sides = states
    }

    /// It has, and what it has left is known.
    func letLanesTurn() async {
        sides = nil
        await publish()
    }
}
