/// Bounds on what a batch may hold while it waits for the store. Verdict counters are bounded by the configuration;
/// everything else is by these.
package struct EvidenceLimits: Sendable, Equatable {
    package var groups: Int
    package var examplesPerGroup: Int
    package var examples: Int
    /// Histograms: one per endpoint and side.
    package var latencies: Int
    /// Counters of how clients were answered: one per endpoint and side.
    package var traffic: Int
    package var rules: Int
    package var noiseScopes: Int
    package var noiseFieldsPerScope: Int
    /// In all scopes together.
    package var noiseFields: Int
    /// Operations of contracts.
    package var conformance: Int

    package init(
        groups: Int = 10_000, examplesPerGroup: Int = 5, examples: Int = 500, latencies: Int = 10_000,
        traffic: Int = 20_000, rules: Int = 10_000, noiseScopes: Int = 10_000, noiseFieldsPerScope: Int = 1_000,
        noiseFields: Int = 20_000, conformance: Int = 10_000
    ) {
        self.conformance = max(0, conformance)
        self.groups = max(1, groups)
        self.examplesPerGroup = max(0, examplesPerGroup)
        self.examples = max(0, examples)
        self.latencies = max(0, latencies)
        self.traffic = max(0, traffic)
        self.rules = max(0, rules)
        self.noiseScopes = max(0, noiseScopes)
        self.noiseFieldsPerScope = max(0, noiseFieldsPerScope)
        self.noiseFields = max(0, noiseFields)
    }
}

/// What evidence found no place, neither in a batch nor in the store. The raw values are stored and shown. Verdicts are
/// never among it.
package enum EvidenceLoss: String, Sendable, Hashable, Codable, CaseIterable {
    /// Mismatches of which no example was kept because too many of all groups waited already. What a group has beyond
    /// ``EvidenceLimits/examplesPerGroup`` is not wanted, and no loss.
    case examplesDropped = "examples-dropped"
    /// Examples that the store would not take: too old, or not storable as they are.
    case examplesRefused = "examples-refused"
    /// Mismatches that were counted as verdicts, but in no group, since there are too many.
    case mismatchesUngrouped = "mismatches-ungrouped"
    /// Answers whose time was not counted.
    case latenciesDropped = "latencies-dropped"
    /// Requests of clients that were not counted for their endpoint.
    case trafficDropped = "traffic-dropped"
    /// Differences hidden by a rule that were not counted for it.
    case ruleHitsDropped = "rule-hits-dropped"
    /// Fields of comparisons between which noise is learned.
    case noiseDropped = "noise-dropped"
    /// Answers held against a contract that were not counted.
    case conformanceDropped = "conformance-dropped"
}
