internal import Extraction
internal import NIOCore
internal import Resilience
internal import Upstreams

/// What becomes of each request, for the counts by endpoint and side. Each side that was asked is counted once, when all is
/// known of it; a request that the client abandoned is not, unless the service had failed it before, or kept it waiting.
extension Exchange {
    /// The side that was asked last has answered, or not.
    func countAnswer(isError: Bool) {
        if trafficKey >= 0 {
            configuration.traffic.count(
                trafficKey, machine.side, isError: isError || answeredStatus >= 500, nanoseconds: headNanoseconds,
                bytes: answerBytes)
        } else if extraction < 0 {
            context.observe(
                head, method: method, status: answeredStatus, nanoseconds: max(0, headNanoseconds), bytes: answerBytes)
        }
    }

    /// The client has left while it waited for an answer. A side that hangs, with clients less patient than the proxy, must
    /// not look like one that nobody asks: from the time on at which a call is slow, it counts as one that took this long.
    func countImpatience() {
        guard machine.phase == .sent, requestEnded else { return }
        let waited = (NIODeadline.now() - attemptBegan).nanoseconds
        guard waited > upstream.settings.breaker?.slowAfter ?? Self.patience else { return }
        // The breaker hears of a call that took its time, and of nothing else that the client may have had in mind.
        settleBreaker(.success)
        guard trafficKey >= 0 else { return }
        headNanoseconds = waited
        countAnswer(isError: false)
    }

    /// Nanoseconds, where there is no breaker.
    private static let patience: Int64 = 2_000_000_000

    /// The service has failed, and the monolith's answer, if it comes, counts by itself.
    func countFallback(_ reason: FallbackReason) {
        if extraction >= 0, extraction < context.counters.extractions.count {
            context.counters.extractions[extraction].fellBack[reason.number] += 1
        }
        if trafficKey >= 0 { configuration.traffic.countFallback(trafficKey, reason, nanoseconds: headNanoseconds) }
        headNanoseconds = -1
    }
}
