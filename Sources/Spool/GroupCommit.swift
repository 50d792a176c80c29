/// When the writing thread brings to disk what waits. Each commit costs the machine the same, however many records are in it
/// (measured: about 0.1 ms of CPU for an `fdatasync`, beside the time that the disk takes), so few records in each make
/// everything slow at once; and a client waits for each intent.
///
/// - An intent that comes alone is committed at once.
/// - While many come, each commit waits for more of them, for an interval: what PostgreSQL calls `commit_delay`, behind its
///   `commit_siblings`.
/// - For what became of a write no client waits: it goes along with the next intent, or by itself a moment later.
struct GroupCommit {
    /// Intents in one commit that say that many come.
    private static let many = 4
    private static let longestPause = Duration.milliseconds(2)

    private var intents = 0
    private var intentsBefore = 0
    /// What is being waited for, or has been.
    private var pause = Pause.none

    private enum Pause {
        case none
        /// For anything at all, with nobody's client waiting.
        case idle
        /// For more intents.
        case gathering
    }

    /// - Returns: true if the writing thread is waiting and should not any more.
    mutating func added(isEssential: Bool) -> Bool {
        if isEssential { return false }
        intents += 1
        guard pause == .idle else { return false }
        pause = .none
        return true
    }

    /// How long to wait before what is there is taken; zero: no longer. Asked again after each pause.
    mutating func pause(interval: Duration) -> Duration {
        switch pause {
        case .idle where intents == 0, .gathering: return .zero
        case .none where intents == 0:
            pause = .idle
            return Self.longestPause
        case .none, .idle:
            guard intentsBefore >= Self.many, interval > .zero else { return .zero }
            pause = .gathering
            return interval
        }
    }

    mutating func taken() {
        pause = .none
        // A commit in between that had none says nothing about how many come.
        if intents > 0 { intentsBefore = intents }
        intents = 0
    }
}
