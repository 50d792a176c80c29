package import Comparison
package import Contract
package import DualWrite
package import Extraction
package import Routing
package import Upstreams

/// What the shadow side needs to know of one extraction.
package final class ShadowedExtraction: Sendable {
    package let name: String
    package let service: UpstreamSettings
    package let comparer: Comparer
    package let rules: ComparisonRules
    /// Nanoseconds that a shadow request may take in all.
    package let timeout: Int64
    /// Of 10,000 safe requests, how many are asked of the primary twice once its noise is known; 0: none is learned.
    package let noise: Int
    /// What the monolith's answers are held against.
    package let contract: ContractDocument?
    /// What each side of its lanes is owed. The same one over reloads.
    package let board: LaneBoard?
    /// Deliveries of one write that may fail and count, before it is given up.
    package let attempts: Int
    /// How long a write waits for the other side's name of something.
    package let identityWait: Duration
    /// What can be read of it, to know where a write can be looked at again.
    package let readable: ReadablePaths
    /// Where things are named that each side has a name of its own for; nil: nowhere.
    package let identity: IdentityMapping?

    package init(
        name: String, service: UpstreamSettings, comparer: Comparer, rules: ComparisonRules, timeout: Duration,
        noise: Int = 0, contract: ContractDocument? = nil, board: LaneBoard? = nil, attempts: Int = 12,
        identity: IdentityMapping? = nil, identityWait: Duration = .seconds(30),
        readable: ReadablePaths = ReadablePaths([])
    ) {
        self.readable = readable
        self.identityWait = identityWait
        self.identity = identity
        self.contract = contract
        self.board = board
        self.attempts = min(max(attempts, 1), 1_000)
        self.noise = min(max(noise, 0), 10_000)
        self.name = name
        self.service = service
        self.comparer = comparer
        self.rules = rules
        self.timeout = timeout.boundedNanoseconds
    }

    var learnsNoise: Bool { noise > 0 }
}

/// What one configuration says of the shadow. A reload makes a new one; exchanges hold the one that they were decided by,
/// whose rules and routes they are judged by.
package final class ShadowSettings: Sendable {
    package let monolith: UpstreamSettings
    /// By slot, as `ProxySnapshot.extractions`; nil where one was removed.
    package let extractions: [ShadowedExtraction?]
    package let templates: EndpointTemplates
    package let redactor: Redactor
    /// On one loop: exchanges that wait, run or are being compared, and the bytes that they hold. Beyond, they are shed
    /// and counted.
    package let maximumJobs: Int
    package let maximumBytes: Int
    /// On one loop, to one upstream: apart from the primaries' connections, so that a slow shadow takes none of theirs.
    package let maximumConnections: Int
    /// Bytes of one shadow answer that are kept; a longer one is hashed, up to the ceiling.
    package let answerLimit: Int
    package let answerCeiling: Int
    /// Distinct endpoints that are counted by name; what comes beyond goes under one name for each method.
    package let maximumEndpoints: Int
    /// How long a difference may take to settle before both sides are asked again.
    package let settleDelay: Duration
    /// By route: which answers mean that a side has taken a write. A route that is not there has the standard ones.
    package let success: [StatusSet]
    /// Nanoseconds that a circuit to one side stays open before it is tried again. Shorter than a primary's (DESIGN §4): what waits
    /// here are writes, more by each second, and three calls cost nobody's request anything.
    let circuitOpenFor: Int64

    package init(
        monolith: UpstreamSettings, extractions: [ShadowedExtraction?], templates: EndpointTemplates,
        redactor: Redactor,
        maximumJobs: Int = 2_048, maximumBytes: Int = 64 * 1024 * 1024, maximumConnections: Int = 64,
        answerLimit: Int = 1024 * 1024, answerCeiling: Int = BodyCollector.defaultCeiling,
        maximumEndpoints: Int = 1_000,
        settleDelay: Duration = .milliseconds(250), success: [StatusSet] = [],
        circuitOpenFor: Duration = .seconds(2)
    ) {
        self.circuitOpenFor = circuitOpenFor.boundedNanoseconds
        self.success = success
        self.monolith = monolith
        self.extractions = extractions
        self.templates = templates
        self.redactor = redactor
        self.maximumJobs = maximumJobs
        self.maximumBytes = maximumBytes
        self.maximumConnections = maximumConnections
        self.answerLimit = answerLimit
        self.answerCeiling = answerCeiling
        self.maximumEndpoints = maximumEndpoints
        self.settleDelay = settleDelay
    }
    func success(ofRoute route: Int) -> StatusSet {
        success.indices.contains(route) ? success[route] : .successes
    }
}

extension Duration {
    /// Within bounds in which nothing overflows, whatever was configured.
    fileprivate var boundedNanoseconds: Int64 {
        let parts = min(max(self, .milliseconds(1)), .seconds(86_400)).components
        return parts.seconds &* 1_000_000_000 &+ parts.attoseconds / 1_000_000_000
    }
}
