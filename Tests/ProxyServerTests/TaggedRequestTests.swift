import ProxyServer
import TestSupport
import Testing

/// Two users on one upstream connection must never see each other's bytes, whatever the origin does wrong.
@Suite struct TaggedRequests {
    private enum Fault: CaseIterable {
        case healthy, drip, closesAfter, closesBefore, breaksOff, resets, saysMore, malformed, interim, untilClose,
            chunked
    }

    private static func origin(seed: UInt64) throws -> ScriptedOrigin {
        try ScriptedOrigin { connection throws(SocketError) in
            var random = SeededGenerator(seed: seed &+ UInt64(connection.number))
            while true {
                let request = try Message.request(from: connection.socket)
                let tag = tag(request)
                // Mostly well, or no connection would live for long enough to be shared.
                let fault =
                    Int.random(in: 0..<3, using: &random) > 0 ? .healthy : Fault.allCases.randomElement(using: &random)
                guard try answer(tag, fault ?? .healthy, connection.socket, &random) else { return }
            }
        }
    }

    /// What the request says of itself, in its target and in its body alike.
    private static func tag(_ request: Message) -> String {
        let own = String(request.target.dropFirst(3))
        return request.body.isEmpty || request.text == own ? own : "mixed up"
    }

    /// - Returns: whether the connection goes on.
    private static func answer(_ tag: String, _ fault: Fault, _ socket: RawSocket, _ random: inout SeededGenerator)
        throws(SocketError) -> Bool
    {
        let body = String(repeating: "<\(tag)>", count: Int.random(in: 1...600, using: &random))
        let whole = plainAnswer(body)
        switch fault {
        case .healthy: try socket.send(whole)
        case .drip: for part in Array(whole.utf8).pieces(of: 97) { try socket.send(part) }
        case .closesAfter:
            try socket.send(whole)
            return false
        case .closesBefore: return false
        case .breaksOff:
            try socket.send(Array(whole.utf8.dropLast(3)))
            return false
        case .resets:
            try socket.send(Array(whole.utf8.dropLast(3)))
            socket.reset()
            return false
        case .saysMore: try socket.send(whole + plainAnswer("<evil>"))
        case .malformed: try socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n<evil>")
        case .interim: try socket.send("HTTP/1.1 103 Early Hints\r\nX: <\(tag)>\r\n\r\n" + whole)
        case .untilClose:
            try socket.send("HTTP/1.1 200 OK\r\n\r\n\(body)")
            return false
        case .chunked:
            try socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in Array(body.utf8).pieces(of: 500) {
                try socket.send("\(String(part.count, radix: 16))\r\n")
                try socket.send(part + Array("\r\n".utf8))
            }
            try socket.send("0\r\n\r\n")
        }
        return true
    }

    private struct Tally: Sendable {
        var whole = 0
        var refused = 0
        var broken = 0
        var foreign: [String] = []
    }

    @Test func `row 60: a hundred thousand tagged requests under faults: nobody sees another's tag`() async throws {
        let origin = try Self.origin(seed: 4_711)
        try await withProxy(monolith: origin.port, loops: 2) { proxy in
            let clients = 64
            let each = 1_563
            let tally = Watched(Tally())
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for client in 0..<clients {
                    tasks.addTask { try Self.run(client, requests: each, proxy, tally) }
                }
                try await tasks.waitForAll()
            }
            let result = tally.now
            #expect(result.foreign.isEmpty, "\(result.foreign.prefix(3))")
            #expect(result.whole + result.refused + result.broken == clients * each)
            #expect(result.whole > clients * each * 3 / 4)
            #expect(result.refused > 0)
            #expect(result.broken > 0)
            // Connections were shared, or this proves nothing.
            #expect(origin.accepted < clients * each / 2)
            #expect(await proxy.reaches(openConnections: 0))
        }
    }

    private static func run(_ client: Int, requests: Int, _ proxy: ProxyUnderTest, _ tally: Watched<Tally>)
        throws(SocketError)
    {
        var random = SeededGenerator(seed: UInt64(client))
        var socket = try proxy.connect()
        var sent = 0
        while sent < requests {
            // Up to three at once.
            let batch = (0..<Int.random(in: 1...min(3, requests - sent), using: &random)).map {
                "\(client)-\(sent + $0)"
            }
            sent += batch.count
            let bytes = batch.map { Self.request($0, &random) }.joined()
            var isOpen = (try? socket.send(bytes)) != nil
            for tag in batch {
                guard isOpen, let answer = try? Message.answer(from: socket) else {
                    isOpen = false
                    tally.change { $0.broken += 1 }
                    continue
                }
                record(answer, tag, tally)
                if answer["Connection"] == "close" { isOpen = false }
            }
            if !isOpen {
                socket.close()
                socket = try proxy.connect()
            }
        }
    }

    private static func request(_ tag: String, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: "POST /t/\(tag) HTTP/1.1\r\nHost: a\r\nContent-Length: \(tag.utf8.count)\r\n\r\n\(tag)"
        case 1:
            "PUT /t/\(tag) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "\(String(tag.utf8.count, radix: 16))\r\n\(tag)\r\n0\r\n\r\n"
        default: "GET /t/\(tag) HTTP/1.1\r\nHost: a\r\n\r\n"
        }
    }

    private static func record(_ answer: Message, _ tag: String, _ tally: Watched<Tally>) {
        let own = "<\(tag)>"
        let isOwn = !answer.body.isEmpty && answer.text.split(separator: ">").allSatisfy { $0 == own.dropLast() }
        tally.change { tally in
            switch answer.status {
            case 200 where isOwn: tally.whole += 1
            case 502 where answer["Content-Type"] == "application/problem+json": tally.refused += 1
            default: tally.foreign.append("\(tag): \(answer.startLine) \(answer.text.prefix(60))")
            }
        }
    }
}

extension [UInt8] {
    fileprivate func pieces(of size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
