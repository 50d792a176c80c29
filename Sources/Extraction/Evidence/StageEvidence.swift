package import FoundationEssentials

/// What is known at the moment a command is judged. Stored in history as JSON beside the change it led to, so that
/// a later reader sees what the decision was based on.
package struct StageEvidence: Sendable, Codable, Equatable {
    /// The service's health check: nil while it has not been asked.
    package var serviceHealthy: Bool?
    /// Comparisons since the current stage was entered.
    package var compared: Int
    package var match: Int
    package var mismatch: Int
    /// Of `mismatch`, those of groups that somebody has accepted: gates leave them out.
    package var accepted: Int
    /// Groups of differences that were fixed and have come back.
    package var regressedGroups: Int
    /// Writes that the other side has not got yet, on all replicas.
    package var writeBacklog: Int
    /// Writes that were given up, and that nobody knows the outcome of: they wait for a person.
    package var deadWrites: Int
    package var uncertainWrites: Int
    /// Requests that the monolith answered in the service's place since the stage was entered.
    package var fellBackTotal: Int
    package var lastFellBackAt: Date?
    /// What the contract does not cover, a sentence each.
    package var contractProblems: [String]
    /// By endpoint, in the order of their names: those of the contract and of the routes, and all that were asked for.
    package var endpoints: [EndpointEvidence]
    /// Within the present stage.
    package var gaps: [EvidenceGap]
    /// Replicas that are not heard of, and may have counted what is not known here.
    package var silentReplicas: [String]
    /// Of the monolith's own answers; empty where nothing was checked.
    package var conformance: [ConformanceEvidence]
    /// What the guard had found, where it was asked.
    package var findings: GuardFindings?

    package init(
        serviceHealthy: Bool? = nil, compared: Int = 0, match: Int = 0, mismatch: Int = 0, accepted: Int = 0,
        regressedGroups: Int = 0, writeBacklog: Int = 0, deadWrites: Int = 0, uncertainWrites: Int = 0,
        fellBackTotal: Int = 0, lastFellBackAt: Date? = nil,
        contractProblems: [String] = [], endpoints: [EndpointEvidence] = [], gaps: [EvidenceGap] = [],
        silentReplicas: [String] = [],
        conformance: [ConformanceEvidence] = [], findings: GuardFindings? = nil
    ) {
        self.serviceHealthy = serviceHealthy
        self.compared = compared
        self.match = match
        self.mismatch = mismatch
        self.accepted = accepted
        self.regressedGroups = regressedGroups
        self.writeBacklog = writeBacklog
        self.deadWrites = deadWrites
        self.uncertainWrites = uncertainWrites
        self.fellBackTotal = fellBackTotal
        self.lastFellBackAt = lastFellBackAt
        self.contractProblems = contractProblems
        self.endpoints = endpoints
        self.gaps = gaps
        self.silentReplicas = silentReplicas
        self.conformance = conformance
        self.findings = findings
    }

    /// Reads what older versions wrote too: history is append-only, and evidence grows new fields.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        serviceHealthy = try fields.decodeIfPresent(Bool.self, forKey: .serviceHealthy)
        compared = try fields.decodeIfPresent(Int.self, forKey: .compared) ?? 0
        match = try fields.decodeIfPresent(Int.self, forKey: .match) ?? 0
        mismatch = try fields.decodeIfPresent(Int.self, forKey: .mismatch) ?? 0
        accepted = try fields.decodeIfPresent(Int.self, forKey: .accepted) ?? 0
        regressedGroups = try fields.decodeIfPresent(Int.self, forKey: .regressedGroups) ?? 0
        writeBacklog = try fields.decodeIfPresent(Int.self, forKey: .writeBacklog) ?? 0
        deadWrites = try fields.decodeIfPresent(Int.self, forKey: .deadWrites) ?? 0
        uncertainWrites = try fields.decodeIfPresent(Int.self, forKey: .uncertainWrites) ?? 0
        fellBackTotal = try fields.decodeIfPresent(Int.self, forKey: .fellBackTotal) ?? 0
        lastFellBackAt = try fields.decodeIfPresent(Date.self, forKey: .lastFellBackAt)
        contractProblems = try fields.decodeIfPresent([String].self, forKey: .contractProblems) ?? []
        endpoints = try fields.decodeIfPresent([EndpointEvidence].self, forKey: .endpoints) ?? []
        gaps = try fields.decodeIfPresent([EvidenceGap].self, forKey: .gaps) ?? []
        silentReplicas = try fields.decodeIfPresent([String].self, forKey: .silentReplicas) ?? []
        conformance = try fields.decodeIfPresent([ConformanceEvidence].self, forKey: .conformance) ?? []
        findings = try fields.decodeIfPresent(GuardFindings.self, forKey: .findings)
    }
}
