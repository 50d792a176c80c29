internal import Extraction
internal import NIOCore
internal import Resilience
internal import Upstreams

/// What becomes of each request, for the counts by endpoint and side. Each side that was asked is counted once, when all is
/// known of it, or when it is slow for certain; a request that the client abandoned is not, unless the service had failed
/// it before, or kept it waiting.
extension Exchange {
    /// The side that was asked last has answered, or not.
    func countAnswer(isError: Bool) {
        if isCountedSlow {
            configuration.traffic.countEnd(
                trafficKey, machine.side, isError: isError || answeredStatus >= 500, bytes: answerBytes)
        } else if trafficKey >= 0 {
            configuration.traffic.count(
                trafficKey, machine.side, isError: isError || answeredStatus >= 500, nanoseconds: headNanoseconds,
                bytes: answerBytes)
        } else if extraction < 0 {
            context.observe(
                head, method: method, status: answeredStatus, nanoseconds: max(0, headNanoseconds), bytes: answerBytes)
        }
    }

    /// A side that hangs must not look like one that nobody asks, neither for as long as the proxy waits nor with clients
    /// less patient than that: from the time on at which a call is slow, it counts as one that took this long. Asked with
    /// each tick, and when the client leaves.
    func countIfSlow(now: NIODeadline) {
        guard machine.phase == .sent, requestEnded, !isCountedSlow else { return }
        let waited = (now - attemptBegan).nanoseconds
        guard waited > upstream.settings.breaker?.slowAfter ?? Self.patience else { return }
        // The breaker hears of a call that took its time, and of nothing else that the client may have had in mind.
        settleBreaker(.success)
        guard trafficKey >= 0 else { return }
        headNanoseconds = waited
        countAnswer(isError: false)
        isCountedSlow = true
    }

    /// Nanoseconds, where there is no breaker.
    private static let patience: Int64 = 2_000_000_000

    /// The service has failed, and the monolith's answer, if it comes, counts by itself.
    func countFallback(_ reason: FallbackReason) {
        if extraction >= 0, extraction < context.counters.extractions.count {
            context.counters.extractions[extraction].fellBack[reason.number] += 1
        }
        if trafficKey >= 0 {
            configuration.traffic.countFallback(
                trafficKey, reason, nanoseconds: headNanoseconds, isCounted: isCountedSlow)
        }
        headNanoseconds = -1
        isCountedSlow = false
    }
}
