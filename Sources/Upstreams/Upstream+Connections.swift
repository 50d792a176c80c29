internal import NIOCore
internal import NIOPosix

/// Making, keeping and handing on connections.
extension Upstream {
    func connect(to pool: UpstreamPool, for waiter: UpstreamWaiter) {
        connections += 1
        pool.connections += 1
        let bound = NIOLoopBound((upstream: self, pool: pool), eventLoop: loop)
        var hasReturned = false
        ClientBootstrap(group: loop)
            .connectTimeout(timeouts.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.writeBufferWaterMark, value: .init(low: settings.buffer / 2, high: settings.buffer))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (upstream, pool) = bound.value
                    try channel.pipeline.syncOperations.addHandler(
                        HTTP1UpstreamConnection(upstream: upstream, pool: pool))
                }
            }
            .connect(to: pool.address).assumeIsolated().whenComplete { [self] result in
                // A connect may fail at once (no route, no descriptor). Whoever asked has its waiter only when this call
                // has returned, and would take the answer for that of a later attempt.
                if hasReturned {
                    connectEnded(result, pool, for: waiter)
                } else {
                    loop.assumeIsolated().execute { [self] in connectEnded(result, pool, for: waiter) }
                }
            }
        hasReturned = true
    }

    private func connectEnded(
        _ result: Result<any Channel, any Error>, _ pool: UpstreamPool, for waiter: UpstreamWaiter
    ) {
        switch result {
        case .success(let channel): connected(channel, pool, for: waiter)
        case .failure(let error): connectFailed(error, pool, for: waiter)
        }
    }

    private func connected(_ channel: any Channel, _ pool: UpstreamPool, for waiter: UpstreamWaiter) {
        guard let connection = try? channel.pipeline.syncOperations.handler(type: HTTP1UpstreamConnection.self),
            connection.isActive
        else {
            // It ended before it could be used.
            connectFailed(ChannelError.eof, pool, for: waiter)
            return
        }
        connection.isCounted = true
        if let consumer = waiter.consumer {
            consumer.upstreamConnected(connection)
        } else {
            release(connection)
        }
    }

    private func connectFailed(_ error: any Error, _ pool: UpstreamPool, for waiter: UpstreamWaiter) {
        let failure: UpstreamFailure
        if case ChannelError.connectTimeout = error { failure = .connectTimeout } else { failure = .refused }
        pool.connections -= 1
        connections -= 1
        note(.failure(failure), of: pool)
        directory?.connectFailed(self)
        if waiter.consumer != nil { tryAnother(than: pool, for: waiter, failure) }
        if connections < connectionLimit, let next = nextWaiter() { connect(for: next) }
    }

    /// Nothing of the request has been sent, so any other endpoint may have it, whatever it is.
    private func tryAnother(than pool: UpstreamPool, for waiter: UpstreamWaiter, _ failure: UpstreamFailure) {
        waiter.tried.append(pool.id)
        guard waiter.tried.count < Upstream.maximumConnectAttempts, let other = untried(by: waiter) else {
            waiter.consumer?.upstreamFailed(failure, reused: false)
            return
        }
        if waiter.freshness != .fresh, let connection = other.takeIdle(checked: waiter.freshness == .checked) {
            waiter.consumer?.upstreamConnected(connection)
        } else {
            connect(to: other, for: waiter)
        }
    }

    private func connect(for waiter: UpstreamWaiter) {
        if let pool = untried(by: waiter) ?? choose(avoiding: .none) {
            connect(to: pool, for: waiter)
        } else {
            waiter.consumer?.upstreamFailed(.noneHealthy, reused: false)
        }
    }

    func connectWaiting() {
        while connections < connectionLimit, let waiter = nextWaiter() { connect(for: waiter) }
    }

    /// The exchange on it is over, and it can carry another one.
    func release(_ connection: HTTP1UpstreamConnection) {
        let pool = connection.pool
        if waiting.isEmpty, !isClosed, !pool.isRetired {
            pool.keep(connection, now: now)
            return
        }
        guard let waiter = nextWaiter() else {
            if isClosed || pool.isRetired { connection.closeIdle() } else { pool.keep(connection, now: now) }
            return
        }
        if waiter.freshness != .fresh, pool.isUsable, !waiter.tried.contains(pool.id) {
            waiter.consumer?.upstreamConnected(connection)
        } else {
            discard(connection)
            connect(for: waiter)
        }
    }

    func connectionClosed(_ connection: HTTP1UpstreamConnection) {
        guard connection.isCounted else { return }
        connection.isCounted = false
        let pool = connection.pool
        pool.forget(connection)
        pool.connections -= 1
        connections -= 1
        if connections < connectionLimit, let waiter = nextWaiter() { connect(for: waiter) }
    }

    /// Closes a connection at rest whose place is needed now.
    private func discard(_ connection: HTTP1UpstreamConnection) {
        connection.isCounted = false
        connection.pool.connections -= 1
        connections -= 1
        connection.closeIdle()
    }

    /// At the limit: gives up a connection that rests, for one to another endpoint, or for a fresh one.
    func makeRoom() -> Bool {
        for pool in pools {
            if let connection = pool.takeOldestIdle() {
                discard(connection)
                return true
            }
        }
        return false
    }

    func nextWaiter() -> UpstreamWaiter? {
        while let waiter = waiting.popFirst() {
            if waiter.consumer != nil { return waiter }
        }
        return nil
    }
}
