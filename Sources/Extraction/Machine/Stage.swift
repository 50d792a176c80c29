/// Where one extraction stands on its way out of the monolith. Seven stages make up the five steps; what each of
/// them means, asks for and does with traffic is in the file of its step (`Step1Identify` … `Step5Retire`).
package enum Stage: String, CaseIterable, Comparable, Codable, Sendable {
    case identified
    case contracted
    case parallel
    case shadow
    case cutover
    case fallback
    case retired

    /// The stage one step further, or nil at the end of the way.
    package var next: Stage? {
        switch self {
        case .identified: .contracted
        case .contracted: .parallel
        case .parallel: .shadow
        case .shadow: .cutover
        case .cutover: .fallback
        case .fallback: .retired
        case .retired: nil
        }
    }

    /// Where a rollback leads, or nil where there is nothing to roll back.
    ///
    /// Whatever moved traffic goes back to `shadow` in one go: there the monolith answers everything, and the
    /// service is still compared, so the reason for the rollback stays visible.
    package var rolledBack: Stage? {
        switch self {
        case .identified: nil
        case .contracted: .identified
        case .parallel: .contracted
        case .shadow: .parallel
        case .cutover, .fallback, .retired: .shadow
        }
    }

    /// The step of the plan, 1 to 5, that this stage belongs to.
    package var stepNumber: Int {
        switch self {
        case .identified: 1
        case .contracted: 2
        case .parallel: 3
        case .shadow: 4
        case .cutover, .fallback, .retired: 5
        }
    }

    package static func < (left: Stage, right: Stage) -> Bool { left.position < right.position }

    private var position: Int {
        switch self {
        case .identified: 0
        case .contracted: 1
        case .parallel: 2
        case .shadow: 3
        case .cutover: 4
        case .fallback: 5
        case .retired: 6
        }
    }
}

/// What the file of a step answers for the stage it describes.
protocol Step {
    static var stage: Stage { get }

    /// What has to be so before the stage may be entered, met or missing. A pure function of the facts.
    static func requirements(_ facts: GateFacts) -> [Requirement]

    /// Who answers and who is shadowed while the stage lasts.
    static func traffic(weights: Weights) -> StageTraffic
}

extension Stage {
    var step: any Step.Type {
        switch self {
        case .identified: Step1Identify.self
        case .contracted: Step2Contract.self
        case .parallel: Step3Parallel.self
        case .shadow: Step4Shadow.self
        case .cutover: Step5Cutover.self
        case .fallback: Step5Fallback.self
        case .retired: Step5Retire.self
        }
    }
}
