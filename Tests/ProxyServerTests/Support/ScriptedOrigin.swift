import Foundation
import Glibc

/// A raw TCP origin. Each connection runs a script on a thread of its own; every byte and every request is on record.
final class ScriptedOrigin: Sendable {
    struct Record: Sendable {
        /// Connections accepted, and of these the ones whose script has ended.
        var accepted = 0
        var finished = 0
        var requests: [Message] = []
        /// Bytes of whole requests, and of connections that have ended all bytes.
        var requestBytes = 0
        var bytes = 0
        /// Bytes that were no whole request.
        var strayBytes: Int { bytes - requestBytes }
        /// Errors that ended scripts.
        var errors: [SocketError] = []
    }

    /// What one connection does: its number from 0, its socket, and the record to write requests to.
    typealias Script = @Sendable (Connection) throws(SocketError) -> Void

    struct Connection: Sendable {
        let number: Int
        let socket: RawSocket
        fileprivate let record: Watched<Record>

        /// The next request, which goes on record.
        func request() throws(SocketError) -> Message {
            let before = socket.received - socket.buffer.count
            let message = try Message.request(from: socket)
            let size = socket.received - socket.buffer.count - before
            record.change {
                $0.requests.append(message)
                $0.requestBytes += size
            }
            return message
        }

        func send(_ text: String) throws(SocketError) { try socket.send(text) }
    }

    let port: Int
    let record = Watched(Record())
    private let listener: Int32
    private let isStopped = Watched(false)

    /// - Parameter port: 0 lets the kernel choose; else that of an origin which has stopped.
    init(port wanted: Int = 0, _ script: @escaping Script) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(port: wanted, { bind(listener, $0, $1) }) == 0, listen(listener, 128) == 0 else {
            throw SocketError.system(errno)
        }
        self.listener = listener
        port = ScriptedOrigin.port(of: listener)
        let record = record
        Thread.detachNewThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    close(listener)
                    return
                }
                let number = record.change { record in
                    record.accepted += 1
                    return record.accepted - 1
                }
                let connection = Connection(number: number, socket: RawSocket(descriptor: descriptor), record: record)
                Thread.detachNewThread { ScriptedOrigin.run(script, connection) }
            }
        }
    }

    /// Answers every request of every connection by `answer`.
    convenience init(port: Int = 0, answering answer: @escaping @Sendable (Message) -> String) throws {
        try self.init(port: port) { connection throws(SocketError) in
            while true { try connection.send(answer(try connection.request())) }
        }
    }

    private static func run(_ script: Script, _ connection: Connection) {
        do throws(SocketError) {
            try script(connection)
        } catch {
            connection.record.change { $0.errors.append(error) }
        }
        let bytes = connection.socket.received
        connection.socket.close()
        connection.record.change {
            $0.finished += 1
            $0.bytes += bytes
        }
    }

    deinit { stop() }

    /// Accepts nothing more; a later connect is refused.
    func stop() {
        let isFirst = isStopped.change { stopped in
            defer { stopped = true }
            return !stopped
        }
        if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    var requests: [Message] { record.now.requests }
    var accepted: Int { record.now.accepted }

    /// Waits until all connections have ended.
    /// - Returns: whether it got these requests, and not one byte beside them.
    func sawOnly(_ targets: [String]) -> Bool {
        guard record.wait(until: { $0.finished == $0.accepted }) else { return false }
        return requests.map(\.target) == targets && record.now.strayBytes == 0
    }

    /// A port of this machine on which nobody listens.
    static func refusingPort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        guard withLoopback(port: 0, { bind(descriptor, $0, $1) }) == 0 else { throw SocketError.system(errno) }
        return port(of: descriptor)
    }

    private static func port(of descriptor: Int32) -> Int {
        // By bytes: the fields of `sockaddr_in` belong to whichever module was loaded first, Glibc or NIO's.
        var address = [UInt8](repeating: 0, count: 16)
        var length = socklen_t(address.count)
        _ = address.withUnsafeMutableBytes { raw in
            raw.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        return Int(address[2]) << 8 | Int(address[3])
    }
}

/// An answer with a Content-Length.
func plainAnswer(_ body: String, status: String = "200 OK", fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}
