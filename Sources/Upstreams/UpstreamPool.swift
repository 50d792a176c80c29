package import HTTPWire
package import NIOCore
internal import NIOPosix

/// Where an upstream listens.
package struct UpstreamAddress: Sendable, Hashable {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, with brackets around an IPv6 literal: what a Host field holds (RFC 9110 §7.2).
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Bounds of one pool on one loop.
package struct UpstreamPoolLimits: Sendable, Equatable {
    /// Connections, idle ones among them.
    package var connections: Int
    /// Exchanges that wait for a connection.
    package var pending: Int
    /// Of the answers' heads.
    package var heads: HeadLimits

    package init(connections: Int = 1024, pending: Int = 1024, heads: HeadLimits = HeadLimits()) {
        self.connections = connections
        self.pending = pending
        self.heads = heads
    }
}

/// An exchange's place in the queue for a connection. Clearing `consumer` gives the place up.
package final class UpstreamWaiter {
    package var consumer: (any UpstreamConsumer)?

    init(_ consumer: any UpstreamConsumer) {
        self.consumer = consumer
    }
}

/// The keep-alive connections of one loop to one upstream. Everything happens on that loop: no lock, no hop.
package final class UpstreamPool {
    package enum Acquisition {
        case ready(any UpstreamStream)
        /// `upstreamConnected` or `upstreamFailed` follows, not before this call has returned.
        case pending(UpstreamWaiter)
        /// Every connection is busy and the queue is full.
        case full
    }

    package let address: UpstreamAddress
    /// `address.authority` as bytes.
    package let authority: [UInt8]
    private let limits: UpstreamPoolLimits
    private let loop: any EventLoop
    private let timeouts: UpstreamTimeouts
    private let literalAddress: SocketAddress?
    /// Last in, first out: quiet times use few connections, and the rest grows old enough to be closed.
    private var idle: [HTTP1UpstreamConnection] = []
    private var waiting = CircularBuffer<UpstreamWaiter>()
    /// Connections that exist or are being made.
    package private(set) var connections = 0
    private var isClosed = false
    var headLimits: HeadLimits { limits.heads }

    package init(
        loop: any EventLoop, address: UpstreamAddress, limits: UpstreamPoolLimits = UpstreamPoolLimits(),
        timeouts: UpstreamTimeouts
    ) {
        self.loop = loop
        self.address = address
        authority = Array(address.authority.utf8)
        self.limits = limits
        self.timeouts = timeouts
        literalAddress = try? SocketAddress(ipAddress: address.host, port: address.port)
    }

    /// A connection for `consumer`.
    /// - Parameter fresh: never one that served before; for a second try after a kept one turned out dead.
    package func acquire(_ consumer: any UpstreamConsumer, fresh: Bool) -> Acquisition {
        if !fresh {
            while let connection = idle.popLast() {
                if connection.isActive { return .ready(connection) }
            }
        }
        let waiter = UpstreamWaiter(consumer)
        if connections < limits.connections {
            connect(for: waiter)
        } else {
            if waiting.count >= limits.pending { waiting.removeAll { $0.consumer == nil } }
            guard waiting.count < limits.pending else { return .full }
            waiting.append(waiter)
        }
        return .pending(waiter)
    }

    /// Closes connections that were unused for longer than `keepAlive`. The loop's tick calls it.
    package func sweep(now: NIODeadline) {
        var expired = 0
        for connection in idle {
            guard now - connection.idleSince > timeouts.keepAlive else { break }
            expired += 1
        }
        guard expired > 0 else { return }
        let closing = idle.prefix(expired)
        idle.removeFirst(expired)
        for connection in closing { connection.closeIdle() }
    }

    /// No connection is kept from here on; exchanges under way finish.
    package func close() {
        isClosed = true
        let closing = idle
        idle.removeAll()
        for connection in closing { connection.closeIdle() }
    }

    // MARK: Connections

    func release(_ connection: HTTP1UpstreamConnection) {
        if let waiter = nextWaiter() {
            waiter.consumer?.upstreamConnected(connection)
            return
        }
        if isClosed {
            connection.closeIdle()
            return
        }
        connection.idleSince = .now()
        idle.append(connection)
    }

    func connectionClosed(_ connection: HTTP1UpstreamConnection) {
        guard connection.isCounted else { return }
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
        connectionGone()
    }

    private func connectionGone() {
        connections -= 1
        if connections < limits.connections, let waiter = nextWaiter() { connect(for: waiter) }
    }

    private func nextWaiter() -> UpstreamWaiter? {
        while let waiter = waiting.popFirst() {
            if waiter.consumer != nil { return waiter }
        }
        return nil
    }

    private func connect(for waiter: UpstreamWaiter) {
        connections += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(timeouts.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HTTP1UpstreamConnection(pool: bound.value))
                }
            }
        let connecting =
            if let literalAddress {
                bootstrap.connect(to: literalAddress)
            } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        connecting.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): connected(channel, for: waiter)
            case .failure(let error): connectFailed(error, for: waiter)
            }
        }
    }

    private func connected(_ channel: any Channel, for waiter: UpstreamWaiter) {
        guard let connection = try? channel.pipeline.syncOperations.handler(type: HTTP1UpstreamConnection.self),
            connection.isActive
        else {
            // It ended before it could be used.
            waiter.consumer?.upstreamFailed(.refused, reused: false)
            connectionGone()
            return
        }
        connection.isCounted = true
        if let consumer = waiter.consumer {
            consumer.upstreamConnected(connection)
        } else {
            release(connection)
        }
    }

    private func connectFailed(_ error: any Error, for waiter: UpstreamWaiter) {
        let failure: UpstreamFailure
        if case ChannelError.connectTimeout = error { failure = .connectTimeout } else { failure = .refused }
        waiter.consumer?.upstreamFailed(failure, reused: false)
        connectionGone()
    }
}
