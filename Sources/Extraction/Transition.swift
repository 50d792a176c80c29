package import FoundationEssentials

/// What a person, or a ramp, asks for.
package enum StageCommand: Sendable, Equatable {
    /// Nil: to the next stage.
    case advance(to: Stage?)
    case cutover(Weight)
    case rollback
    case retire

    /// The name in history.
    package var action: String {
        switch self {
        case .advance: "advance"
        case .cutover: "cutover"
        case .rollback: "rollback"
        case .retire: "retire"
        }
    }
}

/// Why a command was not carried out.
package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// Each a sentence a person can act on, with numbers. Never empty.
    package let reasons: [String]

    package init(reasons: [String]) { self.reasons = reasons }

    package var description: String { reasons.joined(separator: "; ") }
}

/// A change that was decided on, to be stored by compare-and-set.
package struct StageTransition: Sendable, Equatable {
    /// `advance`, `cutover`, `rollback` or `retire`.
    package let action: String
    package let from: ExtractionState
    /// Its version is one above that of `from`.
    package let to: ExtractionState
    /// Whether something stood in the way and was overridden. Force that was not needed is not recorded as force.
    package let forced: Bool

    package init(action: String, from: ExtractionState, to: ExtractionState, forced: Bool) {
        self.action = action
        self.from = from
        self.to = to
        self.forced = forced
    }
}

/// Judges commands. Pure: same state, definition, evidence and time, same decision.
///
/// Up goes only through the gate of the next stage, or by force. Down goes at once, without a gate.
package enum ExtractionMachine {
    /// The way to the next stage, as `strangler status` shows it.
    package static func gate(
        state: ExtractionState, definition: ExtractionDefinition, evidence: StageEvidence, now: Date
    ) -> Gate {
        guard let next = state.stage.next else { return Gate(next: nil, open: false, missing: []) }
        let missing = next.step.missing(
            GateFacts(state: state, definition: definition, evidence: evidence, now: now))
        return Gate(next: next, open: missing.isEmpty, missing: missing)
    }

    package static func decide(
        _ command: StageCommand, state: ExtractionState, definition: ExtractionDefinition, evidence: StageEvidence,
        force: Bool, now: Date
    ) throws(Refusal) -> StageTransition {
        let facts = GateFacts(state: state, definition: definition, evidence: evidence, now: now)
        let judged: Judged =
            switch command {
            case .advance(let target): try advanced(to: target, facts)
            case .cutover(let weight): try cutOver(to: weight, facts)
            case .rollback: try rolledBack(facts)
            case .retire: try retired(facts)
            }
        if !judged.objections.isEmpty && !force { throw Refusal(reasons: judged.objections) }
        return StageTransition(
            action: command.action, from: state, to: judged.state, forced: !judged.objections.isEmpty)
    }

    /// Where a command leads, and what only force could override. What not even force can is thrown.
    private struct Judged {
        let state: ExtractionState
        let objections: [String]
    }

    private static func advanced(to target: Stage?, _ facts: GateFacts) throws(Refusal) -> Judged {
        let stage = facts.state.stage
        guard let next = stage.next else { throw Refusal(reasons: ["retired is the last stage"]) }
        let target = target ?? next
        if target == stage { throw Refusal(reasons: ["already at stage \(stage.rawValue)"]) }
        if target < stage {
            throw Refusal(reasons: [
                "advance does not go down from \(stage.rawValue) to \(target.rawValue): use rollback"
            ])
        }
        if target == .retired { return try retired(facts) }
        let objections =
            target == next
            ? target.step.missing(facts)
            : ["\(target.rawValue) is not the next stage after \(stage.rawValue), \(next.rawValue) is"]
        return Judged(state: entered(target, facts), objections: objections)
    }

    /// The state right after a stage is entered by `advance`. Cutover begins at weight 0: entering the stage is one
    /// decision, moving traffic another.
    private static func entered(_ stage: Stage, _ facts: GateFacts) -> ExtractionState {
        let holdsAll = stage == .fallback || stage == .retired
        let window: Date? =
            switch stage {
            case .fallback: facts.now
            case .retired: facts.state.windowStartedAt
            default: nil
            }
        return facts.state.moved(
            to: stage, weight: holdsAll ? .all : .none, windowStartedAt: window, now: facts.now)
    }

    private static func cutOver(to weight: Weight, _ facts: GateFacts) throws(Refusal) -> Judged {
        let state = facts.state
        let moved = state.moved(to: .cutover, weight: weight, windowStartedAt: nil, now: facts.now)
        switch state.stage {
        case .identified, .contracted, .parallel:
            return Judged(
                state: moved,
                objections: ["cutover starts from stage shadow, this extraction is at \(state.stage.rawValue)"])
        case .shadow:
            return Judged(state: moved, objections: Step5Cutover.missing(facts))
        case .cutover, .fallback:
            // Setting the same weight again must not restart the bake time or the fallback window.
            if weight == state.weight {
                throw Refusal(reasons: ["the weight is \(weight) already, at stage \(state.stage.rawValue)"])
            }
            return Judged(state: moved, objections: [])
        case .retired:
            throw Refusal(reasons: ["a retired extraction has no weight to set: use rollback first"])
        }
    }

    private static func rolledBack(_ facts: GateFacts) throws(Refusal) -> Judged {
        guard let target = facts.state.stage.rolledBack else {
            throw Refusal(reasons: ["there is nothing to roll back at stage \(facts.state.stage.rawValue)"])
        }
        return Judged(
            state: facts.state.moved(to: target, weight: .none, windowStartedAt: nil, now: facts.now), objections: [])
    }

    private static func retired(_ facts: GateFacts) throws(Refusal) -> Judged {
        let stage = facts.state.stage
        if stage == .retired { throw Refusal(reasons: ["already at stage retired"]) }
        guard stage == .fallback else {
            throw Refusal(reasons: [
                "only stage fallback can be retired, this extraction is at \(stage.rawValue); force does not change that"
            ])
        }
        return Judged(state: entered(.retired, facts), objections: Step5Retire.missing(facts))
    }
}
