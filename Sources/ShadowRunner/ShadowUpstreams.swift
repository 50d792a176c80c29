internal import NIOCore
internal import Upstreams

/// The shadow's own upstreams on one loop, apart from the primaries', so that a slow shadow takes none of their
/// connections.
///
/// Work goes to the upstream that its configuration names, even after a reload has replaced that one: it then keeps no
/// connection, and goes with the last of its exchanges.
final class ShadowUpstreams {
    private struct Key: Hashable {
        /// -1: the monolith.
        let slot: Int
        let settings: UpstreamSettings
    }

    private let loop: any EventLoop
    private let directory: UpstreamDirectory?
    private var settings: ShadowSettings
    private var upstreams: [Key: Upstream] = [:]
    private var retired: [Key: Upstream] = [:]
    private var isClosed = false

    init(loop: any EventLoop, settings: ShadowSettings, directory: UpstreamDirectory?) {
        self.loop = loop
        self.settings = settings
        self.directory = directory
        openNamed()
    }

    func monolith(_ settings: UpstreamSettings) -> Upstream { upstream(Key(slot: -1, settings: settings)) }

    func service(_ slot: Int, _ settings: UpstreamSettings) -> Upstream {
        upstream(Key(slot: slot, settings: settings))
    }

    func update(_ settings: ShadowSettings) {
        self.settings = settings
        for (key, upstream) in upstreams where !isNamed(key) {
            upstreams[key] = nil
            retired[key] = upstream
        }
        openNamed()
    }

    func sweep(now: NIODeadline) {
        for upstream in upstreams.values { upstream.sweep(now: now) }
        guard !retired.isEmpty else { return }
        for upstream in retired.values where !upstream.isAwaited { upstream.close() }
        retired = retired.filter { $0.value.connections > 0 || $0.value.isAwaited }
    }

    func close() {
        isClosed = true
        for upstream in upstreams.values { upstream.close() }
        for upstream in retired.values { upstream.close() }
    }

    /// Before they are asked for, so that names are looked up and endpoints are probed in time.
    private func openNamed() {
        _ = monolith(settings.monolith)
        for (slot, extraction) in settings.extractions.enumerated() {
            if let extraction { _ = service(slot, extraction.service) }
        }
    }

    private func upstream(_ key: Key) -> Upstream {
        if let upstream = upstreams[key] { return upstream }
        if !isNamed(key), let upstream = retired[key] { return upstream }
        var shadowed = key.settings
        shadowed.name += " (shadow)"
        // Apart from the primaries' connections; its limits are each loop's already.
        shadowed.connections = settings.maximumConnections
        shadowed.pending = settings.maximumJobs
        let upstream = Upstream(loop: loop, settings: shadowed, directory: directory)
        // One that only old work asks for is closed as soon as it knows its endpoints.
        if isNamed(key), !isClosed { upstreams[key] = upstream } else { retired[key] = upstream }
        return upstream
    }

    /// Whether the present configuration has this upstream.
    private func isNamed(_ key: Key) -> Bool {
        if key.slot < 0 { return settings.monolith == key.settings }
        return key.slot < settings.extractions.count && settings.extractions[key.slot]?.service == key.settings
    }
}
