import Foundation
import Glibc

/// What a peer did instead of sending the bytes that were waited for.
enum SocketError: Error, Equatable {
    case timedOut
    /// The peer ended the connection in order.
    case closed
    /// The peer, or the kernel in its place, broke the connection.
    case reset
    case system(Int32)
}

/// A blocking TCP socket: bytes in, bytes out, each with a deadline. Used from one thread at a time.
final class RawSocket: @unchecked Sendable {
    // @unchecked: one thread at a time uses it; tests hand it over, they do not share it.
    static let patience = 60.0

    let descriptor: Int32
    private(set) var buffer: [UInt8] = []
    /// Every byte that has come so far.
    private(set) var received = 0
    private var isOpen = true

    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close() }

    /// - Parameter receiveBuffer: bytes that the kernel holds for a slow reader; nil for its default.
    static func connect(port: Int, receiveBuffer: Int32? = nil) throws(SocketError) -> RawSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let result = withLoopback(port: port) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            let error = errno
            Glibc.close(descriptor)
            throw .system(error)
        }
        return RawSocket(descriptor: descriptor)
    }

    func send(_ text: String) throws(SocketError) { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8], within seconds: Double = patience) throws(SocketError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(descriptor, raw.baseAddress.map { $0 + sent }, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, seconds)
            } else {
                throw .reset
            }
        }
    }

    /// Sends what the kernel takes at once, waiting at most `seconds` for it to take anything.
    func sendSome(_ bytes: [UInt8], within seconds: Double) throws(SocketError) -> Int {
        try wait(for: POLLOUT, seconds)
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count < 0 { throw .reset }
        return count
    }

    /// Waits for more bytes and puts them behind `buffer`.
    func receive(within seconds: Double = patience) throws(SocketError) {
        try wait(for: POLLIN, seconds)
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count > 0 {
            buffer.append(contentsOf: chunk[..<count])
            received += count
        } else if count == 0 {
            throw .closed
        } else if errno != EAGAIN {
            throw .reset
        }
    }

    func take(_ count: Int, within seconds: Double = patience) throws(SocketError) -> [UInt8] {
        while buffer.count < count { try receive(within: seconds) }
        let taken = Array(buffer[..<count])
        buffer.removeFirst(count)
        return taken
    }

    /// Everything up to and with `end`.
    func take(through end: String, within seconds: Double = patience) throws(SocketError) -> [UInt8] {
        let pattern = Array(end.utf8)
        var searched = 0
        while true {
            if buffer.count >= pattern.count {
                for start in searched...(buffer.count - pattern.count) where buffer[start...].starts(with: pattern) {
                    return try take(start + pattern.count)
                }
                searched = buffer.count - pattern.count + 1
            }
            try receive(within: seconds)
        }
    }

    /// Everything until the peer ends the connection, and how it did.
    func takeToEnd(within seconds: Double = patience) -> (bytes: [UInt8], ending: SocketError) {
        while true {
            do throws(SocketError) {
                try receive(within: seconds)
            } catch {
                defer { buffer = [] }
                return (buffer, error)
            }
        }
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection with a reset instead of an end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    private func wait(for events: Int32, _ seconds: Double) throws(SocketError) {
        var one = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        if poll(&one, 1, Int32(seconds * 1000)) == 0 { throw .timedOut }
    }
}

/// Runs `body` with 127.0.0.1 and this port as the C calls want them.
func withLoopback(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    // By bytes: the fields of `sockaddr_in` belong to whichever module was loaded first, Glibc or NIO's.
    var address = sockaddr()
    withUnsafeMutableBytes(of: &address) { raw in
        raw.storeBytes(of: UInt16(AF_INET), as: UInt16.self)
        raw.storeBytes(of: UInt16(truncatingIfNeeded: port).bigEndian, toByteOffset: 2, as: UInt16.self)
        raw.storeBytes(of: UInt32(0x7F00_0001).bigEndian, toByteOffset: 4, as: UInt32.self)
    }
    return withUnsafePointer(to: &address) { body($0, socklen_t(MemoryLayout<sockaddr>.size)) }
}

/// A value that threads share, and whose changes can be waited for.
final class Watched<Value: Sendable>: @unchecked Sendable {
    // @unchecked: the value is read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var value: Value

    init(_ value: Value) { self.value = value }

    var now: Value {
        condition.lock()
        defer { condition.unlock() }
        return value
    }

    func change<Result>(_ body: (inout Value) -> Result) -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body(&value)
    }

    /// - Returns: whether the condition came true in time.
    func wait(within seconds: Double = RawSocket.patience, until isTrue: (Value) -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !isTrue(value) {
            if !condition.wait(until: deadline) { return isTrue(value) }
        }
        return true
    }
}
