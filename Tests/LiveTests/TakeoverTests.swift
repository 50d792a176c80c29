import Foundation
import Glibc
import Logging
import ProxyServer
import Testing

@testable import strangler

/// A new process takes the place of a running one.
@Suite(.serialized) struct TakeoverTests {
    private static func deployment(origin: Int) throws -> Deployment {
        try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin),
            "Routes/orders.yaml": """
            extraction: orders
            problem: p
            because: [scale-variance, team-size]
            match: [{path: "/o/**"}]
            service: {url: "http://127.0.0.1:\(origin)"}
            shadow: {sample: 100%}
            """,
        ])
    }

    private struct Status: Decodable {
        struct Shadow: Decodable {
            let compared: Int
            let primaryFailed: Int
            let shadowFailed: Int
            let notCompared: [String: Int]

            enum CodingKeys: String, CodingKey {
                case compared
                case primaryFailed = "primary-failed"
                case shadowFailed = "shadow-failed"
                case notCompared = "not-compared"
            }

            var seen: Int { compared + primaryFailed + shadowFailed + notCompared.values.reduce(0, +) }
        }

        let stage: String
        let shadow: Shadow
        let storeConnected: Bool
    }

    private func status(_ proxy: RunningProxy) async throws -> Status? {
        let outcome = try await Program.run("status", "orders", "--json", "--admin", proxy.admin)
        return try? JSONDecoder().decode(Status.self, from: Data(outcome.output.utf8))
    }

    @Test func `three takeovers in a row under load lose no request and no verdict`() async throws {
        let origin = try await Origin()
        let deployment = try Self.deployment(origin: origin.port)
        var proxy = try await RunningProxy(deployment)
        let first = proxy.port
        try await eventually("the stage moves") {
            try await Program.run(
                "advance", "orders", "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin
            ).status == 0
        }
        let load = LoadGenerator(port: proxy.port, target: "/o/1")
        try await load.answers(200)
        for _ in 1...3 {
            let next = try await RunningProxy(deployment, "--takeover")
            #expect(next.port == first)
            try await load.answers(200)
            // The old one ends by itself: nobody tells it to.
            let ended = await proxy.end()
            #expect(ended.status == 0, "\(ended.log)")
            #expect(ended.log.contains("process \(next.processID) has taken over"))
            try await load.answers(200)
            proxy = next
        }
        try await load.stop()
        #expect(load.failures == [])
        let answered = load.answered
        var last: Status?
        try await eventually("every request has its verdict in Postgres") {
            last = try await status(proxy)
            return last?.shadow.seen == answered
        }
        #expect(last?.stage == "shadow")
        #expect(last?.shadow.seen == answered, "\(last.map { "\($0)" } ?? "no status")")
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }

    @Test func `a new process that cannot start changes nothing, and the next one can`() async throws {
        let origin = try await Origin()
        let deployment = try Self.deployment(origin: origin.port)
        let proxy = try await RunningProxy(deployment, "--no-watch")
        let load = LoadGenerator(port: proxy.port)
        try await load.answers(50)
        let file = Deployment.proxyFile(monolith: origin.port)
        // Wrong; and right, but with an address that is taken, which it only finds out when it has been given the sockets.
        for bad in [
            file + "\nnonsense: 1\n",
            file.replacing("127.0.0.1:0}]", with: "127.0.0.1:0}, {address: 127.0.0.1:\(origin.port)}]"),
        ] {
            try deployment.write("Routes/proxy.yaml", bad)
            let outcome = try await Program.run("serve", "--takeover", in: deployment.folder)
            #expect(outcome.status == 1, "\(outcome)")
            try await load.answers(50)
        }
        try deployment.write("Routes/proxy.yaml", file)
        let next = try await RunningProxy(deployment, "--takeover")
        #expect(await proxy.end().status == 0)
        try await load.answers(50)
        try await load.stop()
        #expect(load.failures == [])
        #expect(await next.stop().status == 0)
        await origin.close()
    }

    @Test func `with nobody to take over from it just starts, also after a kill`() async throws {
        let origin = try await Origin()
        let deployment = try Self.deployment(origin: origin.port)
        for _ in 1...2 {
            let proxy = try await RunningProxy(deployment, "--takeover")
            let load = LoadGenerator(port: proxy.port, clients: 2)
            try await load.answers(20)
            try await load.stop()
            #expect(load.failures == [])
            _ = await proxy.stop(SIGKILL)
        }
        await origin.close()
    }

    // MARK: The conversation

    /// Runs `body` in a folder whose path is longer than a socket's address has room for.
    private func inFolder(_ body: (DataDirectory) async throws -> Void) async throws {
        let deployment = try Deployment([:])
        let path = deployment.folder + String(repeating: "/a-folder-with-a-long-name", count: 5)
        try await body(try DataDirectory(path: path))
        withExtendedLifetime(deployment) {}
    }

    @Test func `descriptors arrive in order, more than one message holds`() async throws {
        try await inFolder { data in
            let listener = try LocalListener(path: data.file("socket"))
            let client = try #require(try LocalConnection.connect(to: data.file("socket")))
            let server = try #require(listener.accept())
            #expect(client.peerIsUs && server.peerIsUs)
            let pipes = try (0..<150).map { number -> CInt in
                var ends: [CInt] = [0, 0]
                try #require(pipe(&ends) == 0)
                let text = Array("\(number)".utf8)
                try #require(write(ends[1], text, text.count) == text.count)
                close(ends[1])
                return ends[0]
            }
            try server.send(line: "they follow", within: 5)
            try server.send(descriptors: pipes, within: 5)
            for descriptor in pipes { close(descriptor) }
            #expect(try client.receiveLine(within: 5) == "they follow")
            let received = try client.receiveDescriptors(150, within: 5)
            for (number, descriptor) in received.enumerated() {
                var bytes = [UInt8](repeating: 0, count: 8)
                let count = read(descriptor, &bytes, bytes.count)
                #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == "\(number)")
                close(descriptor)
            }
        }
    }

    @Test func `a process that dies in the middle of the handover does not hold up its successor`() async throws {
        try await inFolder { data in
            let path = data.file(TakeoverOffer.fileName)
            let listener = try LocalListener(path: path)
            let old = Task {
                try await offThread { () throws(TakeoverError) in
                    var visitor: LocalConnection?
                    while visitor == nil { visitor = listener.accept() }
                    _ = try visitor?.receiveLine(within: 10)
                    let address = TakeoverOffer.Address(host: "127.0.0.1", port: 80, boundPort: 80, sockets: 1)
                    let offer = TakeoverOffer(process: 1, listeners: [address], adminHost: "127.0.0.1", adminPort: 0)
                    let line = String(decoding: (try? JSONEncoder().encode(offer)) ?? Data(), as: UTF8.self)
                    try visitor?.send(line: line, within: 5)
                    try visitor?.send(descriptors: [0], within: 5)
                }
            }
            let client = try #require(try await TakeoverClient(data: data))
            try await old.value
            let sockets = client.sockets(for: [.init(host: "127.0.0.1", port: 81), .init(host: "127.0.0.1", port: 80)])
            #expect(sockets.map { $0?.port } == [nil, 80])
            for descriptor in sockets.compactMap({ $0 }).flatMap(\.descriptors) { close(descriptor) }
            await client.complete()
        }
    }

    @Test func `a visitor that says nothing, or nonsense, or leaves does not disturb the one after it`() async throws {
        try await inFolder { data in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let server = try #require(await TakeoverServer(data: data, logger: logger))
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            let socket = ends[0]
            let serving = Task {
                await server.run(
                    offer: {
                        (
                            TakeoverOffer(
                                process: 1,
                                listeners: [.init(host: "h", port: 1, boundPort: 1, sockets: 1)], adminHost: "",
                                adminPort: 0),
                            [socket]
                        )
                    }, release: {})
            }
            let path = data.file(TakeoverOffer.fileName)
            for line in ["nonsense", "{}", #"{"version":99,"process":1}"#] {
                let visitor = try #require(try LocalConnection.connect(to: path))
                try visitor.send(line: line, within: 5)
                #expect(try visitor.receiveLine(within: 30) == nil)
            }
            _ = try LocalConnection.connect(to: path)
            do {
                let leaving = try #require(try await TakeoverClient(data: data))
                _ = leaving.sockets(for: [])
            }
            let client = try #require(try await TakeoverClient(data: data))
            _ = client.sockets(for: [])
            await client.complete()
            #expect(await serving.value)
            #expect(try LocalConnection.connect(to: path) == nil, "the name is free for the successor")
            for descriptor in ends { close(descriptor) }
        }
    }
}
