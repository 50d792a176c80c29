internal import Comparison
internal import DualWrite
internal import NIOCore
internal import Upstreams

/// Reads that name something whose other name is not known yet. It stands behind its lane's writes already, so what is left
/// to wait for is the store's answer, and a creation of another lane: not for long, since it keeps its lane's next write back.
extension ShadowLoop {
    struct IdentityHold {
        let job: Job
        let deadline: NIODeadline
        let waiter: IdentityDirectory.Waiter
        let timer: Scheduled<Void>
        let onEnd: (ShadowCall.Result, Int64) -> Void
    }

    private static let longestHold = TimeAmount.seconds(1)
    /// The primary has not found anything either: only what the store says at once counts.
    private static let shortHold = TimeAmount.milliseconds(250)
    /// As soon as this the store may be asked again.
    private static let lookAgain = TimeAmount.milliseconds(100)

    /// Asks again as soon as a partner is known, and now and then; says `identity-unmapped` when it has waited long enough.
    func hold(
        _ job: Job, for questions: [IdentityQuestion], until deadline: NIODeadline?,
        _ onEnd: @escaping (ShadowCall.Result, Int64) -> Void
    ) {
        let now = NIODeadline.now()
        let deadline = deadline ?? now + patience(with: job)
        guard now < deadline, stopped == nil else { return onEnd(.notAsked(.identityUnmapped), 0) }
        nextID += 1
        let id = nextID
        let loop = loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timer = loop.scheduleTask(deadline: min(deadline, now + ShadowLoop.lookAgain)) { bound.value.goOn(id) }
        let waiter = sender.identities.wait(for: questions) { loop.execute { bound.value.goOn(id) } }
        identityHolds[id] = IdentityHold(job: job, deadline: deadline, waiter: waiter, timer: timer, onEnd: onEnd)
    }

    private func goOn(_ id: UInt64) {
        guard let hold = identityHolds.removeValue(forKey: id) else { return }
        hold.timer.cancel()
        sender.identities.cancel(hold.waiter)
        ask(hold.job, shadow: true, heldUntil: hold.deadline, hold.onEnd)
    }

    private func patience(with job: Job) -> TimeAmount {
        let limit = job.settings.extractions[job.exchange.extraction].map { TimeAmount($0.identityWait) }
        if case .answered(let status) = job.exchange.outcome, status >= 400 { return ShadowLoop.shortHold }
        return min(limit ?? ShadowLoop.longestHold, ShadowLoop.longestHold)
    }

    /// Their jobs are counted by whoever stops.
    func stopHolding() {
        for hold in identityHolds.values {
            hold.timer.cancel()
            sender.identities.cancel(hold.waiter)
        }
        identityHolds.removeAll()
    }
}
