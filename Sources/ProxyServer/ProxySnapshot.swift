package import Extraction
package import Routing
package import Upstreams

/// What one extraction does with traffic right now.
///
/// A class, so that a request retains one object and not each of its texts.
package final class ExtractionTraffic: Sendable {
    package let name: String
    package let plan: TrafficPlan
    package let affinity: Affinity
    /// Of the extraction's salt, see `AffinityHash.seed`.
    package let seed: UInt64
    /// Who chooses a side by a header; nil where nobody does, by the file or by the stage.
    let pin: TrafficPin?
    /// What lanes are owed by each side, where both sides write.
    let board: LaneBoard?
    /// While another process serves on the same data: by which lanes have the sides that they began with. Nil: by `plan`.
    let held: TrafficPlan?

    /// - Parameters:
    ///   - board: the extraction's own, for the life of the process.
    ///   - held: while another process still writes on the same data: the state in which both began. Neither knows what the
    ///     other owes to lanes, so none changes sides.
    package init(
        definition: ExtractionDefinition, state: ExtractionState, board: LaneBoard? = nil, held: ExtractionState? = nil
    ) {
        self.held =
            definition.writes == .dualWrite && board != nil
            ? held.map { TrafficPlan(state: $0, definition: definition) } : nil
        self.board = definition.writes == .dualWrite ? board : nil
        name = definition.name
        plan = TrafficPlan(state: state, definition: definition)
        affinity = definition.affinity
        seed = AffinityHash.seed(for: definition.salt)
        pin = plan.mayPin ? definition.pin.map(TrafficPin.init) : nil
    }
}

extension ExtractionTraffic {
    /// Another process may owe the monolith writes that this one does not know of.
    var mayBeStale: Bool { held != nil && !plan.flipsAtOnce }

    /// The monolith is to get writes that only the service has, or may be, so a lane has to be looked up although the stage
    /// asks for none.
    var isOwed: Bool { held != nil || board.map { $0.owed(.monolith) != 0 } ?? false }
}

/// Everything that decides about a request, immutable. It is swapped whole on each loop, so that every request sees one
/// configuration and one state, never a mixture.
package final class ProxySnapshot: Sendable {
    /// Later ones are higher; a loop never goes back to an earlier one.
    package let generation: Int
    package let routes: RouteTable
    /// Slot of each route's extraction, by the route's index.
    package let extractionOfRoute: [Int]
    /// By slot: an extraction keeps its slot for the life of the process, so that counters and captured exchanges stay
    /// with it over every reload. Nil where one was removed; no route leads there.
    package let extractions: [ExtractionTraffic?]
    /// What requests are counted by. Counters go on under one index, so it is made anew only with the routes.
    package let endpoints: EndpointIndex
    /// By route: which segment of the path is the affinity's parameter, -1 where none is. Empty: none is anywhere.
    package let affinitySegments: [Int]
    /// By route: which segment of the path names the entity whose writes keep their order, -1 where the affinity key does.
    package let laneSegments: [Int]
    /// By route: what becomes of a write that cannot be on record.
    package let writeRules: [WriteRules.WhenFull]

    package init(
        generation: Int = 0, routes: RouteTable, extractionOfRoute: [Int], extractions: [ExtractionTraffic?],
        endpoints: EndpointIndex = .none, affinitySegments: [Int] = [], laneSegments: [Int] = [],
        writeRules: [WriteRules.WhenFull] = []
    ) {
        self.laneSegments = laneSegments
        self.writeRules = writeRules
        self.generation = generation
        self.routes = routes
        self.extractionOfRoute = extractionOfRoute
        self.extractions = extractions
        self.endpoints = endpoints
        self.affinitySegments = affinitySegments
    }
}

/// The upstreams of a configuration: the monolith, and one service per extraction.
package struct ProxyUpstreams: Sendable {
    package let monolith: UpstreamSettings
    /// By slot, as `ProxySnapshot.extractions`.
    package let services: [UpstreamSettings?]

    package init(monolith: UpstreamSettings, services: [UpstreamSettings?]) {
        self.monolith = monolith
        self.services = services
    }

    /// One endpoint each, with every default. The monolith has no breaker: nobody stands in for it.
    package init(monolith: UpstreamAddress, services: [UpstreamAddress?]) {
        var settings = UpstreamSettings(name: "monolith", monolith)
        settings.breaker = nil
        self.init(monolith: settings, services: services.map { $0.map { UpstreamSettings($0) } })
    }
}

/// All that a reload replaces, as one value: each loop takes it over in one task.
package struct ProxyModel: Sendable {
    package let snapshot: ProxySnapshot
    package let upstreams: ProxyUpstreams
    package let settings: ProxySettings
    /// Called on each loop when it takes the model over. Exchanges that were decided under this model are handed to what
    /// it returns, however much later they end.
    package let handoff: @Sendable () -> ExchangeHandoff

    package init(
        snapshot: ProxySnapshot, upstreams: ProxyUpstreams, settings: ProxySettings,
        handoff: @escaping @Sendable () -> ExchangeHandoff
    ) {
        self.snapshot = snapshot
        self.upstreams = upstreams
        self.settings = settings
        self.handoff = handoff
    }
}
