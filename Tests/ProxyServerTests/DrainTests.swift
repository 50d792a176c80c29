import NIOCore
import ProxyServer
import Testing

@Suite struct Draining {
    @Test(arguments: [1, 2])
    func `shutdown closes what is idle, waits for what is under way, and returns with its end`(loops: Int) async throws
    {
        let mayAnswer = Watched(false)
        let origin = try ScriptedOrigin(answering: { request in
            if request.target == "/slow" { _ = mayAnswer.wait { $0 } }
            return plainAnswer(request.target)
        })
        try await withProxy(monolith: origin.port, loops: loops) { proxy in
            let idle = try proxy.connect()
            try idle.send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try Message.answer(from: idle).text == "/quick")
            // Enough that each loop has some.
            let busy = try (0..<6).map { _ in try proxy.connect() }
            for client in busy { try client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(origin.record.wait { $0.requests.count == 7 })

            let clock = ContinuousClock()
            let began = clock.now
            async let drained: Void = proxy.shutdown(deadline: .seconds(120))
            #expect(idle.takeToEnd().ending == .closed)
            idle.close()
            #expect(throws: SocketError.self) { try proxy.connect() }
            mayAnswer.change { $0 = true }
            for client in busy {
                let answer = try Message.answer(from: client)
                #expect(answer.text == "/slow")
                // Of two loops, only that of the idle client is known to be draining by now.
                if loops == 1 { #expect(answer["Connection"] == "close") }
                #expect(client.takeToEnd().ending == .closed)
                client.close()
            }
            await drained
            #expect(clock.now - began < .seconds(60))
        }
    }

    @Test func `what is not done by the deadline is cut off`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(origin.record.wait { $0.requests.count == 1 })
            await proxy.shutdown(deadline: .milliseconds(100))
            #expect(client.takeToEnd().bytes.isEmpty)
            #expect(origin.record.wait { $0.finished == 1 })
        }
    }

    @Test func `a port that is taken is one line that says so`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("") })
        try await withProxy(monolith: origin.port) { proxy in
            let error = await #expect(throws: ProxyServer.ListenError.self) {
                try await proxy.server.listen(on: .init(host: "127.0.0.1", port: origin.port))
            }
            #expect(
                error?.description
                    == "cannot listen on 127.0.0.1:\(origin.port): another program uses this port; stop it or choose another port"
            )
        }
    }
}
