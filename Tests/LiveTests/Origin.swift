import NIOCore
import NIOPosix
import Synchronization

/// A server that gives one answer to every request, and counts them.
final class Origin: Sendable {
    let port: Int
    private let channel: any Channel
    private let current: Current

    /// What is answered now.
    private final class Current: Sendable {
        let answer: Mutex<String>

        init(_ body: String) { answer = Mutex(Self.message(body)) }

        static func message(_ body: String) -> String {
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        }
    }

    /// - Parameter delay: of each answer.
    init(body: String = #"{"ok":true}"#, delay: TimeAmount = .zero) async throws {
        let current = Current(body)
        self.current = current
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(current: current, delay: delay))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// From now on.
    func answer(_ body: String) { current.answer.withLock { $0 = Current.message(body) } }

    /// From now on: nobody is at home.
    func fail() {
        current.answer.withLock { $0 = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" }
    }

    func close() async { try? await channel.close() }

    /// Enough for requests without a body that arrive in one piece.
    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let current: Current
        private let delay: TimeAmount
        private var received = ""

        init(current: Current, delay: TimeAmount) {
            self.current = current
            self.delay = delay
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            while let end = received.firstRange(of: "\r\n\r\n") {
                received.removeSubrange(..<end.upperBound)
                let bytes = ByteBuffer(string: current.answer.withLock { $0 })
                if delay == .zero {
                    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
                } else {
                    let channel = context.channel
                    context.eventLoop.scheduleTask(in: delay) { channel.writeAndFlush(bytes, promise: nil) }
                }
            }
        }
    }
}
