import AdminAPI
import Logging
import ProxyConfiguration
import ProxyServer

extension ProxyServer.Address {
    fileprivate init(_ address: BindAddress) {
        self.init(host: address.host, port: address.port)
    }
}

/// Opening the addresses, or taking them over.
extension ProxyProcess {
    typealias Admin = (port: Int, task: Task<Void, any Error>)

    static func predecessor(_ data: DataDirectory, _ logger: Logger) async throws -> TakeoverClient? {
        do throws(TakeoverError) {
            if let old = try await TakeoverClient(data: data) { return old }
            logger.notice("no proxy runs on \(data.path): nothing to take over, starting afresh")
            return nil
        } catch {
            throw StartError(description: "cannot take over: \(error)")
        }
    }

    /// In the order in which a failure hurts least: what may fail comes before the first client is accepted, and before
    /// the old process lets go of anything.
    static func openAddresses(
        _ configuration: ProxyConfiguration, _ parts: Parts, _ backend: ProxyBackend, _ old: TakeoverClient?
    ) async throws -> ([Listener], Admin) {
        let admin = configuration.admin
        let adminIsTaken =
            old.map { $0.offer.adminHost == admin.host && $0.offer.adminPort == admin.port && admin.port != 0 } ?? false
        // A second start by mistake fails here, before it has taken a client's connection.
        let opened = adminIsTaken ? nil : try await startAdmin(backend, admin)
        var listeners: [Listener] = []
        do throws(ProxyServer.ListenError) {
            let addresses = configuration.listen.map { ProxyServer.Address($0.address) }
            let inherited = old?.sockets(for: addresses) ?? addresses.map { _ in nil }
            for (address, sockets) in zip(addresses, inherited) where sockets == nil {
                try await parts.server.refuseIfTaken(address)
            }
            // Those that may fail first.
            let order = addresses.indices.sorted { inherited[$0] == nil && inherited[$1] != nil }
            var opened: [Int: Listener] = [:]
            for index in order {
                let listener = try await parts.server.listen(
                    on: addresses[index], options: .init(configuration.listen[index]), inherited: inherited[index],
                    isPaused: true)
                opened[index] = listener
                listeners.append(listener)
            }
            listeners = addresses.indices.compactMap { opened[$0] }
        } catch {
            for listener in listeners { await listener.release() }
            opened?.task.cancel()
            _ = try? await opened?.task.value
            throw StartError(description: error.description)
        }
        if let old {
            parts.store.startAsGuest()
            await old.complete()
            await backend.keeper.holdSides(after: old.offer.process)
            parts.logger.notice("taken over from process \(old.offer.process)")
        }
        for listener in listeners { await listener.start() }
        if let opened { return (listeners, opened) }
        return (listeners, await startAdminPersistently(backend, admin, parts.logger))
    }

    /// Clients are served by now, so the proxy goes on without the admin address until it can be had.
    private static func startAdminPersistently(
        _ backend: ProxyBackend, _ address: BindAddress, _ logger: Logger
    ) async -> Admin {
        var said = false
        while true {
            do {
                return try await startAdmin(backend, address)
            } catch {
                // The old process's socket may take a moment to go.
                try? await Task.sleep(for: .milliseconds(20))
                if !said { logger.notice("waiting for the admin address: \(error)") }
                said = true
            }
        }
    }

    /// Returns once the admin address is open.
    private static func startAdmin(_ backend: ProxyBackend, _ address: BindAddress) async throws -> Admin {
        let (ports, opened) = AsyncStream.makeStream(of: Int.self)
        let admin = AdminServer(backend: backend, host: address.host, port: address.port, logger: Log.quiet())
        let task = Task {
            defer { opened.finish() }
            try await admin.run { port in
                opened.yield(port)
                opened.finish()
            }
        }
        for await port in ports { return (port, task) }
        do {
            try await task.value
            throw StartError(description: "the admin address \(address.host):\(address.port) closed at once")
        } catch {
            throw StartError(description: "admin: \(error)")
        }
    }
}
