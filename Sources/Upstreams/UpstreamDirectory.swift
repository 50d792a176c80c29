package import Logging
package import NIOCore

/// What the process finds out once about upstreams, for all event loops: where their names point and which endpoints pass
/// their health checks.
///
/// One for the process. Its state belongs to one event loop, on which nothing of it blocks: names are looked up on threads
/// that may, probes are connections like others. Each `Upstream` subscribes while it lives; upstreams with the same
/// addresses, interval and health check share one watch, on however many loops and through reloads.
package final class UpstreamDirectory: Sendable {
    let loop: any EventLoop
    let logger: Logger
    private let resolver: EndpointResolution.Resolver
    private let watches: NIOLoopBoundBox<[EndpointWatch.Key: EndpointWatch]>

    /// - Parameter resolver: blocks; called on threads that may.
    package init(
        loop: any EventLoop, logger: Logger = Logger(label: "strangler.upstreams"),
        resolver: @escaping EndpointResolution.Resolver = EndpointResolution.system
    ) {
        self.loop = loop
        self.logger = logger
        self.resolver = resolver
        watches = .makeBoxSendingValue([:], eventLoop: loop)
    }

    // MARK: From the loops

    /// Call on the upstream's loop. It hears of its endpoints from here on, not before this has returned.
    func subscribe(_ upstream: Upstream) {
        let subscriber = EndpointWatch.Subscriber(
            id: ObjectIdentifier(upstream), name: upstream.settings.name,
            upstream: NIOLoopBound(upstream, eventLoop: upstream.loop))
        let key = EndpointWatch.Key(upstream.settings)
        loop.execute { [self] in
            let watch: EndpointWatch
            if let known = watches.value[key] {
                watch = known
            } else {
                watch = EndpointWatch(key, loop: loop, resolver: resolver, logger: logger)
                watches.value[key] = watch
                watch.start()
            }
            watch.add(subscriber)
        }
    }

    func unsubscribe(_ upstream: Upstream) {
        let key = EndpointWatch.Key(upstream.settings)
        let id = ObjectIdentifier(upstream)
        loop.execute { [self] in
            guard let watch = watches.value[key] else { return }
            watch.remove(id)
            guard watch.subscribers.isEmpty else { return }
            watch.stop()
            watches.value[key] = nil
        }
    }

    /// A connection could not be made: the name may point elsewhere by now.
    func connectFailed(_ upstream: Upstream) {
        guard upstream.hasNames else { return }
        let key = EndpointWatch.Key(upstream.settings)
        loop.execute { [self] in watches.value[key]?.resolveSoon() }
    }

    // MARK: For people

    /// Probes every endpoint of an upstream now. Those that pass are used from here on, by the loops too that hear of it a
    /// moment later.
    /// - Returns: whether all pass; nil if the upstream is not probed, or nobody uses it.
    package func checkNow(_ settings: UpstreamSettings) async -> Bool? {
        let promise = loop.makePromise(of: Bool?.self)
        let key = EndpointWatch.Key(settings)
        loop.execute { [self] in
            guard let watch = watches.value[key] else {
                promise.succeed(nil)
                return
            }
            watch.checkNow { promise.succeed($0) }
        }
        return (try? await promise.futureResult.get()) ?? nil
    }

    /// How all upstreams that are in use stand, in the order of their names. Counts are sums over the loops.
    package func status() async -> [UpstreamStatus] {
        guard let found = try? await loop.submit({ [self] in watches.value.values.map { $0.findings() } }).get() else {
            return []
        }
        var all: [UpstreamStatus] = []
        for findings in found {
            var byName: [String: UpstreamStatus] = [:]
            for subscriber in findings.subscribers {
                let bound = subscriber.upstream
                guard let part = try? await bound.eventLoop.submit({ bound.value.loopStatus() }).get() else { continue }
                byName[subscriber.name, default: findings.status(of: subscriber.name)].add(part)
            }
            all += byName.values
        }
        return all.sorted { $0.name < $1.name }
    }
}
