import AdminAPI
import AsyncHTTPClient
import Comparison
import Extraction
import Foundation
import NIOCore
import NIOHTTP1
import ProxyConfiguration
import ShadowRunner
import Upstreams

extension ProxyBackend {
    /// Bytes of either answer; what is longer is not compared.
    private static let replayBodyLimit = 8 * 1024 * 1024
    /// Before a difference is believed: the data may have changed between the two answers.
    private static let replaySettleTime = Duration.milliseconds(250)

    func replay(signature: String, _ request: ReplayRequest) async throws(AdminError) -> ReplayReport {
        let detail = try await group(signature: signature)
        guard detail.examples.indices.contains(request.example) else {
            throw AdminError(
                .notFound, "the group has \(ReportText.counted(detail.examples.count, "example")), counted from 0")
        }
        let model = await keeper.model
        let index = model.slots.slot(of: detail.group.extraction) ?? -1
        let extractions = model.configuration.extractions
        guard let extraction = extractions.first(where: { $0.definition.name == detail.group.extraction }),
            model.shadow.extractions.indices.contains(index), let shadowed = model.shadow.extractions[index]
        else { throw unknown(detail.group.extraction, known: model.definitions.map(\.name)) }
        let example = detail.examples[request.example]
        var report = ReplayReport(
            example: request.example, examples: detail.examples.count, method: example.request.method,
            target: example.request.target, result: .skipped)
        switch ReplayPlan(example.request, supplied: request.headers, query: request.query) {
        case .skip(let reason): report.reason = reason
        case .ask(let plan):
            report.leftOut = plan.leftOut
            let replay = Replay(
                request: plan, monolith: UpstreamAddress(model.configuration.monolith).authority,
                service: UpstreamAddress(extraction.service).authority, timeout: extraction.shadowTimeout,
                comparer: shadowed.comparer, bodyLimit: Self.replayBodyLimit)
            let group = detail.group
            let noise = await learnedNoise().baseline(
                extraction: group.extraction, endpoint: group.endpoint, primary: await primary(of: group.extraction))
            await replay.run(example, of: detail.group, noise: noise, settle: Self.replaySettleTime, into: &report)
        }
        return report
    }
}

/// One recorded request, asked of both sides at once.
private struct Replay: Sendable {
    let request: ReplayPlan.Request
    let monolith: String
    let service: String
    let timeout: Duration
    let comparer: Comparer
    let bodyLimit: Int

    private enum Outcome {
        case answered(monolith: Answer, service: Answer)
        case failed(String)
    }

    func run(
        _ example: ExampleReport, of group: GroupReport, noise: NoiseBaseline?, settle: Duration,
        into report: inout ReplayReport
    ) async {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let isDifferent = await look(http, example, group, noise, &report)
        // As in comparing: data may change between the two answers, and need a moment until both sides have it.
        if isDifferent, (try? await Task.sleep(for: settle)) != nil {
            _ = await look(http, example, group, noise, &report)
        }
        try? await http.shutdown()
    }

    /// - Returns: whether they differ.
    private func look(
        _ http: HTTPClient, _ example: ExampleReport, _ group: GroupReport, _ noise: NoiseBaseline?,
        _ report: inout ReplayReport
    ) async -> Bool {
        report.result = .failed
        report.differences = []
        switch await ask(http) {
        case .failed(let reason): report.reason = reason
        case .answered(let primary, let shadow):
            report.monolithStatus = primary.status
            report.serviceStatus = shadow.status
            if let reason = Self.whyNoProof(primary, shadow, example, request.leftOut) {
                report.reason = reason
                return false
            }
            judge(primary, shadow, group, noise, &report)
        }
        return report.result == .differs
    }

    private func judge(
        _ primary: Answer, _ shadow: Answer, _ group: GroupReport, _ noise: NoiseBaseline?,
        _ report: inout ReplayReport
    ) {
        // At any field of the endpoint, not only at those of the group: the group was found while they were noise, too.
        let isReal = { (difference: Difference) in noise?.judge(GroupedDifference(difference)) != .noise }
        let result = comparer.compare(primary: primary, shadow: shadow, now: Date())
        report.differences = result.differences.filter(isReal)
        if report.differences.isEmpty {
            report.result = result.notCompared == nil ? .agrees : .failed
            report.reason = result.notCompared.map { "not compared: \($0.rawValue)" }
            return
        }
        report.result = .differs
        // After cutover the sides were recorded the other way round.
        let turned = comparer.compare(primary: shadow, shadow: primary, now: Date()).differences.filter(isReal)
        let known = Set(group.differences.map(\.grouped))
        let isSame = [report.differences, turned].contains { known.isSuperset(of: $0.map(GroupedDifference.init)) }
        report.sameDifferences = isSame
        report.reason = isSame ? nil : "they differ elsewhere than the group does"
    }

    /// Two sides that agree on another answer than the one that was recorded agree about nothing that was in question.
    private static func whyNoProof(
        _ monolith: Answer, _ service: Answer, _ example: ExampleReport, _ leftOut: [String]
    ) -> String? {
        let statuses = [monolith.status, service.status]
        if statuses.contains(where: { [401, 403].contains($0) }), !leftOut.isEmpty {
            return "answered \(statuses[0]) and \(statuses[1]) without \(leftOut.joined(separator: ", ")), "
                + "which was redacted: --header supplies it"
        }
        if let away = statuses.first(where: { (502...504).contains($0) }) { return "one side answered \(away)" }
        let recorded = Set([example.primary.status / 100, example.shadow.status / 100])
        guard statuses.contains(where: { recorded.contains($0 / 100) }) else {
            return "answered \(statuses[0]) and \(statuses[1]), but \(example.primary.status) when it was recorded"
        }
        return nil
    }

    private func ask(_ http: HTTPClient) async -> Outcome {
        async let first = answer(http, monolith)
        async let second = answer(http, service)
        switch (await first, await second) {
        case (.success(let monolith), .success(let service)): return .answered(monolith: monolith, service: service)
        case (.failure(let failure), _): return .failed("the monolith: \(failure.message)")
        case (_, .failure(let failure)): return .failed("the service: \(failure.message)")
        }
    }

    private func answer(_ http: HTTPClient, _ authority: String) async -> Result<Answer, ComparedSourceFailure> {
        var message = HTTPClientRequest(url: "http://\(authority)\(request.target)")
        message.method = HTTPMethod(rawValue: request.method)
        for field in request.headers { message.headers.add(name: field.name, value: field.value) }
        message.headers.replaceOrAdd(name: "Strangler-Shadow", value: "1")
        if let body = request.body { message.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            // A reviewer waits longer than a shadow does.
            let deadline = max(TimeAmount(timeout), .seconds(10))
            let response = try await http.execute(message, timeout: deadline)
            return .success(try await BoundedAnswer.read(response, limit: bodyLimit))
        } catch {
            return .failure(ComparedSourceFailure(message: FailureText.of(error)))
        }
    }
}
