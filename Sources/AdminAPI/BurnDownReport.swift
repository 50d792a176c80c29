package import Extraction

// `BurnDown` is answered as it is. In words:
extension ReportText {
    /// `the monolith answered 61% of the last day's requests; by week: 100% → 92% → 61%`
    package static func left(_ report: BurnDown) -> String {
        guard let left = report.left else {
            return report.countingSince == nil ? "no request was counted yet" : "no request in the last week"
        }
        let course = report.courseSaid
        return "the monolith answers \(share(left)) of the requests"
            + (report.course.compactMap(\.left).count > 1 ? "; by week: \(course)" : "")
    }

    /// `orders, fallback: 38%, of which the service answers 100%`
    package static func service(_ span: BurnDown.Span) -> String {
        span.requests > 0 ? share(Double(span.service) / Double(span.requests)) : "–"
    }
}
