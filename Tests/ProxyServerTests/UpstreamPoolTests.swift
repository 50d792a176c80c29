import HTTPWire
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import Upstreams

/// Writes down what an exchange would hear.
private final class Listener: UpstreamConsumer {
    enum Event: Equatable {
        case connected
        case head(Int)
        case body(String)
        case ended([UInt8])
        case failed(UpstreamFailure, reused: Bool)
    }

    private(set) var events: [Event] = []
    private(set) var stream: (any UpstreamStream)?
    var onEnd: () -> Void = {}
    var pausesAfterBody = false

    var body: String { events.reduce(into: "") { text, event in if case .body(let part) = event { text += part } } }

    func upstreamConnected(_ stream: any UpstreamStream) {
        self.stream = stream
        events.append(.connected)
    }

    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        events.append(.head(parser.head.status))
    }

    func upstreamBody(_ bytes: ByteBuffer) {
        events.append(.body(String(buffer: bytes)))
        if pausesAfterBody { stream?.pauseReading() }
    }

    func upstreamEnded(trailers: [UInt8]) {
        events.append(.ended(trailers))
        onEnd()
    }

    func upstreamReadComplete() {}
    func upstreamWritabilityChanged(_ isWritable: Bool) {}

    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool) {
        events.append(.failed(failure, reused: reused))
    }
}

private let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")

@Suite struct UpstreamConnectionEmbedded {
    private let loop = EmbeddedEventLoop()

    /// A connection that has sent a GET.
    private func asked(_ listener: Listener, _ upstream: Upstream) throws -> (EmbeddedChannel, HTTP1UpstreamConnection)
    {
        let connection = HTTP1UpstreamConnection(upstream: upstream, pool: upstream.pools[0])
        let channel = EmbeddedChannel(handler: connection, loop: loop)
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        listener.upstreamConnected(connection)
        connection.begin(listener, method: .get, framing: .none, head: request)
        connection.sendEnd(trailers: [])
        connection.flush()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == request)
        return (channel, connection)
    }

    private func upstream() -> Upstream {
        Upstream(loop: loop, settings: UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: 1)), directory: nil)
    }

    @Test func `an answer means the same however its bytes are cut into reads`() throws {
        let answers: [(bytes: String, body: String, ended: [UInt8])] = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", []),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\na\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
                "abc0123456789", Array("X-T: 1\r\n".utf8)
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", "", []),
        ]
        for answer in answers {
            let bytes = Array(answer.bytes.utf8)
            for first in 1..<bytes.count {
                for second in [first, (first + bytes.count) / 2] {
                    let upstream = upstream()
                    let listener = Listener()
                    let (channel, connection) = try asked(listener, upstream)
                    for part in [bytes[..<first], bytes[first..<second], bytes[second...]] where !part.isEmpty {
                        try channel.writeInbound(ByteBuffer(bytes: part))
                    }
                    #expect(listener.body == answer.body)
                    #expect(listener.events.last == .ended(answer.ended))
                    // It is back in the pool, for the next one.
                    guard case .ready(let next) = upstream.acquire(listener, .kept) else {
                        Issue.record("the connection was not kept")
                        return
                    }
                    #expect(next === connection)
                    _ = try channel.finish()
                }
            }
        }
    }

    /// channelRead, channelRead, channelReadComplete: both reads belong to one round of the loop, and the first one holds
    /// the whole answer.
    @Test func `what follows an answer within the same round makes its connection useless`() throws {
        let upstream = upstream()
        let listener = Listener()
        let (channel, _) = try asked(listener, upstream)
        channel.pipeline.fireChannelRead(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        #expect(listener.events == [.connected, .head(200), .body("ok")])
        channel.pipeline.fireChannelRead(ByteBuffer(string: "HTTP/1.1 200 OK\r\n"))
        channel.pipeline.fireChannelReadComplete()
        #expect(listener.events.last == .ended([]))
        #expect(!channel.isActive)
        #expect(listener.body == "ok")
    }

    @Test func `bytes on a connection at rest end it`() throws {
        let upstream = upstream()
        let listener = Listener()
        let (channel, _) = try asked(listener, upstream)
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 204 No Content\r\n\r\n"))
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(string: "x"))
        #expect(!channel.isActive)
    }

    @Test func `a paused connection reads again once it is resumed, whenever that is`() throws {
        let upstream = upstream()
        let listener = Listener()
        let (channel, connection) = try asked(listener, upstream)
        #expect(!connection.isReadWanted)
        listener.pausesAfterBody = true
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab"))
        #expect(connection.isReadWanted)
        connection.resumeReading()
        #expect(!connection.isReadWanted)
        // Resumed within the read that paused it: that read's end asks for the next.
        listener.pausesAfterBody = false
        try channel.writeInbound(ByteBuffer(string: "cd"))
        #expect(!connection.isReadWanted)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `how a connection ends tells a whole answer from a part of one`() throws {
        let cases: [(String, Listener.Event)] = [
            ("", .failed(.closedBeforeHead, reused: false)), ("HTTP/1.1 2", .failed(.truncated, reused: false)),
            ("HTTP/1.1 103 Early Hints\r\n\r\n", .failed(.truncated, reused: false)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", .failed(.truncated, reused: false)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", .failed(.truncated, reused: false)),
            ("HTTP/1.1 200 OK\r\n\r\na", .ended([])),
        ]
        for (bytes, outcome) in cases {
            let listener = Listener()
            let (channel, _) = try asked(listener, upstream())
            if !bytes.isEmpty { try channel.writeInbound(ByteBuffer(string: bytes)) }
            try channel.close().wait()
            #expect(listener.events.last == outcome, "\(bytes)")
        }
        let listener = Listener()
        let (channel, _) = try asked(listener, upstream())
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\na"))
        channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(listener.events.last == .failed(.truncated, reused: false))
        #expect(!channel.isActive)
    }

    @Test func `a cancelled exchange hears nothing more`() throws {
        let listener = Listener()
        let (channel, connection) = try asked(listener, upstream())
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"))
        connection.cancel()
        #expect(!channel.isActive)
        #expect(listener.events == [.connected, .head(200), .body("a")])
    }
}
