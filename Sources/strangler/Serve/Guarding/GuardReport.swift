import Extraction
import Foundation

/// What the guard found at one extraction and what happens next by itself, for people.
struct GuardReport: Sendable, Equatable {
    let extraction: String
    /// Of the state that was judged.
    let version: Int64
    let findings: GuardFindings
    /// Where a running ramp goes next; nil where none runs, or the weight is 100 % already.
    let nextWeight: Weight?
    /// 100 % is reached, and the fallback window begins once it has held.
    let entersFallback: Bool
    /// Why that does not happen yet, or not by itself: a sentence each.
    let waiting: [String]
    /// The replica that judges for all; nil while none does.
    let holder: String?

    init(
        _ definition: ExtractionDefinition, _ state: ExtractionState, _ findings: GuardFindings, _ move: RampMove,
        holder: String?
    ) {
        extraction = definition.name
        version = state.version
        self.findings = findings
        let isAtAll = state.weights == .all
        entersFallback = state.stage == .cutover && isAtAll
        nextWeight =
            state.stage == .cutover && state.isRamping && !isAtAll
            ? Ramp.nextStep(after: state.weights, of: definition) : nil
        waiting = if case .stay(let why) = move { why } else { [] }
        self.holder = holder
    }
}
