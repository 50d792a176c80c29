internal import NIOCore
internal import Resilience

/// Which endpoints there are, which of them are used, and who gets the next request.
extension Upstream {
    /// The directory has news. Endpoints that are known already keep their connections and what is thought of them.
    func update(_ list: EndpointList) {
        guard !isClosed else { return }
        let before = pools
        pools = list.endpoints.map { endpoint in
            let pool = before.first { $0.address == endpoint.address } ?? makePool(endpoint.address)
            if endpoint.isUnhealthy, !pool.isUnhealthy { pool.closeIdle() }
            pool.isUnhealthy = endpoint.isUnhealthy
            return pool
        }
        for pool in before where !pools.contains(where: { $0 === pool }) {
            pool.isRetired = true
            pool.isUsable = false
            pool.closeIdle()
            if pool.connections > 0 { retired.append(pool) }
        }
        chooseUsable()
        guard !isResolved else { return }
        isResolved = true
        if pools.isEmpty { failWaiting() } else { connectWaiting() }
    }

    private func makePool(_ address: SocketAddress) -> UpstreamPool {
        // It may have come back while some of its connections were still busy.
        if let index = retired.firstIndex(where: { $0.address == address }) {
            let pool = retired.remove(at: index)
            pool.isRetired = false
            return pool
        }
        lastID += 1
        return UpstreamPool(
            id: EndpointID(value: lastID), address: address, outlier: settings.outlier ?? .init(), heads: headLimits)
    }

    /// Endpoints that fail their health checks are not used. Those that are only ejected are, when nobody else is left.
    func chooseUsable() {
        let healthy = pools.filter { !$0.isUnhealthy }
        let inUse = healthy.filter { !$0.outlier.isEjected }
        usable = inUse.isEmpty ? healthy : inUse
        only = usable.count == 1 ? usable.first : nil
        for pool in pools { pool.isUsable = false }
        for pool in usable { pool.isUsable = true }
    }

    func choose(avoiding failed: EndpointID) -> UpstreamPool? {
        guard !usable.isEmpty else { return nil }
        let pools = usable
        if failed != .none, let index = pools.firstIndex(where: { $0.id == failed }) {
            return pools[balancer.pickOther(than: index, of: pools.count)]
        }
        return pools[balancer.pick(pools.count) { pools[$0].activeRequests }]
    }

    /// An endpoint at which the waiter has not failed yet; an ejected one is better than none.
    func untried(by waiter: UpstreamWaiter) -> UpstreamPool? {
        guard let first = choose(avoiding: waiter.tried.last ?? .none) else { return nil }
        if !waiter.tried.contains(first.id) { return first }
        return usable.first { !waiter.tried.contains($0.id) }
            ?? pools.first { !$0.isUnhealthy && !waiter.tried.contains($0.id) }
    }

    // MARK: What exchanges show

    /// A final head came back. 502, 503 and 504 say that nobody is at home behind it. A 500 is an answer like any other:
    /// it may be what the service means, and if it counted, one client with one bad request could have every endpoint
    /// ejected, one after the other (`FallbackReason.status` draws the same line, and Envoy its "gateway failure").
    func answered(by pool: UpstreamPool, status: Int) {
        if status >= 502, status <= 504 {
            note(.status(status), of: pool)
        } else if status >= 200 {
            pool.outlier.succeeded()
        }
    }

    /// An exchange ended without an answer.
    func failed(at pool: UpstreamPool, _ failure: UpstreamFailure, reused: Bool) {
        switch failure {
        // A kept connection that was closed in the meantime says nothing about its endpoint.
        case .closedBeforeHead where reused: break
        case .closedBeforeHead, .malformed, .firstByteTimeout: note(.failure(failure), of: pool)
        // The answer had begun, and was counted by its head. The others are no endpoint's, or have been counted.
        case .truncated, .idleTimeout, .noConnection, .noneHealthy, .refused, .connectTimeout: break
        }
    }

    func note(_ fault: EndpointFault, of pool: UpstreamPool) {
        pool.lastFault = fault
        pool.faults &+= 1
        guard let limits = settings.outlier, pool.outlier.failed(), !pool.isRetired,
            limits.allowEjection(
                total: pools.count, ejected: pools.count { $0.outlier.isEjected },
                othersInUse: usable.count { $0 !== pool && !$0.outlier.isEjected })
        else { return }
        pool.outlier.eject(now: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
        chooseUsable()
    }
}
