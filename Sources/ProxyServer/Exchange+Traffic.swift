internal import Extraction
internal import NIOCore

/// What becomes of each request, for the counts by endpoint and side. Each side that was asked is counted once, when all is
/// known of it; a request that the client abandoned is not, unless the service had failed it before.
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

    /// The service has failed, and the monolith's answer, if it comes, counts by itself.
    func countFallback(_ reason: FallbackReason) {
        if extraction >= 0, extraction < context.counters.extractions.count {
            context.counters.extractions[extraction].fellBack[reason.number] += 1
        }
        if trafficKey >= 0 { configuration.traffic.countFallback(trafficKey, reason, nanoseconds: headNanoseconds) }
        headNanoseconds = -1
    }
}
