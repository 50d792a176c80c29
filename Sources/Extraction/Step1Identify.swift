/// Step 1, stage `identified`: a domain was chosen, and the route file says why.
///
/// Entered by writing the route file; there is no gate in front of it, so that a half-thought candidate can be
/// written down. The gate behind it (to `contracted`) asks for `reasons`. Left by `advance`; there is
/// nothing to roll back to.
///
/// Traffic: the monolith answers, nobody is shadowed.
enum Step1Identify: Step {
    static let stage = Stage.identified

    /// One reason alone is as well served by a module inside the monolith.
    static let reasonsNeeded = 2

    static func requirements(_ facts: GateFacts) -> [Requirement] { [] }

    static func traffic(weights: Weights) -> StageTraffic { .monolithOnly(why: .identified) }

    /// What the route file has to say about why this domain has to leave; asked by the gate behind this stage.
    static func reasons(_ definition: ExtractionDefinition) -> [Requirement] {
        let reasons = Set(definition.because)
        let unused = Reason.allCases.filter { !reasons.contains($0) }.map(\.rawValue).joined(separator: ", ")
        return [
            definition.problem.allSatisfy(\.isWhitespace)
                ? .missing("problem", "the route file states no problem that the extraction solves")
                : .met("problem", "the route file states the problem"),
            reasons.count < reasonsNeeded
                ? .missing(
                    "because",
                    "needs \(reasonsNeeded) reasons under because, has \(reasons.count); to choose from: \(unused)")
                : .met("because", "\(counted(reasons.count, "reason")) for it"),
        ]
    }
}
