import AdminAPI
import Comparison
import Extraction
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProxyConfiguration
import ProxyServer
import ShadowRunner
import Upstreams

/// The running proxy, put together: data plane, shadow, store, stages, configuration, admin. It depends on everything, and
/// nothing depends on it.
///
/// The order of starting is the order of importance: clients are served on the last known stages before Postgres is even
/// looked for, and whatever happens to Postgres later does not reach them.
final class ProxyProcess: Sendable {
    let port: Int
    let adminPort: Int
    let keeper: StageKeeper
    let files: ConfigurationKeeper
    private let configuration: ProxyConfiguration
    private let parts: Parts
    private let listeners: [Listener]
    private let background: Task<Void, Never>
    private let adminTask: Task<Void, any Error>
    private let (stopRequests, stopRequested) = AsyncStream.makeStream(of: Void.self)

    /// What the process consists of before anybody can reach it.
    private struct Parts: Sendable {
        let group: MultiThreadedEventLoopGroup
        let server: ProxyServer
        let shadow: ShadowRunner
        let recorder: EvidenceRecorder
        let store: StoreLink
        let logger: Logger
    }

    /// How long shadow work that waits may take, after the last client has gone.
    static let shadowDrainDeadline = Duration.seconds(15)

    private init(
        port: Int, adminPort: Int, keeper: StageKeeper, files: ConfigurationKeeper, configuration: ProxyConfiguration,
        parts: Parts, listeners: [Listener], background: Task<Void, Never>, adminTask: Task<Void, any Error>
    ) {
        self.port = port
        self.adminPort = adminPort
        self.keeper = keeper
        self.files = files
        self.configuration = configuration
        self.parts = parts
        self.listeners = listeners
        self.background = background
        self.adminTask = adminTask
    }

    /// - Parameters:
    ///   - file: the proxy's own file, `Routes/proxy.yaml`.
    ///   - isWatching: load the files whenever they change.
    /// - Throws: `ConfigurationErrors` or `StartError`; nothing is left running then.
    static func start(file: String, isWatching: Bool = true, logger: Logger) async throws -> ProxyProcess {
        let reading = ConfigurationReading(path: file)
        let configuration = try reading.result.get()
        let data = try DataDirectory(path: configuration.dataDirectory)
        let redactor = Redactor(key: try data.redactionKey())
        let model = TrafficModel(configuration, redactor: redactor)
        let cache = StateCache(data: data, logger: logger)
        let states = model.states(from: cache.load())
        let parts = try await makeParts(model, states, data, logger)
        let keeper = StageKeeper(
            model: model, states: states, generation: 0, store: parts.store, recorder: parts.recorder,
            server: parts.server, shadow: parts.shadow, cache: cache, logger: logger)
        let files = ConfigurationKeeper(
            path: file, running: configuration, reading: reading, keeper: keeper, redactor: redactor, logger: logger)
        do {
            // The admin address first: a second start by mistake fails there, before it has taken a client's connection.
            let (adminPort, adminTask) = try await startAdmin(
                ProxyBackend(
                    keeper: keeper, server: parts.server, shadow: parts.shadow, recorder: parts.recorder,
                    configuration: files, store: parts.store),
                configuration.admin)
            let listeners: [Listener]
            do {
                listeners = try await listen(parts.server, configuration.listen)
            } catch {
                adminTask.cancel()
                _ = try? await adminTask.value
                throw error
            }
            let background = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { await parts.store.run() }
                    group.addTask { await parts.recorder.run() }
                    group.addTask { await keeper.follow() }
                    if isWatching { group.addTask { await files.watch() } }
                }
            }
            return ProxyProcess(
                port: listeners.first?.port ?? 0, adminPort: adminPort, keeper: keeper, files: files,
                configuration: configuration, parts: parts, listeners: listeners, background: background,
                adminTask: adminTask)
        } catch {
            await parts.server.shutdown(deadline: .zero)
            await parts.shadow.shutdown()
            try? await parts.group.shutdownGracefully()
            throw error
        }
    }

    private static func makeParts(
        _ model: TrafficModel, _ states: [String: ExtractionState], _ data: DataDirectory, _ logger: Logger
    ) async throws -> Parts {
        let configuration = model.configuration
        let store = StoreLink(configuration.store, data: data, logger: logger)
        let recorder = EvidenceRecorder(store: store, logger: logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        let directory = UpstreamDirectory(loop: group.next(), logger: logger)
        let shadow = try await ShadowRunner(
            loops: Array(group.makeIterator()), settings: model.shadow, directory: directory, recorder: recorder)
        let server = try await ProxyServer(
            group: group,
            model: StageKeeper.proxyModel(model, states, generation: 0, shadow: shadow, recorder: recorder),
            directory: directory)
        return Parts(group: group, server: server, shadow: shadow, recorder: recorder, store: store, logger: logger)
    }

    private static func listen(_ server: ProxyServer, _ definitions: [ListenerDefinition]) async throws -> [Listener] {
        let addresses = definitions.map { ProxyServer.Address(host: $0.address.host, port: $0.address.port) }
        var listeners: [Listener] = []
        do throws(ProxyServer.ListenError) {
            for address in addresses { try await server.refuseIfTaken(address) }
            for (address, definition) in zip(addresses, definitions) {
                listeners.append(try await server.listen(on: address, options: .init(definition)))
            }
        } catch {
            for listener in listeners { await listener.release() }
            throw StartError(description: error.description)
        }
        return listeners
    }

    /// Returns once the admin address is open.
    private static func startAdmin(
        _ backend: ProxyBackend, _ address: BindAddress
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

    /// Makes `run` stop and return.
    func askToStop() { stopRequested.finish() }

    /// Serves until it is asked to stop, and stops then.
    func run() async {
        for await _ in stopRequests {}
        await stop()
    }

    /// Drains clients, brings the last evidence to Postgres, stops what was started; in this order.
    func stop() async {
        for listener in listeners { await listener.close() }
        await parts.server.shutdown(deadline: TimeAmount(await files.drain))
        if await !parts.shadow.drain(within: ProxyProcess.shadowDrainDeadline) {
            let writes = await parts.shadow.undeliveredWrites().reduce(0, +)
            parts.logger.warning(
                "stopped with shadow work left, \(writes) writes of it not delivered; it is counted")
        }
        await parts.shadow.shutdown()
        adminTask.cancel()
        _ = try? await adminTask.value
        background.cancel()
        await background.value
        await parts.recorder.flush()
        await parts.store.stop()
        try? await parts.group.shutdownGracefully()
    }
}
