/// Step 5, stage `cutover`: the service answers for a share of the keys.
///
/// Gate: answers were compared, the share that differs and is not accepted is within the limit, no mended difference has come back, and
/// every write has arrived on the other side. Inside the stage the weight is set freely, 0 included; whether a raise
/// is wise is for the guard. Left by `advance` once 100 % has held, or by a rollback to `shadow`.
///
/// Traffic: the service answers keys whose bucket is under the weight, the monolith the rest; the other side is
/// shadowed. The monolith answers where the service fails.
enum Step5Cutover: Step {
    static let stage = Stage.cutover

    /// 0.1 %, where the route file sets no `guard.mismatch`.
    static let mismatchLimit = Weight(clamping: 10)

    static func missing(_ facts: GateFacts) -> [String] {
        let evidence = facts.evidence
        var missing: [String] = []
        if evidence.compared <= 0 {
            missing.append("needs at least 1 compared answer, has 0")
        } else {
            let limit = facts.definition.guardLimits.mismatch ?? mismatchLimit
            let mismatch = max(0, evidence.mismatch)
            let differed = mismatch - min(max(0, evidence.accepted), mismatch)
            if exceeds(limit, part: differed, of: evidence.compared) {
                let more = "\(evidence.accepted) more \(evidence.accepted == 1 ? "is" : "are") accepted"
                missing.append(
                    "\(differed) of \(counted(evidence.compared, "compared answer")) differed "
                        + "(\(readableShare(differed, of: evidence.compared))), at most \(limit) may"
                        + (evidence.accepted > 0 ? " (\(more))" : ""))
            }
        }
        if evidence.regressedGroups > 0 {
            missing.append("\(counted(evidence.regressedGroups, "group")) of fixed differences came back")
        }
        if evidence.writeBacklog > 0 {
            missing.append("\(counted(evidence.writeBacklog, "write")) not delivered to the other side yet")
        }
        return missing
    }

    static func traffic(weight: Weight) -> StageTraffic {
        StageTraffic(
            serviceShare: weight, shadows: true, keepsMonolith: true,
            whyMonolith: weight == .none ? .cutoverAtZero : .keyNotMoved,
            whyService: weight == .all ? .cutoverAtAll : .keyMoved)
    }

    /// Whether part/total is over the limit, exactly: 1 of 1,000 is not over 0.1 %.
    private static func exceeds(_ limit: Weight, part: Int, of total: Int) -> Bool {
        let found = max(part, 0).multipliedFullWidth(by: Weight.all.hundredths)
        let allowed = total.multipliedFullWidth(by: limit.hundredths)
        return (found.high, found.low) > (allowed.high, allowed.low)
    }

    /// Rounded up to two decimals, so that what is over a limit never reads as equal to it.
    private static func readableShare(_ part: Int, of total: Int) -> String {
        let hundredths = (Double(part) / Double(total) * 10_000).rounded(.up)
        return Weight(clamping: Int(min(max(hundredths, 0), 10_000))).description
    }
}
