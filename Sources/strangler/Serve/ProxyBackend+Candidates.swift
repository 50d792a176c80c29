import AdminAPI
import Extraction
import Foundation
import PostgresStore
import ProxyConfiguration
import Routing
import ShadowRunner

// What the monolith is asked for: candidates and burn-down.
extension ProxyBackend {
    /// In which a period is looked at, where it is long enough for growth to show.
    private static let spans = 28
    /// Buckets are filed under their beginning: what is counted now may be ahead of this clock.
    static let ahead = 60.0

    func candidates(since: Double, paths: [String], limit: Int) async throws(AdminError) -> CandidatesReport {
        let chosen = try Self.table(of: paths)
        await recorder.flush()
        let counting = try await asking { try await $0.firstTraffic() }
        let until = Date().addingTimeInterval(Self.ahead)
        let began = max(until.addingTimeInterval(-since - Self.ahead), counting ?? .distantPast)
        let routes = await keeper.model.configuration.routeTable
        var spans: [TrafficSpan] = []
        if counting != nil {
            for (begin, end) in Self.spans(from: began, to: until) {
                let traffic = try await monolithTraffic(of: "", since: begin, until: end)
                spans.append(
                    TrafficSpan(
                        began: begin, ended: end,
                        endpoints: observed.current(traffic).filter { !$0.endpoint.isTaken(by: routes) }))
            }
        }
        let group = paths.joined(separator: ", ")
        let ranked = Step1Candidates.rank(spans) { endpoint in
            guard let name = EndpointName(endpoint) else { return nil }
            if let chosen, chosen.match(method: "GET", path: name.sample, host: "") >= 0 { return group }
            return ResourcePrefix.of(name.template)
        }
        let endpoints = spans.flatMap(\.endpoints)
        let requests = { (endpoints: [EndpointTraffic]) in endpoints.reduce(0) { $0 &+ $1.traffic.requests } }
        return CandidatesReport(
            since: began, until: until.addingTimeInterval(-Self.ahead), countingSince: counting,
            requests: requests(endpoints), notFound: requests(endpoints.filter { EndpointName($0.endpoint) == nil }),
            ranked: chosen == nil ? ranked : ranked.filter { $0.path == group }, limit: limit)
    }

    /// Nil without patterns.
    private static func table(of paths: [String]) throws(AdminError) -> RouteTable? {
        guard !paths.isEmpty else { return nil }
        var routes: [Route] = []
        for path in paths {
            do throws(RoutePatternError) {
                let location = SourceLocation(file: "path", line: routes.count + 1, column: 1)
                routes.append(Route(pattern: try RoutePattern(parsing: path), extraction: 0, location: location))
            } catch {
                throw AdminError(.invalid, "\(path) is no path of a route: \(error)")
            }
        }
        guard let table = try? RouteTable(routes) else {
            throw AdminError(.invalid, "two of the paths take the same requests")
        }
        return table
    }

    private static func spans(from began: Date, to ended: Date) -> [(Date, Date)] {
        let seconds = ended.timeIntervalSince(began)
        let count = seconds >= 2 * 86_400 ? spans : 1
        return (0..<count).map { number in
            let bound = { (number: Int) in
                number == count ? ended : began.addingTimeInterval(seconds * Double(number) / Double(count))
            }
            return (bound(number), bound(number + 1))
        }
    }

    /// What the monolith answered as the one who is asked.
    func monolithTraffic(
        of extraction: String, since: Date, until: Date
    ) async throws(AdminError) -> [EndpointTraffic] {
        try await asking { store in
            try await store.trafficSummary(extraction: extraction, since: since, until: until)
                .filter { $0.side == .monolith }.map(EndpointTraffic.init)
        }
    }
}

// MARK: - Burn-down

extension ProxyBackend {
    private static let week = 7 * 86_400.0
    private static let weeks = 8

    func burnDown(unusedFor: Double) async throws(AdminError) -> BurnDown {
        await recorder.flush()
        let now = Date()
        let until = now.addingTimeInterval(Self.ahead)
        let counting = try await asking { try await $0.firstTraffic() }
        let day = try await totals(since: now.addingTimeInterval(-86_400), until: until)
        let week = try await totals(since: now.addingTimeInterval(-Self.week), until: until)
        var course: [BurnDown.Point] = []
        for number in (0..<Self.weeks).reversed() {
            let ended = now.addingTimeInterval(-Double(number) * Self.week)
            guard let counting, ended > counting else { continue }
            let totals =
                number == 0 ? week : try await totals(since: ended.addingTimeInterval(-Self.week), until: ended)
            course.append(BurnDown.Point(ended: ended, totals: totals))
        }
        var stages: [String: Stage] = [:]
        for (name, state) in await keeper.states { stages[name] = state.stage }
        let definitions = await keeper.model.definitions.map(\.name)
        return BurnDown(
            countingSince: counting, day: day, week: week, course: course,
            stages: stages.filter { definitions.contains($0.key) },
            endpoints: try await endpointsInUse(since: counting ?? now, until: until, stages: stages),
            unusedFor: unusedFor, now: now)
    }

    private func totals(since: Date, until: Date) async throws(AdminError) -> [BurnDown.Total] {
        try await asking { store in
            try await store.trafficTotals(since: since, until: until).map { total in
                BurnDown.Total(
                    extraction: total.extraction, monolith: total.side == .monolith ? total.requests : 0,
                    service: total.side == .service ? total.requests : 0)
            }
        }
    }

    /// Everything that clients ever asked for, but for what is retired: nobody can reach that at the monolith anyway.
    private func endpointsInUse(
        since: Date, until: Date, stages: [String: Stage]
    ) async throws(AdminError) -> [BurnDown.Unused] {
        let configuration = await keeper.model.configuration
        let names = configuration.extractions.map(\.definition.name)
        var known: [String: BurnDown.Unused] = [:]
        for extraction in [""] + names.filter({ stages[$0] != .retired }) {
            let stored = try await asking { store in
                try await store.trafficSummary(extraction: extraction, since: since, until: until)
                    .map(EndpointTraffic.init)
            }
            for traffic in extraction.isEmpty ? observed.current(stored) : stored {
                guard let name = EndpointName(traffic.endpoint) else { continue }
                let route = configuration.routeTable.match(method: name.method, path: name.sample, host: "")
                let owner = route >= 0 ? names[configuration.routes[route].extraction] : nil
                if let owner, stages[owner] == .retired { continue }
                let used = BurnDown.Unused(
                    endpoint: traffic.endpoint, extraction: extraction.isEmpty ? owner : extraction,
                    last: traffic.last, requests: traffic.traffic.requests)
                known[traffic.endpoint] = used.merged(with: known[traffic.endpoint])
            }
        }
        return Array(known.values)
    }
}

extension BurnDown.Point {
    fileprivate init(ended: Date, totals: [BurnDown.Total]) {
        let monolith = totals.reduce(0) { $0 &+ $1.monolith }
        self.init(
            ended: ended, requests: totals.reduce(monolith) { $0 &+ $1.service }, monolith: monolith)
    }
}

extension BurnDown.Unused {
    fileprivate func merged(with other: BurnDown.Unused?) -> BurnDown.Unused {
        guard let other else { return self }
        return BurnDown.Unused(
            endpoint: endpoint, extraction: extraction ?? other.extraction, last: max(last, other.last),
            requests: requests &+ other.requests)
    }
}

extension EndpointTraffic {
    init(_ summary: TrafficSummary) {
        self.init(
            endpoint: summary.endpoint,
            traffic: SideTraffic(requests: summary.requests, errors: summary.errors, latency: summary.latency),
            bytes: summary.bytes, nanoseconds: summary.nanoseconds, last: summary.last)
    }
}

extension String {
    /// Whether an endpoint that was learned before belongs to an extraction now. Routes for some hosts only do not count:
    /// on others the monolith goes on.
    func isTaken(by routes: RouteTable) -> Bool {
        guard let name = EndpointName(self) else { return false }
        return routes.match(method: name.method, path: name.sample, host: "") >= 0
    }
}
