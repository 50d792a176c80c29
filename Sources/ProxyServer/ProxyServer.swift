package import NIOCore
package import NIOPosix
package import Upstreams

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The data plane: one event loop per core, and on each its own listener on every address, by SO_REUSEPORT. The kernel
/// spreads new connections over them, and a connection never leaves its loop.
package final class ProxyServer: Sendable {
    package struct Address: Sendable, Hashable {
        package let host: String
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// What is particular to one address that the proxy listens on.
    package struct ListenOptions: Sendable {
        /// Not empty: every connection begins with a PROXY protocol header (version 1 or 2), and only these peers may
        /// make one; others are closed at once. What the header says is the client's address from then on.
        package var proxyProtocol: [AddressRange]

        package init(proxyProtocol: [AddressRange] = []) {
            self.proxyProtocol = proxyProtocol
        }
    }

    /// Why the proxy cannot listen, in one line that says what to do.
    package struct ListenError: Error, CustomStringConvertible {
        package let description: String

        init(_ error: any Error, address: Address) {
            let place = "\(address.host):\(address.port)"
            guard let error = error as? IOError else {
                description = "cannot listen on \(place): \(error)"
                return
            }
            description =
                switch error.errnoCode {
                case EADDRINUSE:
                    "cannot listen on \(place): another program uses this port; stop it or choose another port"
                case EACCES: "cannot listen on \(place): ports below 1024 need root or CAP_NET_BIND_SERVICE"
                case EADDRNOTAVAIL: "cannot listen on \(place): this machine has no such address"
                default: "cannot listen on \(place): \(error.localizedDescription)"
                }
        }
    }

    private let contexts: [NIOLoopBound<LoopContext>]
    private let directory: UpstreamDirectory

    /// - Parameter directory: the process's; nil: one of its own.
    package init(
        group: MultiThreadedEventLoopGroup, model: ProxyModel, directory: UpstreamDirectory? = nil
    ) async throws {
        let open = OpenConnections()
        var contexts: [NIOLoopBound<LoopContext>] = []
        let directory = directory ?? UpstreamDirectory(loop: group.next())
        let loops = Array(group.makeIterator())
        for (index, loop) in loops.enumerated() {
            contexts.append(
                try await loop.submit {
                    let context = LoopContext(
                        loop: loop, share: LoopShare(index: index, of: loops.count), model: model,
                        directory: directory, open: open)
                    context.start()
                    return NIOLoopBound(context, eventLoop: loop)
                }.get())
        }
        self.contexts = contexts
        self.directory = directory
    }

    /// Listens on `address` with every loop.
    ///
    /// - Parameters:
    ///   - inherited: sockets of another process that listen there already. Each loop gets one of them, or a new
    ///     one in their group; if there are more of them than loops, some loops get several.
    ///   - isPaused: accepts nobody before `Listener.start`.
    package func listen(
        on address: Address, options: ListenOptions = ListenOptions(), inherited: InheritedSockets? = nil,
        isPaused: Bool = false
    ) async throws(ListenError) -> Listener {
        let bootstraps = contexts.map { context in
            (context.eventLoop, bootstrap(context, options).serverChannelOption(.autoRead, value: !isPaused))
        }
        return try await Listener.open(address, inherited: inherited, on: bootstraps)
    }

    /// SO_REUSEPORT would let two proxies share a port in silence, each with half of the clients. A socket without it
    /// finds out. (Taking a port over on purpose is what inherited sockets are for.)
    ///
    /// To be asked of all addresses before the first is listened on: they may overlap (`0.0.0.0` and `127.0.0.1`).
    package func refuseIfTaken(_ address: Address) async throws(ListenError) {
        guard address.port != 0, let loop = contexts.first?.eventLoop else { return }
        do {
            let probe = try await ServerBootstrap(group: loop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: address.host, port: address.port).get()
            try await probe.close()
        } catch {
            throw ListenError(error, address: address)
        }
    }

    private func bootstrap(_ context: NIOLoopBound<LoopContext>, _ options: ListenOptions) -> ServerBootstrap {
        ServerBootstrap(group: context.eventLoop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff(context: context.value))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let context = context.value
                    guard context.hasRoom else {
                        try channel.pipeline.syncOperations.addHandler(RefusedConnection(context: context))
                        return
                    }
                    let client = HTTP1ClientConnection(context: context)
                    if !options.proxyProtocol.isEmpty {
                        try channel.pipeline.syncOperations.addHandler(
                            ProxyProtocolHandler(client: client, senders: options.proxyProtocol))
                    }
                    try channel.pipeline.syncOperations.addHandler(client)
                }
            }
    }

    /// Every request that begins after this has returned sees `model`, or a later one whose update has overtaken it.
    package func update(_ model: ProxyModel) async {
        for context in contexts {
            try? await context.eventLoop.submit { context.value.adopt(model) }.get()
        }
    }

    /// Sum over the loops, and the connections that are open now.
    package func counters() async -> (counters: TrafficCounters, open: Int) {
        var sum = TrafficCounters(extractions: 0)
        var open = 0
        for (index, context) in contexts.enumerated() {
            guard
                let one = try? await context.eventLoop.submit({
                    (context.value.counters, context.value.openConnections)
                }).get()
            else { continue }
            if index == 0 { sum = one.0 } else { sum.add(one.0) }
            open += one.1
        }
        return (sum, open)
    }

    /// What every loop has counted since the last time that somebody asked: each request is in one harvest.
    package func harvest() async -> [LoopHarvest] {
        var harvests: [LoopHarvest] = []
        for context in contexts {
            guard let one = try? await context.eventLoop.submit({ context.value.harvest() }).get() else { continue }
            harvests.append(one)
        }
        return harvests
    }

    /// By extraction slot: how many event loops keep requests from the service, because their circuit breaker is open.
    package func openBreakers() async -> [Int] {
        var open: [Int] = []
        for context in contexts {
            guard let states = try? await context.eventLoop.submit({ context.value.openBreakers }).get() else {
                continue
            }
            if open.count < states.count { open += [Int](repeating: 0, count: states.count - open.count) }
            for (slot, isOpen) in states.enumerated() where isOpen { open[slot] += 1 }
        }
        return open
    }

    /// How the upstreams stand, the shadow's among them if it shares the directory.
    package func upstreams() async -> [UpstreamStatus] { await directory.status() }

    /// Probes an upstream's endpoints now, see `UpstreamDirectory.checkNow`.
    package func checkNow(_ upstream: UpstreamSettings) async -> Bool? { await directory.checkNow(upstream) }

    /// Lets exchanges under way finish, for at most `deadline`, then closes what is left. Close the listeners before;
    /// the event loops stay.
    ///
    /// - Parameter idleGrace: for a request that is just arriving on a connection that rests, see `LoopContext.drain`.
    package func shutdown(deadline: TimeAmount, idleGrace: TimeAmount = .seconds(1)) async {
        let drained = contexts.map { context in
            context.eventLoop.flatSubmit { context.value.drain(idleGrace: min(idleGrace, deadline)) }
        }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for loop in drained { try? await loop.get() }
            }
            tasks.addTask { try? await Task.sleep(for: .nanoseconds(deadline.nanoseconds)) }
            await tasks.next()
            for context in contexts {
                try? await context.eventLoop.submit { context.value.stop() }.get()
            }
            tasks.cancelAll()
        }
    }
}
