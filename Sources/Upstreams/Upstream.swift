package import HTTPWire
package import NIOCore
internal import NIOPosix
package import Resilience

/// An exchange's place in the queue for a connection. Clearing `consumer` gives the place up.
package final class UpstreamWaiter {
    package var consumer: (any UpstreamConsumer)?
    let freshness: ConnectionFreshness
    /// Endpoints that could not be connected to for it, or that its last attempt failed at.
    var tried: [EndpointID] = []

    init(_ consumer: any UpstreamConsumer, _ freshness: ConnectionFreshness) {
        self.consumer = consumer
        self.freshness = freshness
    }
}

/// What an exchange demands of a connection.
package enum ConnectionFreshness: Sendable {
    /// A kept one will do: should it turn out to be dead, the request can be sent again.
    case kept
    /// For what cannot be sent again: a kept one of which not even the kernel knows that the endpoint has closed it. (The
    /// endpoint may still close it while the request is on its way; then nobody can tell whether it was carried out.)
    case checked
    /// Never one that served before; for a second try after a kept one turned out dead.
    case fresh
}

/// One upstream on one loop: an endpoint for each request, its connections, the queue when all are taken, the breaker and
/// the retry budget. Everything happens on that loop: no lock, no hop.
///
/// Where the endpoints are and whether they are healthy, the process finds out once for all loops (`UpstreamDirectory`).
/// What the requests themselves show, connections refused and answers that fail to come, each loop judges by itself
/// (`OutlierDetection`), like the breaker. To be closed when it is no longer needed; until then the directory holds it.
package final class Upstream {
    package enum Acquisition {
        case ready(any UpstreamStream)
        /// `upstreamConnected` or `upstreamFailed` follows, not before this call has returned.
        case pending(UpstreamWaiter)
        /// Every connection is busy and the queue is full.
        case full
        /// There is nobody to ask: every endpoint fails its health checks, or the name is unknown.
        case noneHealthy
    }

    /// Endpoints that are connected to for one exchange, one after the other, before it is told.
    static let maximumConnectAttempts = 5

    package let settings: UpstreamSettings
    package let timeouts: UpstreamTimeouts
    /// The first address's authority as bytes.
    package let authority: [UInt8]
    let loop: any EventLoop
    let directory: UpstreamDirectory?
    let headLimits: HeadLimits
    /// On this loop.
    let connectionLimit: Int
    let pendingLimit: Int
    /// Some of the addresses are names, which may come to point elsewhere.
    let hasNames: Bool
    private var breaker: CircuitBreaker?
    private var retryBudget: RetryBudget
    var balancer: LoadBalancer
    /// Every endpoint, and of them those that requests are sent to.
    var pools: [UpstreamPool] = []
    var usable: [UpstreamPool] = []
    /// The one of `usable`, if there is just one: nothing is to be chosen then.
    var only: UpstreamPool?
    /// Endpoints that have vanished, while they have connections.
    var retired: [UpstreamPool] = []
    /// False until the names have been looked up for the first time: exchanges wait for that.
    var isResolved = false
    var lastID = 0
    /// Connections to all endpoints, those that are being made among them.
    package internal(set) var connections = 0
    var waiting = CircularBuffer<UpstreamWaiter>()
    private(set) var isClosed = false
    /// Coarse, as of the last sweep.
    private(set) var now = NIODeadline.now()

    /// - Parameters:
    ///   - share: what this loop has of the limits.
    ///   - timeouts: where the settings name none.
    ///   - heads: limits of the answers' heads.
    ///   - directory: nil if every address is a literal, and none is probed.
    package init(
        loop: any EventLoop, settings: UpstreamSettings, share: LoopShare = .whole,
        timeouts: UpstreamTimeouts = UpstreamTimeouts(), heads: HeadLimits = HeadLimits(), directory: UpstreamDirectory?
    ) {
        headLimits = heads
        self.loop = loop
        self.settings = settings
        self.timeouts = settings.timeouts ?? timeouts
        self.directory = directory
        authority = Array((settings.addresses.first?.authority ?? "").utf8)
        connectionLimit = max(1, share.of(settings.connections))
        pendingLimit = share.of(settings.pending)
        breaker = settings.breaker.map { CircuitBreaker(limits: $0) }
        retryBudget = RetryBudget(limits: settings.retries, now: Int64(clamping: now.uptimeNanoseconds))
        balancer = LoadBalancer(method: settings.balancing, seed: UInt64.random(in: 0...UInt64.max))
        let literals = settings.addresses.compactMap(\.literal)
        hasNames = literals.count < settings.addresses.count
        if !hasNames {
            update(EndpointList(endpoints: literals.map { EndpointList.Endpoint(address: $0) }))
        }
        directory?.subscribe(self)
    }

    // MARK: Exchanges

    /// A connection for `consumer`.
    /// - Parameter avoiding: the endpoint at which the last attempt failed; another one is asked if there is one.
    package func acquire(
        _ consumer: any UpstreamConsumer, _ freshness: ConnectionFreshness, avoiding failed: EndpointID = .none
    ) -> Acquisition {
        if freshness != .fresh { retryBudget.requestStarted() }
        guard let pool = only ?? choose(avoiding: failed) else {
            return isResolved ? .noneHealthy : enqueue(UpstreamWaiter(consumer, freshness))
        }
        if freshness != .fresh, let connection = pool.takeIdle(checked: freshness == .checked) {
            return .ready(connection)
        }
        return acquireAnew(consumer, freshness, pool, avoiding: failed)
    }

    /// The rare part of `acquire`: no kept connection is at hand.
    private func acquireAnew(
        _ consumer: any UpstreamConsumer, _ freshness: ConnectionFreshness, _ pool: UpstreamPool,
        avoiding failed: EndpointID
    ) -> Acquisition {
        if connections >= connectionLimit, freshness != .fresh {
            // At the limit the balance gives way: a kept connection to another endpoint is better than closing it.
            for other in usable where other !== pool {
                if let connection = other.takeIdle(checked: freshness == .checked) { return .ready(connection) }
            }
        }
        let waiter = UpstreamWaiter(consumer, freshness)
        if failed != .none { waiter.tried.append(failed) }
        guard connections < connectionLimit || makeRoom() else { return enqueue(waiter) }
        connect(to: pool, for: waiter)
        return .pending(waiter)
    }

    private func enqueue(_ waiter: UpstreamWaiter) -> Acquisition {
        if waiting.count >= pendingLimit { waiting.removeAll { $0.consumer == nil } }
        guard waiting.count < pendingLimit else { return .full }
        waiting.append(waiter)
        return .pending(waiter)
    }

    /// Whether there is enough of the retry budget left for another attempt.
    package var mayRetry: Bool { retryBudget.isAffordable }

    package func retryMade() { retryBudget.retryMade() }

    /// Nil: this upstream has no breaker. Else each call that is not refused is followed by one `settle`.
    package func admit(now: NIODeadline) -> CircuitBreaker.Admission? {
        breaker?.admit(now: Int64(clamping: now.uptimeNanoseconds))
    }

    /// - Parameter outcome: nil if the call was given up, and says nothing about the upstream.
    package func settle(_ outcome: CircuitBreaker.Outcome?, took time: TimeAmount, now: NIODeadline) {
        let now = Int64(clamping: now.uptimeNanoseconds)
        if let outcome {
            breaker?.completed(outcome, took: time.nanoseconds, now: now)
        } else {
            breaker?.cancelled(took: time.nanoseconds, now: now)
        }
    }

    package var breakerState: CircuitBreaker.State? { breaker?.state }

    /// Whether the breaker keeps requests away now. Not once it would let one out to try: an upstream that nobody asks any
    /// more would be called broken for ever.
    package func isBreakerOpen(now: NIODeadline) -> Bool {
        guard let breaker, breaker.state == .open else { return false }
        return breaker.wouldRefuse(now: Int64(clamping: now.uptimeNanoseconds))
    }

    // MARK: Time and end

    /// Closes connections that were unused for longer than `keepAlive`, takes ejected endpoints back. The loop's tick
    /// calls it.
    package func sweep(now: NIODeadline) {
        self.now = now
        let nanoseconds = Int64(clamping: now.uptimeNanoseconds)
        retryBudget.advance(to: nanoseconds)
        let limit = now - timeouts.keepAlive
        var hasReturned = false
        for pool in pools {
            pool.closeIdle(unusedSince: limit)
            if pool.outlier.tick(now: nanoseconds) { hasReturned = true }
        }
        if hasReturned { chooseUsable() }
        if !retired.isEmpty { retired.removeAll { $0.connections == 0 } }
    }

    /// Exchanges wait to hear where its endpoints are; closing it now would fail them.
    package var isAwaited: Bool { !isResolved && waiting.contains { $0.consumer != nil } }

    /// No connection is kept from here on, and nothing is heard of the endpoints any more; exchanges under way finish.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        directory?.unsubscribe(self)
        for pool in pools { pool.closeIdle() }
        if !isResolved { failWaiting() }
    }

    func failWaiting() {
        while let waiter = nextWaiter() { waiter.consumer?.upstreamFailed(.noneHealthy, reused: false) }
    }
}
