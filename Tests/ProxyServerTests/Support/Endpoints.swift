import Foundation
import NIOCore
import Resilience
import Testing
import Upstreams

/// The upstream `monolith` at these ports of this machine. It has no breaker, and forgets no failure within a test.
func endpoints(_ ports: [Int], _ change: (inout UpstreamSettings) -> Void = { _ in }) -> UpstreamSettings {
    var settings = UpstreamSettings(
        name: "monolith", addresses: ports.map { UpstreamAddress(host: "127.0.0.1", port: $0) })
    settings.breaker = nil
    settings.outlier = OutlierDetection.Limits(base: 3_600_000_000_000, longest: 3_600_000_000_000)
    change(&settings)
    return settings
}

/// The upstream `monolith` under a name that a test resolves.
func named(_ name: String, _ change: (inout UpstreamSettings) -> Void = { _ in }) -> UpstreamSettings {
    endpoints([]) {
        $0.addresses = [UpstreamAddress(host: name, port: 80)]
        $0.resolveEvery = .milliseconds(20)
        change(&$0)
    }
}

func loopback(_ port: Int) throws -> SocketAddress { try SocketAddress(ipAddress: "127.0.0.1", port: port) }

/// An origin that can be killed, with all of its connections, and brought back on its port.
final class MortalOrigin: Sendable {
    let name: String
    let port: Int
    private let lives = Watched<[ScriptedOrigin]>([])
    private let sockets = Watched<[RawSocket]>([])

    init(_ name: String) throws {
        self.name = name
        let first = try ScriptedOrigin(MortalOrigin.script(name, sockets))
        port = first.port
        lives.change { $0.append(first) }
    }

    private static func script(_ name: String, _ sockets: Watched<[RawSocket]>) -> ScriptedOrigin.Script {
        { connection throws(SocketError) in
            sockets.change { $0.append(connection.socket) }
            while true {
                let request = try connection.request()
                try connection.send(plainAnswer(name, fields: "X-Method: \(request.method)\r\n"))
            }
        }
    }

    func kill() {
        lives.now.last?.stop()
        // Ends the scripts, whose sockets are theirs to close.
        for socket in sockets.change({ sockets in
            defer { sockets = [] }
            return sockets
        }) { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }
    }

    func revive() throws {
        let deadline = NIODeadline.now() + .seconds(20)
        while true {
            do {
                let next = try ScriptedOrigin(port: port, MortalOrigin.script(name, sockets))
                lives.change { $0.append(next) }
                return
            } catch {
                // The thread of the last listener has not closed it yet.
                if NIODeadline.now() > deadline { throw error }
                sched_yield()
            }
        }
    }

    var requests: Int { lives.now.reduce(0) { $0 + $1.requests.count } }
}
