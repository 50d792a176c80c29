import AdminAPI
import Comparison
import Extraction
import Foundation
import PostgresStore
import ProxyConfiguration
import ShadowRunner

// What stands beside the verdicts: coverage, latency, rules, noise, losses.
extension ProxyBackend {
    /// As much of it as can be had: without Postgres, a report is still one.
    func addTraffic(to report: inout ExtractionReport, since: Date) async {
        guard report.storeConnected, let store = try? store.connected() else { return }
        let name = report.extraction
        if let coverage = try? await store.coverage(extraction: name, since: since) {
            report.addCoverage(coverage)
        }
        if let latencies = try? await store.latencies(extraction: name, since: since) {
            report.addLatencies(latencies)
        }
        report.rules = try? await rules(extraction: name)
        let noise = await learnedNoise().reports(of: name)
        report.noise = noise
        if let hits = try? await store.ruleHits(extraction: name) {
            report.noiseHidden = noiseTotal(name, hits, fields: noise.count)
        }
        if let losses = try? await store.losses(since: since) {
            report.losses = Dictionary(uniqueKeysWithValues: losses.map { ($0.key.rawValue, $0.value) })
        }
    }

    func rules(extraction: String?) async throws(AdminError) -> [RuleReport] {
        try await checkKnown(extraction)
        await recorder.flush()
        let loadedAt = await configuration.report().loadedAt
        var reports: [RuleReport] = []
        for definition in await keeper.model.configuration.extractions
        where extraction == nil || extraction == definition.definition.name {
            reports += try await rules(of: definition, loadedAt: loadedAt)
        }
        return reports
    }

    private func rules(
        of extraction: ExtractionConfiguration, loadedAt: Date
    ) async throws(AdminError) -> [RuleReport] {
        let name = extraction.definition.name
        let rules = extraction.rules.listed
        guard !rules.isEmpty else { return [] }
        let hits = try await asking { try await $0.ruleHits(extraction: name) }
        let compared = try await asking { try await $0.comparedPairs(extraction: name, since: nil) }
        let sinceLoad = try await asking { try await $0.comparedPairs(extraction: name, since: loadedAt) }
        let now = Date()
        return rules.map { rule in
            RuleReport(
                extraction: name, rule: rule.name, because: rule.because, until: rule.until, tally: hits[rule.name],
                compared: compared, comparedSinceLoad: sinceLoad, now: now)
        }
    }
}

extension ComparisonRules {
    /// Every rule that can hide a difference, in the order of ``names``.
    fileprivate var listed: [(name: String, because: String?, until: Date?)] {
        let said =
            ignore.map { ($0.because, $0.until) } + unordered.map { ($0.because, $0.until) }
            + tolerance.map { ($0.because, $0.until) } + equivalence.map { ($0.because, $0.until) }
            + matches.map { ($0.because, $0.until) }
        return zip(names, said).map { ($0, $1.0, $1.1) }
    }
}

extension ExtractionReport {
    fileprivate mutating func addCoverage(_ coverage: [EndpointCoverage]) {
        let byEndpoint = Dictionary(coverage.map { ($0.endpoint, $0) }) { $1 }
        endpoints = endpoints?.map { endpoint in
            var endpoint = endpoint
            endpoint.coverage = byEndpoint[endpoint.endpoint].map(CoverageReport.init)
            return endpoint
        }
    }

    fileprivate mutating func addLatencies(_ latencies: [LatencyKey: LatencyHistogram]) {
        let extraction = extraction
        endpoints = endpoints?.map { endpoint in
            var endpoint = endpoint
            let side = { (side: ComparedSide) in
                latencies[LatencyKey(extraction: extraction, endpoint: endpoint.endpoint, side: side)]
                    .flatMap(LatencyReport.Side.init)
            }
            let report = LatencyReport(monolith: side(.monolith), service: side(.service))
            if report.monolith != nil || report.service != nil { endpoint.latency = report }
            return endpoint
        }
    }
}

extension CoverageReport {
    fileprivate init(_ coverage: EndpointCoverage) {
        let classes = coverage.statusClasses.map { statusClass, counts in
            (
                statusClass > 0 ? "\(statusClass)xx" : "none",
                StatusClassReport(seen: counts.seen, compared: counts.compared, mismatch: counts.mismatch)
            )
        }
        let total = coverage.total
        self.init(
            seen: total.seen, sampled: total.seen - total.notSampled, shed: total.shed, circuitOpen: total.circuitOpen,
            compared: total.compared, byStatusClass: Dictionary(classes) { $1 })
    }
}
