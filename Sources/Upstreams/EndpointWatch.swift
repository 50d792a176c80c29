internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Resilience

/// Follows the addresses of one upstream: looks names up, probes endpoints, tells subscribers what changed. On the
/// directory's loop.
///
/// A name that cannot be resolved keeps the addresses that it had. An endpoint that is found again under its address keeps
/// what its probes have shown.
final class EndpointWatch {
    struct Key: Hashable, Sendable {
        let addresses: [UpstreamAddress]
        let resolveEvery: TimeAmount
        let health: HealthCheckSettings?

        init(_ settings: UpstreamSettings) {
            addresses = settings.addresses
            resolveEvery = settings.resolveEvery
            health = settings.health
        }
    }

    struct Subscriber: Sendable {
        let id: ObjectIdentifier
        let name: String
        /// Holds the upstream until it is closed.
        let upstream: NIOLoopBound<Upstream>
    }

    /// One address as it was written, and where it points.
    private struct Place {
        let address: UpstreamAddress
        let isLiteral: Bool
        var found: [SocketAddress] = []
        var wasTried = false
        var isResolving = false
        var askedAt = NIODeadline.uptimeNanoseconds(0)
        var error: String?
    }

    /// Look-ups of one name are at least so far apart, however many connections fail.
    static let shortestPause = TimeAmount.seconds(1)

    private(set) var subscribers: [Subscriber] = []
    private let key: Key
    private let loop: any EventLoop
    private let resolver: EndpointResolution.Resolver
    private let logger: Logger
    private var places: [Place]
    private var endpoints: [WatchedEndpoint] = []
    private var isKnown = false
    private var failedResolutions = 0
    private var timer: Scheduled<Void>?
    private var isStopped = false

    init(_ key: Key, loop: any EventLoop, resolver: @escaping EndpointResolution.Resolver, logger: Logger) {
        self.key = key
        self.loop = loop
        self.resolver = resolver
        self.logger = logger
        places = key.addresses.map { address in
            let literal = address.literal
            return Place(
                address: address, isLiteral: literal != nil, found: literal.map { [$0] } ?? [], wasTried: literal != nil
            )
        }
    }

    func start() {
        refresh()
        resolveAll()
    }

    func stop() {
        isStopped = true
        timer?.cancel()
        for endpoint in endpoints { endpoint.stop() }
        endpoints = []
    }

    func add(_ subscriber: Subscriber) {
        subscribers.append(subscriber)
        if isKnown { tell(subscriber) }
    }

    func remove(_ id: ObjectIdentifier) { subscribers.removeAll { $0.id == id } }

    private func tell(_ subscriber: Subscriber) {
        let list = EndpointList(
            endpoints: endpoints.map { .init(address: $0.address, isUnhealthy: $0.check.state == .unhealthy) })
        let upstream = subscriber.upstream
        upstream.eventLoop.execute { upstream.value.update(list) }
    }

    private func publish() {
        for subscriber in subscribers { tell(subscriber) }
    }

    // MARK: Names

    private func resolveAll() {
        timer?.cancel()
        for index in places.indices { resolve(index) }
        guard places.contains(where: { !$0.isLiteral }), !isStopped else { return }
        // Nobody can be asked while a name points nowhere, so it is looked up more often.
        let isLost = places.contains { $0.found.isEmpty }
        let pause = isLost ? min(key.resolveEvery, EndpointWatch.shortestPause) : key.resolveEvery
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: max(pause, .milliseconds(10))) { bound.value.resolveAll() }
    }

    /// A connection failed.
    func resolveSoon() {
        let now = NIODeadline.now()
        let pause = min(key.resolveEvery, EndpointWatch.shortestPause)
        for index in places.indices where now - places[index].askedAt >= pause { resolve(index) }
    }

    private func resolve(_ index: Int) {
        guard !places[index].isLiteral, !places[index].isResolving, !isStopped else { return }
        places[index].isResolving = true
        places[index].askedAt = .now()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let (loop, resolver, address) = (loop, resolver, places[index].address)
        NIOThreadPool.singleton.submit { state in
            let result: Result<[SocketAddress], any Error>
            if case .active = state {
                result = Result { try resolver(address) }
            } else {
                result = .failure(CancellationError())
            }
            loop.execute { bound.value.resolved(index, result) }
        }
    }

    private func resolved(_ index: Int, _ result: Result<[SocketAddress], any Error>) {
        guard !isStopped else { return }
        places[index].isResolving = false
        places[index].wasTried = true
        switch result {
        case .success(let found) where !found.isEmpty:
            if places[index].error != nil { logger.notice("\(places[index].address.host) is resolved again") }
            places[index].error = nil
            places[index].found = found
        case .success: noteFailure(index, "the name has no address")
        case .failure(let error): noteFailure(index, "\(error)")
        }
        refresh()
    }

    /// Logged when it begins, counted each time.
    private func noteFailure(_ index: Int, _ error: String) {
        failedResolutions += 1
        if places[index].error == nil {
            let last = places[index].found.isEmpty ? "it has no address yet" : "its last addresses stay"
            logger.warning("\(places[index].address.host) cannot be resolved: \(error); \(last)")
        }
        places[index].error = error
    }

    /// Brings `endpoints` in line with `places`, and tells everybody if that changed them.
    private func refresh() {
        let wasKnown = isKnown
        // Those that stay keep their order, in whichever one the name server gives them today.
        let gone = endpoints.filter { endpoint in !places.contains { $0.found.contains(endpoint.address) } }
        endpoints.removeAll { endpoint in gone.contains { $0 === endpoint } }
        for endpoint in gone { endpoint.stop() }
        var hasNew = false
        for place in places {
            for address in place.found where !endpoints.contains(where: { $0.address == address }) {
                endpoints.append(makeEndpoint(address, place.address.authority))
                hasNew = true
            }
        }
        isKnown = !endpoints.isEmpty || places.allSatisfy(\.wasTried)
        if isKnown, hasNew || !gone.isEmpty || !wasKnown { publish() }
    }

    private func makeEndpoint(_ address: SocketAddress, _ authority: String) -> WatchedEndpoint {
        let endpoint = WatchedEndpoint(address: address, authority: authority, health: key.health, loop: loop)
        endpoint.start { [unowned self] endpoint in
            let place = "\(endpoint.authority) (\(endpoint.place))"
            if endpoint.check.state == .unhealthy {
                logger.warning("\(place) is unhealthy: \(endpoint.lastError ?? "")")
            } else {
                logger.notice("\(place) is healthy")
            }
            publish()
        }
        return endpoint
    }

    // MARK: For people

    /// - Parameter onEnd: called once, with whether every endpoint passes; nil if none is probed.
    func checkNow(_ onEnd: @escaping (Bool?) -> Void) {
        guard key.health != nil else {
            onEnd(nil)
            return
        }
        var left = endpoints.count
        var passes = left > 0
        guard passes else {
            onEnd(false)
            return
        }
        for endpoint in endpoints {
            endpoint.checkNow { passed in
                passes = passes && passed
                left -= 1
                if left == 0 { onEnd(passes) }
            }
        }
    }

    /// What is known here, and whom to ask for the rest.
    struct Findings: Sendable {
        let subscribers: [Subscriber]
        fileprivate let endpoints: [UpstreamStatus.Endpoint]
        fileprivate let failedResolutions: Int
        fileprivate let resolutionError: String?

        func status(of name: String) -> UpstreamStatus {
            UpstreamStatus(
                name: name, endpoints: endpoints, failedResolutions: failedResolutions, resolutionError: resolutionError
            )
        }
    }

    func findings() -> Findings {
        let now = NIODeadline.now()
        return Findings(
            subscribers: subscribers,
            endpoints: endpoints.map { endpoint in
                UpstreamStatus.Endpoint(
                    address: endpoint.place, authority: endpoint.authority, health: endpoint.check.state,
                    sinceNanoseconds: (now - endpoint.changedAt).nanoseconds, lastError: endpoint.lastError)
            },
            failedResolutions: failedResolutions, resolutionError: places.lazy.compactMap(\.error).first)
    }
}
