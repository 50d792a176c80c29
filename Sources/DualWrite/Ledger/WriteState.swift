/// The life of one write. Every transition has a name; what is not listed does not happen.
///
/// ```
/// intent ──primaryTook──▶ accepted ──otherTook──▶ delivered ──recorded──▶ settled
///   │ primaryRefused        │  ▲ │ attemptFailed: stays
///   │ neverSent             │  │ └─gaveUp──▶ dead
///   ▼                       │  └──retried──── dead, uncertain
/// refused                   └─carried: stays
///   outcomeUnknown ──▶ uncertain
/// ```
/// `settled` and `refused` are the end. From `dead` and `uncertain` a person lets it go on, or settles it in the store.
package enum WriteEvent: Sendable, Equatable, CaseIterable {
    /// With an answer that counts as a success.
    case primaryTook
    /// With any other answer.
    case primaryRefused
    /// It never reached a primary.
    case neverSent
    /// Nobody knows what the primary made of it.
    case outcomeUnknown
    case attemptFailed
    case otherTook
    case gaveUp
    case recorded
    case retried
    /// Written down anew as it stands.
    case carried
}

/// A transition that there is not.
package struct IllegalTransition: Error, Equatable {
    package let state: LedgerRow.State
    package let event: WriteEvent
}

extension LedgerRow.State {
    package mutating func handle(_ event: WriteEvent) throws(IllegalTransition) {
        guard let next = next(event) else { throw IllegalTransition(state: self, event: event) }
        self = next
    }

    private func next(_ event: WriteEvent) -> LedgerRow.State? {
        switch (self, event) {
        case (.intent, .primaryTook): .accepted
        case (.intent, .primaryRefused), (.intent, .neverSent): .refused
        case (.intent, .outcomeUnknown): .uncertain
        case (.intent, .carried), (.accepted, .carried): self
        case (.accepted, .attemptFailed): .accepted
        case (.accepted, .otherTook): .delivered
        case (.accepted, .gaveUp): .dead
        case (.delivered, .recorded): .settled
        case (.dead, .retried), (.uncertain, .retried): .accepted
        default: nil
        }
    }

    /// Nothing is left to do for delivery.
    package var isClosed: Bool {
        switch self {
        case .intent, .accepted: false
        case .delivered, .settled, .refused, .dead, .uncertain: true
        }
    }
}
