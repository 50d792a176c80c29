internal import NIOCore

/// A client that comes while as many are connected as may be: its first bytes are answered 503, nothing is parsed, and
/// it is gone within a moment. It holds one channel and no buffer, and a loop keeps only so many of them at a time.
///
/// The answer waits for the request: clients take one that comes before they have asked for a fault of the server's.
final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// On one loop; beyond, a connection is closed without an answer.
    static let maximum = 256
    /// Until the request has to have come, and the answer to have been taken.
    private static let patience = TimeAmount.seconds(2)
    /// A 5xx needs no `Date` (RFC 9110 §6.6.1), so that the answer can be the same bytes for everybody.
    private static let answer: ByteBuffer = {
        let body =
            #"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Too many connections."}"#
        return ByteBuffer(
            string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                + "Content-Length: \(body.utf8.count)\r\nCache-Control: no-store\r\nRetry-After: 1\r\n"
                + "Connection: close\r\n\r\n" + body)
    }()

    private let context: LoopContext
    private var timer: Scheduled<Void>?
    private var hasAnswered = false
    private var isCounted = false

    init(context: LoopContext) {
        self.context = context
    }

    func channelActive(context channelContext: ChannelHandlerContext) {
        context.counters.connectionsRefused += 1
        guard context.refusedConnections < RefusedConnection.maximum else {
            channelContext.close(promise: nil)
            return
        }
        context.refusedConnections += 1
        isCounted = true
        let channel = channelContext.channel
        timer = channelContext.eventLoop.scheduleTask(in: RefusedConnection.patience) { channel.close(promise: nil) }
        channelContext.read()
    }

    func channelReadComplete(context channelContext: ChannelHandlerContext) { channelContext.read() }

    func channelInactive(context channelContext: ChannelHandlerContext) {
        timer?.cancel()
        guard isCounted else { return }
        isCounted = false
        context.refusedConnections -= 1
    }

    /// What comes after the answer is thrown away, so that closing does not reset the connection under it (RFC 9112 §9.6).
    func channelRead(context channelContext: ChannelHandlerContext, data: NIOAny) {
        guard !hasAnswered else { return }
        hasAnswered = true
        channelContext.writeAndFlush(wrapOutboundOut(RefusedConnection.answer), promise: nil)
        channelContext.close(mode: .output, promise: nil)
    }

    func userInboundEventTriggered(context channelContext: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
        channelContext.close(promise: nil)
    }

    func errorCaught(context channelContext: ChannelHandlerContext, error: any Error) {
        channelContext.close(promise: nil)
    }
}
