package import FoundationEssentials

/// Judges commands. Pure: same state, definition, evidence and time, same decision.
///
/// Up goes only through the gate of the next stage, or by force, and force needs a reason. Down goes at once, without a
/// gate.
package enum ExtractionMachine {
    /// The way to the next stage, as `strangler status` shows it.
    package static func gate(
        state: ExtractionState, definition: ExtractionDefinition, evidence: StageEvidence, now: Date
    ) -> Gate {
        guard let next = state.stage.next else { return Gate(next: nil, requirements: []) }
        let facts = GateFacts(state: state, definition: definition, evidence: evidence, now: now)
        return Gate(next: next, requirements: next.step.requirements(facts))
    }

    package static func decide(
        _ command: StageCommand, state: ExtractionState, definition: ExtractionDefinition, evidence: StageEvidence,
        asked: Asked, now: Date
    ) throws(Refusal) -> StageTransition {
        let facts = GateFacts(state: state, definition: definition, evidence: evidence, now: now)
        let judged: Judged =
            switch command {
            case .advance(let target): try advanced(to: target, facts)
            case .cutover(let weight, let kind): try cutOver(to: weight, of: kind, asked, facts)
            case .ramp: try ramped(facts)
            case .pause: try paused(asked, facts)
            case .resume: try resumed(facts)
            case .rollback:
                Judged(state: try rolledBack(state, atOnce: asked.atOnce, now: now), objections: [])
            case .retire: try retired(facts)
            }
        if !judged.objections.isEmpty {
            guard asked.force else { throw Refusal(reasons: judged.objections) }
            guard asked.hasReason else {
                throw Refusal(reasons: ["force needs a reason, it goes into the history"] + judged.objections)
            }
        }
        return StageTransition(
            action: command.action + (asked.atOnce && judged.state.flipsAtOnce ? atOnceMark : ""), from: state,
            to: judged.state, forced: !judged.objections.isEmpty)
    }

    /// A rollback asks for nothing but the state: it works where neither files nor evidence can be had.
    package static func rollBack(
        _ state: ExtractionState, atOnce: Bool = false, now: Date
    ) throws(Refusal) -> StageTransition {
        StageTransition(
            action: StageCommand.rollback.action + (atOnce ? atOnceMark : ""), from: state,
            to: try rolledBack(state, atOnce: atOnce, now: now), forced: false)
    }

    /// Where a rollback leads; nil where there is nothing to roll back.
    ///
    /// With `--now` from `shadow`, where a rollback without it has led, only the lanes that still wait are brought back. It
    /// never goes further: who says it again, in alarm, finds what it asks for.
    package static func rollbackTarget(of state: ExtractionState, atOnce: Bool) -> Stage? {
        guard atOnce else { return state.stage.rolledBack }
        return switch state.stage {
        case .identified, .contracted, .parallel: nil
        case .shadow: state.flipsAtOnce ? nil : .shadow
        case .cutover, .fallback, .retired: .shadow
        }
    }

    /// What a rollback with `--now` asks for is so already: the monolith answers everything, and no lane waits.
    package static func isBackAtOnce(_ state: ExtractionState) -> Bool {
        rollbackTarget(of: state, atOnce: true) == nil
    }

    /// After an action, in history.
    private static let atOnceMark = " --now"

    /// What a ramp or a guard does by itself; nil where it does nothing, or a gate is closed after all.
    package static func carryOut(
        _ move: RampMove, state: ExtractionState, definition: ExtractionDefinition, evidence: StageEvidence,
        actor: String, now: Date
    ) -> StageTransition? {
        let facts = GateFacts(state: state, definition: definition, evidence: evidence, now: now)
        switch move {
        case .stay: return nil
        case .raise(let weight):
            guard state.stage == .cutover, state.isRamping, state.hold == nil else { return nil }
            let weights = Weights(reads: max(weight, state.weights.reads), writes: max(weight, state.weights.writes))
            guard weights != state.weights else { return nil }
            return StageTransition(
                action: "step", from: state,
                to: state.moved(to: .cutover, weights: weights, isRamping: true, now: now), forced: false)
        case .enterFallback:
            guard state.stage == .cutover, state.hold == nil, Step5Fallback.requirements(facts).missing.isEmpty else {
                return nil
            }
            return StageTransition(action: "step", from: state, to: entered(.fallback, facts), forced: false)
        case .rollBack(let breaches):
            guard Ramp.isGuarded(state), state.weights != .none else { return nil }
            let hold = Hold(
                cause: .breach, by: actor, reason: breaches.joined(separator: "; "), at: now)
            return StageTransition(
                action: "breach", from: state,
                to: state.moved(to: .cutover, weights: .none, isRamping: state.isRamping, hold: hold, now: now),
                forced: false)
        }
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
            ? target.step.requirements(facts).missing + holdObjections(facts)
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
            to: stage, weights: holdsAll ? .all : .none, windowStartedAt: window, now: facts.now)
    }

    private static func cutOver(
        to weight: Weight, of kind: RequestKind, _ asked: Asked, _ facts: GateFacts
    ) throws(Refusal) -> Judged {
        let state = facts.state
        var weights = state.weights
        if kind != .writes { weights.reads = weight }
        if kind != .reads { weights.writes = weight }
        let lowers = state.weights.isAtLeast(weights)
        // A breach is not forgotten by moving the weight further down.
        let hold = lowers ? state.hold : nil
        // Only back: what the service is not yet, it must not answer from.
        if asked.atOnce, !lowers || weights == state.weights {
            throw Refusal(reasons: ["--now is for a weight below the present one, \(state.weights)"])
        }
        let moved = state.moved(
            to: .cutover, weights: weights, hold: hold, flipsAtOnce: asked.atOnce, now: facts.now)
        if state.stage == .cutover || state.stage == .fallback {
            // Setting the same weight again must not restart the bake time or the fallback window; but it ends a ramp.
            if weights == state.weights {
                guard state.isRamping else {
                    throw Refusal(reasons: [
                        "the weight is \(state.weights) already, at stage \(state.stage.rawValue)"
                    ])
                }
                return Judged(
                    state: state.holding(state.hold, isRamping: false, now: state.bakingSince), objections: [])
            }
            return Judged(state: moved, objections: lowers ? [] : holdObjections(facts))
        }
        return Judged(state: moved, objections: try entryObjections(facts))
    }

    private static func ramped(_ facts: GateFacts) throws(Refusal) -> Judged {
        let state = facts.state
        switch state.stage {
        case .cutover:
            if state.isRamping { throw Refusal(reasons: ["the ramp runs already, at \(state.weights)"]) }
            if state.weights == .all { throw Refusal(reasons: ["the weight is 100% already"]) }
            guard Ramp.nextStep(after: state.weights, of: facts.definition) != nil else {
                throw Refusal(reasons: ["the ramp of the route file ends at or below \(state.weights) already"])
            }
            return Judged(
                state: state.holding(nil, isRamping: true, now: facts.now), objections: holdObjections(facts))
        case .fallback:
            throw Refusal(reasons: ["stage fallback is the ramp's end: the service answers everything"])
        default:
            // The guard takes the first step once it has looked at replicas and breakers.
            return Judged(
                state: state.moved(to: .cutover, weights: .none, isRamping: true, now: facts.now),
                objections: try entryObjections(facts))
        }
    }

    /// What is in the way of entering cutover from an earlier stage.
    private static func entryObjections(_ facts: GateFacts) throws(Refusal) -> [String] {
        switch facts.state.stage {
        case .shadow: Step5Cutover.requirements(facts).missing
        case .retired: throw Refusal(reasons: ["a retired extraction has no weight to set: use rollback first"])
        default: ["cutover starts from stage shadow, this extraction is at \(facts.state.stage.rawValue)"]
        }
    }

    private static func holdObjections(_ facts: GateFacts) -> [String] {
        facts.state.hold.map { ["\($0.said) (use resume)"] } ?? []
    }

    private static func paused(_ asked: Asked, _ facts: GateFacts) throws(Refusal) -> Judged {
        let state = facts.state
        guard state.stage == .cutover else {
            throw Refusal(reasons: ["there is nothing to pause at stage \(state.stage.rawValue)"])
        }
        if let hold = state.hold { throw Refusal(reasons: [hold.said]) }
        let hold = Hold(
            cause: .paused, by: asked.actor, reason: asked.reason ?? "no reason given", at: facts.now)
        return Judged(state: state.holding(hold, isRamping: state.isRamping, now: facts.now), objections: [])
    }

    private static func resumed(_ facts: GateFacts) throws(Refusal) -> Judged {
        let state = facts.state
        guard state.hold != nil else { throw Refusal(reasons: ["nothing holds this extraction"]) }
        return Judged(state: state.holding(nil, isRamping: state.isRamping, now: facts.now), objections: [])
    }

    private static func rolledBack(
        _ state: ExtractionState, atOnce: Bool, now: Date
    ) throws(Refusal) -> ExtractionState {
        guard let target = rollbackTarget(of: state, atOnce: atOnce) else {
            throw Refusal(reasons: [
                atOnce
                    ? "at stage \(state.stage.rawValue) the monolith answers everything already"
                    : "there is nothing to roll back at stage \(state.stage.rawValue)"
            ])
        }
        // No traffic moves, so what was counted at this stage goes on counting.
        if target == state.stage { return state.flippingAtOnce() }
        return state.moved(to: target, weights: .none, flipsAtOnce: atOnce, now: now)
    }

    private static func retired(_ facts: GateFacts) throws(Refusal) -> Judged {
        let stage = facts.state.stage
        if stage == .retired { throw Refusal(reasons: ["already at stage retired"]) }
        guard stage == .fallback else {
            throw Refusal(reasons: [
                "only stage fallback can be retired, this extraction is at \(stage.rawValue); force does not change that"
            ])
        }
        return Judged(state: entered(.retired, facts), objections: Step5Retire.requirements(facts).missing)
    }
}

extension Asked {
    fileprivate var hasReason: Bool { reason.map { !$0.allSatisfy(\.isWhitespace) } ?? false }
}
