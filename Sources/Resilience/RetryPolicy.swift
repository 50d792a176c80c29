/// Whether a request whose connection failed may go to the same upstream once more, always on another connection.
package enum RetryPolicy {
    /// Attempts in all where the connection was fresh: it was the upstream that failed, a second one may find it well.
    package static let attemptsOnFresh = 2
    /// Attempts in all where the connection came out of the pool: it had probably been closed while idle (RFC 9112
    /// §9.3), which says nothing about the upstream, so such failures are allowed one more.
    package static let attemptsOnReused = 3

    /// - Parameters:
    ///   - isSafe: by method (RFC 9110 §9.2.1). Idempotent is not enough: a DELETE carried out twice answers 404 to the
    ///     second, and the client would be told something untrue.
    ///   - hasBody: bodies stream and are not kept, so one that was begun cannot be sent again.
    ///   - certainlyUnsent: no byte of the request, head or body, was handed to the connection.
    ///   - anyResponseByte: a byte of the answer came back.
    ///   - reusedConnection: the failed connection had served a request before.
    ///   - attempts: made so far, the failed one included.
    package static func mayRetry(
        isSafe: Bool, hasBody: Bool, certainlyUnsent: Bool, anyResponseByte: Bool, reusedConnection: Bool,
        attempts: Int
    ) -> Bool {
        guard !anyResponseByte, attempts < (reusedConnection ? attemptsOnReused : attemptsOnFresh) else {
            return false
        }
        return certainlyUnsent || (isSafe && !hasBody)
    }
}

/// Keeps retries a small share of the requests: an upstream that fails for everybody must not be asked twice as often.
///
/// Each request earns a tenth of a retry up to a cap, each retry costs a whole one.
package struct RetryBudget: Sendable {
    private static let retryCost = 10
    private let cap: Int
    private var tenths: Int

    /// - Parameter burst: retries that may be had at once after a quiet time; also what it starts with. At least 1.
    package init(burst: Int = 10) {
        cap = min(max(burst, 1), 1_000_000) * Self.retryCost
        tenths = cap
    }

    package mutating func requestStarted() { tenths = min(tenths + 1, cap) }

    /// Whether there is enough for a retry.
    package var isAffordable: Bool { tenths >= Self.retryCost }

    /// A retry was made and is paid for.
    package mutating func retryMade() { tenths = max(0, tenths - Self.retryCost) }
}
