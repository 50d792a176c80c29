import Foundation
import ProxyServer
import Testing

/// Row 80 of the checklist: a slow, dead, lying or endless shadow never changes the status or the bytes of the primary.
@Suite struct Row80Shadow {
    private enum Behaviour: String, CaseIterable, CustomStringConvertible {
        case neverAnswers, closes, resets, garbage, endless, endlessHead, lies, breaksOff, drips, upgrades, interimOnly

        var description: String { rawValue }

        /// What may be counted; on a busy machine the time limit may come first.
        var verdicts: Set<String> {
            switch self {
            case .neverAnswers, .drips, .interimOnly: ["shadow-failed timeout"]
            case .closes, .resets, .breaksOff: ["shadow-failed reset", "shadow-failed timeout"]
            case .garbage, .endlessHead, .upgrades: ["shadow-failed malformed", "shadow-failed timeout"]
            case .endless: ["not-compared body-too-large", "shadow-failed timeout"]
            case .lies: ["mismatch", "not-compared unsettled", "shadow-failed timeout"]
            }
        }

        /// With an answer's head it has decided.
        var takesWrites: Bool {
            switch self {
            case .endless, .lies, .breaksOff, .drips: true
            case .neverAnswers, .closes, .resets, .garbage, .endlessHead, .upgrades, .interimOnly: false
            }
        }

        func answer(_ connection: ScriptedOrigin.Connection) throws(SocketError) {
            switch self {
            case .neverAnswers: break
            case .closes: return
            case .resets:
                connection.socket.reset()
                return
            case .garbage: try connection.send("\u{0}\u{1}garbage\r\n\r\n" + String(repeating: "x", count: 10_000))
            case .endless:
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while true { try connection.send("1000\r\n\(String(repeating: "x", count: 4_096))\r\n") }
            case .endlessHead:
                try connection.send("HTTP/1.1 200 OK\r\n")
                while true { try connection.send("X: \(String(repeating: "x", count: 100))\r\n") }
            case .lies:
                try connection.send(plainAnswer("a lie", fields: "Set-Cookie: session=evil\r\n"))
            case .breaksOff: try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            case .drips:
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while true {
                    try connection.send("x")
                    do throws(SocketError) {
                        try connection.socket.receive(within: 0.05)
                    } catch {
                        if error != .timedOut { throw error }
                    }
                }
            case .upgrades:
                try connection.send(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes")
            case .interimOnly:
                for _ in 0..<20 { try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </evil>\r\n\r\n") }
            }
            if self == .breaksOff || self == .garbage { return }
            _ = connection.socket.takeToEnd()
        }
    }

    @Test("row 80: the primary's answers are the same bytes whatever the shadow does", arguments: Behaviour.allCases)
    private func row80(behaviour: Behaviour) async throws {
        let monolith = try ScriptedOrigin(answering: { request in
            plainAnswer("\(request.method) \(request.target) \(request.text)", fields: "Date: now\r\nX-Same: 1\r\n")
        })
        let service = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try behaviour.answer(connection)
        }
        let requests = (0..<20).map { number in
            number % 4 == 3
                ? "PUT /orders/\(number) HTTP/1.1\r\nHost: shop\r\nCookie: session=\(number)\r\nContent-Length: 4\r\n\r\nbody"
                : "GET /orders/\(number) HTTP/1.1\r\nHost: shop\r\nCookie: session=\(number)\r\n\r\n"
        }
        let reads = requests.count { $0.hasPrefix("GET") }
        // What the client gets without any shadow.
        let plain = Watched<[UInt8]>([])
        try await withProxy(monolith: monolith.port) { proxy in
            let bytes = try Self.bytes(of: requests, from: proxy)
            plain.change { $0 = bytes }
        }
        try await withShadowedProxy(
            monolith: monolith, service: service, recordsWrites: true, timeout: .milliseconds(400)
        ) { scene in
            let bytes = try Self.bytes(of: requests, from: scene.proxy)
            #expect(bytes == plain.now)
            let verdicts = await scene.verdictsOfReads(reads, of: requests.count)
            #expect(verdicts.values.reduce(0, +) >= reads, "\(behaviour): \(verdicts)")
            let others = ["not-compared shadow-circuit-open", "not-compared behind-writes"]
            #expect(Set(verdicts.keys).isSubset(of: behaviour.verdicts.union(others)), "\(behaviour): \(verdicts)")
            let writes = await scene.writes()
            #expect(writes.recorded == requests.count - reads)
            #expect(writes.owed == writes.recorded || behaviour.takesWrites, "\(behaviour): \(writes)")
            // And again, now that the shadow's connections have seen it all.
            #expect(try Self.bytes(of: requests, from: scene.proxy) == plain.now)
        }
        #expect(monolith.requests.allSatisfy { $0["Strangler-Shadow"] == nil } || behaviour == .lies)
    }

    @Test("row 80: a shadow that refuses connections is counted, and nothing else")
    func refusing() async throws {
        let monolith = try ScriptedOrigin(answering: { plainAnswer($0.target) })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("never") })
        service.stop()
        try await withShadowedProxy(monolith: monolith, service: service) { scene in
            let client = try scene.proxy.connect()
            try client.send(goodGet)
            #expect(try Message.answer(from: client).text == "/orders/good")
            #expect(await scene.verdicts(of: 1) == ["shadow-failed connect-refused": 1])
        }
    }

    /// All that a connection gives for these requests, sent at once, and one that closes.
    private static func bytes(of requests: [String], from proxy: ProxyUnderTest) throws -> [UInt8] {
        let client = try proxy.connect()
        try client.send(requests.joined() + "GET /last HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
        let end = client.takeToEnd()
        #expect(end.ending == .closed)
        return end.bytes
    }
}
