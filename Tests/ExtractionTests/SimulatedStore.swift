import Extraction
import FoundationEssentials

/// A store in memory, with compare-and-set as the real one has it.
actor SimulatedStore: StageStore {
    private var states: [String: ExtractionState] = [:]
    private(set) var entries: [HistoryEntry] = []

    init(_ states: [ExtractionState] = []) {
        for state in states { self.states[state.name] = state }
    }

    func load() async throws -> [ExtractionState] { Array(states.values) }

    func state(of name: String) -> ExtractionState? { states[name] }

    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState {
        let (from, to) = (transition.from, transition.to)
        if let stored = states[from.name], stored.version != from.version {
            throw StageConflict(
                name: from.name, expected: from.version, found: stored.version, stage: stored.stage)
        }
        states[to.name] = to
        entries.append(
            HistoryEntry(
                at: at, actor: actor, action: transition.action, from: from.point, to: to.point, reason: reason,
                forced: transition.forced, evidence: evidence))
        return to
    }

    func history(name: String, limit: Int) async throws -> [HistoryEntry] {
        entries.reversed().prefix(limit).map { $0 }
    }
}
