/// How a lane changes sides: not before the side that is to answer has all the writes that the other one has answered
/// (DESIGN §3). Until then the other one goes on answering.
extension TrafficPlan {
    /// - Parameters:
    ///   - isSafe: by method (RFC 9110 §9.2.1).
    ///   - held: the side that the lane stays on whatever the board says, because another process may owe the other one writes
    ///     of it.
    package func turned(
        _ decision: Decision, _ board: LaneBoard, lane: UInt64, isSafe: Bool, held: Side? = nil
    ) -> Decision {
        guard keepsMonolith, !flipsAtOnce else { return decision }
        if held == decision.primary.other || board.isBehind(decision.primary, lane: lane) {
            let other = decision.primary.other
            // Each has something that the other has not: no side is better, and the lane goes where it belongs.
            guard !board.isBehind(other, lane: lane) else { return safeFromStale(decision, isSafe: isSafe) }
            return Decision(
                primary: other, shadow: isSafe ? decision.shadow.map { _ in decision.primary } : decision.primary,
                monolithMayAnswer: other == .service && isSafe, why: .laneWaits)
        }
        return board.isBehind(.monolith, lane: lane) ? safeFromStale(decision, isSafe: isSafe) : decision
    }

    /// A monolith that is behind in the lane must not take its next write: that would be out of order for good. A read
    /// may be answered by it in need.
    private func safeFromStale(_ decision: Decision, isSafe: Bool) -> Decision {
        guard !isSafe, decision.monolithMayAnswer else { return decision }
        return Decision(
            primary: decision.primary, shadow: decision.shadow, monolithMayAnswer: false, why: decision.why)
    }
}
