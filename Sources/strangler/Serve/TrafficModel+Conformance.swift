import AdminAPI
import Comparison
import Contract
import Extraction
import PostgresStore
import ProxyConfiguration

extension TrafficModel {
    /// How far the monolith keeps an extraction's contract as it is now: each operation of the contract, also those of
    /// which no answer was seen, then what was seen and the contract does not list. None without a contract.
    func conformance(of extraction: String, in store: PostgresStore) async throws -> [ConformanceReport] {
        guard
            let contract = configuration.extractions.first(where: { $0.definition.name == extraction })?.contract
        else { return [] }
        var tallies = try await store.conformance(extraction: extraction, contract: contract.fingerprint)
        let listed = contract.endpoints.map { endpoint in
            ConformanceReport(endpoint, tallies.removeValue(forKey: endpoint) ?? ConformanceTally())
        }
        return listed + tallies.sorted { $0.key < $1.key }.map { ConformanceReport($0.key, $0.value) }
    }
}

extension ConformanceReport {
    init(_ endpoint: String, _ tally: ConformanceTally) {
        self.init(
            endpoint: endpoint, checked: tally.checked, violating: tally.violating, unchecked: tally.unchecked,
            violations: tally.violations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { ViolationReport(violation: $0.key, count: $0.value) })
    }

    /// Whether the contract speaks of it.
    var isListed: Bool { unchecked[ContractFinding.Unchecked.notListed.rawValue] == nil }

    /// What gates look at.
    var evidence: ConformanceEvidence {
        ConformanceEvidence(
            endpoint: endpoint, checked: checked, violating: violating,
            violations: violations.prefix(5).map { "\($0.violation) (\(ReportText.counted($0.count, "answer")))" })
    }
}
