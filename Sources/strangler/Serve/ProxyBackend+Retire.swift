import AdminAPI
import Contract
import Extraction
import Foundation
import PostgresStore
import ProxyConfiguration
import Routing
import ShadowRunner

// What retiring leaves behind: the code of the monolith that may be deleted.
extension ProxyBackend {
    func retireReport(name: String) async throws(AdminError) -> RetireAnswer {
        let model = await keeper.model
        guard let definition = model.definitions.first(where: { $0.name == name }),
            let state = await keeper.states[name]
        else { throw unknown(name, known: model.definitions.map(\.name)) }
        guard state.stage == .retired else {
            guard let found = try? await keeper.findings(for: definition, in: state) else {
                throw AdminError(.storeUnavailable, "Postgres cannot be reached")
            }
            let gate = GateReport(await keeper.gate(for: definition, in: state, evidence: found.evidence))
            return RetireAnswer(
                preview: true, stage: state.stage, gate: gate, report: try await makeReport(of: name, at: Date()))
        }
        // One of an earlier time, from which it was brought back, says nothing of now.
        let stored = try await asking { try await $0.retireReports(extraction: name) }
        if let newest = stored.first, newest.at >= state.since.addingTimeInterval(-1),
            let report = try? newest.decoded(as: RetireReport.self)
        {
            return RetireAnswer(preview: false, stage: state.stage, gate: nil, report: report)
        }
        // It could not be stored then, or nobody did: made now, of the same counters.
        let report = try await makeReport(of: name, at: state.since)
        try await save(report)
        return RetireAnswer(preview: false, stage: state.stage, gate: nil, report: report)
    }

    /// While the counters are there. Where it fails, whoever asks for the report makes it.
    func storeRetireReport(of name: String) async { _ = try? await retireReport(name: name) }

    private func save(_ report: RetireReport) async throws(AdminError) {
        try await asking { try await $0.saveRetireReport(extraction: report.extraction, at: report.at, report: report) }
    }

    /// - Parameter at: when the monolith stopped to be asked.
    private func makeReport(of name: String, at: Date) async throws(AdminError) -> RetireReport {
        await recorder.flush()
        let configuration = await keeper.model.configuration
        guard let index = configuration.extractions.firstIndex(where: { $0.definition.name == name }) else {
            throw unknown(name, known: configuration.extractions.map(\.definition.name))
        }
        let routes = configuration.routes.filter { $0.extraction == index }
        let until = at.addingTimeInterval(Self.ahead)
        let counting = try await asking { try await $0.firstTraffic() }
        let own = try await monolithTraffic(of: name, since: counting ?? at, until: until)
        let others = observed.current(try await monolithTraffic(of: "", since: counting ?? at, until: until))
        let taken = others.filter { configuration.extraction(taking: $0.endpoint) == index }
        let last = (own + taken).map(\.last).max()
        let before = try await requests(of: name, before: last, configuration, index)
        let asked = (own + taken).map { traffic in
            RetireReport.Endpoint(
                endpoint: traffic.endpoint, lastAnswered: traffic.last, requestsBefore: 0,
                route: configuration.route(taking: traffic.endpoint))
        }
        let listed = configuration.listedEndpoints(of: index).map { endpoint in
            RetireReport.Endpoint(
                endpoint: endpoint, lastAnswered: nil, requestsBefore: 0, route: configuration.route(taking: endpoint))
        }
        let counted = before.map { endpoint, requests in
            RetireReport.Endpoint(endpoint: endpoint, lastAnswered: nil, requestsBefore: requests, route: nil)
        }
        let recent = observed.current(
            try await monolithTraffic(of: "", since: at.addingTimeInterval(-RetireReport.before), until: until))
        let paths = try? RouteTable(Self.anyMethod(routes))
        let still = recent.filter { traffic in
            guard let endpoint = EndpointName(traffic.endpoint), !traffic.endpoint.isTaken(by: configuration.routeTable)
            else { return false }
            return (paths?.match(method: "GET", path: endpoint.sample, host: "") ?? -1) >= 0
        }
        return RetireReport(
            extraction: name, at: at, countingSince: counting,
            routes: routes.map { RetireReport.Route(path: $0.pattern.text, methods: $0.methods, hosts: $0.hosts) },
            unreachable: asked + listed + counted,
            stillAsked: Dictionary(still.map { ($0.endpoint, $0.traffic.requests) }, uniquingKeysWith: &+))
    }

    /// Of the monolith, in the 30 days before it was asked last.
    private func requests(
        of name: String, before last: Date?, _ configuration: ProxyConfiguration, _ index: Int
    ) async throws(AdminError) -> [String: Int] {
        guard let last else { return [:] }
        // The bucket of the last answer began before it.
        let (since, until) = (last.addingTimeInterval(-RetireReport.before), last.addingTimeInterval(1))
        let own = try await monolithTraffic(of: name, since: since, until: until)
        let taken = observed.current(try await monolithTraffic(of: "", since: since, until: until))
            .filter { configuration.extraction(taking: $0.endpoint) == index }
        return Dictionary((own + taken).map { ($0.endpoint, $0.traffic.requests) }, uniquingKeysWith: &+)
    }

    /// The paths of routes, whatever the method and the host.
    private static func anyMethod(_ routes: [Route]) -> [Route] {
        var seen: Set<String> = []
        return routes.filter { seen.insert($0.pattern.text).inserted }.map {
            Route(pattern: $0.pattern, extraction: 0, location: $0.location)
        }
    }
}

extension ProxyConfiguration {
    /// Hosts left aside, as counters do not tell them apart.
    private func match(_ endpoint: String) -> Int? {
        guard let name = EndpointName(endpoint) else { return nil }
        for host in [""] + Set(routes.flatMap(\.hosts)).sorted() {
            let route = routeTable.match(method: name.method, path: name.sample, host: host.replacing("*", with: "x"))
            if route >= 0 { return route }
        }
        return nil
    }

    fileprivate func extraction(taking endpoint: String) -> Int? { match(endpoint).map { routes[$0].extraction } }

    fileprivate func route(taking endpoint: String) -> String? { match(endpoint).map { routes[$0].pattern.text } }

    /// What the files name, asked for or not: the contract's operations, and routes without `/**` that say their methods.
    fileprivate func listedEndpoints(of extraction: Int) -> Set<String> {
        let routed = routes.filter { $0.extraction == extraction && !$0.pattern.matchesRest }.flatMap { route in
            route.methods.map { "\($0) \(route.pattern.text)" }
        }
        let contract = extractions[extraction].contract
        let promised = (contract?.operations ?? []).flatMap { operation in
            (contract?.basePaths ?? []).map { "\(operation.method) \($0)\(operation.path)" }
        }.filter { self.extraction(taking: $0) == extraction }
        return Set(routed + promised).filter { !$0.hasPrefix("HEAD ") && !$0.hasPrefix("OPTIONS ") }
    }
}
