import NIOCore
import ProxyServer
import Testing

/// A whole exchange has its own limit, whatever its parts take.
@Suite struct ExchangeLimits {
    private static let limited: ProxySettings = {
        var settings = patient
        settings.exchange = .milliseconds(300)
        return settings
    }()

    @Test func `an answer that does not begin in time: 504`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port, settings: Self.limited) { proxy in
            let client = try proxy.connect()
            try client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try Message.answer(from: client).status == 504)
            // The client's connection goes on; the origin's has ended.
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(await proxy.counters().overdue == 1)
        }
    }

    @Test func `an answer that has begun and goes on and on is broken off`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while true { try connection.socket.send([UInt8](repeating: 0x78, count: 1_000)) }
        }
        try await withProxy(monolith: origin.port, settings: Self.limited) { proxy in
            let client = try proxy.connect()
            try client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            let (bytes, _) = client.takeToEnd()
            #expect(bytes.starts(with: Array("HTTP/1.1 200 OK".utf8)))
            #expect(bytes.count < 1_000_000_000)
            #expect(await proxy.counters().overdue == 1)
        }
    }

    @Test func `a request that is not complete in time, though its bytes keep coming: 408`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in _ = try connection.request() }
        try await withProxy(monolith: origin.port, settings: Self.limited) { proxy in
            let client = try proxy.connect()
            try client.send("POST /drip HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
            while await proxy.counters().overdue == 0 { try client.send("x") }
            let answer = try Message.answer(from: client)
            #expect(answer.status == 408)
            #expect(answer["Connection"] == "close")
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(origin.requests.isEmpty)
        }
    }
}
