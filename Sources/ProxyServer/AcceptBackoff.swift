internal import NIOCore

/// Stops accepting for a moment when a connection cannot be accepted, for want of descriptors above all: the listener
/// would be ready again at once, and the loop would do nothing else.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let context: LoopContext
    private var isResting = false

    static let rest = TimeAmount.milliseconds(100)

    init(context: LoopContext) {
        self.context = context
    }

    func errorCaught(context channelContext: ChannelHandlerContext, error: any Error) {
        context.counters.acceptFailures += 1
        guard !isResting else { return }
        isResting = true
        let channel = channelContext.channel
        _ = try? channel.syncOptions?.setOption(.autoRead, value: false)
        channelContext.eventLoop.assumeIsolated().scheduleTask(in: AcceptBackoff.rest) { [self] in
            isResting = false
            _ = try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
