import Comparison
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

    init(_ configuration: ProxyConfiguration) {
        self.configuration = configuration
    }

    var definitions: [ExtractionDefinition] { configuration.extractions.map(\.definition) }

    func service(of extraction: String) -> UpstreamDefinition? {
        configuration.extractions.first { $0.definition.name == extraction }?.service
    }

    /// Routes that the extraction's contract says nothing about, in sentences. (That each method and answer is covered is
    /// for a later gate to see.)
    func contractProblems(of extraction: String) -> [String] {
        guard let index = configuration.extractions.firstIndex(where: { $0.definition.name == extraction }),
            configuration.extractions[index].definition.hasContract
        else { return [] }
        let templates = configuration.extractions[index].contractTemplates
        return configuration.routes.enumerated().compactMap { number, route in
            guard route.extraction == index else { return nil }
            let method = route.methods.first ?? "GET"
            let host = route.hosts.first.map { $0.replacing("*", with: "x") } ?? ""
            let isCovered = templates.contains { template in
                let path = template.split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }.joined(separator: "/")
                return configuration.routeTable.match(method: method, path: "/" + path, host: host) == number
            }
            return isCovered ? nil : "the contract has no path that the route \(route.pattern.text) takes"
        }
    }

    private var monolith: UpstreamSettings {
        UpstreamSettings(configuration.monolith, name: "monolith", configuration)
    }

    private func service(_ extraction: ExtractionConfiguration) -> UpstreamSettings {
        UpstreamSettings(extraction.service, name: extraction.definition.name, configuration)
    }

    var upstreams: ProxyUpstreams {
        ProxyUpstreams(
            monolith: monolith,
            services: configuration.extractions.map(service))
    }

    var settings: ProxySettings { ProxySettings(configuration) }

    func shadowSettings(redactionKey: [UInt8]) -> ShadowSettings {
        let redactor = Redactor(key: redactionKey)
        return ShadowSettings(
            monolith: monolith,
            extractions: configuration.extractions.map { extraction in
                ShadowedExtraction(
                    name: extraction.definition.name,
                    service: service(extraction),
                    comparer: Comparer(rules: extraction.rules, redactor: redactor), rules: extraction.rules,
                    timeout: extraction.shadowTimeout)
            },
            templates: configuration.templates, redactor: redactor)
    }

    /// One state for every extraction of the configuration; those unknown to `known` begin at the beginning.
    func states(from known: [ExtractionState], now: Date = Date()) -> [String: ExtractionState] {
        var states: [String: ExtractionState] = [:]
        for definition in definitions { states[definition.name] = .initial(name: definition.name, now: now) }
        for state in known where states[state.name] != nil { states[state.name] = state }
        return states
    }

    func snapshot(of states: [String: ExtractionState], generation: Int) -> ProxySnapshot {
        ProxySnapshot(
            generation: generation, routes: configuration.routeTable,
            extractionOfRoute: configuration.routes.map(\.extraction),
            extractions: definitions.map { definition in
                ExtractionTraffic(
                    definition: definition,
                    state: states[definition.name] ?? .initial(name: definition.name, now: Date()))
            })
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
