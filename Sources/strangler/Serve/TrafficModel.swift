import Comparison
import Contract
import DualWrite
import Extraction
import Foundation
import NIOCore
import ProxyConfiguration
import ProxyServer
import Routing
import ShadowRunner
import Upstreams

/// From what people wrote (configuration) and where things stand (states) to what the data plane looks at: the middle of
/// configuration → model → state.
struct TrafficModel: Sendable {
    let configuration: ProxyConfiguration
    let slots: ExtractionSlots
    /// What exchanges are compared by that were decided under this configuration.
    let shadow: ShadowSettings
    /// What requests are counted by, as long as this configuration holds.
    private let endpoints: EndpointIndex
    /// By route: which segment of its paths keeps a user on one side; -1 where none does.
    let affinitySegments: [Int]
    /// By route: which segment names the entity whose writes keep their order; -1 where the affinity key does.
    private let laneSegments: [Int]
    /// By slot, as long as the process lives: what lanes are owed.
    let boards: [LaneBoard]

    /// - Parameter last: the model before it, whose extractions keep their slots.
    init(_ configuration: ProxyConfiguration, redactor: Redactor, after last: TrafficModel? = nil) {
        self.configuration = configuration
        var slots = last?.slots ?? ExtractionSlots()
        slots.add(configuration.extractions.map(\.definition.name))
        self.slots = slots
        var boards = last?.boards ?? []
        while boards.count < slots.names.count { boards.append(LaneBoard()) }
        self.boards = boards
        shadow = Self.shadowSettings(configuration, slots, boards, redactor)
        endpoints = EndpointIndex(
            routes: configuration.routes, templates: configuration.templates,
            extractions: configuration.extractions.map(\.definition.name))
        affinitySegments = configuration.routes.map { route in
            let affinity = configuration.extractions[route.extraction].definition.affinity
            guard case .pathParameter(let name) = affinity else { return -1 }
            return route.pattern.segment(of: name) ?? -1
        }
        laneSegments = configuration.routes.map { route in
            let definition = configuration.extractions[route.extraction].definition
            guard definition.writes == .dualWrite else { return -1 }
            return definition.writeRules.laneParameter.flatMap { route.pattern.segment(of: $0) } ?? -1
        }
    }

    var definitions: [ExtractionDefinition] { configuration.extractions.map(\.definition) }

    /// What the extraction's routes take and its contract says nothing about, in sentences.
    func contractProblems(of extraction: String) -> [String] { configuration.contractProblems(of: extraction) }

    var upstreams: ProxyUpstreams {
        ProxyUpstreams(
            monolith: UpstreamSettings(monolithOf: configuration),
            services: bySlot { UpstreamSettings($0, configuration) })
    }

    var settings: ProxySettings { ProxySettings(configuration) }

    private static func shadowSettings(
        _ configuration: ProxyConfiguration, _ slots: ExtractionSlots, _ boards: [LaneBoard], _ redactor: Redactor
    ) -> ShadowSettings {
        ShadowSettings(
            monolith: UpstreamSettings(monolithOf: configuration),
            extractions: slots.arranged(configuration.extractions) { extraction in
                ShadowedExtraction(
                    name: extraction.definition.name,
                    service: UpstreamSettings(extraction, configuration),
                    comparer: Comparer(rules: extraction.rules, redactor: redactor), rules: extraction.rules,
                    timeout: extraction.shadowTimeout, noise: extraction.definition.noise.hundredths,
                    contract: extraction.contract, board: slots.slot(of: extraction.definition.name).map { boards[$0] },
                    attempts: extraction.definition.writeRules.attempts,
                    identity: IdentityMapping(
                        rules: extraction.rules.identity,
                        routes: configuration.routes
                            .filter {
                                configuration.extractions[$0.extraction].definition.name == extraction.definition.name
                            }
                            .map(\.pattern),
                        templates: extraction.contract?.templates ?? []),
                    identityWait: extraction.definition.writeRules.identityWait,
                    readable: ReadablePaths(extraction, configuration))
            },
            templates: configuration.templates, redactor: redactor, success: configuration.writeRules.map(\.success))
    }

    /// What is known, and a beginning for every extraction of the configuration of which nothing is.
    func states(from known: [String: ExtractionState], now: Date = Date()) -> [String: ExtractionState] {
        var states = known
        for definition in definitions where states[definition.name] == nil {
            states[definition.name] = .initial(name: definition.name, now: now)
        }
        return states
    }

    /// - Parameter sides: see ``StageKeeper/sides``.
    func snapshot(
        of states: [String: ExtractionState], sides: [String: ExtractionState]? = nil, generation: Int
    ) -> ProxySnapshot {
        let slotOfIndex = definitions.map { slots.slot(of: $0.name) ?? 0 }
        return ProxySnapshot(
            generation: generation, routes: configuration.routeTable,
            extractionOfRoute: configuration.routes.map { slotOfIndex[$0.extraction] },
            extractions: bySlot { extraction in
                let definition = extraction.definition
                return ExtractionTraffic(
                    definition: definition,
                    state: states[definition.name] ?? .initial(name: definition.name, now: Date()),
                    board: slots.slot(of: definition.name).map { boards[$0] }, held: sides?[definition.name])
            }, endpoints: endpoints, affinitySegments: affinitySegments, laneSegments: laneSegments,
            writeRules: configuration.writeRules.map(\.whenFull))
    }

    private func bySlot<Value>(_ value: (ExtractionConfiguration) -> Value) -> [Value?] {
        slots.arranged(configuration.extractions, value)
    }
}

/// Where an extraction's counters stand, by its name. A slot belongs to its name for the life of the process: what is
/// under way when the files change finds it again. A removed extraction's slot rests; it is its own again if it returns.
struct ExtractionSlots: Sendable {
    /// By slot.
    private(set) var names: [String] = []

    mutating func add(_ more: [String]) {
        for name in more where !names.contains(name) { names.append(name) }
    }

    func slot(of name: String) -> Int? { names.firstIndex(of: name) }

    /// A value for each slot; nil for those whose extraction is not in `extractions`.
    func arranged<Value>(
        _ extractions: [ExtractionConfiguration], _ value: (ExtractionConfiguration) -> Value
    ) -> [Value?] {
        var values = [Value?](repeating: nil, count: names.count)
        for extraction in extractions {
            if let slot = slot(of: extraction.definition.name) { values[slot] = value(extraction) }
        }
        return values
    }
}

extension UpstreamAddress {
    init(_ server: ServerAddress) {
        self.init(host: server.host, port: server.port)
    }

    /// The first server of an upstream, for what speaks to one only.
    init(_ definition: UpstreamDefinition) {
        self.init(definition.first)
    }
}
