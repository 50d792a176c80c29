/// Step 4, stage `shadow`: both systems get the requests, their answers are compared, people mend what differs.
///
/// Gate: the service is healthy, or all that would be compared are its failures. Left by `cutover` or `advance`
/// through the gate of cutover, or by a rollback to `parallel`. This is also where a rollback of moved traffic ends.
///
/// Traffic: the monolith answers, the service is shadowed (safe requests by `sample`, writes by `writes`).
enum Step4Shadow: Step {
    static let stage = Stage.shadow

    static func requirements(_ facts: GateFacts) -> [Requirement] { [facts.serviceHealth] }

    static func traffic(weights: Weights) -> StageTraffic {
        StageTraffic(
            serviceShares: .none, shadows: true, keepsMonolith: true, whyMonolith: .shadow, whyService: .shadow)
    }
}
