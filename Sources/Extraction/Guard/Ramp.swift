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
        guard let step = nextStep(after: state.weights, of: definition) else {
            return .stay(["the ramp of the route file ends here: cutover goes further"])
        }
        return waiting.isEmpty ? .raise(step) : .stay(waiting)
    }

    /// Whether the service answers anything that could be taken back.
    package static func isGuarded(_ state: ExtractionState) -> Bool {
        state.stage == .cutover || state.stage == .fallback
    }

    /// The next weight, for reads and writes alike; nil where the ramp ends. A weight that nobody wrote is not reached by
    /// itself: a ramp up to 50 % stays there.
    package static func nextStep(after weights: Weights, of definition: ExtractionDefinition) -> Weight? {
        let reached = min(weights.reads, weights.writes)
        return definition.ramp.filter { $0 > reached }.min()
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
        if state.weights != .none { waiting += silence(state.weights, definition, findings) }
        return waiting
    }

    /// Nobody asks, nothing is shown. Of reads or writes that have a weight of their own, those that would rise count.
    private static func silence(
        _ weights: Weights, _ definition: ExtractionDefinition, _ findings: GuardFindings
    ) -> [String] {
        let needed = Guard.requestsNeeded(definition.guardLimits)
        let all = findings.service.requests
        let (what, weight, count) =
            switch (findings.serviceReads, weights.reads, weights.writes) {
            case (.some(let reads), let low, let high) where low < high && low > .none: ("reads", low, reads)
            case (.some(let reads), let high, let low) where low < high && low > .none: ("writes", low, all &- reads)
            case (_, let reads, let writes): ("requests", max(reads, writes), all)
            }
        return count < needed ? ["needs \(needed) \(what) at the service at \(weight), has \(count)"] : []
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
