package import FoundationEssentials

/// What is to happen to an extraction without anybody asking for it.
package enum RampMove: Sendable, Equatable {
    /// Nothing, and why: sentences with numbers. Empty where nothing is meant to move by itself.
    case stay([String])
    /// The next step of the ramp.
    case raise(Weight)
    /// 100 % has held: the fallback window begins.
    case enterFallback
    /// The guard has found a breach.
    case rollBack([String])
}

/// Moves the weight up step by step, and back at once. Pure: the same state, findings and time, the same move.
package enum Ramp {
    package static func next(
        state: ExtractionState, definition: ExtractionDefinition, findings: GuardFindings, now: Date
    ) -> RampMove {
        guard isGuarded(state) else { return .stay([]) }
        // Also while it is held: a pause stops what rises, never what protects.
        if !findings.breaches.isEmpty, state.weights != .none { return .rollBack(findings.breaches) }
        guard state.stage == .cutover else { return .stay([]) }
        if let hold = state.hold { return .stay([hold.said]) }
        let waiting = waiting(state, definition, findings, now)
        if state.weights == .all { return waiting.isEmpty ? .enterFallback : .stay(waiting) }
        guard state.isRamping else { return .stay([]) }
        guard let step = nextStep(after: state.weights, of: definition) else { return .stay([]) }
        return waiting.isEmpty ? .raise(step) : .stay(waiting)
    }

    /// Whether the service answers anything that could be taken back.
    package static func isGuarded(_ state: ExtractionState) -> Bool {
        state.stage == .cutover || state.stage == .fallback
    }

    /// The next weight, for reads and writes alike; above the last step of the ramp, all.
    package static func nextStep(after weights: Weights, of definition: ExtractionDefinition) -> Weight? {
        let reached = min(weights.reads, weights.writes)
        if reached == .all { return nil }
        return definition.ramp.first { $0 > reached } ?? .all
    }

    /// Why the present weight is not left yet.
    private static func waiting(
        _ state: ExtractionState, _ definition: ExtractionDefinition, _ findings: GuardFindings, _ now: Date
    ) -> [String] {
        var waiting = findings.breaches + findings.cautions
        let left = definition.bake.inSeconds - now.timeIntervalSince(state.bakingSince)
        // At no weight nothing bakes.
        if left > 0, state.weights != .none {
            waiting.append(
                "\(state.weights) has to hold for \(readableTime(definition.bake)), \(readableTime(seconds: left)) left"
            )
        }
        let needed = Guard.requestsNeeded(definition.guardLimits)
        if state.weights != .none, findings.service.requests < needed {
            waiting.append(
                "needs \(needed) requests at the service at \(state.weights), has \(findings.service.requests)")
        }
        return waiting
    }
}

extension Hold {
    /// One sentence.
    package var said: String {
        switch cause {
        case .paused: "paused by \(by): \(reason)"
        case .breach: "rolled back by the guard, until somebody resumes: \(reason)"
        }
    }
}
