import AdminAPI
import Comparison
import DualWrite
import Extraction
import Foundation
import Logging
import NIOCore
import NIOPosix
import PostgresStore
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
    private let registry: ReplicaRegistry
    private let listeners: [Listener]
    private let data: DataDirectory
    private let background: Task<Void, Never>
    private let storeTask: Task<Void, Never>
    private let watching: Task<Void, Never>?
    private let adminTask: Task<Void, any Error>
    private let (stopRequests, stopRequested) = AsyncStream.makeStream(of: Void.self)

    /// What the process consists of before anybody can reach it.
    struct Parts: Sendable {
        let group: MultiThreadedEventLoopGroup
        let server: ProxyServer
        let shadow: ShadowRunner
        let recorder: EvidenceRecorder
        let observed: ObservedTraffic
        let store: StoreLink
        let ledger: Ledger
        let logger: Logger
    }

    /// Dual-writes on disk, and their way to Postgres.
    struct Ledger: Sendable {
        let files: LedgerFiles
        let drain: LedgerDrain
        let gaps: LedgerGaps
        let identities: IdentityDirectory
        let own: OwnLedger
    }

    /// How long shadow work that waits may take, after the last client has gone.
    static let shadowDrainDeadline = Duration.seconds(15)
    /// How long a connection at rest is kept for the request that may just be arriving on it.
    static let idleGrace = TimeAmount.seconds(1)
    /// After a takeover nobody waits for the end, so connections at rest are kept longer for a request that may come.
    static let idleGraceAfterTakeover = TimeAmount.seconds(5)

    private init(
        port: Int, adminPort: Int, keeper: StageKeeper, files: ConfigurationKeeper, configuration: ProxyConfiguration,
        parts: Parts, registry: ReplicaRegistry, listeners: [Listener], data: DataDirectory,
        background: Task<Void, Never>, storeTask: Task<Void, Never>, watching: Task<Void, Never>?,
        adminTask: Task<Void, any Error>
    ) {
        self.port = port
        self.adminPort = adminPort
        self.keeper = keeper
        self.files = files
        self.configuration = configuration
        self.parts = parts
        self.registry = registry
        self.listeners = listeners
        self.data = data
        self.background = background
        self.storeTask = storeTask
        self.watching = watching
        self.adminTask = adminTask
    }

    /// - Parameters:
    ///   - file: the proxy's own file, `Routes/proxy.yaml`.
    ///   - isWatching: load the files whenever they change.
    ///   - isTakingOver: from the process that runs on the same data, if there is one.
    /// - Throws: `ConfigurationErrors` or `StartError`; nothing is left running then, and another process that was to be
    ///   taken over from goes on.
    static func start(
        file: String, isWatching: Bool = true, isTakingOver: Bool = false, logger: Logger
    ) async throws -> ProxyProcess {
        let reading = ConfigurationReading(path: file)
        let configuration = try reading.result.get()
        Descriptors.raise()
        let data = try DataDirectory(path: configuration.dataDirectory)
        let redactor = Redactor(key: try data.redactionKey())
        let model = TrafficModel(configuration, redactor: redactor)
        let cache = StateCache(data: data, logger: logger)
        let states = model.states(from: cache.load())
        let old = isTakingOver ? try await predecessor(data, logger) : nil
        let opened = try LedgerFiles.open(data, configuration.spool, logger: logger)
        let replica = ReplicaRegistry.newID()
        let parts: Parts
        do {
            parts = try await makeParts(model, states, data, opened.files, replica, logger)
        } catch {
            opened.files.close()
            throw error
        }
        let isFollowing = await recover(opened.found, parts, isTakingOver: old != nil)
        let keeper = StageKeeper(
            model: model, states: states, generation: 0, replica: replica, store: parts.store,
            recorder: parts.recorder, server: parts.server, shadow: parts.shadow, gaps: parts.ledger.gaps,
            ledger: parts.ledger.own, cache: cache, logger: logger)
        let registry = ReplicaRegistry(
            keeper: keeper, server: parts.server, recorder: parts.recorder, store: parts.store, data: data,
            logger: logger)
        let guardRunner = GuardRunner(
            replica: keeper.replica,
            stages: GuardedProcess(keeper: keeper, registry: registry, recorder: parts.recorder),
            connected: { try parts.store.connected() }, logger: logger, now: { parts.store.clock.now })
        let files = ConfigurationKeeper(
            path: file, running: configuration, reading: reading, keeper: keeper, redactor: redactor, logger: logger)
        let backend = ProxyBackend(
            keeper: keeper, server: parts.server, shadow: parts.shadow, recorder: parts.recorder,
            configuration: files, store: parts.store, guardRunner: guardRunner, observed: parts.observed,
            reconciling: ReconcileSeams(
                opened: ReconcileSeams.opener(with: opened.files.key), identities: parts.ledger.identities))
        do {
            if !isFollowing { cache.lanes.remove() } else if old == nil { await keeper.holdSides() }
            let (listeners, admin) = try await openAddresses(configuration, parts, backend, old)
            let background = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { await parts.recorder.run() }
                    group.addTask { await keeper.follow() }
                    group.addTask { await registry.run() }
                    group.addTask { await guardRunner.run() }
                    group.addTask { await parts.observed.run() }
                    group.addTask { await parts.ledger.drain.run() }
                    group.addTask { await parts.ledger.gaps.run() }
                    if isFollowing { group.addTask { await adoptPredecessor(parts, keeper) } }
                }
            }
            Descriptors.warn(of: configuration, logger: logger)
            return ProxyProcess(
                port: listeners.first?.port ?? 0, adminPort: admin.port, keeper: keeper, files: files,
                configuration: configuration, parts: parts, registry: registry, listeners: listeners, data: data,
                background: background, storeTask: Task { await parts.store.run() },
                watching: isWatching ? Task { await files.watch() } : nil,
                adminTask: admin.task)
        } catch {
            await parts.server.shutdown(deadline: .zero)
            await parts.shadow.shutdown()
            parts.recorder.gathers(from: nil)
            parts.ledger.files.close()
            try? await parts.group.shutdownGracefully()
            throw error
        }
    }

    private static func makeParts(
        _ model: TrafficModel, _ states: [String: ExtractionState], _ data: DataDirectory, _ files: LedgerFiles,
        _ replica: String, _ logger: Logger
    ) async throws -> Parts {
        let configuration = model.configuration
        let store = StoreLink(configuration.store, data: data, logger: logger)
        let recorder = EvidenceRecorder(store: store, logger: logger) { store.clock.now }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        let directory = UpstreamDirectory(loop: group.next(), logger: logger)
        let identities = IdentityDirectory { questions in
            try await store.connected().partners(of: questions).map { ($0.question, $0.pair) }
        }
        let shadow = try await ShadowRunner(
            loops: Array(group.makeIterator()), settings: model.shadow, directory: directory, recorder: recorder,
            identities: identities, log: files.own, now: { store.clock.now })
        let ledger = Ledger(
            files: files,
            drain: LedgerDrain(
                files: files, store: store, identities: identities, logger: logger,
                carryForward: { await shadow.carryForward(upTo: $0) },
                openWrites: {
                    await shadow.standing().reduce(0) { $0 + $1.toMonolith.writes + $1.toService.writes + $1.underWay }
                }),
            gaps: LedgerGaps(files: files, store: store, replica: replica, logger: logger) { store.clock.now },
            identities: identities, own: OwnLedger(files: files, shadow: shadow, identities: identities))
        let server = try await ProxyServer(
            group: group,
            model: StageKeeper.proxyModel(model, states, generation: 0, shadow: shadow, gaps: ledger.gaps),
            directory: directory)
        let observed = ObservedTraffic(recorder: recorder, store: store)
        let harvest = TrafficHarvest(server: server, observed: { observed.take($0) })
        recorder.gathers(from: { await harvest.gather(into: $0) })
        return Parts(
            group: group, server: server, shadow: shadow, recorder: recorder, observed: observed, store: store,
            ledger: ledger, logger: logger)
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

    /// Serves until it is asked to stop or another process has taken over, and stops then.
    func run() async {
        let takeovers = Task {
            guard let server = await TakeoverServer(data: data, logger: parts.logger) else { return false }
            let hasSuccessor = await server.run(offer: offer, release: release)
            if hasSuccessor { stopRequested.finish() }
            return hasSuccessor
        }
        for await _ in stopRequests {}
        takeovers.cancel()
        await stop(hasSuccessor: await takeovers.value)
    }

    private func offer() -> (TakeoverOffer, [CInt]) {
        let addresses = listeners.map {
            TakeoverOffer.Address(
                host: $0.address.host, port: $0.address.port, boundPort: $0.port, sockets: $0.descriptors.count)
        }
        let admin = configuration.admin
        return (
            TakeoverOffer(
                process: ProcessInfo.processInfo.processIdentifier, listeners: addresses, adminHost: admin.host,
                adminPort: admin.port),
            listeners.flatMap(\.descriptors)
        )
    }

    private func release() async {
        await keeper.handOver()
        for listener in listeners { await listener.release() }
        // Its listening socket closes at once, its connections when they are done.
        adminTask.cancel()
        parts.store.stayGuest()
    }

    /// Drains clients, brings the last evidence to Postgres, stops what was started; in this order.
    ///
    /// - Parameter hasSuccessor: another process accepts from the listening sockets now.
    func stop(hasSuccessor: Bool = false) async {
        watching?.cancel()
        if !hasSuccessor {
            for listener in listeners { await listener.close() }
        }
        await parts.server.shutdown(
            deadline: TimeAmount(await files.drain),
            idleGrace: hasSuccessor ? ProxyProcess.idleGraceAfterTakeover : ProxyProcess.idleGrace)
        if await !parts.shadow.drain(within: ProxyProcess.shadowDrainDeadline) {
            let writes = await parts.shadow.standing().reduce(0) { $0 + $1.toMonolith.writes + $1.toService.writes }
            parts.logger.warning(
                "stopped with shadow work left; \(writes) writes stay in the spool, and are delivered at the next start"
            )
        }
        await parts.shadow.shutdown()
        adminTask.cancel()
        _ = try? await adminTask.value
        background.cancel()
        await background.value
        // Without a goodbye a gap in the evidence is on record.
        if await flush(isPatient: hasSuccessor), await parts.ledger.drain.drainAll() { await registry.signOff() }
        parts.recorder.gathers(from: nil)
        storeTask.cancel()
        await storeTask.value
        await parts.store.stop()
        parts.ledger.files.close()
        try? await parts.group.shutdownGracefully()
    }

    /// While the private Postgres goes from one process to the next it is away for a moment.
    private func flush(isPatient: Bool) async -> Bool {
        for _ in 0..<(isPatient ? 40 : 1) {
            if await parts.recorder.flush() { return true }
            if isPatient { try? await Task.sleep(for: .milliseconds(250)) }
        }
        return false
    }
}
