/// How a lane changes sides: not before the side that is to answer has all the writes that the other one has answered
/// (DESIGN §3). Until then the other one goes on answering.
extension TrafficPlan {
    /// - Parameters:
    ///   - isSafe: by method (RFC 9110 §9.2.1).
    ///   - held: while another process serves on the same data, the side that both began with. What the lane is owed decides
    ///     from there, the same in both, whatever the plan and a pin say by now.
    package func turned(
        _ decision: Decision, _ board: LaneBoard, lane: UInt64, isSafe: Bool, held: Side? = nil
    ) -> Decision {
        guard keepsMonolith, !flipsAtOnce else { return decision }
        let begun = held ?? decision.primary
        // Where each has something that the other has not, no side is better, and the lane goes where it belongs.
        let waits = board.isBehind(begun, lane: lane) && !board.isBehind(begun.other, lane: lane)
        let side = waits ? begun.other : begun
        guard side == decision.primary else {
            return Decision(
                primary: side, shadow: isSafe ? decision.shadow.map { _ in decision.primary } : decision.primary,
                monolithMayAnswer: side == .service && isSafe, why: .laneWaits)
        }
        // What the other process owes the monolith is not known here.
        let mayBeStale = held != nil || board.isBehind(.monolith, lane: lane)
        return mayBeStale ? safeFromStale(decision, isSafe: isSafe) : decision
    }

    /// A monolith that is behind in the lane must not take its next write: that would be out of order for good. A read
    /// may be answered by it in need.
    private func safeFromStale(_ decision: Decision, isSafe: Bool) -> Decision {
        guard !isSafe, decision.monolithMayAnswer else { return decision }
        return Decision(
            primary: decision.primary, shadow: decision.shadow, monolithMayAnswer: false, why: decision.why)
    }
}
