internal import Comparison
internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// One request to the shadow: sends it, collects the answer within bounds, ends at its deadline. On the loop.
final class ShadowCall: UpstreamConsumer {
    enum Result {
        case answered(head: ByteBuffer, body: CapturedBody)
        /// It went beyond what is hashed.
        case answerTooLarge
        case failed(UpstreamFailure)
        case notAsked(NotComparedReason)
    }

    private let deadline: NIODeadline
    private let method: Method
    private let head: ByteBuffer
    private let body: [ByteBuffer]
    private let onEnd: (ShadowCall, Result) -> Void
    private var stream: (any UpstreamStream)?
    private var waiter: UpstreamWaiter?
    private var answerHead = ByteBuffer()
    private var answerBody: BodyCollector
    private var sent = NIODeadline.now()
    /// From sending to the answer's last byte; 0 before that.
    private(set) var nanoseconds: Int64 = 0
    /// Of the answer's head, as soon as there is one.
    private(set) var status: Int?
    /// There was a connection, so the other side may have got the request.
    private(set) var wasSent = false
    private var hasEnded = false
    private var retriesLeft = 1
    private let upstream: Upstream
    private let mayRepeat: Bool

    init(
        method: Method, head: ByteBuffer, body: [ByteBuffer], upstream: Upstream, deadline: NIODeadline,
        answer: BodyCollector, onEnd: @escaping (ShadowCall, Result) -> Void
    ) {
        self.method = method
        self.head = head
        self.body = body
        self.upstream = upstream
        self.deadline = deadline
        answerBody = answer
        self.onEnd = onEnd
        // Whether a write is sent once more is for the ledger to say, which keeps count.
        mayRepeat = method.isSafe
    }

    /// - Parameter failedAt: set for a second attempt, which is made on a fresh connection.
    func start(failedAt: EndpointID? = nil) {
        let freshness: ConnectionFreshness = failedAt != nil ? .fresh : mayRepeat ? .kept : .checked
        switch upstream.acquire(self, freshness, avoiding: failedAt ?? .none) {
        case .ready(let connection): upstreamConnected(connection)
        case .pending(let waiter): self.waiter = waiter
        case .full: end(.failed(.noConnection))
        case .noneHealthy: end(.failed(.noneHealthy))
        }
    }

    func tick(now: NIODeadline) {
        guard now > deadline else { return }
        if answerHead.readableBytes == 0 {
            stream?.timedOut()
            stream = nil
        }
        end(.failed(.firstByteTimeout))
    }

    private func end(_ result: Result) {
        guard !hasEnded else { return }
        abandon()
        onEnd(self, result)
    }

    /// Ends without telling anybody.
    func abandon() {
        hasEnded = true
        waiter?.consumer = nil
        waiter = nil
        stream?.cancel()
        stream = nil
    }

    // MARK: The upstream

    func upstreamConnected(_ stream: any UpstreamStream) {
        waiter = nil
        self.stream = stream
        sent = .now()
        wasSent = true
        stream.begin(self, method: method, framing: .none, head: head)
        for bytes in body { stream.sendBody(bytes) }
        stream.sendEnd(trailers: [])
        stream.flush()
    }

    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        if parser.head.isInterim { return }
        status = parser.head.status
        answerHead = ByteBuffer(bytes: bytes.prefix(parser.head.length))
    }

    func upstreamBody(_ bytes: ByteBuffer) {
        answerBody.append(bytes)
        if answerBody.isGivenUp { end(.answerTooLarge) }
    }

    func upstreamEnded(trailers: [UInt8]) {
        stream = nil
        nanoseconds = (NIODeadline.now() - sent).nanoseconds
        end(.answered(head: answerHead, body: answerBody.body))
    }

    func upstreamReadComplete() {}

    func upstreamWritabilityChanged(_ isWritable: Bool) {}

    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool) {
        let endpoint = stream?.endpoint ?? .none
        stream = nil
        waiter = nil
        if failure == .closedBeforeHead, reused, mayRepeat, retriesLeft > 0 {
            retriesLeft -= 1
            start(failedAt: endpoint)
        } else {
            end(.failed(failure))
        }
    }
}
