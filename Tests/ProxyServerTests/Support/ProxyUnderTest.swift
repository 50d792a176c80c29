import Extraction
import Foundation
import HTTPWire
import NIOCore
import NIOPosix
import ProxyServer
import Routing
import Testing
import Upstreams

/// Where the one extraction of these tests stands; it owns `paths`.
struct OrdersExtraction {
    var stage = Stage.cutover
    var weight = Weight.all
    var sample = Weight.all
    var writes = WritePolicy.dualWrite
    var affinity = Affinity.cookie("session")
    var hasContract = false
    /// In the place of `weight`, if reads and writes move separately.
    var weights: Weights?
    var pin: Pin?
    var paths = ["/orders/**"]
    /// Nil: writes are not put on record first.
    var board: LaneBoard?
    var whenFull = WriteRules.WhenFull.serveWithoutShadow
    /// The parameter of the path that is the lane.
    var lane: String?
    var flipsAtOnce = false
    /// Another process serves beside this one, since this stage.
    var heldStage: Stage?

    var traffic: ExtractionTraffic {
        let definition = ExtractionDefinition(
            name: "orders", owner: nil, problem: "", because: [], hasContract: hasContract, affinity: affinity,
            cohort: nil,
            sample: sample, writes: writes, noise: .none, ramp: [], bake: .seconds(0), guardLimits: GuardLimits(),
            window: .seconds(60), quiet: .seconds(0), pin: pin)
        let state = ExtractionState(
            name: "orders", stage: stage, weights: weights ?? Weights(weight),
            since: Date(timeIntervalSince1970: 0), version: 1, windowStartedAt: nil, flipsAtOnce: flipsAtOnce)
        let held = heldStage.map {
            ExtractionState(
                name: "orders", stage: $0, weights: $0 == .cutover ? Weights(.all) : .none,
                since: Date(timeIntervalSince1970: 0), version: 1, windowStartedAt: nil)
        }
        return ExtractionTraffic(definition: definition, state: state, board: board, held: held)
    }

    func snapshot() throws -> ProxySnapshot {
        let routes = try paths.map { path in
            Route(
                pattern: try RoutePattern(parsing: path), extraction: 0,
                location: SourceLocation(file: "orders.yaml", line: 1, column: 1))
        }
        return ProxySnapshot(
            routes: try RouteTable(routes), extractionOfRoute: routes.map { _ in 0 }, extractions: [traffic],
            endpoints: EndpointIndex(
                routes: routes, templates: EndpointTemplates(routes: routes, known: [["/orders/{id}"]]),
                extractions: ["orders"]),
            affinitySegments: routes.map { route in
                if case .pathParameter(let name) = affinity { route.pattern.segment(of: name) ?? -1 } else { -1 }
            },
            laneSegments: routes.map { route in lane.flatMap { route.pattern.segment(of: $0) } ?? -1 },
            writeRules: routes.map { _ in whenFull })
    }
}

/// The proxy on a port of its own, with what it handed over for the shadow.
final class ProxyUnderTest: Sendable {
    let server: ProxyServer
    let directory: UpstreamDirectory
    let port: Int
    let captured: Watched<[CapturedExchange]>
    private let listener: Listener
    private let model: ProxyModel

    fileprivate init(
        server: ProxyServer, directory: UpstreamDirectory, listener: Listener, model: ProxyModel,
        captured: Watched<[CapturedExchange]>
    ) {
        self.server = server
        self.directory = directory
        self.listener = listener
        self.model = model
        port = listener.port
        self.captured = captured
    }

    func connect(receiveBuffer: Int32? = nil) throws(SocketError) -> RawSocket {
        try RawSocket.connect(port: port, receiveBuffer: receiveBuffer)
    }

    /// The configuration that it has started with, but for what is given.
    func update(
        _ snapshot: ProxySnapshot? = nil, upstreams: ProxyUpstreams? = nil, settings: ProxySettings? = nil,
        handoff: (@Sendable () -> ExchangeHandoff)? = nil
    ) async {
        await server.update(
            ProxyModel(
                snapshot: snapshot ?? model.snapshot, upstreams: upstreams ?? model.upstreams,
                settings: settings ?? model.settings, handoff: handoff ?? model.handoff))
    }

    func counters() async -> TrafficCounters { await server.counters().counters }

    /// Of the first extraction.
    func fellBack() async -> [FallbackReason: Int] {
        let counts = await counters().extractions.first?.fellBack ?? []
        return Dictionary(uniqueKeysWithValues: zip(FallbackReason.allCases, counts).filter { $0.1 > 0 })
    }

    /// How the upstream of this name stands.
    func status(_ name: String = "monolith") async -> UpstreamStatus? {
        await directory.status().first { $0.name == name }
    }

    /// Waits until the upstream of this name stands so.
    func reaches(_ name: String = "monolith", _ isTrue: (UpstreamStatus) -> Bool) async -> Bool {
        let deadline = NIODeadline.now() + .seconds(20)
        while true {
            if let status = await status(name), isTrue(status) { return true }
            if NIODeadline.now() > deadline { return false }
            await Task.yield()
        }
    }

    /// Waits until so many clients are connected.
    func reaches(openConnections wanted: Int) async -> Bool {
        let deadline = NIODeadline.now() + .seconds(20)
        while await server.counters().open != wanted {
            if NIODeadline.now() > deadline { return false }
            await Task.yield()
        }
        return true
    }

    /// Listeners first, then the exchanges, as the program does it.
    func shutdown(deadline: TimeAmount) async {
        await listener.close()
        await server.shutdown(deadline: deadline)
    }
}

/// Timeouts that a test can wait for, and long enough that a busy machine does not run into them otherwise.
let quick = ProxySettings(
    upstream: UpstreamTimeouts(
        connect: .seconds(5), firstByte: .milliseconds(1_500), idle: .milliseconds(1_500), keepAlive: .seconds(60)),
    head: .seconds(1), idle: .seconds(10), captureLimit: 64 * 1024)

/// Timeouts that never strike.
let patient = ProxySettings(
    upstream: UpstreamTimeouts(connect: .seconds(20), firstByte: .seconds(60), idle: .seconds(60)),
    captureLimit: 64 * 1024)

/// Runs `body` against a proxy before these upstreams and takes it down again, on threads that may block. Whatever the
/// body did, no client connection is left afterwards.
func withProxy(
    monolith: Int, service: Int? = nil, orders: OrdersExtraction = OrdersExtraction(stage: .identified),
    snapshot: ProxySnapshot? = nil, settings: ProxySettings = patient, listen: ProxyServer.ListenOptions = .init(),
    loops: Int = 1, shadow: (@Sendable (CapturedExchange) -> Void)? = nil, desk: (any Desk)? = nil,
    _ body: (ProxyUnderTest) async throws -> Void
) async throws {
    let upstreams = ProxyUpstreams(
        monolith: UpstreamAddress(host: "127.0.0.1", port: monolith),
        services: [UpstreamAddress(host: "127.0.0.1", port: service ?? monolith)])
    try await withProxy(
        upstreams: upstreams, orders: orders, snapshot: snapshot, settings: settings, listen: listen, loops: loops,
        shadow: shadow, desk: desk, body)
}

/// - Parameter resolver: in the place of the system's.
func withProxy(
    upstreams: ProxyUpstreams, orders: OrdersExtraction = OrdersExtraction(stage: .identified),
    snapshot: ProxySnapshot? = nil, settings: ProxySettings = patient, listen: ProxyServer.ListenOptions = .init(),
    loops: Int = 1, resolver: @escaping EndpointResolution.Resolver = EndpointResolution.system,
    shadow: (@Sendable (CapturedExchange) -> Void)? = nil, desk: (any Desk)? = nil,
    _ body: (ProxyUnderTest) async throws -> Void
) async throws {
    try await withTaskExecutorPreference(BlockingExecutor()) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let directory = UpstreamDirectory(loop: group.next(), resolver: resolver)
        let captured = Watched<[CapturedExchange]>([])
        let model = ProxyModel(
            snapshot: try snapshot ?? orders.snapshot(), upstreams: upstreams,
            settings: settings
        ) {
            var handoff = ExchangeHandoff(
                shadow: { exchange in
                    shadow?(exchange)
                    captured.change { $0.append(exchange) }
                })
            desk?.stand(in: &handoff)
            return handoff
        }
        let server = try await ProxyServer(group: group, model: model, directory: directory)
        let listener = try await server.listen(on: .init(host: "127.0.0.1", port: 0), options: listen)
        let proxy = ProxyUnderTest(
            server: server, directory: directory, listener: listener, model: model, captured: captured)
        let result: Result<Void, any Error>
        do { result = .success(try await body(proxy)) } catch { result = .failure(error) }
        await proxy.shutdown(deadline: .zero)
        #expect(await proxy.reaches(openConnections: 0))
        try await group.shutdownGracefully()
        try result.get()
    }
}

/// A thread for each step of a task: tests block on sockets, which the shared threads of Swift must not.
private final class BlockingExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        Thread.detachNewThread { [self] in
            withExtendedLifetime(self) { job.runSynchronously(on: executor) }
        }
    }
}
