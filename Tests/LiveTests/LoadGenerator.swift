import Foundation
import Glibc
import Synchronization
import Testing

/// Clients on threads of their own that ask again and again and never try anew: whatever goes wrong is on record.
final class LoadGenerator: Sendable {
    private struct State {
        var answered = 0
        var failures: [String] = []
        var running: Int
    }

    private let state: Mutex<State>
    private let isStopped = Atomic(false)
    private let pause: UInt32

    enum Connections {
        /// Kept for as long as the server does.
        case kept
        /// Every second client makes a new one for each request.
        case keptAndNew
    }

    /// - Parameter pause: microseconds between a client's requests. Without any, a few clients would leave a small machine no
    ///   time for anything else.
    init(
        port: Int, clients: Int = 8, target: String = "/", connections: Connections = .keptAndNew, pause: UInt32 = 1_000
    ) {
        self.pause = pause
        state = Mutex(State(running: clients))
        for number in 0..<clients {
            Thread.detachNewThread { [self] in
                run(port, "GET \(target) HTTP/1.1\r\nHost: a\r\n", keepsAlive: connections == .kept || number % 2 == 0)
                state.withLock { $0.running -= 1 }
            }
        }
    }

    var answered: Int { state.withLock(\.answered) }
    /// The first few.
    var failures: [String] { state.withLock(\.failures) }

    /// Until so many more requests have been answered.
    func answers(_ count: Int) async throws {
        let before = answered
        try await eventually(within: 120, "\(count) answers") { answered >= before + count }
    }

    func stop() async throws {
        isStopped.store(true, ordering: .relaxed)
        try await eventually(within: 60, "the clients end") { state.withLock(\.running) == 0 }
    }

    private func run(_ port: Int, _ head: String, keepsAlive: Bool) {
        let request = Array((head + (keepsAlive ? "\r\n" : "Connection: close\r\n\r\n")).utf8)
        var connection: CInt = -1
        while !isStopped.load(ordering: .relaxed) {
            if connection < 0 { connection = Self.connect(port) }
            let outcome =
                connection < 0 ? .failed("connect: \(String(cString: strerror(errno)))") : Self.ask(connection, request)
            if outcome != .kept || !keepsAlive {
                if connection >= 0 { close(connection) }
                connection = -1
            }
            if connection < 0, outcome != .kept, outcome != .closing { usleep(10_000) }
            state.withLock { state in
                if case .failed(let why) = outcome {
                    if state.failures.count < 20 {
                        state.failures.append("\(keepsAlive ? "kept" : "new") connection: \(why)")
                    }
                } else {
                    state.answered += 1
                }
            }
            if pause > 0 { usleep(pause) }
        }
        if connection >= 0 { close(connection) }
    }

    private enum Outcome: Equatable {
        case kept, closing
        case failed(String)
    }

    private static func connect(_ port: Int) -> CInt {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return descriptor }
        let error = errno
        close(descriptor)
        errno = error
        return -1
    }

    /// One request and its answer, which has to have a Content-Length.
    private static func ask(_ descriptor: CInt, _ request: [UInt8]) -> Outcome {
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return .failed("send: \(String(cString: strerror(errno)))")
        }
        var received = ""
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return .failed("closed after \(received.utf8.count) bytes") }
            if count < 0 { return .failed("recv: \(String(cString: strerror(errno)))") }
            received += String(decoding: chunk[..<count], as: UTF8.self)
            guard let end = received.firstRange(of: "\r\n\r\n") else { continue }
            let head = received[..<end.lowerBound].lowercased()
            let body = received[end.upperBound...]
            let length = head.firstRange(of: "content-length: ").flatMap {
                Int(head[$0.upperBound...].prefix { $0.isNumber })
            }
            guard let length, body.utf8.count >= length else { continue }
            guard head.hasPrefix("http/1.1 200 ") else { return .failed(String(head.prefix { !$0.isNewline })) }
            return head.contains("connection: close") ? .closing : .kept
        }
    }
}
