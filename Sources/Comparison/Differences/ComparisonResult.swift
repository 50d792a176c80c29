/// Why a pair of answers could not be judged. The raw values are public: they are stored and shown.
package enum NotComparedReason: String, Error, Sendable, Codable, CaseIterable {
    /// A request was larger than the capture cap, or an answer than is hashed; or answers were compared by their hashes,
    /// and that they differ proves nothing: see ``BodyReading``.
    case bodyTooLarge = "body-too-large"
    /// A body nests deeper than ``ComparisonLimits/depth``.
    case bodyTooDeep = "body-too-deep"
    /// Which elements of two arrays belong together was not found out within ``ComparisonLimits/alignmentWork``.
    case alignmentTooLarge = "alignment-too-large"
    /// The bodies are not identical, and are encoded in a way that cannot be decoded.
    case contentEncoding = "content-encoding"
    /// A body was decoded to more than a comparison may hold.
    case decodedTooLarge = "decoded-too-large"
    /// `sample` left this request out.
    case notSampled = "not-sampled"
    /// A field differed, and nothing is known yet of how often the primary disagrees with itself there.
    case baselineUnknown = "baseline-unknown"
    /// A read differed and could not be asked again: too many were waiting, a side did not answer the second time, or the
    /// proxy stopped.
    case unsettled
    /// The queue of shadow work was full.
    case shed
    case shadowTimeout = "shadow-timeout"
    /// The other side did not answer the last requests, so for a while it is not asked.
    case shadowCircuitOpen = "shadow-circuit-open"
    /// The client went away before the primary's answer was complete.
    case primaryIncomplete = "primary-incomplete"
    /// The request asked for another protocol (WebSocket), which is one conversation with one side.
    case upgrade
    /// The primary's answer lacks the identity that the shadow write has to carry.
    case identityMissing = "identity-missing"
    /// A read whose lane has writes that the other side has not got, more than it can wait for.
    case behindWrites = "behind-writes"
    /// A write that the ledger could not take, so it was not delivered.
    case notRecorded = "not-recorded"
    /// The request names something by an identity of which the other side's is not known.
    case identityUnmapped = "identity-unmapped"
    /// Whether the request's body holds an identity that the other side has another of cannot be found out.
    case identityUnreadable = "identity-unreadable"
    /// The proxy stopped before the shadow had answered.
    case shuttingDown = "shutting-down"
    /// The primary refused this write with 4xx, so it was not delivered: the other side might have taken it.
    case writeRejected = "write-rejected"
    /// A captured head could not be read again, which would be a fault of the proxy.
    case malformed
}

package enum Verdict: String, Sendable, Codable, CaseIterable {
    case match, mismatch
    /// Differed, but agreed when both were asked again after a settle delay.
    case transient
    case primaryFailed = "primary-failed"
    case shadowFailed = "shadow-failed"
    case notCompared = "not-compared"
}

/// Bounds on what one comparison may cost and yield.
package struct ComparisonLimits: Sendable, Equatable {
    /// Differences reported for one pair of answers.
    package var differences: Int
    /// Containers within containers in a body; the walk over documents recurses this deep.
    package var depth: Int
    /// Bytes of either rendered value of a difference.
    package var renderedBytes: Int
    /// Values visited to find out which elements of arrays belong together, on top of eight times the documents' size.
    package var alignmentWork: Int
    /// Bytes of either body once its content codings are undone.
    package var decodedBytes: Int

    package init(
        differences: Int = 100, depth: Int = 512, renderedBytes: Int = 256, alignmentWork: Int = 2_000_000,
        decodedBytes: Int = 16 * 1024 * 1024
    ) {
        self.differences = max(1, differences)
        self.depth = max(1, min(depth, 512))
        self.renderedBytes = max(64, renderedBytes)
        self.alignmentWork = max(0, alignmentWork)
        self.decodedBytes = max(0, decodedBytes)
    }
}

package struct ComparisonResult: Sendable {
    package var differences: [Difference]
    /// There are more differences than ``ComparisonLimits/differences``.
    package var truncated: Bool
    /// How many differences each rule hid, parallel to ``ComparisonRules/names``: those
    /// that only an ignore rule hides, and values that another rule makes equal.
    package var hiddenByRule: [Int]
    /// Set when the bodies could not be judged; a difference in status or headers still counts.
    package var notCompared: NotComparedReason?

    package init(
        differences: [Difference], truncated: Bool = false, hiddenByRule: [Int] = [],
        notCompared: NotComparedReason? = nil
    ) {
        self.differences = differences
        self.truncated = truncated
        self.hiddenByRule = hiddenByRule
        self.notCompared = notCompared
    }

    /// `.mismatch`, `.notCompared` or `.match`: the only verdicts that two answers alone can support.
    package var verdict: Verdict {
        if !differences.isEmpty { return .mismatch }
        return notCompared == nil ? .match : .notCompared
    }
}
