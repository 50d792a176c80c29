package import Extraction

/// What the proxy would do with a request: the JSON of `strangler explain`.
package struct ExplainReport: Sendable, Codable, Equatable {
    /// Nil: no route matches, the monolith answers.
    package var extraction: String?
    /// `GET /api/v1/orders/{id}`.
    package var endpoint: String
    /// `monolith` or `service`.
    package var primary: String
    /// `monolith`, `service`, or nil: nobody.
    package var shadow: String?
    /// One sentence.
    package var why: String
    package var stage: Stage?
    /// `file:line:column` of the route that matched.
    package var route: String?

    package init(
        extraction: String?, endpoint: String, primary: String, shadow: String?, why: String, stage: Stage? = nil,
        route: String? = nil
    ) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.primary = primary
        self.shadow = shadow
        self.why = why
        self.stage = stage
        self.route = route
    }

    /// All keys, with null for what there is not: scripts need no case for a missing key.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(extraction, forKey: .extraction)
        try fields.encode(endpoint, forKey: .endpoint)
        try fields.encode(primary, forKey: .primary)
        try fields.encode(shadow, forKey: .shadow)
        try fields.encode(why, forKey: .why)
        try fields.encode(stage, forKey: .stage)
        try fields.encode(route, forKey: .route)
    }
}

/// `Extraction.HistoryEntry` with all keys, null for what there is not; only decisions have a subject.
struct HistoryRow: Encodable {
    let entry: HistoryEntry

    private enum CodingKeys: String, CodingKey {
        case at, actor, action, from, to, reason, forced, evidence, subject, writes
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(entry.at, forKey: .at)
        try fields.encode(entry.actor, forKey: .actor)
        try fields.encode(entry.action, forKey: .action)
        try fields.encode(entry.from, forKey: .from)
        try fields.encode(entry.to, forKey: .to)
        try fields.encode(entry.reason, forKey: .reason)
        try fields.encode(entry.forced, forKey: .forced)
        try fields.encode(entry.evidence, forKey: .evidence)
        try fields.encodeIfPresent(entry.subject, forKey: .subject)
        try fields.encodeIfPresent(entry.writes, forKey: .writes)
    }
}
