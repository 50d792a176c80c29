import ProxyServer
import Testing

@Suite struct Admission {
    private static let get = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"

    private static func settings(connections: Int) -> ProxySettings {
        var settings = patient
        settings.connections = connections
        return settings
    }

    @Test func `over the limit new clients get 503 and are counted, old ones keep working`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        try await withProxy(monolith: origin.port, settings: Self.settings(connections: 2), loops: 1) { proxy in
            let old = try (0..<2).map { _ in try proxy.connect() }
            for client in old {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 200)
            }
            for _ in 0..<3 {
                let client = try proxy.connect()
                try client.send(Self.get)
                let answer = try Message.answer(from: client)
                #expect(answer.status == 503 && answer["Retry-After"] == "1" && answer["Connection"] == "close")
                #expect(client.takeToEnd().ending == .closed)
                client.close()
            }
            for client in old {
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == 200)
            }
            let counters = await proxy.counters()
            #expect(counters.connectionsRefused == 3 && counters.connections == 2)
            // Room again as soon as one has left.
            old[0].close()
            #expect(await proxy.reaches(openConnections: 1))
            let next = try proxy.connect()
            try next.send(Self.get)
            #expect(try Message.answer(from: next).status == 200)
        }
    }

    @Test func `the limit follows the configuration`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        try await withProxy(monolith: origin.port, settings: Self.settings(connections: 0)) { proxy in
            for (limit, status) in [(0, 503), (1, 200)] {
                await proxy.update(settings: Self.settings(connections: limit))
                let client = try proxy.connect()
                try client.send(Self.get)
                #expect(try Message.answer(from: client).status == status)
                client.close()
                #expect(await proxy.reaches(openConnections: 0))
            }
        }
    }

    @Test func `refused clients that say nothing and do not leave are closed, and cost no place`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("ok") })
        try await withProxy(monolith: origin.port, settings: Self.settings(connections: 1)) { proxy in
            let old = try proxy.connect()
            try old.send(Self.get)
            #expect(try Message.answer(from: old).status == 200)
            // More than are kept at one time for an answer.
            let silent = try (0..<400).map { _ in try proxy.connect() }
            for client in silent { #expect(client.takeToEnd().bytes.isEmpty) }
            #expect(await proxy.counters().connectionsRefused == 400)
            try old.send(Self.get)
            #expect(try Message.answer(from: old).status == 200)
            #expect(await proxy.server.counters().open == 1)
        }
    }
}
