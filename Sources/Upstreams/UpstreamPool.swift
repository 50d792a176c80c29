internal import HTTPWire
internal import NIOCore
internal import Resilience

/// One endpoint of an upstream on one loop, so that a retry can be sent to another one.
package struct EndpointID: Sendable, Hashable {
    let value: Int

    /// No endpoint.
    package static let none = EndpointID(value: 0)
}

/// What went wrong at an endpoint.
enum EndpointFault: Sendable, Equatable {
    case failure(UpstreamFailure)
    /// An answer that says that nobody is at home.
    case status(Int)
}

/// The keep-alive connections of one loop to one endpoint, and what this loop thinks of the endpoint. `Upstream` decides
/// about all of its pools; a pool keeps.
final class UpstreamPool {
    let id: EndpointID
    let address: SocketAddress
    /// Of the answers' heads.
    let headLimits: HeadLimits
    /// The last active health check said so.
    var isUnhealthy = false
    /// Requests are sent to it: well, or there is none better.
    var isUsable = true
    /// The name points elsewhere by now. What is under way ends, nothing begins.
    var isRetired = false
    var outlier: OutlierDetection
    var faults = 0
    var lastFault: EndpointFault?
    /// Connections that exist or are being made.
    var connections = 0
    /// Last in, first out: quiet times use few connections, and the rest grows old enough to be closed.
    private var idle: [HTTP1UpstreamConnection] = []

    init(id: EndpointID, address: SocketAddress, outlier: OutlierDetection.Limits, heads: HeadLimits) {
        headLimits = heads
        self.id = id
        self.address = address
        self.outlier = OutlierDetection(limits: outlier)
    }

    /// An HTTP/1.1 connection has one exchange at a time; those that connect have one waiting.
    var activeRequests: Int { connections - idle.count }

    /// - Parameter checked: the kernel is asked whether the endpoint has closed it, which the loop may not have heard yet.
    func takeIdle(checked: Bool) -> HTTP1UpstreamConnection? {
        while let connection = idle.popLast() {
            guard connection.isActive else { continue }
            if checked, connection.hasEndedUnheard {
                connection.closeIdle()
                continue
            }
            return connection
        }
        return nil
    }

    func keep(_ connection: HTTP1UpstreamConnection, now: NIODeadline) {
        connection.idleSince = now
        idle.append(connection)
    }

    func takeOldestIdle() -> HTTP1UpstreamConnection? { idle.isEmpty ? nil : idle.removeFirst() }

    func forget(_ connection: HTTP1UpstreamConnection) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    func closeIdle(unusedSince limit: NIODeadline) {
        var expired = 0
        for connection in idle {
            guard connection.idleSince < limit else { break }
            expired += 1
        }
        guard expired > 0 else { return }
        let closing = idle.prefix(expired)
        idle.removeFirst(expired)
        for connection in closing { connection.closeIdle() }
    }

    func closeIdle() {
        let closing = idle
        idle.removeAll()
        for connection in closing { connection.closeIdle() }
    }
}
