package import Extraction
package import FoundationEssentials

/// What the monolith is asked for that no extraction takes, ranked.
package struct CandidatesReport: Sendable, Codable, Equatable {
    /// What no traffic shows.
    package struct Question: Sendable, Codable, Equatable {
        package var reason: Reason
        package var question: String
    }

    package var since: Date
    package var until: Date
    /// Nil before anything was counted.
    package var countingSince: Date?
    /// All of them, with those for what is not there.
    package var requests: Int
    /// Of `requests`, those for paths that the monolith does not know.
    package var notFound: Int
    /// How many there are; `candidates` may be fewer.
    package var groups: Int
    package var candidates: [Candidate]
    package var questions: [Question]

    package init(
        since: Date, until: Date, countingSince: Date?, requests: Int, notFound: Int, ranked: [Candidate], limit: Int
    ) {
        self.since = since
        self.until = until
        self.countingSince = countingSince
        self.requests = requests
        self.notFound = notFound
        groups = ranked.count
        candidates = Array(ranked.prefix(max(0, limit)))
        questions = Step1Candidates.forPeople.map { Question(reason: $0.reason, question: $0.question) }
    }
}

extension ReportText {
    /// `counting began 3 min ago, no request was seen that no extraction takes`
    package static func nothing(_ report: CandidatesReport, now: Date) -> String {
        guard let began = report.countingSince else {
            return "nothing was counted yet: candidates need requests that go through the proxy to the monolith"
        }
        return "counting began \(ago(began, now: now)), no request was seen that no extraction takes"
    }

    /// `38% of the requests, 52% of the time, 81% of the errors, 40% of the bytes`
    package static func shares(_ share: Candidate.Shares) -> String {
        [("requests", share.requests), ("time", share.time), ("errors", share.errors), ("bytes", share.bytes)]
            .map { "\(Self.share($0.1)) of the \($0.0)" }.joined(separator: ", ")
    }

    /// `4,120 requests, 12% writes, 3 errors, p50 / p99 12 / 340 ms, 18% more in the second half`
    package static func traffic(_ candidate: Candidate) -> String {
        var parts = [counted(candidate.requests, "request")]
        if candidate.requests > 0 {
            parts.append("\(share(Double(candidate.writes) / Double(candidate.requests))) writes")
        }
        parts.append(counted(candidate.errors, "error"))
        if let p50 = candidate.p50, let p99 = candidate.p99 {
            parts.append("p50 / p99 \(milliseconds(p50)) / \(milliseconds(p99)) ms")
        }
        parts.append(growth(candidate.growth))
        return parts.joined(separator: ", ")
    }

    private static func growth(_ growth: Double?) -> String {
        guard let growth else { return "growth not known yet" }
        if abs(growth) < 0.005 { return "as much in the second half" }
        return growth > 0
            ? "\(share(growth)) more in the second half" : "\(share(-growth)) less in the second half"
    }
}
