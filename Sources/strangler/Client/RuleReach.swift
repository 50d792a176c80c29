import AdminAPI
import Comparison

/// What a rule would hide beside the group that it was suggested for.
struct RuleReach: Encodable, Equatable {
    /// Groups of the same extraction with a difference that the rule speaks of.
    var groups = 0
    var mismatches = 0
    /// Of those groups, the most frequent first.
    var endpoints: [String] = []

    init(_ rule: SuggestedRule, _ others: [GroupReport]) {
        for group in others.sorted(by: { $0.count > $1.count })
        where group.differences.contains(where: { rule.reaches($0.grouped) }) {
            groups += 1
            mismatches &+= group.count
            if !endpoints.contains(group.endpoint) { endpoints.append(group.endpoint) }
        }
    }

    /// `also hides 3 other groups with 1,204 mismatches (GET /a, GET /b and 1 more)`
    var sentence: String {
        guard groups > 0 else { return "hides nothing else that is known" }
        let named = endpoints.prefix(3).map { TextLayout.cutMiddle($0, to: 60) }.joined(separator: ", ")
        let rest = endpoints.count - 3
        return "also hides \(ReportText.counted(groups, "other group")) with "
            + "\(ReportText.counted(mismatches, "mismatch", "mismatches")) (\(named)"
            + (rest > 0 ? " and \(rest) more)" : ")")
    }
}
