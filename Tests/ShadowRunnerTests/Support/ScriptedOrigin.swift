import NIOCore
import NIOPosix
import Synchronization

/// A request as an origin got it.
struct SeenRequest: Sendable {
    var line = ""
    var fields: [(name: String, value: String)] = []
    var body = ""

    var method: String { String(line.prefix { $0 != " " }) }
    var target: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// Takes one whole request off the front of the text; nil while it is incomplete.
    static func take(from text: inout String) -> SeenRequest? {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        var request = SeenRequest(line: lines.first ?? "")
        request.fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            return (parts[0], String((parts.count > 1 ? parts[1] : "").drop { $0 == " " }))
        }
        let length = request.values(of: "content-length").first.flatMap { Int($0) } ?? 0
        let rest = text[end.upperBound...]
        guard rest.utf8.count >= length else { return nil }
        request.body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
        text = String(decoding: rest.utf8.dropFirst(length), as: UTF8.self)
        return request
    }
}

/// Holds answers back until it is opened.
final class Barrier: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [@Sendable () -> Void])>((false, []))

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for resume in waiting { resume() }
    }

    fileprivate func whenOpen(_ body: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.waiting.append(body) }
            return state.isOpen
        }
        if isOpen { body() }
    }
}

/// What an origin does with a request.
indirect enum Reply: Sendable {
    case bytes(String)
    /// Says nothing and keeps the connection.
    case hang
    /// A body without an end, as fast as it is taken.
    case endless
    case close
    case after(Barrier, Reply)

    static func json(_ body: String, status: String = "200 OK", fields: String = "") -> Reply {
        .bytes(jsonAnswer(body, status: status, fields: fields))
    }
}

func jsonAnswer(_ body: String, status: String = "200 OK", fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

/// A TCP server on a port of its own that keeps every request on record and does with it what a closure says.
final class ScriptedOrigin: Sendable {
    typealias Script = @Sendable (_ request: SeenRequest, _ number: Int) -> Reply

    fileprivate struct Record {
        var requests: [SeenRequest] = []
        var opened = 0
        var closed = 0
    }

    fileprivate let record = Mutex(Record())
    fileprivate let script: Script
    private let listener = Mutex<(any Channel)?>(nil)

    /// - Parameter script: gets each request and its number, from 0, among those of this origin.
    init(_ script: @escaping Script) { self.script = script }

    /// - Returns: the port.
    func listen(on group: any EventLoopGroup) async throws -> Int {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(OriginConnection(origin: self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    /// From here on, connecting is refused.
    func stop() async throws { try await listener.withLock { $0 }?.close() }

    var requests: [SeenRequest] { record.withLock { $0.requests } }
    var openConnections: Int { record.withLock { $0.opened - $0.closed } }
    var connectionsMade: Int { record.withLock { $0.opened } }
}

private final class OriginConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let origin: ScriptedOrigin
    private var text = ""
    private var isEndless = false

    init(origin: ScriptedOrigin) { self.origin = origin }

    func channelActive(context: ChannelHandlerContext) { origin.record.withLock { $0.opened += 1 } }

    func channelInactive(context: ChannelHandlerContext) { origin.record.withLock { $0.closed += 1 } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        while let request = SeenRequest.take(from: &text) {
            let number = origin.record.withLock { record in
                record.requests.append(request)
                return record.requests.count - 1
            }
            perform(origin.script(request, number), context)
        }
    }

    private func perform(_ reply: Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .bytes(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        case .hang: break
        case .close: context.close(promise: nil)
        case .endless:
            isEndless = true
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
            sendMore(context)
        case .after(let barrier, let reply):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            barrier.whenOpen { loop.execute { bound.value.0.perform(reply, bound.value.1) } }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { sendMore(context) }

    private func sendMore(_ context: ChannelHandlerContext) {
        guard isEndless else { return }
        let chunk = "400\r\n" + String(repeating: "x", count: 1_024) + "\r\n"
        while context.channel.isActive, context.channel.isWritable {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: chunk)), promise: nil)
        }
    }
}
