package import FoundationEssentials

/// Where one extraction stands. Lives in the store, changes only by compare-and-set on `version`, and only to what
/// `ExtractionMachine` decided.
package struct ExtractionState: Sendable, Equatable, Codable {
    package let name: String
    package let stage: Stage
    /// The share of keys that the service answers: none up to `shadow`, chosen in `cutover`, all from `fallback` on.
    package let weight: Weight
    /// When the stage or the weight last changed.
    package let since: Date
    /// Raised by one with each change.
    package let version: Int64
    /// When the fallback window began; kept in `retired`, nil before `fallback`.
    package let windowStartedAt: Date?

    package init(
        name: String, stage: Stage, weight: Weight, since: Date, version: Int64, windowStartedAt: Date?
    ) {
        self.name = name
        self.stage = stage
        self.weight = weight
        self.since = since
        self.version = version
        self.windowStartedAt = windowStartedAt
    }

    /// How an extraction begins that the store has never heard of.
    package static func initial(name: String, now: Date) -> ExtractionState {
        ExtractionState(name: name, stage: .identified, weight: .none, since: now, version: 0, windowStartedAt: nil)
    }

    func moved(to stage: Stage, weight: Weight, windowStartedAt: Date?, now: Date) -> ExtractionState {
        ExtractionState(
            name: name, stage: stage, weight: weight, since: now, version: version &+ 1,
            windowStartedAt: windowStartedAt)
    }

    package var point: StagePoint { StagePoint(stage: stage, weight: weight) }
}

/// Stage and weight, as history shows them.
package struct StagePoint: Sendable, Hashable, Codable {
    package let stage: Stage
    package let weight: Weight

    package init(stage: Stage, weight: Weight) {
        self.stage = stage
        self.weight = weight
    }
}
