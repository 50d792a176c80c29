internal import Comparison
internal import DualWrite

/// Where each side has names of its own for things: both answers are compared in the primary's words.
extension PairComparison {
    /// - Returns: the shadow's answer with every identity whose partner is known replaced by it, and whether partners of others
    ///   may turn up yet, so that a difference proves nothing.
    func inPrimarysWords(_ subject: Subject, _ shadow: Answer) -> (answer: Answer, isUncertain: Bool) {
        guard let identity = subject.extraction.identity else { return (shadow, false) }
        let translated = identity.translated(
            shadow, from: subject.pair.exchange.shadowSide, find: identities.find(in: subject.extraction.name))
        return (translated.answer, translated.isUncertain)
    }
}
