package import Comparison
package import Extraction
package import FoundationEssentials

// What stands beside the verdicts: coverage, latency, rules, noise.

/// What part of an endpoint's traffic was compared. A rate of mismatches means little without it.
package struct CoverageReport: Sendable, Codable, Equatable {
    /// Requests of which a verdict was given, those that were not compared among them.
    package var seen: Int
    /// `seen` without what `sample` left out.
    package var sampled: Int
    /// Left out because the queue of shadow work was full.
    package var shed: Int
    /// Left out because the other side is not asked for a while.
    package var circuitOpen: Int
    package var compared: Int
    /// By the class of the primary's status, `2xx`; `none` where it gave none.
    package var byStatusClass: [String: StatusClassReport]

    package init(
        seen: Int, sampled: Int, shed: Int, circuitOpen: Int, compared: Int, byStatusClass: [String: StatusClassReport]
    ) {
        self.seen = seen
        self.sampled = sampled
        self.shed = shed
        self.circuitOpen = circuitOpen
        self.compared = compared
        self.byStatusClass = byStatusClass
    }
}

package struct StatusClassReport: Sendable, Codable, Equatable {
    package var seen: Int
    package var compared: Int
    package var mismatch: Int

    package init(seen: Int, compared: Int, mismatch: Int) {
        self.seen = seen
        self.compared = compared
        self.mismatch = mismatch
    }
}

/// How long both sides took at one endpoint, since the stage was entered; nil for a side that did not answer.
package struct LatencyReport: Sendable, Codable, Equatable {
    package struct Side: Sendable, Codable, Equatable {
        package var answers: Int
        /// Milliseconds, known to within a fifth.
        package var p50: Double
        package var p99: Double

        package init(answers: Int, p50: Double, p99: Double) {
            self.answers = answers
            self.p50 = p50
            self.p99 = p99
        }

        /// Nil if it is empty.
        package init?(_ histogram: LatencyHistogram) {
            guard let p50 = histogram.quantile(0.5), let p99 = histogram.quantile(0.99) else { return nil }
            // Three decimals: microseconds.
            let milliseconds = { (nanoseconds: Int64) in (Double(nanoseconds) / 1000).rounded() / 1000 }
            self.init(answers: histogram.total, p50: milliseconds(p50), p99: milliseconds(p99))
        }
    }

    package var monolith: Side?
    package var service: Side?

    package init(monolith: Side?, service: Side?) {
        self.monolith = monolith
        self.service = service
    }
}

/// One rule that can hide differences, and what it hid.
package struct RuleReport: Sendable, Codable, Equatable {
    /// Pairs that have to be compared before a rule that hid nothing is called dead.
    package static let pairsToBeDead = 1_000

    package var extraction: String
    /// `ignore $.requestId`.
    package var rule: String
    package var because: String?
    package var until: Date?
    /// Pairs of answers of which it hid something, as far back as the store knows.
    package var pairs: Int
    package var differences: Int
    /// Pairs that were compared in that time.
    package var compared: Int
    /// `pairs` as a part of `compared`, 0…1.
    package var share: Double?
    package var lastHit: Date?
    /// It has hidden nothing, and enough was compared since the running files were loaded.
    package var dead: Bool
    /// `until` is over: it hides nothing any more.
    package var expired: Bool

    /// - Parameters:
    ///   - tally: nil if it never hid anything.
    ///   - comparedSinceLoad: pairs that were compared since the running files were loaded.
    package init(
        extraction: String, rule: String, because: String?, until: Date?, tally: RuleTally?, compared: Int,
        comparedSinceLoad: Int, now: Date
    ) {
        self.extraction = extraction
        self.rule = rule
        self.because = because
        self.until = until
        pairs = tally?.pairs ?? 0
        differences = tally?.differences ?? 0
        self.compared = compared
        share = compared > 0 ? min(1, Double(pairs) / Double(compared)) : nil
        lastHit = tally?.last
        dead = pairs == 0 && comparedSinceLoad >= Self.pairsToBeDead
        expired = until.map { $0 <= now } ?? false
    }
}

/// How often one field differed between two answers of the primary to the same request, and between primary and shadow.
package struct NoiseReport: Sendable, Codable, Equatable {
    package var extraction: String
    package var endpoint: String
    /// Who was asked twice: `monolith` or `service`.
    package var side: String
    package var path: String
    package var kind: DifferenceKind
    /// Requests that were asked twice, and at how many of them the field differed.
    package var twins: Int
    package var twinsDiffering: Int
    package var pairs: Int
    package var pairsDiffering: Int
    /// 0…1; nil of nothing.
    package var twinRate: Double?
    package var pairRate: Double?
    /// The shadow differs more often than the primary's own noise explains.
    package var exceeds: Bool

    package init(
        _ scope: NoiseScope, _ field: GroupedDifference, compared: NoiseCount, differing: NoiseCount, exceeds: Bool
    ) {
        extraction = scope.extraction
        endpoint = scope.endpoint
        side = scope.side.rawValue
        path = field.path
        kind = field.kind
        twins = compared.twins
        twinsDiffering = differing.twins
        pairs = compared.pairs
        pairsDiffering = differing.pairs
        twinRate = compared.twins > 0 ? min(1, Double(differing.twins) / Double(compared.twins)) : nil
        pairRate = compared.pairs > 0 ? min(1, Double(differing.pairs) / Double(compared.pairs)) : nil
        self.exceeds = exceeds
    }
}

/// What noise hid at one extraction, as far back as the store knows.
package struct NoiseTotal: Sendable, Codable, Equatable {
    package var extraction: String
    /// Pairs of answers of which it hid something.
    package var pairs: Int
    package var differences: Int
    /// Fields in which the primary was seen to disagree with itself, counted by endpoint.
    package var fields: Int
    package var lastHit: Date?

    /// - Parameter tally: nil if it never hid anything.
    package init(extraction: String, tally: RuleTally?, fields: Int) {
        self.extraction = extraction
        pairs = tally?.pairs ?? 0
        differences = tally?.differences ?? 0
        self.fields = fields
        lastHit = tally?.last
    }
}

/// What is known of the primaries' disagreement with themselves.
package struct NoiseSummary: Sendable, Codable, Equatable {
    package var totals: [NoiseTotal]
    package var fields: [NoiseReport]

    package init(totals: [NoiseTotal], fields: [NoiseReport]) {
        self.totals = totals
        self.fields = fields
    }
}
