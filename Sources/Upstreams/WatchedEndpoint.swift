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
        switch result {
        case .success(let status) where (200..<300).contains(status): lastError = nil
        case .success(let status): lastError = "status \(status)"
        case .failure(let fault): lastError = fault.description
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let next = askedAt + .nanoseconds(check.pause(random: UInt64.random(in: 0...UInt64.max)))
        timer = loop.scheduleTask(deadline: next) { bound.value.ask() }
        if check.checked(passed: lastError == nil) {
            changedAt = .now()
            onChange(self)
        }
    }
}

/// One question to an endpoint: how its answer begins, or why none did.
final class HealthProbe: UpstreamConsumer {
    enum Fault: Error {
        case failed(UpstreamFailure)
        case timedOut

        var description: String {
            switch self {
            case .timedOut: "no answer in time"
            case .failed(let failure): failure.description
            }
        }
    }

    private let upstream: Upstream
    private let head: ByteBuffer
    private let onEnd: (Result<Int, Fault>) -> Void
    private var stream: (any UpstreamStream)?
    private var waiter: UpstreamWaiter?
    private var deadline: Scheduled<Void>?
    private var hasEnded = false

    init(upstream: Upstream, head: ByteBuffer, onEnd: @escaping (Result<Int, Fault>) -> Void) {
        self.upstream = upstream
        self.head = head
        self.onEnd = onEnd
    }

    func start(within time: TimeAmount, on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        deadline = loop.scheduleTask(in: time) { bound.value.end(.failure(.timedOut)) }
        switch upstream.acquire(self, .fresh) {
        case .ready(let stream): upstreamConnected(stream)
        case .pending(let waiter): self.waiter = waiter
        case .full, .noneHealthy: end(.failure(.failed(.noConnection)))
        }
    }

    /// Ends without telling anybody.
    func abandon() {
        hasEnded = true
        deadline?.cancel()
        waiter?.consumer = nil
        waiter = nil
        stream?.cancel()
        stream = nil
    }

    private func end(_ result: Result<Int, Fault>) {
        guard !hasEnded else { return }
        abandon()
        onEnd(result)
    }

    func upstreamConnected(_ stream: any UpstreamStream) {
        waiter = nil
        self.stream = stream
        stream.begin(self, method: .get, framing: .none, head: head)
        stream.sendEnd(trailers: [])
        stream.flush()
    }

    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        if !parser.head.isInterim { end(.success(parser.head.status)) }
    }

    func upstreamBody(_ bytes: ByteBuffer) {}
    func upstreamEnded(trailers: [UInt8]) {}
    func upstreamReadComplete() {}
    func upstreamWritabilityChanged(_ isWritable: Bool) {}

    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool) {
        stream = nil
        waiter = nil
        end(.failure(.failed(failure)))
    }
}
