package import FoundationEssentials

/// Where states live and history is kept; shared by all replicas.
package protocol StageStore: Sendable {
    /// The states of all extractions that the store knows. An extraction it does not know is at
    /// `ExtractionState.initial`.
    func load() async throws -> [ExtractionState]

    /// Stores a transition and its row of history in one transaction, and returns the stored state.
    ///
    /// - Throws: `StageConflict` when the stored version is not that of `transition.from`; nothing is changed then.
    ///   Anything else: the store could not be reached, or failed.
    func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState

    /// The newest entries first, at most `limit`.
    func history(name: String, limit: Int) async throws -> [HistoryEntry]
}

/// Somebody else changed the extraction between the look at it and the change.
package struct StageConflict: Error, Equatable, CustomStringConvertible {
    package let name: String
    /// The version that the command was judged on.
    package let expected: Int64
    /// The version that the store holds.
    package let found: Int64
    /// The stage that the store holds.
    package let stage: Stage

    package init(name: String, expected: Int64, found: Int64, stage: Stage) {
        self.name = name
        self.expected = expected
        self.found = found
        self.stage = stage
    }

    package var description: String {
        "\(name) was changed by somebody else meanwhile: it is at stage \(stage.rawValue), version \(found), "
            + "the command was judged on version \(expected)"
    }
}

/// One row of the append-only history; or, where it has a subject, a decision that moved nothing, and `from` and `to` say
/// where the extraction stood.
package struct HistoryEntry: Sendable, Codable, Equatable {
    package let at: Date
    package let actor: String
    package let action: String
    package let from: StagePoint
    package let to: StagePoint
    package let reason: String?
    package let forced: Bool
    package let evidence: StageEvidence?
    /// What was decided about: writes, an endpoint, a gap in the evidence.
    package let subject: String?
    /// Their ids, the last decided first.
    package let writes: [String]?

    package init(
        at: Date, actor: String, action: String, from: StagePoint, to: StagePoint, reason: String?, forced: Bool,
        evidence: StageEvidence?, subject: String? = nil, writes: [String]? = nil
    ) {
        self.at = at
        self.actor = actor
        self.action = action
        self.from = from
        self.to = to
        self.reason = reason
        self.forced = forced
        self.evidence = evidence
        self.subject = subject
        self.writes = writes
    }
}
