import AdminAPI
import Extraction
import Foundation
import PostgresStore

// Where the extractions stand and what moves them, for dashboards and alarms.
extension ProxyBackend {
    /// With Postgres away, what is known without it; a sample that is not known is left out.
    func machineMetrics() async -> [MetricFamily] {
        let model = await keeper.model
        let states = await keeper.states
        let now = Date()
        let known = model.definitions.compactMap { definition in states[definition.name].map { (definition, $0) } }
            .sorted { $0.0.name < $1.0.name }
        let gates = await gatesAreOpen(known)
        let breaches = await guardRunner.breaches
        var waiting: [String: Int] = [:]
        for (definition, state) in known where state.stage == .cutover {
            waiting[definition.name] = await guardRunner.report(of: definition.name)?.waiting.count
        }
        func each(
            _ name: String, _ help: String, _ value: (ExtractionDefinition, ExtractionState) -> Double?
        ) -> MetricFamily {
            MetricFamily(
                name: name, help: help, kind: .gauge,
                samples: known.compactMap { definition, state in
                    value(definition, state).map { .init(labels: [.init("extraction", definition.name)], value: $0) }
                })
        }
        return [
            MetricFamily(
                name: "strangler_extraction_weight",
                help: "Share of keys that the service answers, in percent, for reads and for writes.", kind: .gauge,
                samples: known.flatMap { _, state in
                    [("reads", state.weights.reads), ("writes", state.weights.writes)].map { kind, weight in
                        .init(
                            labels: [.init("extraction", state.name), .init("kind", kind)], value: weight.percent)
                    }
                }),
            each("strangler_extraction_step", "The step of five that the extraction's stage belongs to.") { _, state in
                Double(state.stage.stepNumber)
            },
            each("strangler_gate_open", "Whether the gate to the next stage is open.") { definition, _ in
                gates[definition.name].map { $0 ? 1 : 0 }
            },
            each("strangler_ramp_running", "Whether the weight rises by itself.") { _, state in
                state.isRamping ? 1 : 0
            },
            each("strangler_ramp_held", "Whether a pause or a breach holds the weight, until somebody resumes.") {
                _, state in state.hold == nil ? 0 : 1
            },
            MetricFamily(
                name: "strangler_guard_breaches_total",
                help: "Breaches on which this proxy has rolled an extraction back; others may have judged before.",
                kind: .counter,
                samples: known.map {
                    .init(labels: [.init("extraction", $0.0.name)], value: Double(breaches[$0.0.name] ?? 0))
                }),
            each("strangler_guard_breached", "Whether the guard has rolled back, and nobody has resumed since.") {
                _, state in state.hold?.cause == .breach ? 1 : 0
            },
            each(
                "strangler_ramp_waiting", "Why a weight that is meant to move by itself does not: how many reasons."
            ) { definition, _ in waiting[definition.name].map(Double.init) },
            each("strangler_fallback_window_seconds_left", "Until the fallback window ends; only while it runs.") {
                definition, state in
                FallbackWindow(state: state, definition: definition, now: now)?.left
            },
        ] + (await replicaMetrics())
    }

    private func replicaMetrics() async -> [MetricFamily] {
        guard let replicas = try? await replicas().filter({ !$0.gone }) else { return [] }
        return [
            MetricFamily(
                name: "strangler_replica_heartbeat_age_seconds",
                help: "Since a proxy on the same Postgres was last heard of; those that said goodbye are left out.",
                kind: .gauge,
                samples: replicas.map {
                    .init(labels: [.init("replica", $0.id), .init("host", $0.host)], value: $0.age)
                }),
            MetricFamily(
                name: "strangler_replicas_behind",
                help: "Proxies that serve another version of the extraction's state than the newest.", kind: .gauge,
                samples: Set(replicas.flatMap(\.extractions.keys)).sorted().map { name in
                    .init(
                        labels: [.init("extraction", name)],
                        value: Double(replicas.count { $0.extractions[name]?.behind ?? false }))
                }),
        ]
    }

    /// By name. Asking for the evidence costs Postgres some work, so that what was found holds for some seconds.
    private func gatesAreOpen(_ known: [(ExtractionDefinition, ExtractionState)]) async -> [String: Bool] {
        await gates.value(maximumAge: .seconds(10)) {
            var open: [String: Bool] = [:]
            for (definition, state) in known {
                guard let found = try? await keeper.findings(for: definition, in: state) else { continue }
                open[definition.name] = await keeper.gate(for: definition, in: state, evidence: found.evidence).open
            }
            return open
        }
    }
}

/// A value that is dear to find, kept for a while. Whoever asks meanwhile waits for the same look.
actor Kept<Value: Sendable> {
    private var value: Value?
    private var foundAt = ContinuousClock.now
    private var looking: Task<Value, Never>?

    func value(maximumAge: Duration, _ find: @escaping @Sendable () async -> Value) async -> Value {
        if let looking { return await looking.value }
        if let value, ContinuousClock.now - foundAt < maximumAge { return value }
        let task = Task { await find() }
        looking = task
        let found = await task.value
        value = found
        foundAt = .now
        looking = nil
        return found
    }
}
