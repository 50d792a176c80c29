import Extraction
import NIOCore
import NIOPosix
import NIOWebSocket
import ProxyServer
import Testing
import Upstreams

/// Row 48 with a real WebSocket client and echo servers, between which a cutover is half done.
@Suite struct Row48WebSocket {
    private struct Unexpected: Error { let what: String }

    @Test("row 48: WebSockets through a cutover at 50 %: ping, text, 1 MB frames both ways, close handshake")
    func cutover() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let monolith = try await EchoServer.listen(name: "monolith", on: group)
        let service = try await EchoServer.listen(name: "service", on: group)
        let orders = OrdersExtraction(weight: Weight(clamping: 5_000))
        var settings = patient
        settings.tunnelIdle = .seconds(30)
        try await withProxy(
            monolith: monolith.localAddress?.port ?? 0, service: service.localAddress?.port ?? 0, orders: orders,
            settings: settings
        ) { proxy in
            let sides = try await withThrowingTaskGroup(of: String.self) { clients in
                for number in 0..<10 {
                    clients.addTask { try await Self.converse(proxy.port, session: number, group) }
                }
                return try await clients.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(Set(sides.keys) == ["monolith", "service"], "\(sides)")
            // The same sessions, the same sides.
            for number in 0..<2 {
                let first = try await Self.converse(proxy.port, session: number, group)
                #expect(try await Self.converse(proxy.port, session: number, group) == first)
            }
            let counters = await proxy.counters()
            #expect(counters.upgraded == 14)
            #expect(counters.clientAborts == 0)
            #expect(await proxy.reaches(openConnections: 0))
            #expect(proxy.captured.now.allSatisfy { $0.outcome == .upgrade })
        }
        try await monolith.close()
        try await service.close()
        try await group.shutdownGracefully()
    }

    /// - Returns: who was at the other end.
    private static func converse(_ port: Int, session: Int, _ group: any EventLoopGroup) async throws -> String {
        var name = ""
        try await WebSocketClient.run(port: port, path: "/orders/live", cookie: "\(session)", on: group) {
            frames, send in
            var incoming = frames.makeAsyncIterator()
            func next(_ opcode: WebSocketOpcode) async throws -> ByteBuffer {
                guard let frame = try await incoming.next(), frame.opcode == opcode else {
                    throw Unexpected(what: "no \(opcode)")
                }
                return frame.unmaskedData
            }
            name = String(buffer: try await next(.text))
            try await send(.ping, ByteBuffer(string: "are you there"))
            #expect(String(buffer: try await next(.pong)) == "are you there")
            try await send(.text, ByteBuffer(string: "session \(session)"))
            #expect(String(buffer: try await next(.text)) == "session \(session)")
            let large = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ session) })
            for _ in 0..<2 {
                try await send(.binary, large)
                #expect(try await next(.binary) == large)
            }
            try await send(.connectionClose, ByteBuffer(bytes: [0x03, 0xE8]))
            #expect(try await next(.connectionClose) == ByteBuffer(bytes: [0x03, 0xE8]))
            #expect(try await incoming.next() == nil)
        }
        return name
    }
}
