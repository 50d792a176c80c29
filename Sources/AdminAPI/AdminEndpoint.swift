import Extraction
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Everything the admin address answers. The router, the handlers and the test of the OpenAPI document all go by this
/// list, so none of them can leave one out.
package enum AdminEndpoint: CaseIterable, Sendable {
    case console, groupPage
    case extractions, extraction, history
    case advance, cutover, ramp, pause, resume, rollback, retire
    case waive, unwaive, replicas
    case groups, group, groupState, replay
    case rules, noise
    case candidates, burnDown, retireReport
    case reconcile, reconcileStep, reconcileRuns
    case writes, retryWrite, settleWrite
    case explain, openAPI
    case configuration, reload
    case metrics, health, readiness

    /// `GET` or `POST`.
    package var method: String {
        switch self {
        case .advance, .cutover, .ramp, .pause, .resume, .rollback, .retire, .waive, .unwaive, .groupState, .replay,
            .reconcile, .reconcileStep, .reload, .retryWrite, .settleWrite:
            "POST"
        default: "GET"
        }
    }

    /// With `{name}` for parameters.
    package var path: String {
        switch self {
        case .console: "/"
        case .groupPage: "/groups/{signature}"
        case .extractions: "/api/v1/extractions"
        case .extraction: "/api/v1/extractions/{name}"
        case .advance: "/api/v1/extractions/{name}/advance"
        case .cutover: "/api/v1/extractions/{name}/cutover"
        case .ramp: "/api/v1/extractions/{name}/ramp"
        case .pause: "/api/v1/extractions/{name}/pause"
        case .resume: "/api/v1/extractions/{name}/resume"
        case .waive: "/api/v1/extractions/{name}/waive"
        case .unwaive: "/api/v1/extractions/{name}/unwaive"
        case .replicas: "/api/v1/replicas"
        case .rollback: "/api/v1/extractions/{name}/rollback"
        case .retire: "/api/v1/extractions/{name}/retire"
        case .history: "/api/v1/extractions/{name}/history"
        case .groups: "/api/v1/groups"
        case .group: "/api/v1/groups/{signature}"
        case .groupState: "/api/v1/groups/{signature}/state"
        case .replay: "/api/v1/groups/{signature}/replay"
        case .rules: "/api/v1/rules"
        case .noise: "/api/v1/noise"
        case .candidates: "/api/v1/candidates"
        case .burnDown: "/api/v1/burn-down"
        case .retireReport: "/api/v1/extractions/{name}/retire-report"
        case .reconcile, .reconcileRuns: "/api/v1/extractions/{name}/reconcile"
        case .reconcileStep: "/api/v1/extractions/{name}/reconcile/{run}"
        case .writes: "/api/v1/extractions/{name}/writes"
        case .retryWrite: "/api/v1/writes/{id}/retry"
        case .settleWrite: "/api/v1/writes/{id}/settle"
        case .explain: "/api/v1/explain"
        case .openAPI: "/api/v1/openapi.json"
        case .configuration: "/api/v1/configuration"
        case .reload: "/api/v1/configuration/reload"
        case .metrics: "/metrics"
        case .health: "/healthz"
        case .readiness: "/readyz"
        }
    }
}

/// Answers requests from a backend.
struct AdminHandlers: Sendable {
    let backend: any AdminBackend
    let console: Console

    func answer(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        switch endpoint {
        case .console: return await console.overview(backend, now: Date())
        case .groupPage: return await console.group(try request.parameter("signature"), backend)
        case .extractions: return try .json(try await backend.reports(name: nil))
        case .extraction: return try await extraction(request)
        case .advance, .cutover, .ramp, .pause, .resume, .rollback, .retire:
            return try await command(endpoint, request)
        case .waive, .unwaive: return try await waiver(endpoint, request)
        case .replicas: return try .json(try await backend.replicas())
        case .history: return try await history(request)
        case .groups: return try await groups(request)
        case .group: return try .json(try await backend.group(signature: try request.parameter("signature")))
        case .groupState: return try await groupState(request)
        case .replay: return try await replay(request)
        case .rules: return try .json(try await backend.rules(extraction: request.query("extraction")))
        case .noise: return try .json(try await backend.noise(extraction: request.query("extraction")))
        case .candidates, .burnDown, .retireReport: return try await progress(endpoint, request)
        case .reconcile, .reconcileStep, .reconcileRuns: return try await reconcile(endpoint, request)
        case .writes, .retryWrite, .settleWrite: return try await writes(endpoint, request)
        case .explain: return try await explain(request)
        case .configuration: return try .json(await backend.configurationReport())
        case .reload: return try .json(try await backend.reload(actor: request.actor))
        case .openAPI: return .text(OpenAPI.document.utf8, contentType: "application/json")
        case .metrics:
            return .text(
                PrometheusText.render(await backend.metrics()).utf8, contentType: PrometheusText.contentType)
        case .health: return .text("ok\n".utf8, contentType: "text/plain; charset=utf-8")
        case .readiness:
            let readiness = await backend.readiness()
            return try .json(readiness, status: readiness.ready ? .ok : .serviceUnavailable)
        }
    }

    private func extraction(_ request: AdminRequest) async throws -> Response {
        let name = try request.parameter("name")
        guard let report = try await backend.reports(name: name).first(where: { $0.extraction == name }) else {
            throw AdminError(.notFound, "there is no extraction called \(name)")
        }
        return try .json(report)
    }

    private func command(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        let name = try request.parameter("name")
        let body = try await request.body(CommandBody.self)
        let command = CommandRequest(
            command: try Self.stageCommand(endpoint, body), reason: try AdminRequest.reason(body.reason),
            force: body.force, atOnce: body.now)
        if body.now, endpoint != .cutover, endpoint != .rollback {
            throw AdminError(.invalid, "only rollback and cutover take `now`")
        }
        // Not only where something stands in the way: who means to override has to say why before looking.
        if command.force, command.reason == nil {
            throw AdminError(.refused, "\(name): refused", reasons: ["force needs a reason, it goes into the history"])
        }
        return try .json(try await backend.perform(command, on: name, actor: request.actor))
    }

    private func waiver(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        let name = try request.parameter("name")
        let body = try await request.body(WaiverBody.self)
        let waiver = WaiverRequest(subject: body.subject, reason: try AdminRequest.reason(body.reason))
        if endpoint == .unwaive {
            return try .json(try await backend.unwaive(waiver, on: name, actor: request.actor))
        }
        guard waiver.reason != nil else {
            throw AdminError(
                .refused, "\(name): refused", reasons: ["a waiver needs a reason: it stands in place of evidence"])
        }
        return try .json(try await backend.waive(waiver, on: name, actor: request.actor))
    }

    private static func stageCommand(
        _ endpoint: AdminEndpoint, _ body: CommandBody
    ) throws(AdminError) -> StageCommand {
        if endpoint == .cutover {
            guard let target = body.to else {
                throw AdminError(.invalid, "cutover needs `to`, a weight like 25 or \"12.5%\"")
            }
            return .cutover(try weight(target), of: body.of ?? .all)
        }
        guard body.of == nil else { throw AdminError(.invalid, "only cutover takes `of`") }
        if endpoint == .advance { return .advance(to: try body.to.map(stage)) }
        guard body.to == nil else { throw AdminError(.invalid, "only advance and cutover take `to`") }
        switch endpoint {
        case .ramp: return .ramp
        case .pause: return .pause
        case .resume: return .resume
        case .retire: return .retire
        case .rollback: return .rollback
        default: throw AdminError(.invalid, "there is no such command")
        }
    }

    private static func weight(_ target: CommandBody.Target) throws(AdminError) -> Weight {
        switch target {
        case .weight(let weight): return weight
        case .text(let text):
            guard let weight = Weight(parsing: text) else {
                throw AdminError(.invalid, "\(text) is not a weight: 0% to 100%, with up to two decimals")
            }
            return weight
        }
    }

    private static func stage(_ target: CommandBody.Target) throws(AdminError) -> Stage {
        guard case .text(let text) = target else {
            throw AdminError(.invalid, "`to` of advance is a stage; cutover sets weights")
        }
        guard let stage = Stage(rawValue: text) else {
            let known = Stage.allCases.map(\.rawValue).joined(separator: ", ")
            throw AdminError(.invalid, "\(text) is not a stage; stages are \(known)")
        }
        return stage
    }

    private func history(_ request: AdminRequest) async throws -> Response {
        let entries = try await backend.history(
            name: try request.parameter("name"), limit: try request.limit(default: 100))
        return try .json(entries.map { HistoryRow(entry: $0) })
    }

    private func groups(_ request: AdminRequest) async throws -> Response {
        let state = request.query("state")
        if let state, !GroupReport.states.contains(state) {
            throw AdminError(
                .invalid, "\(state) is not a state; those are \(GroupReport.states.joined(separator: ", "))")
        }
        let groups = try await backend.groups(extraction: request.query("extraction"))
        return try .json(groups.filter { state == nil || $0.state == state })
    }

    private func groupState(_ request: AdminRequest) async throws -> Response {
        let body = try await request.body(GroupStateBody.self)
        guard GroupReport.settableStates.contains(body.state) else {
            let known = GroupReport.settableStates.joined(separator: ", ")
            throw AdminError(.invalid, "\(body.state) is not a state that can be set; those are \(known)")
        }
        return try .json(
            try await backend.setGroupState(
                signature: try request.parameter("signature"), state: body.state, actor: request.actor,
                reason: try AdminRequest.reason(body.reason)))
    }

    private func replay(_ request: AdminRequest) async throws -> Response {
        let body = try await request.body(ReplayRequest.self)
        guard body.example >= 0, body.headers.allSatisfy(ReplayRequest.isSendable) else {
            throw AdminError(.invalid, "`example` counts from 0, and `headers` are fields that a client may set")
        }
        return try .json(try await backend.replay(signature: try request.parameter("signature"), body))
    }

    private func explain(_ request: AdminRequest) async throws -> Response {
        guard let url = request.query("url") else { throw AdminError(.invalid, "explain needs `url`") }
        return try .json(
            try await backend.explain(
                method: (request.query("method") ?? "GET").uppercased(), url: url, cookie: request.query("cookie"),
                client: request.query("client")))
    }
}
