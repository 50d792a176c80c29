/// Which requests a weight is set for.
package enum RequestKind: String, Sendable, Codable, CaseIterable {
    case all
    /// Safe methods (RFC 9110 §9.2.1).
    case reads
    case writes
}

/// What a person asks for.
package enum StageCommand: Sendable, Equatable {
    /// Nil: to the next stage.
    case advance(to: Stage?)
    /// A weight, and it stays there: a running ramp ends.
    case cutover(Weight, of: RequestKind = .all)
    /// The weight rises by itself from now on, as the route file's `ramp` says.
    case ramp
    case pause
    case resume
    case rollback
    case retire

    /// The name in history.
    package var action: String {
        switch self {
        case .advance: "advance"
        case .cutover: "cutover"
        case .ramp: "ramp"
        case .pause: "pause"
        case .resume: "resume"
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
    /// That of a command, with ` --now` where lanes change sides at once; or `step`, `breach` where nobody asked.
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

/// Who asks, and why.
package struct Asked: Sendable, Equatable {
    package let actor: String
    package let reason: String?
    /// Override a closed gate.
    package let force: Bool
    /// `--now`, of a rollback or a lower weight: lanes change sides before the other side has all their writes.
    package let atOnce: Bool

    package init(by actor: String, reason: String? = nil, force: Bool = false, atOnce: Bool = false) {
        self.actor = actor
        self.reason = reason
        self.force = force
        self.atOnce = atOnce
    }
}
