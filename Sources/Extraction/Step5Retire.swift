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

    static func requirements(_ facts: GateFacts) -> [Requirement] {
        [window(facts), quiet(facts), facts.backlog(at: "the monolith")] + facts.decidedWrites + facts.completeness
    }

    static func traffic(weights: Weights) -> StageTraffic {
        StageTraffic(
            serviceShares: .all, shadows: false, keepsMonolith: false, whyMonolith: .retired, whyService: .retired)
    }

    private static func window(_ facts: GateFacts) -> Requirement {
        guard let started = facts.state.windowStartedAt else {
            return .missing("window", "the fallback window has not started")
        }
        let left = facts.definition.window.inSeconds - facts.now.timeIntervalSince(started)
        return left > 0
            ? .missing("window", "the fallback window has \(readableTime(seconds: left)) left")
            : .met("window", "the fallback window of \(readableTime(facts.definition.window)) is over")
    }

    private static func quiet(_ facts: GateFacts) -> Requirement {
        let quiet = facts.definition.quiet
        let total = facts.evidence.fellBackTotal
        guard let last = facts.evidence.lastFellBackAt else {
            // Requests fell back, but nobody knows when: that is no proof of quiet.
            return total > 0
                ? .missing("quiet", "\(counted(total, "request")) fell back, when the last did is not known")
                : .met("quiet", "no request fell back")
        }
        let ago = facts.now.timeIntervalSince(last)
        let left = quiet.inSeconds - ago
        let said = "a request fell back \(readableTime(seconds: ago)) ago (\(total) in all)"
        return left > 0
            ? .missing("quiet", "\(said), \(readableTime(quiet)) of quiet have \(readableTime(seconds: left)) left")
            : .met("quiet", "\(said), \(readableTime(quiet)) of quiet are over")
    }
}
