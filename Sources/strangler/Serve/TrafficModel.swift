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

    var upstreams: ProxyUpstreams {
        ProxyUpstreams(
            monolith: UpstreamAddress(configuration.monolith),
            services: configuration.extractions.map { UpstreamAddress($0.service) })
    }

    var settings: ProxySettings {
        let timeouts = configuration.timeouts
        return ProxySettings(
            upstream: UpstreamTimeouts(
                connect: TimeAmount(timeouts.connect), firstByte: TimeAmount(timeouts.firstByte),
                idle: TimeAmount(timeouts.idle)),
            head: TimeAmount(timeouts.head), idle: TimeAmount(timeouts.idle),
            trustedProxies: configuration.trustedProxies.compactMap(AddressRange.init))
    }

    func shadowSettings(redactionKey: [UInt8]) -> ShadowSettings {
        let redactor = Redactor(key: redactionKey)
        return ShadowSettings(
            monolith: UpstreamAddress(configuration.monolith),
            extractions: configuration.extractions.map { extraction in
                ShadowedExtraction(
                    name: extraction.definition.name, service: UpstreamAddress(extraction.service),
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

    func snapshot(of states: [String: ExtractionState]) -> ProxySnapshot {
        ProxySnapshot(
            routes: configuration.routeTable, extractionOfRoute: configuration.routes.map(\.extraction),
            extractions: definitions.map { definition in
                ExtractionTraffic(
                    definition: definition,
                    state: states[definition.name] ?? .initial(name: definition.name, now: Date()))
            })
    }
}

extension UpstreamAddress {
    init(_ definition: UpstreamDefinition) {
        self.init(host: definition.host, port: definition.port)
    }
}
