/// Step 3, stage `parallel`: the service runs beside the monolith, and only its health is asked.
///
/// Gate: the service's health check passes. Left by `advance`, or by a rollback to `contracted`.
///
/// Traffic: the monolith answers, nobody is shadowed; some of its answers are held against the contract.
enum Step3Parallel: Step {
    static let stage = Stage.parallel

    static func requirements(_ facts: GateFacts) -> [Requirement] { [facts.serviceHealth] }

    static func traffic(weights: Weights) -> StageTraffic { .monolithOnly(why: .parallel, checksContract: true) }
}
