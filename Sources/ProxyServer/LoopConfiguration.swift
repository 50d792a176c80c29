internal import NIOCore
internal import Upstreams

/// One loop's part of a `ProxyModel`: what a request sees from its head to its answer's last byte, whatever is reloaded in
/// between. Exchanges hold the one that they were decided by; it goes with the last of them.
final class LoopConfiguration {
    let snapshot: ProxySnapshot
    let handoff: ExchangeHandoff
    let monolith: Upstream
    /// By slot.
    let services: [Upstream?]
    /// Where its requests are counted: shared with the ones before and after that have the same endpoints.
    let traffic: LoopTraffic
    private let settings: ProxySettings

    /// An upstream whose definition stays as it was in `last` keeps its connections and its breaker; any other begins anew.
    init(
        _ model: ProxyModel, loop: any EventLoop, share: LoopShare, directory: UpstreamDirectory,
        replacing last: LoopConfiguration?
    ) {
        snapshot = model.snapshot
        settings = model.settings
        handoff = model.handoff()
        let index = model.snapshot.endpoints
        traffic = last.map(\.traffic).flatMap { $0.index === index ? $0 : nil } ?? LoopTraffic(index)
        let settings = model.settings
        let hasSameDefaults = last?.settings.upstream == settings.upstream && last?.settings.heads == settings.heads
        func make(_ upstream: UpstreamSettings, keeping last: Upstream?) -> Upstream {
            if hasSameDefaults, let last, last.settings == upstream { return last }
            return Upstream(
                loop: loop, settings: upstream, share: share, timeouts: settings.upstream, heads: settings.heads,
                directory: directory)
        }
        monolith = make(model.upstreams.monolith, keeping: last?.monolith)
        services = model.upstreams.services.enumerated().map { slot, upstream in
            upstream.map { make($0, keeping: last?.service(at: slot)) }
        }
    }

    func service(at slot: Int) -> Upstream? {
        slot >= 0 && slot < services.count ? services[slot] : nil
    }

    /// Those that `next` has not taken over.
    func upstreams(notIn next: LoopConfiguration?) -> [Upstream] {
        var rest = next?.monolith === monolith ? [] : [monolith]
        for (slot, service) in services.enumerated() {
            if let service, next?.service(at: slot) !== service { rest.append(service) }
        }
        return rest
    }

    func sweepUpstreams(now: NIODeadline) {
        monolith.sweep(now: now)
        for service in services { service?.sweep(now: now) }
    }
}
