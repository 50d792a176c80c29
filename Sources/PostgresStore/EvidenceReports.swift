package import Comparison
package import Foundation

/// How often each verdict was given.
package struct VerdictCounts: Sendable, Equatable {
    package var match = 0
    package var mismatch = 0
    package var transient = 0
    package var primaryFailed = 0
    package var shadowFailed = 0
    /// By reason.
    package var notCompared: [String: Int] = [:]

    package init() {}

    /// Pairs of answers that were judged.
    package var compared: Int { match + mismatch + transient }

    mutating func add(_ verdict: Verdict, reason: String, count: Int) {
        switch verdict {
        case .match: match += count
        case .mismatch: mismatch += count
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

package struct FallbackSummary: Sendable, Equatable {
    package var total: Int
    package var byReason: [String: Int]
    package var lastAt: Date?

    package init(total: Int = 0, byReason: [String: Int] = [:], lastAt: Date? = nil) {
        self.total = total
        self.byReason = byReason
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
