package import Extraction

/// The way through a whole migration, beside the single extraction: what to begin with, what is left, what may be deleted.
package protocol ProgressBackend: Sendable {
    /// What the monolith's traffic speaks for.
    /// - Parameters:
    ///   - since: seconds to look back.
    ///   - paths: patterns as in a route file: only what they take, as one candidate. Empty: all, grouped by resource.
    /// - Throws: `.invalid` for what is no pattern.
    func candidates(since: Double, paths: [String], limit: Int) async throws(AdminError) -> CandidatesReport

    /// Who answers how much.
    /// - Parameter unusedFor: seconds after which an endpoint of the monolith counts as unused.
    func burnDown(unusedFor: Double) async throws(AdminError) -> BurnDown

    /// What was stored when the extraction was retired; before that, what retiring it would leave behind.
    func retireReport(name: String) async throws(AdminError) -> RetireAnswer
}

/// A span of time as people write it in queries and options: `90m`, `12h`, `7d`.
package enum SpanText {
    /// In seconds, 1 to ten years; nil for anything else.
    package static func seconds(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()), number > 0,
            text.first?.isNumber == true
        else { return nil }
        let seconds = Double(number) * unit
        return seconds <= 3_660 * 86_400 ? seconds : nil
    }
}
