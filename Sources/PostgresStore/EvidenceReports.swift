package import Comparison
package import Foundation

/// How often each verdict was given.
package struct VerdictCounts: Sendable, Equatable {
    package var match = 0
    package var mismatch = 0
    /// Of `mismatch`, those whose group somebody has accepted.
    package var accepted = 0
    package var transient = 0
    package var primaryFailed = 0
    package var shadowFailed = 0
    /// By reason.
    package var notCompared: [String: Int] = [:]

    package init() {}

    /// Pairs of answers that were judged.
    package var compared: Int { match + mismatch + transient }

    /// Every request of which a verdict was given, `notCompared` among them.
    package var seen: Int { compared + primaryFailed + shadowFailed + notCompared.values.reduce(0, +) }

    /// Left out by `sample`.
    package var notSampled: Int { notCompared(.notSampled) }

    /// Left out because the queue of shadow work was full.
    package var shed: Int { notCompared(.shed) }

    /// Left out because the other side is not asked for a while.
    package var circuitOpen: Int { notCompared(.shadowCircuitOpen) }

    package func notCompared(_ reason: NotComparedReason) -> Int { notCompared[reason.rawValue, default: 0] }

    mutating func add(_ verdict: Verdict, reason: String, count: Int, accepted: Int) {
        switch verdict {
        case .match: match += count
        case .mismatch:
            mismatch += count
            self.accepted += accepted
        case .transient: transient += count
        case .primaryFailed: primaryFailed += count
        case .shadowFailed: shadowFailed += count
        case .notCompared: notCompared[reason, default: 0] += count
        }
    }
}

package struct VerdictSummary: Sendable, Equatable {
    /// By `GET /api/v1/orders/{id}`.
    package var endpoints: [String: VerdictCounts]
    package var total: VerdictCounts

    package init(endpoints: [String: VerdictCounts] = [:], total: VerdictCounts = VerdictCounts()) {
        self.endpoints = endpoints
        self.total = total
    }
}

/// What part of an endpoint's traffic was compared, and which answers were among it.
package struct EndpointCoverage: Sendable, Equatable {
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    /// By class of the primary's status: 2 for 2xx and so on, 0 where it gave none or none was written down.
    package var statusClasses: [Int: VerdictCounts]
    package var total: VerdictCounts

    package init(endpoint: String, statusClasses: [Int: VerdictCounts] = [:], total: VerdictCounts = VerdictCounts()) {
        self.endpoint = endpoint
        self.statusClasses = statusClasses
        self.total = total
    }

    /// The endpoint's first word.
    package var method: String { String(endpoint.prefix { $0 != " " }) }
}

package struct FallbackSummary: Sendable, Equatable {
    package var total: Int
    package var byReason: [String: Int]
    /// By `GET /api/v1/orders/{id}`; empty for what older versions counted.
    package var byEndpoint: [String: Int]
    package var lastAt: Date?

    package init(
        total: Int = 0, byReason: [String: Int] = [:], byEndpoint: [String: Int] = [:], lastAt: Date? = nil
    ) {
        self.total = total
        self.byReason = byReason
        self.byEndpoint = byEndpoint
        self.lastAt = lastAt
    }
}

/// What reviewers think of a group of mismatches.
package enum GroupState: String, Sendable, CaseIterable, Codable {
    /// Nobody has looked at it.
    case new
    case acknowledged
    /// A wanted difference.
    case accepted
    /// Said to be gone; seen again, it becomes `regressed`.
    case fixed
    case regressed
}

package struct MismatchGroup: Sendable, Equatable {
    package var signature: String
    package var extraction: String
    package var endpoint: String
    package var state: GroupState
    package var count: Int
    package var differences: [GroupedDifference]
    package var firstSeen: Date
    package var lastSeen: Date
    package var stateAt: Date?
    package var stateBy: String?
    package var stateWhy: String?
    /// Pairs that were compared at this endpoint since the minute in which the group was first seen.
    package var endpointCompared: Int

    /// Of the pairs compared at this endpoint since this was first seen, the part that shows it; 0...1.
    package var share: Double { count == 0 ? 0 : min(1, Double(count) / Double(max(1, endpointCompared))) }
}

/// Somebody's opinion of a group, or that it came back.
package struct GroupChange: Sendable, Equatable {
    package var at: Date
    /// `strangler` where a fixed group was seen again.
    package var actor: String
    /// nil where it was not written down.
    package var from: GroupState?
    package var to: GroupState
    package var reason: String?

    package init(at: Date, actor: String, from: GroupState?, to: GroupState, reason: String?) {
        self.at = at
        self.actor = actor
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// A recorded pair of answers of one group.
package struct MismatchExample: Sendable, Equatable {
    package var at: Date
    package var differences: [Difference]
    package var request: RecordedRequest
    package var primary: RecordedAnswer
    package var shadow: RecordedAnswer
}

/// A beginning that several signatures share.
package struct AmbiguousSignature: Error, Sendable, Equatable, CustomStringConvertible {
    package let prefix: String
    /// The first few of them.
    package let candidates: [String]

    package var description: String {
        prefix.isEmpty
            ? "a signature is needed"
            : "\(prefix) is the beginning of several signatures: "
                + candidates.joined(separator: ", ")
    }
}
