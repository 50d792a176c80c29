import Extraction
import FoundationEssentials

let day = 86_400.0
let hour = 3_600.0
let minute = 60.0

func weight(_ percent: Int) -> Weight { Weight(clamping: percent * 100) }

func makeDefinition(
    problem: String = "Order releases wait for the weekly train.",
    because: [Reason] = [.independentDeployment, .scaleVariance], hasContract: Bool = true, cohort: String? = nil,
    sample: Weight = .all, writes: WritePolicy = .dualWrite, mismatch: Weight? = nil,
    ramp: [Int] = [1, 5, 25, 50, 100]
) -> ExtractionDefinition {
    ExtractionDefinition(
        name: "orders", owner: "team-orders", problem: problem, because: because, hasContract: hasContract,
        affinity: .cookie("session"), cohort: cohort, sample: sample, writes: writes, noise: weight(5),
        ramp: ramp.map(weight), bake: .seconds(30 * 60), guardLimits: GuardLimits(mismatch: mismatch),
        window: .seconds(30 * 86_400), quiet: .seconds(7 * 86_400))
}

func makeState(_ stage: Stage, _ weight: Weight = .none, since: Date = .start, window: Date? = nil) -> ExtractionState {
    ExtractionState(
        name: "orders", stage: stage, weight: weight, since: since, version: 7, windowStartedAt: window)
}

func makeEndpoint(
    _ endpoint: String = "GET /orders/{id}", compared: Int, differing: Int = 0, accepted: Int = 0
) -> EndpointEvidence {
    EndpointEvidence(endpoint: endpoint, compared: compared, differing: differing, accepted: accepted)
}

extension Date {
    static let start = Date(timeIntervalSince1970: 1_795_233_600)
}

extension StageEvidence {
    static let healthy = StageEvidence(
        serviceHealthy: true, compared: 3_000, match: 3_000, endpoints: [makeEndpoint(compared: 3_000)],
        conformance: [ConformanceEvidence(endpoint: "GET /orders/{id}", checked: 100, violating: 0)])
}

/// One extraction on a clock that the test sets.
struct Migration {
    var state: ExtractionState
    var definition: ExtractionDefinition
    var evidence = StageEvidence.healthy
    var now = Date.start
    private(set) var history: [StageTransition] = []

    init(_ definition: ExtractionDefinition = makeDefinition(), at state: ExtractionState? = nil) {
        self.definition = definition
        self.state = state ?? .initial(name: definition.name, now: .start)
    }

    var gate: Gate {
        ExtractionMachine.gate(state: state, definition: definition, evidence: evidence, now: now)
    }

    mutating func wait(_ seconds: Double) { now = now.addingTimeInterval(seconds) }

    @discardableResult
    mutating func run(
        _ command: StageCommand, force: Bool = false, atOnce: Bool = false, reason: String? = "as agreed"
    ) throws(Refusal) -> StageTransition {
        let transition = try ExtractionMachine.decide(
            command, state: state, definition: definition, evidence: evidence,
            asked: Asked(by: "ops", reason: reason, force: force, atOnce: atOnce), now: now)
        state = transition.to
        history.append(transition)
        return transition
    }

    /// What happens by itself; nil if nothing does.
    mutating func carryOut(_ move: RampMove) -> StageTransition? {
        let transition = ExtractionMachine.carryOut(
            move, state: state, definition: definition, evidence: evidence, actor: "guard", now: now)
        if let transition {
            state = transition.to
            history.append(transition)
        }
        return transition
    }

    /// The reasons of a refusal, or nil if the command was carried out.
    mutating func refusal(
        _ command: StageCommand, force: Bool = false, atOnce: Bool = false, reason: String? = "as agreed"
    ) -> [String]? {
        do {
            try run(command, force: force, atOnce: atOnce, reason: reason)
            return nil
        } catch {
            return error.reasons
        }
    }
}
