import Hummingbird

extension AdminHandlers {
    func reconcile(_ endpoint: AdminEndpoint, _ request: AdminRequest) async throws -> Response {
        let name = try request.parameter("name")
        switch endpoint {
        case .reconcileRuns:
            return try .json(
                try await backend.reconcileRuns(name: name, limit: try request.limit(default: 10)))
        case .reconcileStep:
            guard let run = Int(try request.parameter("run")), run > 0 else {
                throw AdminError(.invalid, "a run is named by its number")
            }
            let body = try await request.body(ReconcileStepRequest.self)
            guard body.isSensible else {
                throw AdminError(.invalid, "`rate` is 1 to 1000, and `headers` are fields that a client may set")
            }
            return try .json(try await backend.stepReconcile(name: name, run: run, body, actor: request.actor))
        default:
            var body = try await request.body(ReconcileRequest.self)
            body.reason = try AdminRequest.reason(body.reason)
            if body.repair, body.reason == nil {
                throw AdminError(
                    .refused, "\(name): refused", reasons: ["a repair needs a reason: it is kept with the run"])
            }
            return try .json(try await backend.beginReconcile(name: name, body, actor: request.actor))
        }
    }
}
