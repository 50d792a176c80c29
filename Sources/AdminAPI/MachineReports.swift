package import Extraction
package import FoundationEssentials

// What stands beside stage and gate: weights, ramp, guard, waivers, replicas.

/// The shares of keys whose reads, and whose writes, the service answers; in JSON numbers in percent.
package struct WeightsReport: Sendable, Codable, Equatable {
    package var reads: Weight
    package var writes: Weight

    package init(_ weights: Weights) {
        reads = weights.reads
        writes = weights.writes
    }

    package var weights: Weights { Weights(reads: reads, writes: writes) }
}

/// How the weight rises by itself; only at stage `cutover`.
package struct RampReport: Sendable, Codable, Equatable {
    /// False: weights are set by hand.
    package var running: Bool
    /// As the route file has them.
    package var steps: [Weight]
    /// Where a running ramp goes next; nil at 100 %, and by hand.
    package var next: Weight?
    /// Seconds that a weight has to hold.
    package var bake: Int
    package var bakingSince: Date
    /// Why the weight does not rise now, a sentence each; empty where nothing is meant to move by itself.
    package var waiting: [String]

    /// - Parameter findings: what the guard found last; nil if it has not judged.
    package init?(state: ExtractionState, definition: ExtractionDefinition, findings: GuardFindings?, now: Date) {
        guard state.stage == .cutover else { return nil }
        running = state.isRamping
        steps = definition.ramp
        bake = Int(definition.bake.components.seconds)
        bakingSince = state.bakingSince
        next = running ? Ramp.nextStep(after: state.weights, of: definition) : nil
        waiting = Self.waiting(state, definition, findings, now)
    }

    private static func waiting(
        _ state: ExtractionState, _ definition: ExtractionDefinition, _ findings: GuardFindings?, _ now: Date
    ) -> [String] {
        if let hold = state.hold { return [hold.said] }
        // By hand nothing rises; but 100 % becomes the fallback window by itself.
        guard state.isRamping || state.weights == .all else { return [] }
        guard let findings else { return ["the guard has not judged yet"] }
        switch Ramp.next(state: state, definition: definition, findings: findings, now: now) {
        case .stay(let reasons): return reasons
        case .raise(let weight): return ["nothing: it rises to \(weight) when the guard looks next"]
        case .enterFallback: return ["nothing: the fallback window begins when the guard looks next"]
        case .rollBack(let breaches): return breaches
        }
    }
}

/// What the guard found last, and who judges. One replica judges at a time.
package struct GuardStatus: Sendable, Codable, Equatable {
    /// Nil while it has not judged this extraction at its present weight.
    package var findings: GuardFindings?
    /// The replica that judges, by its id; nil if none is known to.
    package var holder: String?
    /// Seconds between two looks.
    package var interval: Double

    package init(findings: GuardFindings?, holder: String?, interval: Double) {
        self.findings = findings
        self.holder = holder
        self.interval = interval
    }
}

/// Somebody's word in place of evidence.
package struct WaiverReport: Sendable, Codable, Equatable {
    /// An endpoint, or `gap 12`.
    package var subject: String
    package var actor: String
    package var reason: String
    package var at: Date

    package init(subject: String, _ waiver: Waiver) {
        self.subject = subject
        actor = waiver.actor
        reason = waiver.reason
        at = waiver.at
    }
}

/// One running proxy, as the others see it.
package struct ReplicaReport: Sendable, Codable, Equatable {
    /// What it serves of one extraction.
    package struct Served: Sendable, Codable, Equatable {
        /// Of the extraction's state.
        package var version: Int64
        /// The state has a newer version.
        package var behind: Bool
        /// Writes that it has not delivered to the other side yet.
        package var backlog: Int
        /// Event loops whose circuit breaker for the service is not closed.
        package var openBreakers: Int

        package init(version: Int64, behind: Bool, backlog: Int = 0, openBreakers: Int = 0) {
            self.version = version
            self.behind = behind
            self.backlog = backlog
            self.openBreakers = openBreakers
        }
    }

    /// `web-1:4711-9f2c11ab`, made anew by each process.
    package var id: String
    package var host: String
    package var process: Int
    /// Of the program.
    package var version: String
    package var startedAt: Date
    package var beatAt: Date
    /// Seconds since the last heartbeat.
    package var age: Double
    /// It should have been heard of since, and has not said goodbye.
    package var silent: Bool
    /// It was silent for so long that nobody waits for it any more; a gap in the evidence is on record.
    package var gone: Bool
    /// The guard judges here.
    package var guarding: Bool
    /// The one that answers this request.
    package var current: Bool
    /// By the extraction's name.
    package var extractions: [String: Served]

    package init(
        id: String, host: String, process: Int, version: String, startedAt: Date, beatAt: Date, age: Double,
        silent: Bool, gone: Bool = false, guarding: Bool, current: Bool, extractions: [String: Served]
    ) {
        self.id = id
        self.host = host
        self.process = process
        self.version = version
        self.startedAt = startedAt
        self.beatAt = beatAt
        self.age = age
        self.silent = silent
        self.gone = gone
        self.guarding = guarding
        self.current = current
        self.extractions = extractions
    }
}
