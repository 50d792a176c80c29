import AdminAPI
import Extraction
import Foundation

extension ExtractionReport {
    /// In the middle of a ramp, with everything that can stand beside it.
    /// - Parameter text: stands wherever text from outside may stand.
    static func moving(text: String? = nil) -> ExtractionReport {
        let time = SampleBackend.time
        var report = SampleBackend(text: text).report
        report.stage = .cutover
        let quarter = Weight(clamping: 2_500)
        report.weight = quarter
        report.weights = WeightsReport(Weights(reads: quarter, writes: Weight(clamping: 500)))
        report.version = 12
        report.gate = GateReport(
            Gate(
                next: .fallback,
                requirements: [
                    .missing("weight", text ?? "the service answers 25% of reads, 5% of writes, fallback needs 100%"),
                    .met("bake", text ?? "the weight has held for 2 h"),
                ]))
        report.hold = Hold(cause: .paused, by: text ?? "ann@host", reason: text ?? "release freeze", at: time)
        report.guard = GuardStatus(findings: .sample(text: text), holder: "web-1:4711-4f2a91c0", interval: 5)
        let definition = ExtractionDefinition.sample
        let state = ExtractionState(
            name: "orders", stage: .cutover, weights: Weights(quarter), since: time, version: 12, windowStartedAt: nil,
            isRamping: true, bakingSince: time)
        report.ramp = RampReport(
            state: state, definition: definition, findings: .sample(), now: time.addingTimeInterval(600))
        report.waivers = [
            WaiverReport(
                subject: text ?? "DELETE /api/v1/orders/{id}",
                Waiver(actor: text ?? "ann@host", reason: text ?? "only by hand", at: time))
        ]
        report.gaps = [
            EvidenceGap(
                id: 12, began: time, ended: time.addingTimeInterval(40), replica: text ?? "web-2",
                reason: text ?? "killed"),
            EvidenceGap(
                id: 13, began: time, ended: time.addingTimeInterval(40), replica: "web-3", reason: "killed",
                waiver: Waiver(actor: "ann@host", reason: "known", at: time)),
        ]
        report.replicas = Self.replicas(text: text)
        report.dualWrite = .sample
        report.undecidedWrites = [.sample(1, text: text), .sample(2, state: "uncertain", text: text)]
        report.fallback = FallbackReport(
            window: 10, elapsed: 3, fellBack: 2, lastFellBackAt: time, byReason: ["timeout": 2])
        report.fallback.byEndpoint = [text ?? "GET /api/v1/orders/{id}": 2]
        return report
    }

    private static func replicas(text: String?) -> [ReplicaReport] {
        let time = SampleBackend.time
        let replica = { (id: String, host: String, age: Double, version: Int64, isGuarding: Bool) in
            ReplicaReport(
                id: id, host: text ?? host, process: 4711, version: text ?? "0.5.0", startedAt: time,
                beatAt: time.addingTimeInterval(3_600), age: age, silent: age > 3, guarding: isGuarding,
                current: isGuarding,
                extractions: [
                    text ?? "orders": .init(version: version, behind: version < 12, backlog: 0, openBreakers: 0)
                ])
        }
        return [
            replica("web-1:4711-4f2a91c0", "web-1", 0.4, 12, true),
            replica("web-2:4711-77aa01b2", "web-2", 1.2, 11, false),
            replica("web-3:4711-9c00ff11", "web-3", 40, 12, false),
        ]
    }
}

extension GuardFindings {
    static func sample(text: String? = nil) -> GuardFindings {
        var service = SideTraffic(requests: 1_204, errors: 2)
        var monolith = SideTraffic(requests: 3_800)
        for _ in 0..<100 { service.latency.record(nanoseconds: 12_000_000) }
        for _ in 0..<100 { monolith.latency.record(nanoseconds: 11_000_000) }
        return GuardFindings(
            judgedAt: SampleBackend.time, breaches: [], cautions: [text ?? "not heard of: web-3"], service: service,
            monolith: monolith)
    }
}

extension ExtractionDefinition {
    static let sample = ExtractionDefinition(
        name: "orders", owner: nil, problem: "p", because: [.scaleVariance, .teamSize], hasContract: false,
        affinity: .cookie("session"), cohort: nil, sample: .all, writes: .never, noise: .none,
        ramp: [100, 500, 2_500, 5_000, 10_000].map(Weight.init(clamping:)), bake: .seconds(3_600),
        guardLimits: GuardLimits(), window: .seconds(2_592_000), quiet: .seconds(604_800))
}

extension HistoryEntry {
    static func breach(text: String? = nil, reason: String? = nil) -> HistoryEntry {
        var findings = GuardFindings.sample(text: text)
        findings.breaches = [text ?? "the service fails on 31 of 900 (3.45%) requests in the last minutes"]
        return HistoryEntry(
            at: SampleBackend.time, actor: text ?? "guard", action: text ?? "breach",
            from: StagePoint(
                stage: .cutover, weights: Weights(reads: Weight(clamping: 2_500), writes: Weight(clamping: 500))),
            to: StagePoint(stage: .cutover, weight: .none), reason: text ?? reason ?? "the service fails",
            forced: false, evidence: StageEvidence(serviceHealthy: true, compared: 9, findings: findings))
    }
    static func held(_ cause: Hold.Cause) -> HistoryEntry {
        let point = StagePoint(stage: .cutover, weight: Weight(clamping: 2_500))
        return HistoryEntry(
            at: SampleBackend.time, actor: "ann@host", action: cause.rawValue, from: point, to: point, reason: nil,
            forced: false, evidence: nil)
    }
}
