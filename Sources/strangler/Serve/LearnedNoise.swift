import AdminAPI
import Comparison

/// What the store has learned of the primaries' disagreement with themselves, as reviewers ask about it. The judgement is
/// the one by which pairs are compared, but for what the shadow loops remember of their last pairs.
struct LearnedNoise: Sendable {
    private let tallies: [NoiseScope: NoiseTally]
    private let model: NoiseModel

    init(_ tallies: [NoiseScope: NoiseTally]) {
        self.tallies = tallies
        var model = NoiseModel()
        model.restart(from: tallies, unstored: [:])
        self.model = model
    }

    /// Those of the fields that are noise; nil if nothing was learned at this endpoint.
    ///
    /// - Parameter primary: who answers clients now. What was learned of the other side counts where nothing is known of
    ///   this one: a group may be older than the stage.
    func noisy(
        among fields: [GroupedDifference], extraction: String, endpoint: String, primary: ComparedSide
    ) -> Set<GroupedDifference>? {
        baseline(extraction: extraction, endpoint: endpoint, primary: primary).map { baseline in
            Set(fields.filter { baseline.judge($0) == .noise })
        }
    }

    /// All that was learned at one endpoint, as ``noisy(among:extraction:endpoint:primary:)`` judges by it; nil if nothing.
    func baseline(extraction: String, endpoint: String, primary: ComparedSide) -> NoiseBaseline? {
        let scopes = [primary, primary == .monolith ? .service : .monolith].map {
            NoiseScope(extraction: extraction, endpoint: endpoint, side: $0)
        }
        return scopes.first { (tallies[$0]?.compared.twins ?? 0) > 0 }.map(model.baseline)
    }

    /// By extraction and endpoint, the noisiest field first.
    func reports(of extraction: String?) -> [NoiseReport] {
        tallies.filter { extraction == nil || $0.key.extraction == extraction }.flatMap { scope, tally in
            let baseline = model.baseline(of: scope)
            return tally.differing.filter { $0.value.twins > 0 }.map { field, count in
                NoiseReport(
                    scope, field, compared: tally.compared, differing: count,
                    exceeds: baseline.judge(field) == .reported)
            }
        }.sorted { left, right in
            (left.extraction, left.endpoint, right.twinsDiffering, left.path, left.kind.rawValue)
                < (right.extraction, right.endpoint, left.twinsDiffering, right.path, right.kind.rawValue)
        }
    }
}
