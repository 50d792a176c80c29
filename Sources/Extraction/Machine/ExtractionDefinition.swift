/// Why a domain is worth extracting: the reasons of the decision matrix.
package enum Reason: String, CaseIterable, Codable, Sendable {
    case independentDeployment = "independent-deployment"
    case scaleVariance = "scale-variance"
    case teamSize = "team-size"
    case technologyDiversity = "technology-diversity"
    case faultIsolation = "fault-isolation"
}

/// What happens to the writes of an extraction that is being shadowed.
package enum WritePolicy: String, Sendable, Codable {
    /// Only the primary sees them.
    case never
    /// Both sides see them.
    case dualWrite = "dual-write"
}

/// What the service may at most do wrong while traffic moves over. Nil: the default of the gate or guard that asks.
package struct GuardLimits: Sendable, Equatable {
    /// The share of requests that may fail, whatever the monolith does. Default 1 %.
    package let errorRate: Weight?
    /// The time in which 99 of 100 requests have to be answered. Without one, twice what the monolith takes.
    package let p99: Duration?
    /// The share of comparisons that may differ. Default 0.1 %.
    package let mismatch: Weight?
    /// Writes that the other side may be behind. Default 1,000.
    package let backlog: Int?
    /// How often the guard judges. Default 5 s.
    package let interval: Duration

    package init(
        errorRate: Weight? = nil, p99: Duration? = nil, mismatch: Weight? = nil, backlog: Int? = nil,
        interval: Duration = .seconds(5)
    ) {
        self.errorRate = errorRate
        self.p99 = p99
        self.mismatch = mismatch
        self.backlog = backlog
        self.interval = interval
    }
}

/// What part of the traffic the evidence for a cutover has to cover.
package struct CoverageLimits: Sendable, Equatable {
    /// Of the requests that should have been compared at an endpoint, the share that was.
    package let compared: Weight
    /// The share that may be left out because the queue of shadow work was full.
    package let shed: Weight

    package init(compared: Weight = Weight(clamping: 8_000), shed: Weight = Weight(clamping: 500)) {
        self.compared = compared
        self.shed = shed
    }
}

/// A request header that chooses the side by itself, for testers.
package struct Pin: Sendable, Hashable {
    /// Its value is `service` or `monolith`; anything else is as if it were not there.
    package let header: String
    /// Networks from which it is believed, as `address/length`. From elsewhere it chooses nothing.
    package let from: [String]

    package init(header: String, from: [String]) {
        self.header = header
        self.from = from
    }
}

/// What people wrote about one extraction in its route file, as far as the stages need it. Immutable: a reload makes
/// a new one. Where the extraction stands is `ExtractionState`.
package struct ExtractionDefinition: Sendable, Equatable {
    package let name: String
    package let owner: String?
    /// Why this domain has to leave the monolith, in a sentence.
    package let problem: String
    package let because: [Reason]
    package let hasContract: Bool
    package let affinity: Affinity
    /// Extractions of one cohort move the same users.
    package let cohort: String?
    /// The share of safe requests that is shadowed.
    package let sample: Weight
    package let writes: WritePolicy
    /// The share of safe requests that the primary is asked twice, to learn how far it agrees with itself.
    package let noise: Weight
    /// The weights that a gradual cutover goes through.
    package let ramp: [Weight]
    /// How long a weight has to hold before the next step.
    package let bake: Duration
    package let guardLimits: GuardLimits
    package let coverageLimits: CoverageLimits
    package let pin: Pin?
    /// How long the monolith stays usable after the service answers everything.
    package let window: Duration
    /// How long before retirement no request may have fallen back.
    package let quiet: Duration
    /// How long before the window's end people are told that it comes.
    package let warnings: [Duration]
    /// Looked at where `writes` is dual-write.
    package let writeRules: WriteRules

    package init(
        name: String, owner: String?, problem: String, because: [Reason], hasContract: Bool, affinity: Affinity,
        cohort: String?, sample: Weight, writes: WritePolicy, noise: Weight, ramp: [Weight], bake: Duration,
        guardLimits: GuardLimits, window: Duration, quiet: Duration,
        coverageLimits: CoverageLimits = CoverageLimits(), pin: Pin? = nil,
        warnings: [Duration] = [.seconds(7 * 86_400), .seconds(86_400)], writeRules: WriteRules = WriteRules()
    ) {
        self.name = name
        self.owner = owner
        self.problem = problem
        self.because = because
        self.hasContract = hasContract
        self.affinity = affinity
        self.cohort = cohort
        self.sample = sample
        self.writes = writes
        self.noise = noise
        self.ramp = ramp
        self.bake = bake
        self.guardLimits = guardLimits
        self.window = window
        self.quiet = quiet
        self.coverageLimits = coverageLimits
        self.pin = pin
        self.warnings = warnings
        self.writeRules = writeRules
    }

    /// What the affinity hash is salted with (`AffinityHash.seed(for:)`).
    package var salt: String { cohort ?? name }
}
