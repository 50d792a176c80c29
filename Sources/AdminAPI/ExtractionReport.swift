internal import Comparison
package import Extraction
package import FoundationEssentials

/// All that is known about one extraction. Encoded, it is the JSON of `strangler status NAME --json`.
package struct ExtractionReport: Sendable, Codable, Equatable {
    package var extraction: String
    package var stage: Stage
    /// The share of keys whose reads the service answers; in JSON a number in percent.
    package var weight: Weight
    /// Nil from proxies of older versions, here and below.
    package var weights: WeightsReport?
    /// When stage or weight last changed.
    package var since: Date
    /// Counts every change; replicas say which one they serve.
    package var version: Int64?
    package var gate: GateReport
    /// Why the weight does not rise.
    package var hold: Hold?
    package var ramp: RampReport?
    /// Only where the service answers anything that could be taken back.
    package var `guard`: GuardStatus?
    package var waivers: [WaiverReport]?
    /// Times within the present stage of which evidence is missing.
    package var gaps: [EvidenceGap]?
    /// With what they serve of this extraction.
    package var replicas: [ReplicaReport]?
    /// Verdicts since the stage was entered.
    package var shadow: VerdictReport
    /// Writes that the other side has not got yet.
    package var backlog: Int
    /// Where writes go to both sides.
    package var dualWrite: DualWriteReport?
    /// The oldest dead and uncertain writes.
    package var undecidedWrites: [WriteReport]?
    package var fallback: FallbackReport
    package var owner: String?
    /// Why the extraction is wanted, as its route file says.
    package var problem: String?
    package var endpoints: [EndpointReport]?
    /// The answer to a command that had nothing to do, in a sentence; else nil.
    package var unchanged: String?
    /// False: the state is the last one known, and nothing can be changed.
    package var storeConnected: Bool
    package var traffic: TrafficReport
    /// Of the whole proxy.
    package var configuration: ConfigurationReport?
    /// Every rule that can hide a difference.
    package var rules: [RuleReport]?
    /// Fields in which the primary was seen to disagree with itself.
    package var noise: [NoiseReport]?
    /// What they hid.
    package var noiseHidden: NoiseTotal?
    /// Evidence of the whole proxy that found no place since the stage was entered, by what it was.
    package var losses: [String: Int]?
    /// Of the monolith's own answers, by operation of the contract; nil without a contract.
    package var conformance: [ConformanceReport]?

    package init(
        extraction: String, stage: Stage, weight: Weight, since: Date, gate: GateReport, shadow: VerdictReport,
        backlog: Int, fallback: FallbackReport, owner: String? = nil, problem: String? = nil,
        endpoints: [EndpointReport]? = nil, storeConnected: Bool, traffic: TrafficReport
    ) {
        self.extraction = extraction
        self.stage = stage
        self.weight = weight
        self.since = since
        self.gate = gate
        self.shadow = shadow
        self.backlog = backlog
        self.fallback = fallback
        self.owner = owner
        self.problem = problem
        self.endpoints = endpoints
        self.storeConnected = storeConnected
        self.traffic = traffic
    }
}

/// `Extraction.Gate` as scripts see it: `next` is always there, null at the end of the way.
package struct GateReport: Sendable, Codable, Equatable {
    package var next: Stage?
    package var open: Bool
    package var missing: [String]
    /// The whole checklist; empty where it is not known.
    package var requirements: [Requirement]

    package init(next: Stage?, open: Bool, missing: [String], requirements: [Requirement] = []) {
        self.next = next
        self.open = open
        self.missing = missing
        self.requirements = requirements
    }

    package init(_ gate: Gate) {
        self.init(next: gate.next, open: gate.open, missing: gate.missing, requirements: gate.requirements)
    }

    /// What is shown as a checklist: also of a proxy of an older version, which told only what is missing.
    package var checklist: [Requirement] {
        requirements.isEmpty ? missing.map { .missing("", $0) } : requirements
    }

    private enum CodingKeys: String, CodingKey { case next, open, missing, requirements }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            next: try fields.decodeIfPresent(Stage.self, forKey: .next),
            open: try fields.decode(Bool.self, forKey: .open),
            missing: try fields.decode([String].self, forKey: .missing),
            requirements: try fields.decodeIfPresent([Requirement].self, forKey: .requirements) ?? [])
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(next, forKey: .next)
        try fields.encode(open, forKey: .open)
        try fields.encode(missing, forKey: .missing)
        try fields.encode(requirements, forKey: .requirements)
    }
}

/// How often each verdict was given.
package struct VerdictReport: Sendable, Codable, Equatable {
    /// Pairs of answers that were judged: match + mismatch + transient.
    package var compared: Int
    package var match: Int
    package var mismatch: Int
    /// Of `mismatch`, those of groups that somebody has accepted: gates leave them out.
    package var accepted: Int
    package var transient: Int
    package var primaryFailed: Int
    package var shadowFailed: Int
    /// By reason.
    package var notCompared: [String: Int]

    package init(
        compared: Int = 0, match: Int = 0, mismatch: Int = 0, accepted: Int = 0, transient: Int = 0,
        primaryFailed: Int = 0, shadowFailed: Int = 0, notCompared: [String: Int] = [:]
    ) {
        self.compared = compared
        self.match = match
        self.mismatch = mismatch
        self.accepted = accepted
        self.transient = transient
        self.primaryFailed = primaryFailed
        self.shadowFailed = shadowFailed
        self.notCompared = notCompared
    }

    enum CodingKeys: String, CodingKey {
        case compared, match, mismatch, accepted, transient
        case primaryFailed = "primary-failed"
        case shadowFailed = "shadow-failed"
        case notCompared = "not-compared"
    }

    /// Reads that `sample` left out: nobody wanted them compared, so they are no gap in the coverage.
    package var notSampled: Int { notCompared[NotComparedReason.notSampled.rawValue] ?? 0 }

    /// Without ``notSampled``.
    package var notComparedTotal: Int { notCompared.values.reduce(0, &+) &- notSampled }

    /// Everything that should have been compared.
    package var seen: Int { compared &+ primaryFailed &+ shadowFailed &+ notComparedTotal }

    /// The part of what was seen that could be judged, 0 … 1; nil while nothing was seen. A rate of mismatches means
    /// little beside a low coverage.
    package var coverage: Double? { seen > 0 ? Double(compared) / Double(seen) : nil }
}

/// The verdicts of one endpoint; in JSON, its name stands beside the counts.
package struct EndpointReport: Sendable, Codable, Equatable {
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    package var verdicts: VerdictReport
    package var coverage: CoverageReport?
    package var latency: LatencyReport?

    package init(
        endpoint: String, verdicts: VerdictReport, coverage: CoverageReport? = nil, latency: LatencyReport? = nil
    ) {
        self.endpoint = endpoint
        self.verdicts = verdicts
        self.coverage = coverage
        self.latency = latency
    }

    private enum CodingKeys: String, CodingKey { case endpoint, coverage, latency }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        endpoint = try fields.decode(String.self, forKey: .endpoint)
        coverage = try fields.decodeIfPresent(CoverageReport.self, forKey: .coverage)
        latency = try fields.decodeIfPresent(LatencyReport.self, forKey: .latency)
        verdicts = try VerdictReport(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(endpoint, forKey: .endpoint)
        try fields.encodeIfPresent(coverage, forKey: .coverage)
        try fields.encodeIfPresent(latency, forKey: .latency)
        try verdicts.encode(to: encoder)
    }
}

/// The time in which the monolith stands by after cutover.
package struct FallbackReport: Sendable, Codable, Equatable {
    /// Seconds.
    package var window: Int
    /// Seconds since the window began; 0 before.
    package var elapsed: Int
    /// Requests that the monolith answered in the service's place since the stage was entered.
    package var fellBack: Int
    package var lastFellBackAt: Date?
    /// `fellBack` by the raw values of `FallbackReason`.
    package var byReason: [String: Int]?
    /// `fellBack` by endpoint.
    package var byEndpoint: [String: Int]?
    /// The day of the window that runs, 1 on the first one, and how many there are; nil where none runs.
    package var day: Int?
    package var days: Int?
    package var ends: Date?
    /// Said in the last days.
    package var warning: String?

    package init(
        window: Int, elapsed: Int, fellBack: Int, lastFellBackAt: Date? = nil, byReason: [String: Int]? = nil
    ) {
        self.window = window
        self.elapsed = elapsed
        self.fellBack = fellBack
        self.lastFellBackAt = lastFellBackAt
        self.byReason = byReason
    }

    package mutating func add(_ window: FallbackWindow) {
        day = window.day
        days = window.days
        ends = window.ends
        warning = window.warning
    }
}

/// Requests that each side answered, counted by this process since its start.
package struct TrafficReport: Sendable, Codable, Equatable {
    package var monolith: Int
    package var service: Int

    package init(monolith: Int, service: Int) {
        self.monolith = monolith
        self.service = service
    }
}
