import NIOCore
import NIOPosix
import Synchronization

/// What a write goes by where it is made: said in its body, and so known to whoever has that.
struct WriteName: Sendable, Hashable, CustomStringConvertible {
    let lane: String
    let number: Int

    /// Of `{"lane":"a","number":7}`; nil for anything else.
    init?(body: some Sequence<UInt8>) {
        let text = String(decoding: Array(body), as: UTF8.self)
        guard let found = text.firstMatch(of: /"lane":"([^"]*)","number":(\d+)/), let number = Int(found.2) else {
            return nil
        }
        self.init(lane: String(found.1), number: number)
    }

    init(lane: String, number: Int) {
        self.lane = lane
        self.number = number
    }

    var body: String { #"{"lane":"\#(lane)","number":\#(number)}"# }
    var description: String { "\(lane) \(number)" }
}

/// A system that carries writes out and remembers each: what was written, by which key, in which order it first came.
/// A key that comes again changes nothing and is counted, as an idempotent service would do it.
final class WrittenOrigin: Sendable {
    struct Written: Sendable, Equatable {
        let lane: String
        let number: Int
        let key: String
        let isShadowed: Bool

        var write: WriteName { WriteName(lane: lane, number: number) }
    }

    struct Record: Sendable {
        /// In the order of first arrival.
        var written: [Written] = []
        /// The keys that it came with, and the ids that the proxy gave it.
        fileprivate(set) var keys: [WriteName: Set<String>] = [:]
        fileprivate(set) var ids: [WriteName: Set<String>] = [:]
        /// Deliveries beyond the first.
        var repeated = 0
        fileprivate var known: Set<String> = []
    }

    /// How requests are answered now.
    enum Mood: Sendable {
        case well
        /// Answers nothing, keeps the connection.
        case silent
        /// Hangs up on who asks.
        case gone
        /// A gateway's answer for somebody who is not there.
        case unavailable
        /// Answers this status to what `picks` the number, in every lane.
        case refusing(status: Int, numbers: Set<Int>)
    }

    let port: Int
    private let channel: any Channel
    private let state: State

    fileprivate final class State: Sendable {
        let record = Mutex(Record())
        let mood = Mutex(Mood.well)
    }

    init(port: Int = 0) async throws {
        let state = State()
        self.state = state
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Writing(state))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        self.port = channel.localAddress?.port ?? 0
    }

    var record: Record { state.record.withLock { $0 } }

    func turns(_ mood: Mood) { state.mood.withLock { $0 = mood } }

    func close() async { try? await channel.close() }

    private final class Writing: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let state: State
        private var received = ByteBuffer()

        init(_ state: State) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
            while let request = next() {
                if case .gone = state.mood.withLock({ $0 }) { return context.close(promise: nil) }
                guard let answer = answer(request.head, request.body) else { continue }
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            }
        }

        private func next() -> (head: Substring, body: Substring)? {
            let text = String(buffer: received)
            guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
            let head = text[..<end.lowerBound]
            let length = Self.field("content-length", of: head).flatMap { Int($0) } ?? 0
            let body = text[end.upperBound...]
            guard body.utf8.count >= length else { return nil }
            let taken = text[..<end.upperBound].utf8.count + length
            received.moveReaderIndex(forwardBy: taken)
            received.discardReadBytes()
            return (head, Substring(String(decoding: Array(body.utf8.prefix(length)), as: UTF8.self)))
        }

        private func answer(_ head: Substring, _ body: Substring) -> String? {
            guard head.hasPrefix("POST") else { return Self.message(200, #"{"ok":true}"#) }
            guard let write = WriteName(body: body.utf8) else { return Self.message(400, "{}") }
            switch state.mood.withLock({ $0 }) {
            case .silent, .gone: return nil
            case .unavailable: return Self.message(503, "{}")
            case .refusing(let status, let numbers) where numbers.contains(write.number):
                return Self.message(status, "{}")
            case .well, .refusing: break
            }
            let (lane, number) = (write.lane, write.number)
            let key = String(Self.field("idempotency-key", of: head) ?? "")
            let id = String(Self.field("strangler-request-id", of: head) ?? "")
            let isShadowed = Self.field("strangler-shadow", of: head) == "1"
            state.record.withLock { record in
                record.keys[write, default: []].insert(key)
                record.ids[write, default: []].insert(id)
                guard record.known.insert("\(lane) \(number) \(isShadowed)").inserted else {
                    record.repeated += 1
                    return
                }
                record.written.append(Written(lane: lane, number: number, key: key, isShadowed: isShadowed))
            }
            return Self.message(201, write.body)
        }

        private static func field(_ name: String, of head: Substring) -> Substring? {
            for line in head.split(separator: "\r\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name { return parts[1].trimmingPrefix(" ") }
            }
            return nil
        }

        private static func message(_ status: Int, _ body: String) -> String {
            "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                + body
        }
    }
}
