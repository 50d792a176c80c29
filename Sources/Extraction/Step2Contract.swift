/// Step 2, stage `contracted`: the interface is agreed on before the service is written.
///
/// Gate: step 1 was done (a problem, two reasons), the route file names a contract, and the contract holds. Left by
/// `advance`, or by a rollback to `identified`.
///
/// Traffic: the monolith answers, nobody is shadowed.
enum Step2Contract: Step {
    static let stage = Stage.contracted

    static func missing(_ facts: GateFacts) -> [String] {
        var missing = Step1Identify.reasonsMissing(facts.definition)
        if !facts.definition.hasContract {
            missing.append("the route file names no contract")
        }
        return missing + facts.evidence.contractProblems
    }

    static func traffic(weight: Weight) -> StageTraffic { .monolithOnly(why: .contracted) }
}
