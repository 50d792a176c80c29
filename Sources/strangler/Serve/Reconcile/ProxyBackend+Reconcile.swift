import AdminAPI
import AsyncHTTPClient
import Comparison
import Contract
import DualWrite
import Extraction
import Foundation
import NIOCore
import PostgresStore
import ProxyConfiguration
import Routing
import ShadowRunner
import Upstreams

// Walks that reconcile. They run in the proxy, which knows both sides and the rules, but not on the loops that carry traffic;
// where one stands is in Postgres only, so that any proxy goes on with it, also after this one was killed.
extension ProxyBackend {
    private static let period = 24.0 * 3_600
    private static let stages: [Stage] = [.shadow, .cutover, .fallback]
    /// Of one answer: the eight that may be waited for in vain are over before a client of the admin address gives up.
    private static let longestRead = Duration.seconds(4)
    private static let settleTime = Duration.milliseconds(250)

    func beginReconcile(
        name: String, _ request: ReconcileRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport {
        let (extraction, _, _) = try await reconcilable(name)
        let to = request.to ?? Date()
        let from = request.from ?? to.addingTimeInterval(-Self.period)
        guard from < to else { throw AdminError(.invalid, "`from` has to be before `to`") }
        try await nameDeadWrites(of: extraction, from: from, to: to)
        let run = try await asking { store in
            try await store.beginReconcile(
                extraction: name, from: from, to: to, repairs: request.repair,
                counts: try await store.entities(extraction: name, from: from, to: to), actor: actor,
                reason: request.reason)
        }
        return ReconcileReport(run)
    }

    func stepReconcile(
        name: String, run number: Int, _ request: ReconcileStepRequest, actor: String
    ) async throws(AdminError) -> ReconcileReport {
        let (extraction, stage, shadowed) = try await reconcilable(name)
        guard let run = try await asking({ try await $0.reconcileRun(number, extraction: name) }) else {
            throw AdminError(.notFound, "there is no run \(number) of \(name)")
        }
        guard run.endedAt == nil else { return ReconcileReport(run) }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let model = await keeper.model
        let reading = EntityReading(
            extraction: name, http: http, monolith: UpstreamAddress(model.configuration.monolith).authority,
            service: UpstreamAddress(extraction.service).authority, headers: request.headers,
            timeout: TimeAmount(min(extraction.shadowTimeout, Self.longestRead)), comparer: shadowed.comparer,
            readable: ReadablePaths(extraction, model.configuration), noise: await learnedNoise(),
            seams: seams(of: name, shadowed),
            settle: Self.settleTime)
        let taken: Result<ReconcileReport, AdminError> = await step(
            run, reading, stage, puts: extraction.definition.writeRules.reconcilesByPut, rate: request.rate,
            actor: actor)
        try? await http.shutdown()
        return try taken.get()
    }

    private func step(
        _ run: StoredReconcileRun, _ reading: EntityReading, _ stage: Stage, puts: Bool, rate: Int, actor: String
    ) async -> Result<ReconcileReport, AdminError> {
        do throws(AdminError) {
            return .success(
                try await asking { store in
                    let repair = EntityRepair(
                        reading: reading, store: store, actor: actor,
                        reason: run.reason ?? "reconcile run \(run.id)", puts: puts)
                    let step = ReconcileStep(
                        run: run, store: store, stage: stage, reading: reading, repair: run.repairs ? repair : nil,
                        rate: rate)
                    let (walk, isOver) = try await step.take()
                    guard try await store.saveReconcile(run.id, from: run.place, walk, isOver: isOver) else {
                        throw AdminError(.conflict, "somebody else goes on with run \(run.id)")
                    }
                    let stored = try await store.reconcileRun(run.id, extraction: run.extraction) ?? run
                    var report = ReconcileReport(stored)
                    report.halted = walk.halted
                    return report
                })
        } catch {
            return .failure(error)
        }
    }

    func reconcileRuns(name: String, limit: Int) async throws(AdminError) -> [ReconcileReport] {
        do throws(StageKeeper.Failure) {
            _ = try await keeper.find(name)
        } catch {
            throw adminError(error, name: name)
        }
        return try await asking { try await $0.reconcileRuns(extraction: name, limit: limit) }.map(ReconcileReport.init)
    }

    private func reconcilable(
        _ name: String
    ) async throws(AdminError) -> (ExtractionConfiguration, Stage, ShadowedExtraction) {
        let model = await keeper.model
        let index = model.slots.slot(of: name) ?? -1
        guard let extraction = model.configuration.extractions.first(where: { $0.definition.name == name }),
            model.shadow.extractions.indices.contains(index), let shadowed = model.shadow.extractions[index]
        else { throw unknown(name, known: model.definitions.map(\.name)) }
        guard extraction.definition.writes == .dualWrite else {
            throw AdminError(.refused, "\(name): refused", reasons: ["its writes go to one side only (writes: never)"])
        }
        let stage = await keeper.states[name]?.stage ?? .identified
        guard Self.stages.contains(stage) else {
            throw AdminError(
                .refused, "\(name): refused",
                reasons: ["it is at stage \(stage.rawValue), where writes go to one side only"])
        }
        return (extraction, stage, shadowed)
    }

    /// A write that was given up before it was delivered says nowhere yet what it was about; it does in what is kept of it.
    private func nameDeadWrites(
        of extraction: ExtractionConfiguration, from: Date, to: Date
    ) async throws(AdminError) {
        let readable = ReadablePaths(extraction, await keeper.model.configuration)
        let name = extraction.definition.name
        try await asking { store in
            var last: WriteID?
            while true {
                let page = try await store.namelessPayloads(
                    extraction: name, from: from, to: to, after: last, limit: 100)
                guard let end = page.last?.id else { return }
                last = end
                try await store.name(
                    page.compactMap { id, payload in
                        guard let write = reconciling.opened(id, payload),
                            let entity = EntityPath.of(write, rules: extraction.rules.identity, in: readable)
                        else { return nil }
                        return (id, entity)
                    })
            }
        }
    }
}

extension ReadablePaths {
    /// What the contract lets one GET; without a contract, what the routes take with GET.
    init(_ extraction: ExtractionConfiguration, _ configuration: ProxyConfiguration) {
        guard let contract = extraction.contract else {
            let routes = configuration.routes.filter { route in
                configuration.extractions[route.extraction].definition.name == extraction.definition.name
                    && (route.methods.isEmpty || route.methods.contains("GET"))
            }
            self.init(routes.map(\.pattern.text))
            return
        }
        self.init(
            contract.endpoints.compactMap { $0.hasPrefix("GET ") ? String($0.dropFirst("GET ".count)) : nil })
    }
}

extension ReconcileReport {
    init(_ run: StoredReconcileRun) {
        self.init(
            run: run.id, extraction: run.extraction, beganAt: run.beganAt, endedAt: run.endedAt, actor: run.actor,
            reason: run.reason, from: run.from, to: run.to, repair: run.repairs, counts: run.counts, found: run.found)
    }
}

extension ProxyBackend {
    /// With this process's names and ledger.
    private func seams(of name: String, _ shadowed: ShadowedExtraction) -> ReconcileSeams {
        var seams = reconciling.naming(by: shadowed.identity, extraction: name)
        seams.retry = { (write, _, actor, reason) async throws(AdminError) in
            _ = try await decide(.retry, write: write.description, reason: reason, actor: actor)
        }
        return seams
    }
}
