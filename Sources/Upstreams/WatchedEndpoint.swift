internal import HTTPWire
internal import NIOCore
internal import Resilience

/// One endpoint as the directory sees it: probes it, if it is to be probed. On the directory's loop.
final class WatchedEndpoint {
    let address: SocketAddress
    /// Of the address as it was written.
    let authority: String
    private(set) var check: HealthCheck
    private(set) var changedAt = NIODeadline.now()
    private(set) var lastError: String?
    private let health: HealthCheckSettings?
    private let loop: any EventLoop
    private let upstream: Upstream
    private let head: ByteBuffer
    private var probe: HealthProbe?
    /// Asked for by people, beside the regular one.
    private var extraProbes: [(probe: HealthProbe, onEnd: (Bool) -> Void)] = []
    private var askedAt = NIODeadline.uptimeNanoseconds(0)
    private var timer: Scheduled<Void>?
    private var onChange: (WatchedEndpoint) -> Void = { _ in }

    init(address: SocketAddress, authority: String, health: HealthCheckSettings?, loop: any EventLoop) {
        self.address = address
        self.authority = authority
        self.health = health
        self.loop = loop
        check = HealthCheck(limits: health?.limits ?? HealthCheck.Limits())
        var settings = UpstreamSettings(name: authority, addresses: [])
        settings.breaker = nil
        upstream = Upstream(
            loop: loop, settings: settings, timeouts: UpstreamTimeouts(connect: health?.timeout ?? .seconds(2)),
            directory: nil)
        upstream.update(EndpointList(endpoints: [.init(address: address)]))
        head = WatchedEndpoint.head(path: health?.path ?? "/", host: health?.host ?? authority)
    }

    var place: String { address.place }

    private static func head(path: String, host: String) -> ByteBuffer {
        // What would end a line, or a part of it, has no place in either.
        func clean(_ text: String) -> [UInt8] { text.utf8.filter { $0 > 0x20 && $0 != 0x7F } }
        var head = ByteBuffer(string: "GET ")
        head.writeBytes(clean(path))
        head.writeString(" HTTP/1.1\r\nHost: ")
        head.writeBytes(clean(host))
        head.writeString("\r\nUser-Agent: strangler-health\r\nAccept: */*\r\nConnection: close\r\n\r\n")
        return head
    }

    /// - Parameter onChange: called when `check.state` has become another.
    func start(onChange: @escaping (WatchedEndpoint) -> Void) {
        self.onChange = onChange
        if health != nil { ask() }
    }

    func stop() {
        timer?.cancel()
        probe?.abandon()
        probe = nil
        for extra in extraProbes {
            extra.probe.abandon()
            extra.onEnd(false)
        }
        extraProbes = []
        upstream.close()
        onChange = { _ in }
    }

    private func ask() {
        askedAt = .now()
        let probe = HealthProbe(upstream: upstream, head: head) { [unowned self] result in answered(result) }
        self.probe = probe
        probe.start(within: health?.timeout ?? .seconds(2), on: loop)
    }

    private func answered(_ result: Result<Int, HealthProbe.Fault>) {
        probe = nil
        lastError = WatchedEndpoint.error(result)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let next = askedAt + .nanoseconds(check.pause(random: UInt64.random(in: 0...UInt64.max)))
        timer = loop.scheduleTask(deadline: next) { bound.value.ask() }
        count(passed: lastError == nil)
    }

    private func count(passed: Bool) {
        guard check.checked(passed: passed) else { return }
        changedAt = .now()
        onChange(self)
    }

    private static func error(_ result: Result<Int, HealthProbe.Fault>) -> String? {
        switch result {
        case .success(let status) where (200..<300).contains(status): nil
        case .success(let status): "status \(status)"
        case .failure(let fault): fault.description
        }
    }

    /// Asks at once, and again until it is healthy, as long as the checks pass. What people ask for may only help the
    /// endpoint: a failure does not count against it, or who looks often would have it taken out of use the sooner.
    /// - Parameter onEnd: called once, with whether it is healthy and has just shown it.
    func checkNow(_ onEnd: @escaping (Bool) -> Void) {
        let probe = HealthProbe(upstream: upstream, head: head) { [unowned self] result in checkedNow(result) }
        extraProbes.append((probe, onEnd))
        probe.start(within: health?.timeout ?? .seconds(2), on: loop)
    }

    private func checkedNow(_ result: Result<Int, HealthProbe.Fault>) {
        guard let index = extraProbes.firstIndex(where: { $0.probe.hasEnded }) else { return }
        let onEnd = extraProbes.remove(at: index).onEnd
        guard WatchedEndpoint.error(result) == nil else {
            onEnd(false)
            return
        }
        if check.state != .healthy { count(passed: true) }
        if check.state == .healthy {
            lastError = nil
            onEnd(true)
        } else {
            checkNow(onEnd)
        }
    }
}
