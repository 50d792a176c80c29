/// Whether a request whose connection failed may go to the same upstream once more, always on another connection.
package enum RetryPolicy {
    /// Attempts in all where the connection was fresh: it was the upstream that failed, a second one may find it well.
    package static let attemptsOnFresh = 2
    /// Attempts in all where the connection came out of the pool: it had probably been closed while idle (RFC 9112
    /// §9.3), which says nothing about the upstream, so such failures are allowed one more.
    package static let attemptsOnReused = 3

    /// - Parameters:
    ///   - isSafe: by method (RFC 9110 §9.2.1).
    ///   - isIdempotent: by method (RFC 9110 §9.2.2). Enough where a kept connection ended before a byte of an answer:
    ///     it had most likely been closed before the request came. On a fresh one it is not: a DELETE that was carried out
    ///     answers 404 to the second attempt, and the client would be told something untrue.
    ///   - hasBody: bodies stream and are not kept, so one that was begun cannot be sent again.
    ///   - certainlyUnsent: no byte of the request, head or body, was handed to the connection.
    ///   - anyResponseByte: a byte of the answer came back.
    ///   - reusedConnection: the failed connection had served a request before.
    ///   - attempts: made so far, the failed one included.
    package static func mayRetry(
        isSafe: Bool, isIdempotent: Bool, hasBody: Bool, certainlyUnsent: Bool, anyResponseByte: Bool,
        reusedConnection: Bool,
        attempts: Int
    ) -> Bool {
        guard !anyResponseByte, attempts < (reusedConnection ? attemptsOnReused : attemptsOnFresh) else {
            return false
        }
        return certainlyUnsent || (!hasBody && (isSafe || (isIdempotent && reusedConnection)))
    }
}
