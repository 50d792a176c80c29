/// Step 2, stage `contracted`: the interface is agreed on before the service is written.
///
/// Gate: step 1 was done (a problem, two reasons), the route file names a contract, and the contract holds. Left by
/// `advance`, or by a rollback to `identified`.
///
/// Traffic: the monolith answers, nobody is shadowed; some of its answers are held against the contract.
enum Step2Contract: Step {
    static let stage = Stage.contracted

    static func requirements(_ facts: GateFacts) -> [Requirement] {
        Step1Identify.reasons(facts.definition) + contract(facts)
    }

    private static func contract(_ facts: GateFacts) -> [Requirement] {
        guard facts.definition.hasContract else {
            return [.missing("contract", "the route file names no contract")]
        }
        let problems = facts.evidence.contractProblems
        return problems.isEmpty
            ? [.met("contract", "the contract covers every path and method of the routes")]
            : problems.map { .missing("contract", $0) }
    }

    static func traffic(weights: Weights) -> StageTraffic { .monolithOnly(why: .contracted, checksContract: true) }
}
