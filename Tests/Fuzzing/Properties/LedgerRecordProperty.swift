internal import DualWrite

/// Any bytes are one record or none. A record is written again as it was read; what recovery takes at a glance is what the
/// record says; folding and recovering never trap.
func checkLedgerRecord(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let all = Array(bytes)
    let glance = LedgerGlance(bytes)
    var recovery = LedgerRecovery()
    let isRecovered = recovery.add(bytes, at: LogPosition(segment: 1, offset: 1), origin: 0)
    try demand(isRecovered == (glance != nil), "recovery takes what cannot be glanced at, or does not take what can")
    _ = recovery.found()
    var fold = LedgerFold()
    guard let record = LedgerRecord(all) else {
        try demand(!fold.add(all), "folded, although it is no record")
        return .refused
    }
    try demand(record.encoded == all, "written otherwise than it was read")
    try demand(fold.add(all), "a record that cannot be folded")
    let rows = fold.take()
    try demand(rows.count == 1 && rows[0].id == record.facts.id, "another write's row")
    if let payload = rows[0].payload {
        guard case .carried? = LedgerRecord(payload) else {
            throw Violation("a payload that cannot be delivered again")
        }
    }
    guard let glance else { throw Violation("a record that cannot be glanced at") }
    try demand(
        glance.kind == record.kind && glance.sequence == record.facts.sequence && glance.id == record.facts.id
            && glance.at == record.facts.at && glance.lane == record.facts.lane
            && glance.primary == record.facts.primary,
        "the glance saw another write")
    try demand(
        all[glance.extraction].elementsEqual(record.facts.extraction.utf8)
            && all[glance.endpoint].elementsEqual(record.facts.endpoint.utf8), "the glance saw other names")
    switch record {
    case .outcome(_, let outcome):
        try demand(
            rows[0].answeredBy == outcome.answeredBy && rows[0].primaryStatus == outcome.status,
            "the row says another outcome")
        try demand(glance.answeredBy == outcome.answeredBy, "the glance saw another side")
    case .attempted(_, let attempts, _): try demand(glance.attempts == attempts, "the glance saw other attempts")
    case .carried(let write):
        try demand(
            glance.answeredBy == write.outcome?.answeredBy && glance.attempts == write.attempts
                && glance.isRetried == write.isRetried, "the glance saw another state")
    case .intent, .settled, .dead, .uncertain: break
    }
    return .accepted
}
