// Rules have no endpoint: what one accepts at its place, it accepts everywhere in the extraction.

extension SuggestedRule {
    /// Why a rule is not proposed as it stands.
    package enum Restraint: Sendable, Equatable {
        /// It is shown, as a comment with this warning.
        case onlyAsComment(String)
        /// It is not shown; what to do in its place.
        case never(String)

        /// Nil for a place that is only a part of an answer.
        init?(ignoring path: String, _ kind: DifferenceKind) {
            guard let pattern = try? PathPattern(path) else { return nil }
            switch pattern.root {
            case .status:
                self = .onlyAsComment("hides the status of every endpoint, a 500 in place of a 200 too")
            case .header: return nil
            case .body: self = .never(Self.everyBody + Self.advice(kind))
            case .document:
                guard pattern.steps.allSatisfy({ $0.selector == .any }) else { return nil }
                self = .never(
                    Self.everyBody
                        + (pattern.steps.isEmpty
                            ? "Let both sides send a body of one type."
                            : "Its lines or elements have no names that a rule could speak of: let the service write "
                                + "them as the monolith does."))
            }
        }

        private static let everyBody = "a rule has no endpoint, so bodies would be compared at none of them any more. "

        private static func advice(_ kind: DifferenceKind) -> String {
            switch kind {
            case .format: "Let both sides send one media type, and what it says."
            case .missing, .extra: "Let the side without a body send one."
            default:
                "Only bytes can be compared here: give both answers the media type that they have, or keep them below "
                    + "the size up to which bodies are read."
            }
        }
    }

    /// Whether the rule speaks of this difference, wherever it was seen.
    package func reaches(_ difference: GroupedDifference) -> Bool {
        guard let rule = try? PathPattern(path), let place = try? PathPattern(difference.path) else { return false }
        if list == .ignore, rule.root == .body { return place.root == .body || place.root == .document }
        guard rule.root == place.root, rule.steps.count <= place.steps.count,
            zip(rule.steps, place.steps).allSatisfy({ $0.selector == .any || $0 == $1 })
        else { return false }
        switch list {
        case .ignore: return true
        case .unordered: return rule.steps.count == place.steps.count && difference.kind == .order
        case .tolerance, .matches: return rule.steps.count == place.steps.count && difference.kind == .value
        case .equivalence: return rule.steps.count == place.steps.count
        }
    }
}
