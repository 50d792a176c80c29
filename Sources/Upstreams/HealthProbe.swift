internal import HTTPWire
internal import NIOCore

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
    private(set) var hasEnded = false

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
