import AdminAPI
import Comparison
import Extraction
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProxyConfiguration
import ProxyServer
import ServiceLifecycle
import ShadowRunner
import Upstreams

/// The running proxy, put together: data plane, shadow, store, stages, admin. It depends on everything, and nothing
/// depends on it.
///
/// The order of starting is the order of importance: clients are served on the last known stages before Postgres is even
/// looked for, and whatever happens to Postgres later does not reach them.
final class ProxyProcess: Service {
    let port: Int
    let adminPort: Int
    let keeper: StageKeeper
    private let configuration: ProxyConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let server: ProxyServer
    private let listeners: [any Channel]
    private let shadow: ShadowRunner
    private let recorder: EvidenceRecorder
    private let store: StoreLink
    private let background: Task<Void, Never>
    private let adminTask: Task<Void, any Error>
    private let logger: Logger

    /// How long shadow work that waits may take, after the last client has gone.
    static let shadowDrainDeadline = Duration.seconds(15)

    private init(
        port: Int, adminPort: Int, keeper: StageKeeper, configuration: ProxyConfiguration,
        group: MultiThreadedEventLoopGroup, server: ProxyServer, listeners: [any Channel], shadow: ShadowRunner,
        recorder: EvidenceRecorder, store: StoreLink, background: Task<Void, Never>, adminTask: Task<Void, any Error>,
        logger: Logger
    ) {
        self.group = group
        self.port = port
        self.adminPort = adminPort
        self.keeper = keeper
        self.configuration = configuration
        self.server = server
        self.listeners = listeners
        self.shadow = shadow
        self.recorder = recorder
        self.store = store
        self.background = background
        self.adminTask = adminTask
        self.logger = logger
    }

    static func start(_ configuration: ProxyConfiguration, logger: Logger) async throws -> ProxyProcess {
        let data = try DataDirectory(path: configuration.dataDirectory)
        let store = StoreLink(configuration.store, data: data, logger: logger)
        let recorder = EvidenceRecorder(store: store, logger: logger)
        let model = TrafficModel(configuration)
        let cache = StateCache(data: data, logger: logger)
        let states = model.states(from: cache.load())
        let names = configuration.extractions.map(\.definition.name)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        let directory = UpstreamDirectory(loop: group.next(), logger: logger)
        let shadow = try await ShadowRunner(
            loops: Array(group.makeIterator()),
            settings: model.shadowSettings(redactionKey: try data.redactionKey()), directory: directory,
            recorder: recorder)
        let server = try await ProxyServer(
            group: group, snapshot: model.snapshot(of: states, generation: 0), upstreams: model.upstreams,
            directory: directory, settings: model.settings
        ) {
            ExchangeHandoff(
                shadow: { shadow.accept($0) },
                fellBack: { recorder.fellBack(extraction: names[$0], reason: $1.rawValue) })
        }
        let keeper = StageKeeper(
            model: model, states: states, store: store, recorder: recorder, server: server, shadow: shadow,
            cache: cache,
            logger: logger)
        do {
            // The admin address first: a second start by mistake fails there, before it has taken a client's connection.
            let (adminPort, adminTask) = try await startAdmin(
                ProxyBackend(
                    keeper: keeper, server: server, shadow: shadow, recorder: recorder, model: model, store: store),
                configuration.admin, logger)
            let (port, listeners): (Int, [any Channel])
            do {
                (port, listeners) = try await listen(server, configuration.listen.map(\.address))
            } catch {
                adminTask.cancel()
                _ = try? await adminTask.value
                throw error
            }
            let background = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { await store.run() }
                    group.addTask { await recorder.run() }
                    group.addTask { await keeper.follow() }
                }
            }
            return ProxyProcess(
                port: port, adminPort: adminPort, keeper: keeper, configuration: configuration, group: group,
                server: server, listeners: listeners, shadow: shadow, recorder: recorder, store: store,
                background: background,
                adminTask: adminTask, logger: logger)
        } catch {
            await server.shutdown(deadline: .zero)
            await shadow.shutdown()
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func listen(
        _ server: ProxyServer, _ addresses: [BindAddress]
    ) async throws -> (port: Int, listeners: [any Channel]) {
        let addresses = addresses.map { ProxyServer.Address(host: $0.host, port: $0.port) }
        var firstPort: Int?
        var all: [any Channel] = []
        do throws(ProxyServer.ListenError) {
            for address in addresses { try await server.refuseIfTaken(address) }
            for address in addresses {
                let (port, listeners) = try await server.listen(on: address)
                firstPort = firstPort ?? port
                all += listeners
            }
        } catch {
            throw StartError(description: error.description)
        }
        return (firstPort ?? 0, all)
    }

    /// Returns once the admin address is open.
    private static func startAdmin(
        _ backend: ProxyBackend, _ address: BindAddress, _ logger: Logger
    ) async throws -> (port: Int, task: Task<Void, any Error>) {
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

    /// What a person sees who starts it.
    var introduction: [String] {
        [
            "strangler serves http://\(configuration.listen.first?.address.host ?? "127.0.0.1"):\(port) "
                + "(monolith \(UpstreamAddress(configuration.monolith).authority), "
                + "\(configuration.extractions.count) extraction(s))",
            "console, API and metrics: http://\(configuration.admin.host):\(adminPort)/",
        ]
    }

    /// Serves until a graceful shutdown is asked for.
    func run() async throws {
        try? await gracefulShutdown()
        await stop()
    }

    /// Drains clients, brings the last evidence to Postgres, stops what was started; in this order.
    func stop() async {
        for listener in listeners { try? await listener.close().get() }
        await server.shutdown(deadline: TimeAmount(configuration.drain))
        if await !shadow.drain(within: ProxyProcess.shadowDrainDeadline) {
            let writes = await shadow.undeliveredWrites().reduce(0, +)
            logger.warning("stopped with shadow work left, \(writes) writes of it not delivered; it is counted")
        }
        await shadow.shutdown()
        adminTask.cancel()
        _ = try? await adminTask.value
        background.cancel()
        await background.value
        await recorder.flush()
        await store.stop()
        try? await group.shutdownGracefully()
    }
}
