/// Step 4, stage `shadow`: both systems get the requests, their answers are compared, people mend what differs.
///
/// Gate: the service is healthy, or all that would be compared are its failures; and it is known how far the monolith
/// keeps the contract itself: 100 of its answers were held against it, or one at least of every operation. That some
/// broke it is said and closes nothing: whether contract or monolith is to be changed is for people to decide. An
/// extraction that came past `contracted` without a contract, by force, has nothing to be held against. Left by `cutover` or `advance`
/// through the gate of cutover, or by a rollback to `parallel`. This is also where a rollback of moved traffic ends.
///
/// Traffic: the monolith answers, the service is shadowed (safe requests by `sample`, writes by `writes`).
enum Step4Shadow: Step {
    static let stage = Stage.shadow

    static let conformanceChecks = 100

    static func requirements(_ facts: GateFacts) -> [Requirement] {
        [facts.serviceHealth] + conformance(facts)
    }

    private static func conformance(_ facts: GateFacts) -> [Requirement] {
        let name = "conformance"
        guard facts.definition.hasContract else {
            return [.met(name, "there is no contract to hold the monolith's answers against")]
        }
        let known = facts.evidence.conformance
        let checked = known.reduce(0) { $0 &+ $1.checked }
        let unseen = known.filter { $0.checked == 0 }.map(\.endpoint)
        guard checked >= conformanceChecks || checked > 0 && unseen.isEmpty else {
            let others = unseen.isEmpty ? "" : "; not one of \(listed(unseen))"
            return [
                .missing(
                    name,
                    "needs \(conformanceChecks) of the monolith's answers held against the contract, or one of "
                        + "each operation, has \(checked)\(others)")
            ]
        }
        let violating = known.reduce(0) { $0 &+ $1.violating }
        let said = "\(counted(checked, "answer")) of the monolith held against the contract, \(violating) broke it"
        return [.met(name, said)]
            + known.filter { $0.violating > 0 }.sorted { $0.violating > $1.violating }
            .flatMap(\.violations).prefix(5).map { .met(name, $0) }
    }

    static func traffic(weights: Weights) -> StageTraffic {
        StageTraffic(
            serviceShares: .none, shadows: true, keepsMonolith: true, whyMonolith: .shadow, whyService: .shadow)
    }
}
