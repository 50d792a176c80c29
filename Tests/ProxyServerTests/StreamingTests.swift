import Foundation
import NIOCore
import ProxyServer
import Testing
import Upstreams

/// A body of numbered pieces: which piece is missing or doubled shows.
private enum Pieces {
    static let size = 64 * 1024

    static func piece(_ number: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
    }

    /// Sends pieces until the peer takes no more for half a second, or all are sent.
    /// - Returns: bytes of the piece under way that are still to be sent, and the next piece's number.
    static func sendUntilStalled(_ socket: RawSocket, _ count: Int) throws(SocketError) -> (left: [UInt8], next: Int) {
        for number in 0..<count {
            var left = piece(number)
            while !left.isEmpty {
                do throws(SocketError) {
                    left.removeFirst(try socket.sendSome(left, within: 0.5))
                } catch .timedOut {
                    return (left, number + 1)
                } catch {
                    throw error
                }
            }
        }
        return ([], count)
    }

    static func take(_ count: Int, from socket: RawSocket) throws(SocketError) -> Bool {
        for number in 0..<count {
            guard try socket.take(size) == piece(number) else { return false }
        }
        return true
    }
}

@Suite struct Streaming {
    /// 40 MiB: more than the kernel's buffers of the three connections' ends can hold together.
    private static let pieces = 640
    private static var length: Int { pieces * Pieces.size }

    @Test func `5 MiB pass whole in both directions, with a length and as chunks`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                let request = try connection.request()
                if request.target == "/chunked" {
                    try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    try connection.socket.send(request.rawBody)
                } else {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
                    try connection.socket.send(request.body)
                }
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            let body = (0..<80).flatMap(Pieces.piece)
            try client.send("POST /length HTTP/1.1\r\nHost: shop\r\nContent-Length: \(body.count)\r\n\r\n")
            try client.send(body)
            #expect(try Message.answer(from: client).body == body)
            try client.send("POST /chunked HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in 0..<80 {
                try client.send("10000\r\n")
                try client.send(Pieces.piece(number))
                try client.send("\r\n")
            }
            try client.send("0\r\n\r\n")
            #expect(try Message.answer(from: client).body == body)
            #expect(origin.accepted == 1)
        }
    }

    @Test func `a client that does not read holds the origin back, and gets everything once it reads`() async throws {
        let stalledAt = Watched<Int?>(nil)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(Streaming.length)\r\n\r\n")
            let rest = try Pieces.sendUntilStalled(connection.socket, Streaming.pieces)
            stalledAt.change { $0 = rest.next }
            try connection.socket.send(rest.left)
            for number in rest.next..<Streaming.pieces { try connection.socket.send(Pieces.piece(number)) }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect(receiveBuffer: 64 * 1024)
            try client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(stalledAt.wait { $0 != nil })
            #expect(try #require(stalledAt.now) < Streaming.pieces * 2 / 3)
            #expect(try Message.answerHead(from: client).status == 200)
            #expect(try Pieces.take(Streaming.pieces, from: client))
        }
    }

    @Test func `an origin that does not read holds the client back, and gets everything once it reads`() async throws {
        let mayRead = Watched(false)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            _ = mayRead.wait { $0 }
            let isWhole = try Pieces.take(Streaming.pieces, from: connection.socket)
            try connection.send(plainAnswer(isWhole ? "whole" : "damaged"))
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: \(Streaming.length)\r\n\r\n")
            let rest = try Pieces.sendUntilStalled(client, Streaming.pieces)
            #expect(rest.next < Streaming.pieces * 2 / 3)
            mayRead.change { $0 = true }
            try client.send(rest.left)
            for number in rest.next..<Streaming.pieces { try client.send(Pieces.piece(number)) }
            #expect(try Message.answer(from: client).text == "whole")
        }
    }

    /// Both directions stall in turn: the origin reads no more while it cannot write, and the client writes from another
    /// thread than it reads.
    @Test func `a body that is echoed while it is sent comes back whole`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try Message.requestHead(from: connection.socket)
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(Streaming.length)\r\n\r\n")
            for _ in 0..<Streaming.pieces { try connection.socket.send(try connection.socket.take(Pieces.size)) }
        }
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect(receiveBuffer: 64 * 1024)
            let failure = Watched<SocketError?>(nil)
            Thread.detachNewThread {
                do throws(SocketError) {
                    try client.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: \(Streaming.length)\r\n\r\n")
                    for number in 0..<Streaming.pieces { try client.send(Pieces.piece(number)) }
                } catch {
                    failure.change { $0 = error }
                }
            }
            #expect(try Message.answerHead(from: client).status == 200)
            #expect(try Pieces.take(Streaming.pieces, from: client))
            #expect(failure.now == nil)
        }
    }

    @Test func `a client that sends requests and reads no answers is not read on`() async throws {
        let answer = plainAnswer(String(repeating: "x", count: 16 * 1024))
        let origin = try ScriptedOrigin(answering: { _ in answer })
        try await withProxy(monolith: origin.port) { proxy in
            let client = try proxy.connect(receiveBuffer: 64 * 1024)
            let count = 4_000
            try client.send(String(repeating: "GET / HTTP/1.1\r\nHost: shop\r\n\r\n", count: count))
            var answered = 0
            while origin.record.wait(within: 0.7, until: { $0.requests.count > answered }) {
                answered = origin.requests.count
            }
            // These would be 24 MB: what is beyond the kernel's buffers would be in the proxy's memory.
            #expect(answered < 1_500)
            for _ in 0..<count {
                guard try Message.answer(from: client).body.count == 16 * 1024 else {
                    Issue.record("an answer was not whole")
                    return
                }
            }
            #expect(origin.requests.count == count)
        }
    }

    @Test func `a client that leaves takes its upstream exchange along`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while true {
                try connection.send("10000\r\n")
                try connection.socket.send(Pieces.piece(1))
                try connection.send("\r\n")
            }
        }
        try await withProxy(monolith: origin.port) { proxy in
            for _ in 0..<3 {
                let client = try proxy.connect()
                try client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
                _ = try client.take(200_000)
                client.close()
            }
            #expect(origin.record.wait { $0.finished == 3 })
            #expect(await proxy.reaches(openConnections: 0))
            #expect(await proxy.counters().clientAborts == 3)
        }
    }

    @Test func `a client that stops reading for too long is cut off`() async throws {
        var settings = patient
        settings.body = .milliseconds(1_500)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(Streaming.length)\r\n\r\n")
            for number in 0..<Streaming.pieces { try connection.socket.send(Pieces.piece(number)) }
        }
        try await withProxy(monolith: origin.port, settings: settings) { proxy in
            let client = try proxy.connect(receiveBuffer: 64 * 1024)
            try client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            #expect(origin.record.wait { $0.finished == 1 })
            #expect(await proxy.reaches(openConnections: 0))
            #expect(client.takeToEnd().bytes.count < Streaming.length)
        }
    }
}
