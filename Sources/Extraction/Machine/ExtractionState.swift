package import FoundationEssentials

/// Where one extraction stands. Lives in the store, changes only by compare-and-set on `version`, and only to what
/// `ExtractionMachine` decided.
package struct ExtractionState: Sendable, Equatable, Codable {
    package let name: String
    package let stage: Stage
    /// The share of keys that the service answers: none up to `shadow`, chosen in `cutover`, all from `fallback` on.
    package let weights: Weights
    /// When the stage or a weight last changed.
    package let since: Date
    /// Raised with each change: by one, or above what anybody knows where the store has lost changes.
    package let version: Int64
    /// When the fallback window began; kept in `retired`, nil before `fallback`.
    package let windowStartedAt: Date?
    /// Whether the weight rises by itself, step by step, as the route file's `ramp` says.
    package let isRamping: Bool
    /// Why the weight does not rise; nil when it may.
    package let hold: Hold?
    /// From when on the present weight has held: `since`, or later the end of a hold.
    package let bakingSince: Date
    /// Lanes change sides without waiting for the writes that the new primary has not got yet: asked for with `--now`,
    /// and so for as long as the weights stay what they were then. Otherwise each lane waits for its deliveries.
    package let flipsAtOnce: Bool

    package init(
        name: String, stage: Stage, weights: Weights, since: Date, version: Int64, windowStartedAt: Date?,
        isRamping: Bool = false, hold: Hold? = nil, bakingSince: Date? = nil, flipsAtOnce: Bool = false
    ) {
        self.name = name
        self.stage = stage
        self.weights = weights
        self.since = since
        self.version = version
        self.windowStartedAt = windowStartedAt
        self.isRamping = isRamping
        self.hold = hold
        self.bakingSince = bakingSince ?? since
        self.flipsAtOnce = flipsAtOnce
    }

    /// The same weight for reads and writes.
    package init(name: String, stage: Stage, weight: Weight, since: Date, version: Int64, windowStartedAt: Date?) {
        self.init(
            name: name, stage: stage, weights: Weights(weight), since: since, version: version,
            windowStartedAt: windowStartedAt)
    }

    /// How an extraction begins that the store has never heard of.
    package static func initial(name: String, now: Date) -> ExtractionState {
        ExtractionState(name: name, stage: .identified, weight: .none, since: now, version: 0, windowStartedAt: nil)
    }

    /// What people call the weight: that of reads.
    package var weight: Weight { weights.reads }

    package var point: StagePoint { StagePoint(stage: stage, weights: weights) }

    /// Another stage or weight: nothing holds it, and time counts anew. Where the weights stay, no lane changes sides, and
    /// those that did so at once stay where they are.
    func moved(
        to stage: Stage, weights: Weights, windowStartedAt: Date? = nil, isRamping: Bool = false, hold: Hold? = nil,
        flipsAtOnce: Bool = false, now: Date
    ) -> ExtractionState {
        ExtractionState(
            name: name, stage: stage, weights: weights, since: now, version: version &+ 1,
            windowStartedAt: windowStartedAt, isRamping: isRamping, hold: hold, bakingSince: now,
            flipsAtOnce: flipsAtOnce || (weights == self.weights && self.flipsAtOnce))
    }

    /// The same stage and weight, moving on or not.
    func holding(_ hold: Hold?, isRamping: Bool, now: Date) -> ExtractionState {
        ExtractionState(
            name: name, stage: stage, weights: weights, since: since, version: version &+ 1,
            windowStartedAt: windowStartedAt, isRamping: isRamping, hold: hold, bakingSince: now,
            flipsAtOnce: flipsAtOnce)
    }

    /// The same stage and weight, but lanes wait no more.
    func flippingAtOnce() -> ExtractionState {
        ExtractionState(
            name: name, stage: stage, weights: weights, since: since, version: version &+ 1,
            windowStartedAt: windowStartedAt, isRamping: isRamping, hold: hold, bakingSince: bakingSince,
            flipsAtOnce: true)
    }

    private enum CodingKeys: String, CodingKey {
        case name, stage, weight, writeWeight, since, version, windowStartedAt, isRamping, hold, bakingSince,
            flipsAtOnce
    }

    /// Reads what older versions cached too.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let reads = try fields.decode(Weight.self, forKey: .weight)
        let since = try fields.decode(Date.self, forKey: .since)
        self.init(
            name: try fields.decode(String.self, forKey: .name), stage: try fields.decode(Stage.self, forKey: .stage),
            weights: Weights(
                reads: reads, writes: try fields.decodeIfPresent(Weight.self, forKey: .writeWeight) ?? reads),
            since: since, version: try fields.decode(Int64.self, forKey: .version),
            windowStartedAt: try fields.decodeIfPresent(Date.self, forKey: .windowStartedAt),
            isRamping: try fields.decodeIfPresent(Bool.self, forKey: .isRamping) ?? false,
            hold: try fields.decodeIfPresent(Hold.self, forKey: .hold),
            bakingSince: try fields.decodeIfPresent(Date.self, forKey: .bakingSince),
            flipsAtOnce: try fields.decodeIfPresent(Bool.self, forKey: .flipsAtOnce) ?? false)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(stage, forKey: .stage)
        try fields.encode(weights.reads, forKey: .weight)
        try fields.encode(weights.writes, forKey: .writeWeight)
        try fields.encode(since, forKey: .since)
        try fields.encode(version, forKey: .version)
        try fields.encodeIfPresent(windowStartedAt, forKey: .windowStartedAt)
        try fields.encode(isRamping, forKey: .isRamping)
        try fields.encodeIfPresent(hold, forKey: .hold)
        try fields.encode(bakingSince, forKey: .bakingSince)
        if flipsAtOnce { try fields.encode(true, forKey: .flipsAtOnce) }
    }
}

/// The shares of keys whose reads, and whose writes, the service answers.
package struct Weights: Sendable, Hashable {
    package var reads: Weight
    package var writes: Weight

    package init(reads: Weight, writes: Weight) {
        self.reads = reads
        self.writes = writes
    }

    package init(_ both: Weight) { self.init(reads: both, writes: both) }

    package static let none = Weights(.none)
    package static let all = Weights(.all)

    /// Whether nothing in it is less than in the other.
    func isAtLeast(_ other: Weights) -> Bool { reads >= other.reads && writes >= other.writes }
}

extension Weights {
    /// `25% of the keys`, or as `description`.
    var ofKeys: String { reads == writes ? "\(self) of the keys" : description }
}

extension Weights: CustomStringConvertible {
    /// `25%`, or `25% of reads, 5% of writes`.
    package var description: String { reads == writes ? "\(reads)" : "\(reads) of reads, \(writes) of writes" }
}

/// Why a weight does not rise by itself, nor by a command without force.
package struct Hold: Sendable, Hashable, Codable {
    package enum Cause: String, Sendable, Codable {
        /// A person asked for a pause.
        case paused
        /// The guard rolled back.
        case breach

        /// What only a newer version knows holds all the same.
        package init(from decoder: any Decoder) throws {
            let text = try decoder.singleValueContainer().decode(String.self)
            self = Self(rawValue: text) ?? .paused
        }
    }

    package let cause: Cause
    package let by: String
    package let reason: String
    package let at: Date

    package init(cause: Cause, by: String, reason: String, at: Date) {
        self.cause = cause
        self.by = by
        self.reason = reason
        self.at = at
    }
}

/// Stage and weight, as history shows them.
package struct StagePoint: Sendable, Hashable, Codable {
    package let stage: Stage
    package let weight: Weight
    /// Nil where it is that of reads.
    package let writeWeight: Weight?

    package init(stage: Stage, weights: Weights) {
        self.stage = stage
        weight = weights.reads
        writeWeight = weights.writes == weights.reads ? nil : weights.writes
    }

    package init(stage: Stage, weight: Weight) { self.init(stage: stage, weights: Weights(weight)) }

    package var weights: Weights { Weights(reads: weight, writes: writeWeight ?? weight) }
}
