internal import FoundationEssentials

/// One line of a gate's checklist.
package struct Requirement: Sendable, Codable, Equatable {
    /// What is asked about, in a word or two: `mismatch`, `health`; the same in every version.
    package let name: String
    package let met: Bool
    /// A sentence with numbers: what there is, or what is missing and how much of it.
    package let said: String

    package static func met(_ name: String, _ said: String) -> Requirement {
        Requirement(name: name, met: true, said: said)
    }

    package static func missing(_ name: String, _ said: String) -> Requirement {
        Requirement(name: name, met: false, said: said)
    }
}

/// The way to the next stage: open, or what is missing.
package struct Gate: Sendable, Codable, Equatable {
    /// Nil when there is no further stage.
    package let next: Stage?
    /// The whole checklist, in the order in which it is worth reading.
    package let requirements: [Requirement]

    package init(next: Stage?, requirements: [Requirement]) {
        self.next = next
        self.requirements = requirements
    }

    package var open: Bool { next != nil && missing.isEmpty }

    /// Each a sentence a person can act on, with numbers.
    package var missing: [String] { requirements.missing }
}

extension [Requirement] {
    var missing: [String] { filter { !$0.met }.map(\.said) }
}

/// All that a gate may look at.
struct GateFacts {
    let state: ExtractionState
    let definition: ExtractionDefinition
    let evidence: StageEvidence
    let now: Date
}

extension GateFacts {
    /// What the gates of `parallel` and `shadow` both ask for.
    var serviceHealth: Requirement {
        switch evidence.serviceHealthy {
        case .some(true): .met("health", "the service's health check passes")
        case .some(false): .missing("health", "the service's health check fails")
        case .none: .missing("health", "the service's health check has not answered yet")
        }
    }

    /// - Parameter receiver: who has not got the writes yet.
    func backlog(at receiver: String) -> Requirement {
        let backlog = evidence.writeBacklog
        return backlog > 0
            ? .missing("backlog", "\(counted(backlog, "write")) not delivered to \(receiver) yet")
            : .met("backlog", "no write waits for \(receiver)")
    }

    /// Writes that nobody delivers until a person has decided about them. Nothing is said of extractions without any.
    var decidedWrites: [Requirement] {
        let (dead, uncertain) = (evidence.deadWrites, evidence.uncertainWrites)
        guard dead > 0 || uncertain > 0 else {
            return definition.writes == .dualWrite ? [.met("writes", "no write is dead or uncertain")] : []
        }
        return [
            .missing(
                "writes",
                undecidedSaid(dead: dead, uncertain: uncertain) + ": see `strangler writes \(definition.name)`")
        ]
    }

    /// What gates ask that build on counters: that they are all there.
    var completeness: [Requirement] {
        let silent = evidence.silentReplicas
        let heard: [Requirement] =
            silent.isEmpty
            ? [] : [.missing("replicas", "not heard of, with what they have counted: \(listed(silent))")]
        return heard + gaps
    }

    private var gaps: [Requirement] {
        let gaps = evidence.gaps
        guard gaps.contains(where: { $0.waiver == nil }) else {
            return [
                .met(
                    "gaps",
                    gaps.isEmpty ? "no evidence is missing" : "\(counted(gaps.count, "gap")) in the evidence waived")
            ]
        }
        return gaps.filter { $0.waiver == nil }.map { gap in
            let length = readableTime(seconds: gap.ended.timeIntervalSince(gap.began))
            let began = readableMoment(gap.began)
            if gap.extraction != nil {
                return .missing(
                    "gaps",
                    "gap \(gap.id): for \(length) from \(began) on writes went to one side alone at \(gap.replica): \(gap.reason); waive it with a reason"
                )
            }
            return .missing(
                "gaps",
                "gap \(gap.id): evidence of \(length) from \(began) on is missing at \(gap.replica): \(gap.reason); waive it with a reason"
            )
        }
    }
}

/// `2 writes are dead, 1 uncertain`.
func undecidedSaid(dead: Int, uncertain: Int) -> String {
    guard dead > 0 else { return counted(uncertain, "write") + (uncertain == 1 ? " is" : " are") + " uncertain" }
    return counted(dead, "write") + (dead == 1 ? " is" : " are") + " dead"
        + (uncertain > 0 ? ", \(uncertain) uncertain" : "")
}
