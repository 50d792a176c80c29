import FoundationEssentials

/// Step 5, stage `retired`: the monolith gets no more of these requests, its code may be deleted.
///
/// Gate: the fallback window is over, no request fell back within the quiet period before now, and no write waits.
/// Only `fallback` leads here: not even by force can the window be left out, only cut short. Left only by a rollback
/// to `shadow`.
///
/// Traffic: the service answers, nobody is shadowed, nobody stands in for it.
enum Step5Retire: Step {
    static let stage = Stage.retired

    static func missing(_ facts: GateFacts) -> [String] {
        windowMissing(facts) + quietMissing(facts) + backlogMissing(facts)
    }

    static func traffic(weight: Weight) -> StageTraffic {
        StageTraffic(
            serviceShare: .all, shadows: false, keepsMonolith: false, whyMonolith: .retired, whyService: .retired)
    }

    private static func windowMissing(_ facts: GateFacts) -> [String] {
        guard let started = facts.state.windowStartedAt else { return ["the fallback window has not started"] }
        let left = facts.definition.window.inSeconds - facts.now.timeIntervalSince(started)
        return left > 0 ? ["the fallback window has \(readableTime(seconds: left)) left"] : []
    }

    private static func quietMissing(_ facts: GateFacts) -> [String] {
        let quiet = facts.definition.quiet
        let total = facts.evidence.fellBackTotal
        guard let last = facts.evidence.lastFellBackAt else {
            // Requests fell back, but nobody knows when: that is no proof of quiet.
            return total > 0 ? ["\(counted(total, "request")) fell back, when the last did is not known"] : []
        }
        let ago = facts.now.timeIntervalSince(last)
        let left = quiet.inSeconds - ago
        guard left > 0 else { return [] }
        return [
            "a request fell back \(readableTime(seconds: ago)) ago (\(total) in all), "
                + "\(readableTime(quiet)) of quiet have \(readableTime(seconds: left)) left"
        ]
    }

    private static func backlogMissing(_ facts: GateFacts) -> [String] {
        let backlog = facts.evidence.writeBacklog
        return backlog > 0 ? ["\(counted(backlog, "write")) not delivered to the monolith yet"] : []
    }
}
