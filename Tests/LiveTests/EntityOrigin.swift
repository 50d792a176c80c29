import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server with a JSON document at each path, that takes PUT under RFC 9110's preconditions and remembers what it was asked.
final class EntityOrigin: Sendable {
    struct Asked: Sendable {
        var method: String
        var path: String
        var headers: HTTPHeaders
        var body: String
    }

    let port: Int
    private let channel: any Channel
    private let state: State

    private final class State: Sendable {
        let documents: Mutex<[String: String]>
        let asked = Mutex<[Asked]>([])
        /// Instead of everything else.
        let status = Mutex<Int?>(nil)
        let takesPut = Mutex(true)

        init(_ documents: [String: String]) { self.documents = Mutex(documents) }
    }

    init(_ documents: [String: String] = [:], port: Int = 0) async throws {
        let state = State(documents)
        self.state = state
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answering(state))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        self.port = channel.localAddress?.port ?? 0
    }

    subscript(path: String) -> String? {
        get { state.documents.withLock { $0[path] } }
        set { state.documents.withLock { $0[path] = newValue } }
    }

    var asked: [Asked] { state.asked.withLock { $0 } }

    func answerAll(with status: Int?) { state.status.withLock { $0 = status } }
    func refusePut() { state.takesPut.withLock { $0 = false } }
    func close() async { try? await channel.close() }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let state: State
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ state: State) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, ByteBuffer())
            case .body(var part): body.writeBuffer(&part)
            case .end:
                guard let head else { return }
                let (status, answer) = answered(head)
                let headers = HTTPHeaders([
                    ("Content-Type", "application/json"), ("Content-Length", "\(answer.utf8.count)"),
                    ("ETag", "\"\(answer.hashValue)\""),
                ])
                context.write(
                    wrapOutboundOut(
                        .head(
                            HTTPResponseHead(
                                version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers))),
                    promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        private func answered(_ head: HTTPRequestHead) -> (Int, String) {
            let text = String(buffer: body)
            state.asked.withLock {
                $0.append(Asked(method: head.method.rawValue, path: head.uri, headers: head.headers, body: text))
            }
            if let status = state.status.withLock({ $0 }) { return (status, "") }
            return state.documents.withLock { documents in
                let now = documents[head.uri]
                guard head.method == .PUT else { return now.map { (200, $0) } ?? (404, "") }
                guard state.takesPut.withLock({ $0 }) else { return (405, "") }
                if now != nil, head.headers.contains(name: "if-none-match") { return (412, "") }
                if let tag = head.headers.first(name: "if-match"), tag != now.map({ "\"\($0.hashValue)\"" }) {
                    return (412, "")
                }
                documents[head.uri] = text
                return (now == nil ? 201 : 204, "")
            }
        }
    }
}
