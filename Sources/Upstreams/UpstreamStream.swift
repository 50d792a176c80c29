package import HTTPWire
package import NIOCore

/// Why an upstream gave no complete answer.
package enum UpstreamFailure: Error, Sendable, Equatable {
    /// No connection could be made: refused, unreachable, name not found.
    case refused
    case connectTimeout
    /// All connections are busy and the queue for them is full.
    case noConnection
    /// Every endpoint fails its health checks, or the name is unknown.
    case noneHealthy
    /// The connection ended before the first byte of an answer.
    case closedBeforeHead
    /// The connection ended inside the answer.
    case truncated
    /// The answer's head or framing was malformed.
    case malformed
    /// No byte of an answer in time.
    case firstByteTimeout
    /// The answer began and then stood still.
    case idleTimeout
}

/// One exchange's way to its upstream, whatever protocol that speaks: a whole connection in HTTP/1.1, a stream in HTTP/2.
///
/// It and `UpstreamConsumer` are held as class-bound existentials: two words without a box, and a call through one costs
/// the same indirect jump as an overridden method. Generics instead would cross a module boundary unspecialised, which
/// costs more.
package protocol UpstreamStream: AnyObject {
    /// It had served a request before this one, so the upstream may have closed it in the meantime.
    var isReused: Bool { get }
    var isWritable: Bool { get }
    /// 101 may be the answer, after which `sendBody` and `upstreamBody` carry a tunnel's bytes. False after `begin`.
    var mayUpgrade: Bool { get set }
    /// Begins an exchange. The head is a whole one; nothing leaves before `flush`.
    func begin(_ consumer: any UpstreamConsumer, method: Method, framing: BodyFraming, head: ByteBuffer)
    func sendBody(_ bytes: ByteBuffer)
    func sendEnd(trailers: [UInt8])
    func flush()
    /// Where it goes to.
    var endpoint: EndpointID { get }
    /// The consumer wants nothing more, and hears nothing more.
    func cancel()
    /// As `cancel`, because no answer began in time: that counts against the endpoint.
    func timedOut()
    /// A slow reader: the upstream shall wait.
    func pauseReading()
    func resumeReading()
    /// Of a tunnel: the client has said all that it will say.
    func finishSending()
    /// Of a tunnel: both sides have said all, or nothing for too long. What waits to be written is, within `limit`; the
    /// consumer hears nothing more.
    func endTunnel(within limit: TimeAmount)
}

/// What one exchange hears from its upstream. All calls come on the loop.
package protocol UpstreamConsumer: AnyObject {
    /// A connection is at hand: `send…` may be called.
    func upstreamConnected(_ stream: any UpstreamStream)
    /// A head is complete; interim ones (1xx) come before the final one. `bytes` live for this call only.
    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer)
    func upstreamBody(_ bytes: ByteBuffer)
    /// The answer is complete; the connection is no longer this exchange's.
    func upstreamEnded(trailers: [UInt8])
    /// Everything that one read brought has been handed over: time to flush.
    func upstreamReadComplete()
    func upstreamWritabilityChanged(_ isWritable: Bool)
    /// Of a tunnel: the upstream has said all that it will say, and may still listen.
    func upstreamInputEnded()
    /// The end of this upstream's part. `reused`: the connection had served another request before.
    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool)
}

extension UpstreamConsumer {
    /// For those that never ask for an upgrade.
    package func upstreamInputEnded() {}
}

/// How long the upstream side of an exchange may take. Checked by the loop's tick, so to about 100 ms.
package struct UpstreamTimeouts: Sendable, Hashable {
    package var connect: TimeAmount
    /// From the request's last byte to the answer's first.
    package var firstByte: TimeAmount
    /// Between two reads of an answer.
    package var idle: TimeAmount
    /// How long an unused connection is kept.
    package var keepAlive: TimeAmount

    package init(
        connect: TimeAmount = .seconds(1), firstByte: TimeAmount = .seconds(30), idle: TimeAmount = .seconds(60),
        keepAlive: TimeAmount = .seconds(60)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.keepAlive = keepAlive
    }
}
