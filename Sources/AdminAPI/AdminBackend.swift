package import Extraction

/// What the admin address shows and changes. Implemented by the executable, which alone knows the running proxy, its
/// store and its configuration; this module only speaks HTTP about it.
package protocol AdminBackend: ProgressBackend, ReconcileBackend, WritesBackend {
    /// One report, or with nil all of them in the order of their names.
    /// - Throws: `.notFound` for a name that no route file defines, here and below; with the names that one does as
    ///   a reason, since it is mostly a slip.
    func reports(name: String?) async throws(AdminError) -> [ExtractionReport]

    /// Judges a command and stores the change; returns the report after it.
    /// - Throws: `.refused` with every reason when a gate or the stage forbids it, `.conflict` when somebody else
    ///   changed the extraction meanwhile.
    func perform(
        _ request: CommandRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport

    /// Lets an endpoint or a gap pass the gate without evidence; returns the report after it.
    /// - Throws: `.refused` for a subject that does not exist, with the near ones as reasons.
    func waive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport

    /// Takes a waiver back.
    /// - Throws: `.refused` where there is none.
    func unwaive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport

    /// Every proxy that runs, or that fell silent.
    func replicas() async throws(AdminError) -> [ReplicaReport]

    /// The newest entries first, at most `limit`.
    func history(name: String, limit: Int) async throws(AdminError) -> [HistoryEntry]

    /// The groups of mismatches of one extraction, or with nil of all; the most frequent first.
    func groups(extraction: String?) async throws(AdminError) -> [GroupReport]

    /// - Parameter signature: a beginning is enough if only one signature has it.
    func group(signature: String) async throws(AdminError) -> GroupDetail

    /// - Parameters:
    ///   - signature: as for ``group(signature:)``.
    ///   - state: one of ``GroupReport/settableStates``.
    func setGroupState(
        signature: String, state: String, actor: String, reason: String?
    ) async throws(AdminError) -> GroupReport

    /// Asks both sides one recorded request of a group again, if it changes nothing.
    ///
    /// - Parameter signature: as for ``group(signature:)``.
    func replay(signature: String, _ request: ReplayRequest) async throws(AdminError) -> ReplayReport

    /// Every rule that can hide a difference, of one extraction or with nil of all, and what it hid.
    func rules(extraction: String?) async throws(AdminError) -> [RuleReport]

    /// Where the primary was seen to disagree with itself and what that hid, at one extraction or with nil at all.
    func noise(extraction: String?) async throws(AdminError) -> NoiseSummary

    /// What the proxy would do with a request.
    /// - Parameters:
    ///   - url: a path with an optional query, or an absolute URL.
    ///   - cookie: the value of a `Cookie` header.
    ///   - client: the client's IP address.
    func explain(
        method: String, url: String, cookie: String?, client: String?
    ) async throws(AdminError) -> ExplainReport

    func configurationReport() async -> ConfigurationReport

    /// Loads the files anew.
    /// - Throws: `.refused` with everything that is wrong in them; nothing was changed then.
    func reload(actor: String) async throws(AdminError) -> ConfigurationReport

    func metrics() async -> [MetricFamily]

    func readiness() async -> Readiness
}

/// A stage command as it was asked for.
package struct CommandRequest: Sendable, Equatable {
    package var command: StageCommand
    /// Goes into history.
    package var reason: String?
    /// Override a closed gate.
    package var force: Bool
    /// Of a rollback or a lower weight: lanes change sides before their writes are delivered.
    package var atOnce: Bool

    package init(command: StageCommand, reason: String? = nil, force: Bool = false, atOnce: Bool = false) {
        self.command = command
        self.reason = reason
        self.force = force
        self.atOnce = atOnce
    }
}

/// What may pass without evidence, and why.
package struct WaiverRequest: Sendable, Equatable {
    /// `GET /api/v1/orders/{id}`, or `gap 12`.
    package var subject: String
    package var reason: String?

    package init(subject: String, reason: String?) {
        self.subject = subject
        self.reason = reason
    }
}

/// Why the backend did not do what it was asked for. The one place that maps to HTTP is `Problem`.
package struct AdminError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case notFound = "not-found"
        /// A gate is closed, or the stage does not allow the command.
        case refused
        /// Somebody else changed it meanwhile; ask again.
        case conflict
        /// Postgres cannot be reached; nothing was changed.
        case storeUnavailable = "store-unavailable"
        case invalid
    }

    package var code: Code
    /// One sentence.
    package var message: String
    /// Each a sentence a person can act on.
    package var reasons: [String]

    package init(_ code: Code, _ message: String, reasons: [String] = []) {
        self.code = code
        self.message = message
        self.reasons = reasons
    }

    package var description: String { ([message] + reasons).joined(separator: "; ") }
}
