import Foundation
import Glibc
import Synchronization

/// Clients that write one numbered thing after the other, each in a lane of its own, and keep a ledger of their own: what
/// they sent, and what they were told. They outlive the proxy, and go on where its successor listens. Those of odd lanes send
/// idempotency keys of their own.
final class WritingClients: Sendable {
    struct Lane: Sendable {
        var sent = 0
        /// Numbers that were answered 2xx.
        var acknowledged: [Int] = []
        /// Answered something else, by status.
        var refused: [Int: Int] = [:]
        var unknown: [Int] = []
    }

    private struct State {
        var lanes: [String: Lane] = [:]
        var port = 0
        var running: Int
    }

    private let state: Mutex<State>
    private let isStopped = Atomic(false)
    private let pause: UInt32

    /// - Parameter pause: microseconds between a client's writes.
    init(clients: Int, pause: UInt32 = 0) {
        self.pause = pause
        state = Mutex(State(running: clients))
        for number in 0..<clients {
            Thread.detachNewThread { [self] in
                run("lane-\(number)")
                state.withLock { $0.running -= 1 }
            }
        }
    }

    var lanes: [String: Lane] { state.withLock(\.lanes) }
    var acknowledged: Int { state.withLock { $0.lanes.values.reduce(0) { $0 + $1.acknowledged.count } } }

    /// Where they write from now on; 0: they wait.
    func go(to port: Int) { state.withLock { $0.port = port } }

    func stop() async throws {
        isStopped.store(true, ordering: .relaxed)
        try await eventually(within: 60, "the clients end") { state.withLock(\.running) == 0 }
    }

    private func run(_ lane: String) {
        var connection: CInt = -1
        var connectedTo = 0
        while !isStopped.load(ordering: .relaxed) {
            let port = state.withLock(\.port)
            if port != connectedTo, connection >= 0 {
                close(connection)
                connection = -1
            }
            if connection < 0, port > 0 {
                connection = Self.connect(port)
                connectedTo = port
            }
            guard connection >= 0 else {
                usleep(2_000)
                continue
            }
            let number = state.withLock { state in
                state.lanes[lane, default: Lane()].sent += 1
                return state.lanes[lane]?.sent ?? 0
            }
            let (status, isLast) = Self.write(connection, WriteName(lane: lane, number: number))
            state.withLock { state in
                switch status {
                case .some(200..<300): state.lanes[lane]?.acknowledged.append(number)
                case .some(let status): state.lanes[lane]?.refused[number] = status
                case nil: state.lanes[lane]?.unknown.append(number)
                }
            }
            if isLast {
                close(connection)
                connection = -1
            }
            if pause > 0 { usleep(pause) }
        }
        if connection >= 0 { close(connection) }
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
        close(descriptor)
        return -1
    }

    /// What a client sends as its own key; nil: it leaves that to the proxy.
    static func ownKey(of write: WriteName) -> String? {
        let isOdd = Int(write.lane.drop { !$0.isNumber }).map { $0 % 2 == 1 } ?? false
        return isOdd ? "\(write.lane)/\(write.number)" : nil
    }

    /// - Returns: the answer's status, nil if none came; and whether the connection is of no more use.
    private static func write(_ descriptor: CInt, _ write: WriteName) -> (status: Int?, isLast: Bool) {
        let body = write.body
        let text =
            "POST /orders HTTP/1.1\r\nHost: shop\r\nCookie: session=\(write.lane)\r\n"
            + (ownKey(of: write).map { "Idempotency-Key: \($0)\r\n" } ?? "")
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        let request = Array(text.utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return (nil, true) }
        var received = ""
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return (nil, true) }
            received += String(decoding: chunk[..<count], as: UTF8.self)
            guard let end = received.firstRange(of: "\r\n\r\n") else { continue }
            let head = received[..<end.lowerBound].lowercased()
            let length = head.firstRange(of: "content-length: ").flatMap {
                Int(head[$0.upperBound...].prefix { $0.isNumber })
            }
            guard received[end.upperBound...].utf8.count >= length ?? 0 else { continue }
            let status = Int(head.split(separator: " ").dropFirst().first ?? "")
            return (status, status == nil || head.contains("\r\nconnection: close"))
        }
    }
}
