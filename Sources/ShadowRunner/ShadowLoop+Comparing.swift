internal import NIOCore

/// Pairs on their way to the workers and back.
extension ShadowLoop {
    func compare(_ pair: FinishedPair) {
        unjudged += 1
        if pair.isAnswered {
            compared += 1
            bytes += pair.heldBytes
        }
        outbox.append(pair)
        guard outbox.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.sendOutbox() }
    }

    func sendOutbox() {
        guard !outbox.isEmpty else { return }
        let pairs = outbox
        outbox.removeAll(keepingCapacity: true)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        judge(pairs) { judgements in
            loop.execute {
                for (pair, judgement) in zip(pairs, judgements) { bound.value.judged(pair, judgement) }
            }
        }
    }

    func judged(_ pair: FinishedPair, _ judgement: PairComparison.Judgement) {
        unjudged -= 1
        if pair.isAnswered {
            compared -= 1
            bytes -= pair.heldBytes
        }
        if judgement.wantsTwin {
            let job = Job(
                exchange: pair.exchange, settings: pair.settings, bytes: pair.exchange.heldBytes, number: 0)
            _ = askTwin(job, learning: true)
        }
        if let suspicion = judgement.askAgain {
            var pair = pair
            pair.suspicion = suspicion
            if stopped == nil { settle(pair) } else { compare(pair.final) }
        }
        if pair.look == .second { secondLookEnded() }
        succeedWhenDone()
    }

    /// When stopping.
    func succeedWhenDone() {
        if unjudged == 0, recordsAreWritten { stopped?.succeed() }
    }
}
