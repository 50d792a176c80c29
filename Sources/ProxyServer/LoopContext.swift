internal import DualWrite
internal import Extraction
package import HTTPWire
package import NIOCore
internal import Resilience
internal import Synchronization
package import Upstreams

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Where finished exchanges go, one for each loop. All are called on the loop and must return at once.
package struct ExchangeHandoff {
    package var shadow: (CapturedExchange) -> Void
    /// Whether a request is to be captured for its shadow; if not, whoever says so has counted it. The path is normalised.
    package var admits: Admission
    /// A safe request was left out by `sample`. On the loop, before the primary is asked. The path is normalised.
    package var leftOut: LeftOut
    /// Whether the monolith's answer is to be captured so that it can be held against the contract.
    package var checks: (_ extraction: Int) -> Bool
    /// Brings a write to disk and answers on the loop, once. Asked only where both sides write.
    package var intend: (_ write: IntendedWrite, _ done: @escaping (IntentAnswer) -> Void) -> Void
    /// Of a write that went on without its ticket, or ended before: what is on record of it is not to be delivered.
    package var withdraw: (_ ticket: WriteTicket) -> Void
    /// A write could not be on record. It went to its primary alone, or, not `isServed`, was refused.
    package var unrecorded: Unrecorded

    package typealias Unrecorded =
        (_ extraction: Int, _ route: Int, _ method: Method, _ reason: String, _ isServed: Bool) -> Void
    package typealias Admission =
        (_ extraction: Int, _ route: Int, _ method: Method, _ path: UnsafeRawBufferPointer, _ isService: Bool) -> Bool
    package typealias LeftOut =
        (_ extraction: Int, _ route: Int, _ method: Method, _ path: UnsafeRawBufferPointer) -> Void

    package init(
        shadow: @escaping (CapturedExchange) -> Void,
        admits: @escaping Admission = { _, _, _, _, _ in true }, leftOut: @escaping LeftOut = { _, _, _, _ in },
        checks: @escaping (_ extraction: Int) -> Bool = { _ in false },
        intend: @escaping (_ write: IntendedWrite, _ done: @escaping (IntentAnswer) -> Void) -> Void = { _, done in
            done(.refused(reason: LogRefusal.closed.rawValue))
        },
        withdraw: @escaping (_ ticket: WriteTicket) -> Void = { _ in },
        unrecorded: @escaping Unrecorded = { _, _, _, _, _ in }
    ) {
        self.intend = intend
        self.withdraw = withdraw
        self.unrecorded = unrecorded
        self.checks = checks
        self.shadow = shadow
        self.admits = admits
        self.leftOut = leftOut
    }
}

/// Client connections of the whole process, counted as they come and go: not per request, so an atomic is cheap enough.
final class OpenConnections: Sendable {
    private let open = Atomic(0)

    var count: Int { open.load(ordering: .relaxed) }
    func add(_ change: Int) { open.add(change, ordering: .relaxed) }
}

/// Everything that requests on one event loop touch: the configuration with its upstreams, counters, the clock.
/// All of it belongs to the loop, so nothing is locked and nothing hops.
package final class LoopContext {
    package let loop: any EventLoop
    /// What the next request is decided by.
    private(set) var configuration: LoopConfiguration
    /// Of `configuration`. A time limit is the one in force when its clock starts.
    private(set) var settings: ProxySettings
    /// Goes up with each change of `configuration`.
    private(set) var configurations = 0
    package internal(set) var counters: TrafficCounters
    /// Of configurations that were replaced, and under which exchanges may still end.
    private var replacedTraffic: [LoopTraffic] = []
    private var observed = ObservedSample()
    private let open: OpenConnections
    private let share: LoopShare
    private let directory: UpstreamDirectory
    /// Upstreams that a reload has replaced while exchanges wait for their names to be found.
    private var retiring: [Upstream] = []
    /// As `settings.pseudonym` was at the start is it written: a request that comes round is known over reloads.
    let pseudonym: [UInt8]
    /// Coarse time, as of the last tick. Deadlines need no better.
    private(set) var now = NIODeadline.now()
    /// `Date` field's value for this second.
    private(set) var date: [UInt8] = []
    private(set) var isDraining = false
    /// While draining: when connections that rest between two requests are closed.
    private var idleUntil = NIODeadline.distantFuture
    private var chance = Chance(seed: UInt64.random(in: 1...UInt64.max))
    var refusedConnections = 0
    private var clients: [HTTP1ClientConnection] = []
    /// Writes on record whose clients have left.
    private var detached: [Exchange] = []
    private var ticker: RepeatedTask?
    private var onDrained: EventLoopPromise<Void>?

    static let tick = TimeAmount.milliseconds(100)

    init(
        loop: any EventLoop, share: LoopShare = .whole, model: ProxyModel, directory: UpstreamDirectory,
        open: OpenConnections
    ) {
        self.loop = loop
        self.open = open
        self.share = share
        self.directory = directory
        configuration = LoopConfiguration(model, loop: loop, share: share, directory: directory, replacing: nil)
        settings = model.settings
        pseudonym = Array(model.settings.pseudonym.utf8)
        counters = TrafficCounters(extractions: model.snapshot.extractions.count)
        date = HTTPDate.format(secondsSince1970: Int(time(nil)))
    }

    /// Starts the loop's clock. Call on the loop.
    package func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: LoopContext.tick, delay: LoopContext.tick) { _ in
            bound.value.ticked()
        }
    }

    package func stop() {
        ticker?.cancel()
        for upstream in retiring + configuration.upstreams(notIn: nil) { upstream.close() }
        for client in clients { client.closeNow() }
        for exchange in detached { exchange.abandon() }
        detached = []
        finishDrainIfEmpty()
    }

    /// Every request from here on sees `model`; those under way keep what they were decided by. An older model than the
    /// present one is ignored: two updates may arrive in either order.
    func adopt(_ model: ProxyModel) {
        guard model.snapshot.generation >= configuration.snapshot.generation else { return }
        let last = configuration
        configuration = LoopConfiguration(model, loop: loop, share: share, directory: directory, replacing: last)
        settings = model.settings
        configurations &+= 1
        if last.traffic !== configuration.traffic { replacedTraffic.append(last.traffic) }
        counters.grow(to: model.snapshot.extractions.count)
        retiring += last.upstreams(notIn: configuration)
        sweepUpstreams()
    }

    /// What is replaced keeps no connection; exchanges under way finish.
    private func sweepUpstreams() {
        configuration.sweepUpstreams(now: now)
        if !retiring.isEmpty {
            retiring.removeAll { upstream in
                if upstream.isAwaited { return false }
                upstream.close()
                return true
            }
        }
    }

    /// No connection is kept open beyond its exchange from here on. Completes when the last client has gone.
    ///
    /// - Parameter idleGrace: how long a connection that rests between two requests is kept, to answer the one that may be
    ///   arriving: a client that writes just as its connection is closed loses its request.
    package func drain(idleGrace: TimeAmount) -> EventLoopFuture<Void> {
        isDraining = true
        if let onDrained { return onDrained.futureResult }
        let promise = loop.makePromise(of: Void.self)
        onDrained = promise
        idleUntil = .now() + idleGrace
        if idleGrace <= .zero { closeIdleClients() }
        finishDrainIfEmpty()
        return promise.futureResult
    }

    private func finishDrainIfEmpty() {
        guard isDraining, clients.isEmpty, detached.isEmpty else { return }
        onDrained?.succeed()
        onDrained = nil
    }

    private func closeIdleClients() {
        for client in clients { client.closeIfIdle() }
    }

    private func ticked() {
        now = .now()
        if isDraining, now > idleUntil { closeIdleClients() }
        date = HTTPDate.format(secondsSince1970: Int(time(nil)))
        var index = clients.count - 1
        while index >= 0 {
            // When a client closes here, the last one takes its place, and that one has been visited already.
            if index < clients.count { clients[index].tick(now: now) }
            index -= 1
        }
        if !detached.isEmpty {
            for exchange in detached { exchange.tick(now: now) }
            detached.removeAll { !$0.isActive }
            finishDrainIfEmpty()
        }
        sweepUpstreams()
    }

    // MARK: Clients

    /// The exchange goes on without its client, to its answer's end or its time limit.
    func detached(_ exchange: Exchange) { detached.append(exchange) }

    func clientConnected(_ client: HTTP1ClientConnection) {
        client.index = clients.count
        clients.append(client)
        counters.connections += 1
        open.add(1)
    }

    func clientGone(_ client: HTTP1ClientConnection) {
        let index = client.index
        guard index >= 0, index < clients.count, clients[index] === client, let last = clients.popLast() else { return }
        if index < clients.count {
            clients[index] = last
            last.index = index
        }
        client.index = -1
        open.add(-1)
        finishDrainIfEmpty()
    }

    package var openConnections: Int { clients.count }

    func proxyHeaderRefused() { counters.refused += 1 }

    /// Whether one more connection may be served. Loops that ask at the same moment may together go over by one each.
    var hasRoom: Bool { open.count < settings.connections }

    // MARK: Traffic

    /// A request that no route takes is over: exact counts for as many as there is room for, a sample beyond.
    func observe(_ head: ByteBuffer, method: Method, status: Int, nanoseconds: Int64, bytes: Int) {
        guard observed.admits(&chance) else { return }
        observed.append(head, method: method, status: status, nanoseconds: nanoseconds, bytes: bytes, &chance)
    }

    /// All that was counted since the last time, which begins anew.
    func harvest() -> LoopHarvest {
        var sample = ObservedSample()
        swap(&sample, &observed)
        var counted = [(index: configuration.traffic.index, rows: configuration.traffic.take())]
        var place = replacedTraffic.count - 1
        while place >= 0 {
            counted.append((replacedTraffic[place].index, replacedTraffic[place].take(isLast: true)))
            // Nobody else has it: no exchange of its configuration is under way.
            if isKnownUniquelyReferenced(&replacedTraffic[place]) { replacedTraffic.remove(at: place) }
            place -= 1
        }
        return LoopHarvest(counted: counted.filter { !$0.rows.isEmpty }, sample: sample)
    }

    /// By slot.
    var openBreakers: [Bool] {
        let now = now
        return configuration.services.map { $0?.isBreakerOpen(now: now) ?? false }
    }

    // MARK: Chance

    /// 0 ..< 10,000.
    func sampleRoll() -> Int { chance.next(below: 10_000) }

    /// 32 hexadecimal digits.
    func makeRequestID() -> [UInt8] {
        var id: [UInt8] = []
        id.reserveCapacity(32)
        for var word in [chance.next(), chance.next()] {
            for _ in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: word & 0xF)
                id.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                word >>= 4
            }
        }
        return id
    }
}

/// Limits of a configuration.
package struct ProxySettings: Sendable {
    /// For upstreams that have none of their own.
    package var upstream: UpstreamTimeouts
    /// A whole request head has to arrive within this time of its first byte.
    package var head: TimeAmount
    /// A client connection may rest this long between requests.
    package var idle: TimeAmount
    /// Within a request's body, and while the client takes nothing of its answer.
    package var body = TimeAmount.seconds(60)
    /// From a request's first byte to its answer's last; nil: as long as its parts take.
    package var exchange: TimeAmount?
    /// How long a write waits to be on record.
    package var recording = TimeAmount.seconds(1)
    /// Bytes of one answer that wait for a slow client before its upstream is no longer read from.
    package var buffer = 32 * 1024
    /// Bytes of one body, in either direction, that are kept for the shadow.
    package var captureLimit: Int
    package var trustedProxies: [AddressRange]
    /// Of the heads of requests and answers.
    package var heads: HeadLimits
    /// Bytes of one request's body; nil: as many as the upstream takes.
    package var bodyLimit: Int?
    /// A tunnel (WebSocket) may be silent in both directions for this long.
    package var tunnelIdle: TimeAmount
    /// This process's name in Via, its own alone: a request that has it has been here before.
    package var pseudonym: String
    /// Client connections of the whole process; beyond them, new ones are answered 503.
    package var connections: Int

    package init(
        upstream: UpstreamTimeouts = UpstreamTimeouts(), head: TimeAmount = .seconds(15),
        idle: TimeAmount = .seconds(60),
        captureLimit: Int = 1024 * 1024, trustedProxies: [AddressRange] = [], heads: HeadLimits = HeadLimits(),
        bodyLimit: Int? = nil, tunnelIdle: TimeAmount = .minutes(5),
        pseudonym: String = "strangler-" + String(UInt32.random(in: .min ... .max), radix: 16),
        connections: Int = .max
    ) {
        self.upstream = upstream
        self.head = head
        self.idle = idle
        self.captureLimit = captureLimit
        self.trustedProxies = trustedProxies
        self.heads = heads
        self.bodyLimit = bodyLimit
        self.tunnelIdle = tunnelIdle
        self.pseudonym = pseudonym
        self.connections = connections
    }
}
