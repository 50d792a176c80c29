import AdminAPI
import Comparison

/// What the store has learned of the primaries' disagreement with themselves, as reviewers ask about it.
struct LearnedNoise: Sendable {
    private let tallies: [NoiseScope: NoiseTally]

    init(_ tallies: [NoiseScope: NoiseTally]) {
        self.tallies = tallies
    }

    /// Those of the fields that are noise; nil if nothing was learned at this endpoint.
    ///
    /// - Parameter primary: who answers clients now. What was learned of the other side counts where nothing is known of
    ///   this one: a group may be older than the stage.
    func noisy(
        among fields: [GroupedDifference], extraction: String, endpoint: String, primary: ComparedSide
    ) -> Set<GroupedDifference>? {
        let scopes = [primary, primary == .monolith ? .service : .monolith].map {
            NoiseScope(extraction: extraction, endpoint: endpoint, side: $0)
        }
        guard let scope = scopes.first(where: { (tallies[$0]?.compared.twins ?? 0) > 0 }) else { return nil }
        return Set(fields.filter { isNoise($0, in: scope) })
    }

    func reports(of extraction: String?) -> [NoiseReport] {
        tallies.filter { extraction == nil || $0.key.extraction == extraction }.flatMap { scope, tally in
            tally.differing.filter { $0.value.twins > 0 }.map { field, count in
                NoiseReport(
                    scope, field, compared: tally.compared, differing: count, exceeds: !isNoise(field, in: scope))
            }
        }.sorted { left, right in
            (left.extraction, left.endpoint, right.twinsDiffering, left.path, left.kind.rawValue)
                < (right.extraction, right.endpoint, left.twinsDiffering, right.path, right.kind.rawValue)
        }
    }

    private func isNoise(_ field: GroupedDifference, in scope: NoiseScope) -> Bool {
        guard let tally = tallies[scope], let count = tally.differing[field], count.twins > 0 else { return false }
        let twins = Double(count.twins) / Double(max(1, tally.compared.twins))
        let pairs = Double(count.pairs) / Double(max(1, tally.compared.pairs))
        let pooled =
            Double(count.twins + count.pairs) / Double(max(1, tally.compared.twins + tally.compared.pairs))
        let inverse = 1 / Double(max(1, tally.compared.twins)) + 1 / Double(max(1, tally.compared.pairs))
        let deviation = (pooled * (1 - pooled) * inverse).squareRoot()
        // One-sided, 99 %.
        return pairs - twins <= 2.326 * deviation
    }
}
