/// Step 1, stage `identified`: a domain was chosen, and the route file says why.
///
/// Entered by writing the route file; there is no gate in front of it, so that a half-thought candidate can be
/// written down. The gate behind it (to `contracted`) asks what `reasonsMissing` asks. Left by `advance`; there is
/// nothing to roll back to.
///
/// Traffic: the monolith answers, nobody is shadowed.
enum Step1Identify: Step {
    static let stage = Stage.identified

    /// One reason alone is as well served by a module inside the monolith.
    static let reasonsNeeded = 2

    static func missing(_ facts: GateFacts) -> [String] { [] }

    static func traffic(weight: Weight) -> StageTraffic { .monolithOnly(why: .identified) }

    /// What the route file does not say yet about why this domain has to leave.
    static func reasonsMissing(_ definition: ExtractionDefinition) -> [String] {
        var missing: [String] = []
        if definition.problem.allSatisfy(\.isWhitespace) {
            missing.append("the route file states no problem that the extraction solves")
        }
        let reasons = Set(definition.because)
        if reasons.count < reasonsNeeded {
            let known = Reason.allCases.filter { !reasons.contains($0) }.map(\.rawValue).joined(separator: ", ")
            missing.append(
                "needs \(reasonsNeeded) reasons under because, has \(reasons.count); to choose from: \(known)")
        }
        return missing
    }
}
