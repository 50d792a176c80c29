import AdminAPI
import AsyncHTTPClient
import Comparison
import DualWrite
import Extraction
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

/// The admin address on a free port, and a client for it.
struct RunningAdmin {
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let text: String
    }

    let port: Int
    let task: Task<Void, any Error>
    let http = HTTPClient(eventLoopGroupProvider: .singleton)

    static func start(_ backend: SampleBackend, port: Int = 0) async throws -> RunningAdmin {
        let (ports, ready) = AsyncStream<Int>.makeStream()
        let server = AdminServer(backend: backend, host: "127.0.0.1", port: port, logger: Logger(label: "test"))
        let task = Task {
            defer { ready.finish() }
            try await server.run { ready.yield($0) }
        }
        for await port in ports { return RunningAdmin(port: port, task: task) }
        try await task.value
        throw CancellationError()
    }

    func stop() async throws {
        try await http.shutdown()
        task.cancel()
        try await task.value
    }

    func send(
        _ path: String, method: HTTPMethod, headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await http.execute(request, timeout: .seconds(20))
        let buffer = try await response.body.collect(upTo: 8 * 1024 * 1024)
        return Answer(
            status: Int(response.status.code), headers: response.headers, text: String(buffer: buffer))
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send(path, method: .GET, headers: headers)
    }

    func post(_ path: String, _ body: String, headers: [String: String] = [:]) async throws -> Answer {
        let headers = ["content-type": "application/json"].merging(headers) { $1 }
        return try await send(path, method: .POST, headers: headers, body: body)
    }

    func json(_ path: String) async throws -> JSONTree {
        let answer = try await get(path)
        #expect(answer.status == 200, "\(path) \(answer.text)")
        #expect(answer.headers.first(name: "content-type") == "application/json")
        return try JSONTree(answer.text)
    }
}

func withAdmin(
    _ backend: SampleBackend = SampleBackend(), _ body: (RunningAdmin) async throws -> Void
) async throws {
    let admin = try await RunningAdmin.start(backend)
    do {
        try await body(admin)
    } catch {
        try await admin.stop()
        throw error
    }
    try await admin.stop()
}

/// Holds a command until it is let through, so that a test can act in between.
final class Gateway: Sendable {
    private let arrived = AsyncStream<Void>.makeStream()
    private let opened = AsyncStream<Void>.makeStream()

    func reached() async { for await _ in arrived.stream { return } }
    func open() { opened.continuation.finish() }

    func pass() async {
        arrived.continuation.yield()
        for await _ in opened.stream {}
    }
}

/// What a proxy could report, without the proxy: these tests are about the address, not about what is behind it.
struct SampleBackend: AdminBackend {
    struct Performed: Sendable {
        let request: CommandRequest
        let name: String
        let actor: String
    }

    static let time = Date(timeIntervalSince1970: 1_795_233_600)
    static let signature = "7c1e5f0a9b8d4c3e"
    static let missing = "GET /api/v1/orders/{id}: needs 2995 clean comparisons, has 812"

    var report: ExtractionReport
    var detail: GroupDetail
    var failure: AdminError?
    var ready = true
    var configuration = ConfigurationReport(
        generation: 3, loadedAt: Self.time, digest: "00ff00ff00ff00ff", current: true)
    let gate: Gateway?
    let performed: PerformedLog
    let replayed = ReplayLog()
    let waived = WaivedLog()
    let decided = DecidedLog()
    let later = LaterChange()
    var replays: [ReplayReport]
    var otherGroups: [GroupReport] = []
    var entries: [HistoryEntry]?

    final class ReplayLog: Sendable {
        private let requests = Mutex<[ReplayRequest]>([])
        func withLock<Result: Sendable>(_ body: (inout [ReplayRequest]) -> Result) -> Result {
            requests.withLock { body(&$0) }
        }
    }

    /// What has become of the report since the test began.
    final class LaterChange: Sendable {
        private let change = Mutex<(@Sendable (inout ExtractionReport) -> Void)?>(nil)
        func set(_ body: @escaping @Sendable (inout ExtractionReport) -> Void) { change.withLock { $0 = body } }
        func applied(to report: ExtractionReport) -> ExtractionReport {
            var report = report
            change.withLock { $0 }?(&report)
            return report
        }
    }

    struct Waived: Sendable, Equatable {
        let request: WaiverRequest
        let isRevoked: Bool
        let actor: String
    }

    final class WaivedLog: Sendable {
        private let requests = Mutex<[Waived]>([])
        func withLock<Result: Sendable>(_ body: (inout [Waived]) -> Result) -> Result {
            requests.withLock { body(&$0) }
        }
    }

    final class PerformedLog: Sendable {
        private let commands = Mutex<[Performed]>([])
        func withLock<Result: Sendable>(_ body: (inout [Performed]) -> Result) -> Result {
            commands.withLock { body(&$0) }
        }
    }

    /// - Parameter text: stands wherever text from outside may stand.
    init(text: String? = nil, gate: Gateway? = nil) {
        self.gate = gate
        performed = PerformedLog()
        replays = [
            ReplayReport(
                example: 0, examples: 1, method: text ?? "GET", target: text ?? "/api/v1/orders/1", result: .differs,
                sameDifferences: true, reason: text, leftOut: [text ?? "authorization"], monolithStatus: 200,
                serviceStatus: 200,
                differences: [
                    Difference(path: text ?? "$.totalAmount", kind: .type, primary: "1", shadow: text ?? "\"1\"")
                ])
        ]
        let verdicts = VerdictReport(
            compared: 9, match: 7, mismatch: 2, shadowFailed: 1, notCompared: [text ?? "body-too-large": 1])
        report = ExtractionReport(
            extraction: text ?? "orders", stage: .shadow, weight: .none, since: Self.time,
            gate: GateReport(next: .cutover, open: false, missing: [text ?? Self.missing]), shadow: verdicts,
            backlog: 0, fallback: FallbackReport(window: 2_592_000, elapsed: 0, fellBack: 0, byReason: [:]),
            owner: text ?? "team-orders", problem: text ?? "Releases wait for the weekly train.",
            endpoints: [
                EndpointReport(
                    endpoint: text ?? "GET /api/v1/orders/{id}", verdicts: verdicts,
                    coverage: CoverageReport(
                        seen: 11, sampled: 10, shed: 1, circuitOpen: 0, compared: 9,
                        byStatusClass: [
                            "2xx": StatusClassReport(seen: 9, compared: 9, mismatch: 2),
                            text ?? "none": StatusClassReport(seen: 2, compared: 0, mismatch: 0),
                        ]),
                    latency: LatencyReport(
                        monolith: .init(answers: 9, p50: 3.14, p99: 12.6),
                        service: .init(answers: 9, p50: 0.123, p99: 1204)
                    ))
            ],
            storeConnected: true, traffic: TrafficReport(monolith: 1204, service: 0))
        report.rules = Self.rules(text: text)
        report.noise = Self.noise(text: text)
        report.noiseHidden = NoiseTotal(
            extraction: text ?? "orders", tally: RuleTally(pairs: 7_083, differences: 8_887, last: Self.time), fields: 2
        )
        report.losses = [text ?? "examples-dropped": 12]
        detail = Self.detail(text: text)
    }

    static func rules(text: String? = nil) -> [RuleReport] {
        let rule = { (rule: String, until: Date?, tally: RuleTally?) in
            RuleReport(
                extraction: text ?? "orders", rule: text ?? rule, because: text ?? "random per request", until: until,
                tally: tally, compared: 90_000, comparedSinceLoad: 5_000, now: time)
        }
        return [
            rule(
                "ignore $.requestId", time.addingTimeInterval(86_400),
                RuleTally(pairs: 11_204, differences: 11_300, last: time)),
            rule("tolerance $.items[*].prices[*].amount.value.exact", nil, nil),
            rule("ignore header.cache-control", time, RuleTally(pairs: 3, differences: 3, last: time)),
        ]
    }

    static func noise(text: String? = nil) -> [NoiseReport] {
        let scope = NoiseScope(
            extraction: text ?? "orders", endpoint: text ?? "GET /api/v1/orders/{id}", side: .monolith)
        let report = { (path: String, exceeds: Bool) in
            NoiseReport(
                scope, GroupedDifference(path: text ?? path, kind: .value), compared: NoiseCount(twins: 40, pairs: 800),
                differing: NoiseCount(twins: 39, pairs: 790), exceeds: exceeds)
        }
        return [report("$.etag", false), report("$.stock", true)]
    }

    private static func detail(text: String?) -> GroupDetail {
        let field = HeaderField(name: text ?? "content-type", value: text ?? "application/json")
        let answer = { (amount: String) in
            RecordedAnswer(
                status: 200, headers: [field], body: text ?? #"{"orderId":"ord_1","totalAmount":\#(amount)}"#,
                bodyBytes: 40)
        }
        let example = ExampleReport(
            at: time,
            request: RecordedRequest(
                method: text ?? "GET", target: text ?? "/api/v1/orders/1", headers: [field], body: text),
            primary: answer("149.98"), shadow: answer(#""149.98""#),
            differences: [
                Difference(
                    path: text ?? "$.totalAmount", kind: .type, primary: text ?? "149.98",
                    shadow: text ?? #""149.98""#)
            ])
        return GroupDetail(
            group: GroupReport(
                signature: text ?? signature, extraction: text ?? "orders",
                endpoint: text ?? "GET /api/v1/orders/{id}", state: text ?? "new", count: 2,
                differences: [GroupedDifference(path: text ?? "$.totalAmount", kind: .type)], firstSeen: time,
                lastSeen: time, stateAt: text == nil ? nil : time, stateBy: text, stateReason: text,
                history: text.map { [GroupEvent(at: time, state: $0, actor: $0, reason: $0)] }),
            examples: [example])
    }

    private func check() throws(AdminError) { if let failure { throw failure } }

    func reports(name: String?) async throws(AdminError) -> [ExtractionReport] {
        try check()
        guard name == nil || name == report.extraction else {
            throw AdminError(.notFound, "there is no extraction \(name ?? "")", reasons: ["known: orders"])
        }
        return [later.applied(to: report)]
    }

    func perform(
        _ request: CommandRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        try check()
        await gate?.pass()
        performed.withLock { $0.append(Performed(request: request, name: name, actor: actor)) }
        return report
    }

    func waive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        try check()
        waived.withLock { $0.append(Waived(request: request, isRevoked: false, actor: actor)) }
        return report
    }

    func unwaive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        try check()
        waived.withLock { $0.append(Waived(request: request, isRevoked: true, actor: actor)) }
        return report
    }

    func replicas() async throws(AdminError) -> [ReplicaReport] {
        try check()
        return report.replicas ?? []
    }

    func history(name: String, limit: Int) async throws(AdminError) -> [HistoryEntry] {
        try check()
        if let entries { return Array(entries.prefix(limit)) }
        return [
            HistoryEntry(
                at: Self.time, actor: "ann@host", action: "limit \(limit)",
                from: StagePoint(stage: .parallel, weight: .none), to: StagePoint(stage: .shadow, weight: .none),
                reason: nil, forced: true, evidence: StageEvidence(serviceHealthy: true, compared: 9, mismatch: 2))
        ]
    }

    func groups(extraction: String?) async throws(AdminError) -> [GroupReport] {
        try check()
        return [detail.group] + otherGroups
    }

    func group(signature: String) async throws(AdminError) -> GroupDetail {
        try check()
        return detail
    }

    func setGroupState(
        signature: String, state: String, actor: String, reason: String?
    ) async throws(AdminError) -> GroupReport {
        try check()
        var group = detail.group
        group.state = state
        group.stateAt = Self.time
        group.stateBy = actor
        group.stateReason = reason
        return group
    }

    func replay(signature: String, _ request: ReplayRequest) async throws(AdminError) -> ReplayReport {
        try check()
        replayed.withLock { $0.append(request) }
        guard replays.indices.contains(request.example) else { throw AdminError(.notFound, "no such example") }
        var report = replays[request.example]
        report.example = request.example
        return report
    }

    static let reconcile = ReconcileReport(
        run: 7, extraction: "orders", beganAt: time, endedAt: time, actor: "ann@host", reason: "after the outage",
        from: time, to: time, repair: true,
        counts: {
            var counts = ReconcileCounts(total: 3, nameless: 1)
            for result in [ReconcileFinding.Result.same, .repaired, .differs] { counts.add(result) }
            return counts
        }(),
        found: [
            ReconcileFinding(
                entity: "/api/v1/orders/1", result: .differs, primary: .service,
                differences: [Difference(path: "$.status", kind: .value, primary: "PAID", shadow: "CREATED")],
                reason: "not repaired")
        ])

    func beginReconcile(
        name: String, _ request: ReconcileRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport {
        try check()
        return Self.reconcile
    }

    func stepReconcile(
        name: String, run: Int, _ request: ReconcileStepRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport {
        try check()
        return Self.reconcile
    }

    func reconcileRuns(name: String, limit: Int) async throws(AdminError) -> [ReconcileReport] {
        try check()
        return [Self.reconcile]
    }

    func rules(extraction: String?) async throws(AdminError) -> [RuleReport] {
        try check()
        return report.rules ?? []
    }

    func noise(extraction: String?) async throws(AdminError) -> NoiseSummary {
        try check()
        return NoiseSummary(totals: report.noiseHidden.map { [$0] } ?? [], fields: report.noise ?? [])
    }

    func explain(
        method: String, url: String, cookie: String?, client: String?
    ) async throws(AdminError) -> ExplainReport {
        try check()
        return ExplainReport(
            extraction: nil, endpoint: "\(method) \(url) \(cookie ?? "-") \(client ?? "-")", primary: "monolith",
            shadow: nil, why: "no route matches")
    }

    func configurationReport() async -> ConfigurationReport { configuration }

    func reload(actor: String) async throws(AdminError) -> ConfigurationReport {
        guard configuration.errors.isEmpty else {
            throw AdminError(.refused, "the files cannot be loaded", reasons: configuration.errors)
        }
        return configuration
    }

    func metrics() async -> [MetricFamily] {
        [
            MetricFamily(
                name: "strangler_requests_total", help: "By \\ endpoint.\nAll of them.", kind: .counter,
                samples: [
                    .init(labels: [.init("endpoint", "GET /\"\nforged 1\\"), .init("side", "service")], value: 12),
                    .init(value: 0.5), .init(value: .infinity),
                ]),
            MetricFamily(name: "9bad name".replacing("9", with: "\n"), help: "x", kind: .gauge, samples: []),
        ]
    }

    func readiness() async -> Readiness {
        Readiness(ready: ready, checks: [.init(name: "postgres", ok: ready, detail: ready ? "connected" : "away")])
    }
}
