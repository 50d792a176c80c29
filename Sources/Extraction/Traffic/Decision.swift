/// One of the two systems that can answer.
@frozen @usableFromInline
package enum Side: UInt8, Sendable, Codable {
    case monolith
    case service

    @inlinable package var other: Side { self == .monolith ? .service : .monolith }
}

extension Side: CustomStringConvertible {
    /// As in `Strangler-Served-By` and `strangler explain`.
    @usableFromInline package var description: String {
        switch self {
        case .monolith: "monolith"
        case .service: "service"
        }
    }
}

/// Why a request goes where it goes.
@frozen @usableFromInline
package enum Why: UInt8, CaseIterable, Sendable {
    case noExtraction
    case identified, contracted, parallel, shadow
    case cutoverAtZero, keyNotMoved, keyMoved, cutoverAtAll
    case fallback, retired
    case pinnedToMonolith, pinnedToService
    case laneWaits
}

extension Why: CustomStringConvertible {
    /// One sentence for `strangler explain`.
    @usableFromInline package var description: String {
        switch self {
        case .noExtraction: "no extraction matches: the monolith answers"
        case .identified: "stage identified: the monolith answers, the service is not asked"
        case .contracted: "stage contracted: the monolith answers, the service is not asked"
        case .parallel: "stage parallel: the monolith answers, only the service's health is asked"
        case .shadow: "stage shadow: the monolith answers, the service is compared"
        case .cutoverAtZero: "stage cutover at 0%: the monolith answers, the service is compared"
        case .keyNotMoved: "stage cutover: this key is above the weight, the monolith answers"
        case .keyMoved: "stage cutover: this key is under the weight, the service answers"
        case .cutoverAtAll: "stage cutover at 100%: the service answers"
        case .fallback: "stage fallback: the service answers, the monolith stands by"
        case .retired: "stage retired: the service answers, the monolith is not asked any more"
        case .pinnedToMonolith: "pinned by the request's header: the monolith answers"
        case .laneWaits: "this lane waits until the side that is to answer has got its writes: the other one answers"
        case .pinnedToService: "pinned by the request's header: the service answers"
        }
    }
}

/// Where one request goes. A few bytes, no references.
@frozen @usableFromInline
package struct Decision: Sendable, Equatable {
    @usableFromInline package let primary: Side
    /// Who gets a copy, or nil.
    @usableFromInline package let shadow: Side?
    /// Whether the monolith may stand in when the service fails as primary; whether it does for this request and this
    /// failure is up to `FallbackPolicy`.
    @usableFromInline package let monolithMayAnswer: Bool
    @usableFromInline package let why: Why

    @inlinable package init(primary: Side, shadow: Side?, monolithMayAnswer: Bool, why: Why) {
        self.primary = primary
        self.shadow = shadow
        self.monolithMayAnswer = monolithMayAnswer
        self.why = why
    }

    /// For requests that no route matches.
    @inlinable package static var unmatched: Decision {
        Decision(primary: .monolith, shadow: nil, monolithMayAnswer: false, why: .noExtraction)
    }
}

/// What a stage does with traffic, said by the file of its step.
struct StageTraffic: Equatable {
    /// The shares of keys that the service answers.
    let serviceShares: Weights
    /// Whether the side that does not answer is shadowed.
    let shadows: Bool
    /// Whether the monolith may stand in for the service.
    let keepsMonolith: Bool
    let whyMonolith: Why
    let whyService: Why
    /// Whether the monolith's answers are held against the contract, though nobody is shadowed.
    var checksContract = false

    static func monolithOnly(why: Why, checksContract: Bool = false) -> StageTraffic {
        StageTraffic(
            serviceShares: .none, shadows: false, keepsMonolith: true, whyMonolith: why, whyService: why,
            checksContract: checksContract)
    }
}

/// The state and definition of one extraction, boiled down to what a request asks for. Made once per snapshot; copying
/// it copies a dozen bytes, deciding takes a few compares. Inlinable because calls across modules are not inlined
/// otherwise, and this one is made for every request.
@usableFromInline
package struct TrafficPlan: Sendable, Equatable {
    /// Of safe requests.
    @usableFromInline let serviceBelow: Int32
    @usableFromInline let serviceBelowForWrites: Int32
    @usableFromInline let sampleBelow: Int32
    @usableFromInline let shadowsSafe: Bool
    @usableFromInline let shadowsWrites: Bool
    @usableFromInline let keepsMonolith: Bool
    /// Some of the monolith's answers are to be held against the contract. Only where nobody is shadowed: there, they
    /// are captured anyway.
    @usableFromInline package let checksContract: Bool
    /// See ``ExtractionState/flipsAtOnce``.
    @usableFromInline package let flipsAtOnce: Bool
    @usableFromInline let whyMonolith: Why
    @usableFromInline let whyService: Why

    package init(state: ExtractionState, definition: ExtractionDefinition) {
        let traffic = state.stage.step.traffic(weights: state.weights)
        serviceBelow = Int32(truncatingIfNeeded: traffic.serviceShares.reads.hundredths)
        serviceBelowForWrites = Int32(truncatingIfNeeded: traffic.serviceShares.writes.hundredths)
        sampleBelow = Int32(truncatingIfNeeded: definition.sample.hundredths)
        shadowsSafe = traffic.shadows
        shadowsWrites = traffic.shadows && definition.writes == .dualWrite
        keepsMonolith = traffic.keepsMonolith
        checksContract = traffic.checksContract && definition.hasContract
        flipsAtOnce = state.flipsAtOnce
        whyMonolith = traffic.whyMonolith
        whyService = traffic.whyService
    }

    /// Whether `decide` looks at the bucket: false means that the affinity key need not be read or hashed.
    @inlinable package func needsAffinity(isSafe: Bool) -> Bool {
        let below = isSafe ? serviceBelow : serviceBelowForWrites
        return below > 0 && below < 10_000
    }

    /// Whether a pin is heard: from `shadow` on, and not in `retired`, where there is only one side.
    @inlinable package var mayPin: Bool { keepsMonolith && shadowsSafe }

    /// Whether any request may be shadowed: false means that no lane need be found for one.
    @inlinable package var mayShadow: Bool { shadowsSafe || shadowsWrites }

    /// Whether a safe request without a shadow is one that `sample` has left out. Not with 0%: then none is looked at.
    @inlinable package var samplesSafe: Bool { shadowsSafe && sampleBelow > 0 }

    /// - Parameters:
    ///   - bucket: 0 ..< 10,000 from `AffinityHash.bucket`; any of them when `needsAffinity` is false.
    ///   - isSafe: by method (RFC 9110 §9.2.1). Safe requests are shadowed by sample, all writes or none by policy: a
    ///     sampled write would leave the other side with half of the data.
    ///   - sampleRoll: 0 ..< 10,000, evenly spread and independent of the bucket.
    @inlinable package func decide(bucket: Int, isSafe: Bool, sampleRoll: Int) -> Decision {
        let serviceAnswers = bucket < Int(isSafe ? serviceBelow : serviceBelowForWrites)
        let primary: Side = serviceAnswers ? .service : .monolith
        return Decision(
            primary: primary,
            shadow: shadows(isSafe: isSafe, sampleRoll: sampleRoll) ? primary.other : nil,
            monolithMayAnswer: serviceAnswers && keepsMonolith,
            why: serviceAnswers ? whyService : whyMonolith)
    }

    /// For a request that chooses its side itself, while `mayPin`; shadowed and stood in for like any other.
    @inlinable package func decide(pinnedTo side: Side, isSafe: Bool, sampleRoll: Int) -> Decision {
        Decision(
            primary: side,
            shadow: shadows(isSafe: isSafe, sampleRoll: sampleRoll) ? side.other : nil,
            monolithMayAnswer: side == .service && keepsMonolith,
            why: side == .service ? .pinnedToService : .pinnedToMonolith)
    }

    @inlinable func shadows(isSafe: Bool, sampleRoll: Int) -> Bool {
        isSafe ? shadowsSafe && sampleRoll < Int(sampleBelow) : shadowsWrites
    }
}
